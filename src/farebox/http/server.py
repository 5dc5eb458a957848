"""Serving: uvicorn with a protocol that bounds what a client can make it wait for or keep."""

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from farebox.http.edge import App
from farebox.settings import Settings


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits on the size of a head (431) and on the time that head and body may take (408).

    A request that arrives whole, as nearly all do, costs no timer.
    """

    max_head_bytes = 32_768
    head_timeout_s = 15.0
    body_timeout_s = 30.0

    _in_head = True
    _head_bytes = 0
    _whole = True
    _refused = False
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._time(self.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._untime()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head:
            if self._head_bytes > self.max_head_bytes:
                self._refuse(b"431 Request Header Fields Too Large")
            elif self._head_bytes and self._timer is None:
                self._time(self.head_timeout_s)
        elif not self._whole and self._timer is None:
            self._time(self.body_timeout_s)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._whole = False

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._untime()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.max_head_bytes:
            self._refuse(b"431 Request Header Fields Too Large")
        else:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._untime()
        self._in_head = self._whole = True
        self._head_bytes = 0
        if not self._refused:
            super().on_message_complete()

    def _time(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._refuse, b"408 Request Timeout")

    def _untime(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: bytes) -> None:
        self._refused = True
        self._untime()
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()


def protocol_for(settings: Settings) -> type[HttpToolsProtocol]:
    """The protocol with this server's bounds."""
    bounds: dict[str, Any] = {
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
        limit_concurrency=settings.max_connections,
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
