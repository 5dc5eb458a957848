"""uvicorn's protocol, with bounds on what a client can make it wait for or keep."""

import asyncio
from http import HTTPStatus

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from farebox.errors import BadRequest, Busy, HeadTooLarge, Problem, RequestTimeout
from farebox.http.shapes import written
from farebox.http.transport import HeadWithBody

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

_MAPPED = "::ffff:"
LINGER_S = 2.0
"""How long a client that was refused may go on sending, to nobody."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits on connections (503), on the size of a head (431) and on the time it and a body take (408).

    A request that arrives whole, as nearly all do, costs no timer. Whoever asks for another protocol besides gets this
    one; whoever takes nothing of what is sent is let go when an idle connection would be.
    """

    max_connections = 20_000
    max_head_bytes = 32_768
    head_timeout_s = 15.0
    body_timeout_s = 30.0

    url = b""  # until a request line has come
    by_name: dict[bytes, bytes]
    """The headers of the head that came last; of those that stand more than once, the last."""
    _in_head = True
    _head_bytes = 0
    _chunk_bytes = 0
    _trailer_bytes = 0
    _whole = True
    _refused = False
    _timer: asyncio.TimerHandle | None = None
    _idle_since: float | None = None
    _idle_timer: asyncio.TimerHandle | None = None
    _taking_timer: asyncio.TimerHandle | None = None
    _plain_head = b""
    """What the head that has just come is without its wish for another protocol, where it has one."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self.client is not None and self.client[0].startswith(_MAPPED):  # by a socket for both kinds of addresses
            self.client = (self.client[0].removeprefix(_MAPPED), self.client[1])
        self.out = HeadWithBody(transport, self.loop, self._watch_taking)
        self.transport = self.out  # type: ignore[assignment]  # what is used of a transport
        self._time(self.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._untime()
        for timer in (self._idle_timer, self._taking_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._chunk_bytes = len(data)
        if self._in_head:
            self._head_bytes += len(data)
        self._idle_since = None
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self._refuse(BadRequest("this can't be read as HTTP/1.1", "malformed_http"))
        if self._refused:
            return
        if self._in_head:
            if self._head_bytes > self.max_head_bytes:
                self._refuse(HeadTooLarge(f"a request's head may have {self.max_head_bytes} bytes"))
            elif (self._head_bytes or not self._whole) and self._timer is None:
                self._time(self.head_timeout_s)
        elif not self._whole and self._timer is None:
            self._time(self.body_timeout_s)

    def _feed(self, data: bytes) -> None:
        """Has the parser read data. It stops behind a head that asks for another protocol: that is read again, as if
        it did not, and then what follows it (RFC 9110, 7.8)."""
        left: bytes | memoryview = data
        while True:
            try:
                self.parser.feed_data(left)
                return
            except httptools.HttpParserUpgrade as upgrade:
                if self._refused:
                    return
                left = memoryview(left)[upgrade.args[0] :]
                plain, self._plain_head = self._plain_head, b""
                self.parser.feed_data(plain)

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self._whole = False
        self._idle_since = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            self.headers.append((name.lower(), value))
            return
        # Behind a body: no header of this request, whatever it is called.
        self._trailer_bytes += len(name) + len(value) + 4
        if self._trailer_bytes > self.max_head_bytes and not self._refused:
            self._refuse(HeadTooLarge(f"a request's trailers may have {self.max_head_bytes} bytes"))

    def on_headers_complete(self) -> None:
        self._untime()
        if self._refused:
            return  # what stands behind a refused request is not done: who knows where that ended
        # What has come at all bounds what a head can have: only of a lot is it counted what is this head's.
        if self._head_bytes + self._chunk_bytes > self.max_head_bytes and self._head_size() > self.max_head_bytes:
            self._refuse(HeadTooLarge(f"a request's head may have {self.max_head_bytes} bytes"))
        elif not self._one_way_to_read():
            self._refuse(BadRequest("it takes one Host header, and no key or type twice", "malformed_http"))
        elif len(self.connections) > self.max_connections:
            self._refuse(Busy("too many connections", "overloaded", retry_after_s=1))
        elif self.parser.should_upgrade():
            self._wished_for_another()
        else:
            self.begin()  # before it counts as begun: its target may be none
            self._in_head = False

    def _wished_for_another(self) -> None:
        method, headers = self.parser.get_method(), self.headers
        if method == b"CONNECT":
            self._refuse(BadRequest("this server is no proxy", "malformed_http"))
            return
        lines = b"".join(b"%s: %s\r\n" % header for header in headers if header[0] != b"upgrade")
        version = self.parser.get_http_version().encode()
        self._plain_head = b"%s %s HTTP/%s\r\n%s\r\n" % (method, self.url, version, lines)

    def begin(self) -> None:
        """Begins what the head that has just come asks for; here: by ASGI."""
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        self.headers += headers
        self.expect_100_continue = any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in headers
        )
        super().on_headers_complete()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, body: bytes) -> None:
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._plain_head:
            return
        self.ended()
        if not self._refused:
            super().on_message_complete()

    def ended(self) -> None:
        """Notes that a request has come to its end."""
        self._untime()
        self._in_head = self._whole = True
        self._head_bytes = self._trailer_bytes = 0
        self.url = b""

    def on_response_complete(self) -> None:
        """As uvicorn's own, but that the time of a connection that is kept alive costs no timer per request."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._idle_since = self.loop.time()
        if self._idle_timer is None:
            self._idle_timer = self.loop.call_later(self.timeout_keep_alive, self._look_idle)

    def _look_idle(self) -> None:
        """Closes a connection that was idle too long; of one that was not, looks again when it can be."""
        self._idle_timer = None
        if self._idle_since is None:
            return  # looked at again when the request that is open, or comes, is answered
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._idle_timer = self.loop.call_later(left, self._look_idle)
        else:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_taking()

    def _watch_taking(self, before: int | None = None) -> None:
        """Ends the connection where its client has taken nothing of the bytes that were left `before`."""
        if self._taking_timer is not None:
            self._taking_timer.cancel()
        left = self.transport.get_write_buffer_size()
        if left and left == before:
            self.transport.abort()
        elif left and (self.flow.write_paused or self.transport.is_closing()):
            self._taking_timer = self.loop.call_later(self.timeout_keep_alive, self._watch_taking, left)

    def _one_way_to_read(self) -> bool:
        """Whether no two readers can take another host, key or type out of this head (RFC 9112, 3.2)."""
        self.by_name = found = dict(self.headers)
        if len(found) != len(self.headers):
            names = [name for name, _ in self.headers]
            if any(names.count(name) > 1 for name in SINGLE):
                return False
        return b"host" in found or self.parser.get_http_version() != "1.1"

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
