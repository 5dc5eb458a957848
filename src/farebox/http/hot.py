"""The hot routes without ASGI: a request that comes whole is answered without a scope, messages or a task.

What comes otherwise (in pieces, behind a request that is open, from a page, over HTTP/1.0, to be continued) goes the
way of all other requests, to the same route. The two ways differ in nothing that can be seen but the time.
"""

import asyncio
from typing import ClassVar

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from farebox.errors import Internal
from farebox.http import byhand
from farebox.http.edge import Answer, Request, Route
from farebox.http.exchange import Exchange, Heads
from farebox.http.problem import problem_of
from farebox.http.protocol import BoundedProtocol
from farebox.http.shapes import written

NOT_PLAIN = frozenset((b"expect", b"origin", b"transfer-encoding", b"upgrade"))
"""Headers of requests that go the other way."""


class HotProtocol(BoundedProtocol):
    """HTTP/1.1 with a way of its own for hot routes."""

    hot: ClassVar[dict[bytes, tuple[str, Route]]] = {}
    """By what a request line has for them. All are POST."""
    heads: ClassVar[Heads] = Heads()

    _found: tuple[str, Route] | None = None
    """The hot route of the request that is being read."""
    _body: bytes | None = None
    _exchange: Exchange | None = None

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
        super().data_received(data)
        if self._found is not None:
            self._in_pieces()

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
        self._answer(*found)

    def _answer(self, path: str, route: Route) -> None:
        exchange = self._exchange
        if exchange is None:
            exchange = self._exchange = Exchange()
        exchange.begin(keep_alive=self.parser.should_keep_alive())
        self.cycle = exchange  # type: ignore[assignment]  # what is used of one
        request = Request(self.by_name, path, self._address(), self._body or b"")
        byhand.run(self._exchanged(exchange, route, request), self.tasks)

    def _address(self) -> str:
        peer = self.client[0] if self.client else "local"
        proxies = self.app.trusted_hosts if isinstance(self.app, ProxyHeadersMiddleware) else None
        if proxies is None or b"x-forwarded-for" not in self.by_name or peer not in proxies:
            return peer
        passed = b", ".join(value for name, value in self.headers if name == b"x-forwarded-for")
        return proxies.get_trusted_client_address(passed.decode("latin-1"))[0] or peer

    async def _exchanged(self, exchange: Exchange, route: Route, request: Request) -> None:
        try:
            answer = await route(request)
        except (Exception, asyncio.CancelledError) as error:  # cancelled: at the end of the server
            answer = _broken(error, request.path)
        if self.transport.is_closing():
            exchange.response_complete = True
            return
        message = self.heads.message(answer, self.server_state.default_headers, keep_alive=exchange.keep_alive)
        self.out.write_whole(message)
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _broken(error: BaseException, path: str) -> Answer:
    problem = problem_of(error, path) if isinstance(error, Exception) else Internal("the server is being stopped")
    status, (kind, *headers), body = written(problem, path)
    return Answer(status, body, headers, kind)
