"""`GET /wallet/events`: tells a page that something of its wallet has moved, as long as its session holds."""

import re

from litestar import Request

from farebox.errors import Unauthorized
from farebox.events.hub import Subscriber
from farebox.http import edge, sse
from farebox.http.problem import problem_of
from farebox.http.shapes import written
from farebox.http.web.visitor import WALLET
from farebox.services import Services

PATH = re.compile(r"/wallet/events")
_MOVED = b"data: {}\n\n"
"""Nothing of the wallet stands in it: what the page then asks for, it gets with its session only."""


class PageEvents:
    """The streams."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        try:
            subscriber, first = await self._open(scope)
        except Exception as error:
            status, (kind, *headers), body = written(problem_of(error, scope["path"]), scope["path"])
            await edge.reply(send, status, body, *headers, content_type=kind)
            return
        try:
            await sse.stream(subscriber, first, receive, send, self._services.settings.heartbeat_s)
        finally:
            self._services.live.pages.leave(subscriber)

    async def _open(self, scope: edge.Scope) -> tuple[Subscriber, list[bytes]]:
        token = WALLET.read(Request(scope))  # type: ignore[arg-type]  # ASGI by another name
        if token is None:
            raise Unauthorized("sign in", "signed_out")
        return await self._services.live.pages.open(token, _MOVED)
