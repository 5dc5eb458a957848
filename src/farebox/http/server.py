"""Serving: uvicorn with a protocol that bounds what a client can make it wait for or keep."""

import asyncio
import socket
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from farebox.errors import BadRequest, Busy, HeadTooLarge, Problem, RequestTimeout
from farebox.http.edge import App
from farebox.http.shapes import written
from farebox.http.transport import HeadWithBody
from farebox.settings import Settings

SINGLE = (
    b"host",
    b"authorization",
    b"content-type",
    b"content-encoding",
    b"idempotency-key",
    b"x-idempotency-key",
    b"x-provider-api-key",
    b"x-provider-session",
    b"x-provider-slug",
    b"x-session-token",
)
"""Headers that stand once: of two, one reader takes the first, another the last."""

LINGER_S = 2.0
"""How long a client that was refused may go on sending, to nobody."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits on connections (503), on the size of a head (431) and on the time it and a body take (408).

    A request that arrives whole, as nearly all do, costs no timer.
    """

    max_connections = 20_000
    max_head_bytes = 32_768
    head_timeout_s = 15.0
    body_timeout_s = 30.0

    url = b""  # until a request line has come
    _in_head = True
    _head_bytes = 0
    _chunk_bytes = 0
    _trailer_bytes = 0
    _whole = True
    _refused = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = HeadWithBody(transport, self.loop)  # type: ignore[assignment]  # what is used of a transport
        self._time(self.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._untime()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._chunk_bytes = len(data)
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._refused:
            return
        if self._in_head:
            if self._head_bytes > self.max_head_bytes:
                self._refuse(HeadTooLarge(f"a request's head may have {self.max_head_bytes} bytes"))
            elif self._head_bytes and self._timer is None:
                self._time(self.head_timeout_s)
        elif not self._whole and self._timer is None:
            self._time(self.body_timeout_s)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)
            return
        # Behind a body: no header of this request, whatever it is called.
        self._trailer_bytes += len(name) + len(value) + 4
        if self._trailer_bytes > self.max_head_bytes and not self._refused:
            self._refuse(HeadTooLarge(f"a request's trailers may have {self.max_head_bytes} bytes"))

    def on_headers_complete(self) -> None:
        self._untime()
        # What has come at all bounds what a head can have: only of a lot is it counted what is this head's.
        if self._head_bytes + self._chunk_bytes > self.max_head_bytes and self._head_size() > self.max_head_bytes:
            self._refuse(HeadTooLarge(f"a request's head may have {self.max_head_bytes} bytes"))
        elif not self._one_way_to_read():
            self._refuse(BadRequest("it takes one Host header, and no key or type twice", "malformed_http"))
        elif len(self.connections) > self.max_connections:
            self._refuse(Busy("too many connections", "overloaded", retry_after_s=1))
        else:
            super().on_headers_complete()
            self._in_head = False

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._untime()
        self._in_head = self._whole = True
        self._head_bytes = self._trailer_bytes = 0
        self.url = b""
        if not self._refused:
            super().on_message_complete()

    def _one_way_to_read(self) -> bool:
        """Whether no two readers can take another host, key or type out of this head (RFC 9112, 3.2)."""
        names = [name for name, _ in self.headers]
        different = set(names)
        if len(different) != len(names) and any(names.count(name) > 1 for name in SINGLE):
            return False
        return b"host" in different or self.parser.get_http_version() != "1.1"

    def send_400_response(self, msg: str) -> None:
        self._refuse(BadRequest("this can't be read as HTTP/1.1", "malformed_http"))

    def _time(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._refuse, RequestTimeout("send the request faster"))

    def _untime(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, problem: Problem) -> None:
        """Answers the request that is being read with a problem, and closes the connection."""
        self._refused = True
        self._untime()
        if self.transport.is_closing():
            return
        if self._in_head and self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False  # one before it is being answered: that goes out, and nothing after it
            return
        # Behind another request, or within an answer, these bytes would be taken for something else.
        if not self._in_head and (self.pipeline or self.cycle.response_started):
            self.transport.close()
            return
        # Closing on what was not read yet resets the connection, and the answer is lost: first it is read, for a while.
        self.transport.write(_message(problem, self.url))
        self.transport.write_eof()
        self._timer = self.loop.call_later(LINGER_S, self.transport.close)


def _message(problem: Problem, url: bytes) -> bytes:
    """A problem as a whole HTTP message."""
    status, headers, body = written(problem, url.decode("latin-1"))
    headers += [(b"content-length", b"%d" % len(body)), (b"connection", b"close")]
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, HTTPStatus(status).phrase.encode(), lines, body)


def protocol_for(settings: Settings) -> type[HttpToolsProtocol]:
    """The protocol with this server's bounds."""
    bounds: dict[str, Any] = {
        "max_connections": settings.max_connections,
        "max_head_bytes": settings.max_header_bytes,
        "head_timeout_s": settings.head_timeout_s,
        "body_timeout_s": settings.body_timeout_s,
    }
    return type("Protocol", (BoundedProtocol,), bounds)


def config(app: App, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves the application."""
    return uvicorn.Config(
        app,  # ASGI by another name
        http=protocol_for(settings),
        ws="none",
        lifespan="off",
        loop="auto",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_keep_alive=settings.idle_timeout_s,
        timeout_graceful_shutdown=15,
    )


def listen(settings: Settings) -> socket.socket:
    """The listening socket; raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.workers > 1:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind((settings.host, settings.port))
    found.listen(2048)
    found.setblocking(False)
    found.set_inheritable(True)
    return found
