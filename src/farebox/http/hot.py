"""The hot routes without ASGI: a request that comes whole is answered without a scope, messages or a task.

What comes otherwise (in pieces, behind a request that is open, from a page, over HTTP/1.0, to be continued) goes the
way of all other requests, to the same route. The two ways differ in nothing that can be seen but the time.
"""

from typing import ClassVar

from msgspec import Struct
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from farebox.errors import Internal
from farebox.http import byhand
from farebox.http.edge import Answer, Request, Route, Seen
from farebox.http.exchange import Exchange, Heads
from farebox.http.known_head import MOST_BYTES, MOST_VALUE, KnownHead, known_head
from farebox.http.problem import problem_of
from farebox.http.protocol import BoundedProtocol
from farebox.http.shapes import written

NOT_PLAIN = frozenset((b"expect", b"origin", b"transfer-encoding", b"upgrade"))
"""Headers of requests that go the other way."""
MOST_HEADS = 4
"""How many heads are remembered for a connection."""
MOST_IN_VAIN = 12
"""So many in vain, one after the other, and its heads are taken for all different."""
Found = tuple[str, Route]


class Came(Struct, frozen=True):
    """How a request came: for which hot route, from where, whether its connection stays open, and what it showed."""

    found: Found
    address: str
    keep_alive: bool
    seen: Seen


class HotProtocol(BoundedProtocol):
    """HTTP/1.1 with a way of its own for hot routes."""

    hot: ClassVar[dict[bytes, Found]] = {}
    """By what a request line has for them. All are POST."""
    heads: ClassVar[Heads] = Heads()

    _found: Found | None = None
    """The hot route of the request that is being read."""
    _body: bytes | None = None
    _exchange: Exchange | None = None
    _came: Came | None = None
    """How the request came that was answered here last."""
    _known: tuple[tuple[KnownHead, Came], ...] = ()
    """Heads that may come again, the newest first."""
    _heads_left = MOST_IN_VAIN

    def begin(self) -> None:
        found = self.hot.get(self.url)
        if found is not None and self._plain():
            self._found, self._body = found, None  # it begins when it is whole
        else:
            super().begin()

    def _plain(self) -> bool:
        parser, before = self.parser, self.cycle
        return (
            parser.get_method() == b"POST"
            and (before is None or before.response_complete)
            and NOT_PLAIN.isdisjoint(self.by_name)
            and parser.get_http_version() == "1.1"
            and not self.flow.write_paused
        )

    def data_received(self, data: bytes) -> None:
        between = self._whole and self._in_head and not self._head_bytes
        if between and self._known and self._answered_as_before(data):
            return
        self._came = None
        super().data_received(data)
        if self._found is not None:
            self._in_pieces()
        elif between and self._came is not None and self._whole:  # nothing has begun behind it
            self._remember(data, self._came)

    def _answered_as_before(self, data: bytes) -> bool:
        """Answers a request whose head is known; False where it is not, or may not be answered."""
        if not self.cycle.response_complete or self.flow.write_paused or self._refused:
            return False
        if len(self.connections) > self.max_connections:
            return False
        for head, came in self._known:
            read = head.read(data)
            if read is not None:
                self._idle_since, self._heads_left = None, MOST_IN_VAIN
                self.by_name, self._body = read
                self._came = came
                self._answer(*came.found)
                return True
        return False

    def _remember(self, data: bytes, came: Came) -> None:
        """Remembers the head of a request that came alone, where the next may have the same."""
        if self._heads_left and came.keep_alive:
            self._heads_left -= 1
            head = known_head(data, self.by_name, min(MOST_BYTES, self.max_head_bytes - 2 * MOST_VALUE))
            if head is not None:
                self._known = ((head, came), *self._known[: MOST_HEADS - 1])

    def _in_pieces(self) -> None:
        """Has ASGI wait for the rest of a body."""
        self._found = None
        super().begin()
        if self._body is not None:
            super().on_body(self._body)

    def on_body(self, body: bytes) -> None:
        if self._found is None:
            super().on_body(body)
        elif self._body is None:
            self._body = body
        else:
            self._body += body

    def on_message_complete(self) -> None:
        found = self._found
        if found is None:
            super().on_message_complete()
            return
        self._found = None
        self.ended()
        self._came = Came(found, self._address(), self.parser.should_keep_alive(), Seen())
        self._answer(*found)

    def _answer(self, path: str, route: Route) -> None:
        came, exchange = self._came, self._exchange
        assert came is not None
        if exchange is None:
            exchange = self._exchange = Exchange()
        exchange.begin(path, keep_alive=came.keep_alive)
        self.cycle = exchange  # type: ignore[assignment]  # what is used of one
        byhand.run(route(Request(self.by_name, path, came.address, self._body or b"", came.seen)), self, self.tasks)

    def _address(self) -> str:
        peer = self.client[0] if self.client else "local"
        proxies = self.app.trusted_hosts if isinstance(self.app, ProxyHeadersMiddleware) else None
        if proxies is None or b"x-forwarded-for" not in self.by_name or peer not in proxies:
            return peer
        passed = b", ".join(value for name, value in self.headers if name == b"x-forwarded-for")
        return proxies.get_trusted_client_address(passed.decode("latin-1"))[0] or peer

    def done(self, answer: Answer) -> None:
        """Sends the answer to the request that is open."""
        exchange = self._exchange
        assert exchange is not None
        exchange.response_complete = True
        if self.transport.is_closing():
            return
        keep_alive = exchange.keep_alive
        self.out.write_whole(self.heads.message(answer, self.server_state.default_headers, keep_alive=keep_alive))
        if not keep_alive:
            self.transport.close()
        self.on_response_complete()

    def broken(self, error: BaseException) -> None:
        """Answers where a route has raised; cancelled it is at the end of the server."""
        assert self._exchange is not None
        path = self._exchange.path
        problem = problem_of(error, path) if isinstance(error, Exception) else Internal("the server is being stopped")
        status, (kind, *headers), body = written(problem, path)
        self.done(Answer(status, body, headers, kind))
