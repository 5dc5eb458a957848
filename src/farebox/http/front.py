"""The front door: hot routes are answered here, everything else goes on to the framework."""

import re
from collections.abc import Awaitable, Callable
from urllib.parse import unquote_to_bytes

from farebox.errors import BadRequest, Invalid, MethodNotAllowed, NotFound, Problem
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.callers import Callers
from farebox.http.cors import Cors, is_preflight
from farebox.http.dialects.conxa import routes as conxa
from farebox.http.dialects.knai import routes as knai
from farebox.http.dialects.session_charge import charge_route
from farebox.http.dialects.syftbox import routes as syftbox
from farebox.http.dialects.syftbox.transactions import transaction_routes
from farebox.http.dialects.tokenvault import consumption, streams
from farebox.http.dialects.tokenvault import routes as tokenvault
from farebox.http.dialects.x402tools import recording
from farebox.http.dialects.x402tools import routes as x402tools
from farebox.http.framework import build
from farebox.http.native import batch_call, charge_call, hold_calls, live, reads, transfer_call
from farebox.http.shapes import Header, written
from farebox.http.web.console import charges as console_charges
from farebox.http.web.wallet import live as pages
from farebox.services import Services

_SECRET = re.compile(
    rb"(?<![0-9A-Za-z])(?:pk_(?:live|test)_|ok_live_|fbx_admin_|(?:ps|dt|ws)_[0-9a-f]{16})", re.IGNORECASE
)


class Front:
    """The ASGI application."""

    def __init__(self, services: Services) -> None:
        access = Access(services.keys, services.settings)
        callers = Callers(services.people, services.settings)
        self._framework = build(services, access, callers)
        holds, limit = hold_calls.HoldCalls(services), services.settings.max_body_bytes
        self.hot: dict[str, edge.Route] = {
            "/v1/charges": charge_call.route(services, access),
            batch_call.PATH: batch_call.route(services, access),
            transfer_call.PATH: transfer_call.route(services, access),
            hold_calls.HOLD: hold_calls.hold_route(holds, access, limit),
            f"{conxa.PREFIX}/charge/authorize": charge_route(services, access, conxa.CHARGE),
            f"{knai.PREFIX}/charge/authorize": charge_route(services, access, knai.CHARGE),
            **transaction_routes(services, callers, syftbox.PREFIX),
            tokenvault.CONSUMPTION: consumption.route(services, access),
            x402tools.USAGE: recording.route(services, access),
        }
        """The routes that are called once per charge, by their addresses; all are POST."""
        self._hot = {path: edge.asgi(route) for path, route in self.hot.items()}
        self._posts_only = {path for path in self._hot if not path.startswith("/v1/")} - {x402tools.USAGE}
        self._charges = console_charges.ChargeEvents(services)
        self.streams = (
            (live.PATH, live.Events(services, access)),
            (streams.PATH, streams.Streams(services, access)),
            (pages.PATH, pages.PageEvents(services)),
            (console_charges.PATH, self._charges),
        )
        """The addresses that answer with server-sent events."""
        read = reads.Reads(services, access)
        self._straight = (
            ("GET", reads.BALANCE, edge.asgi(read.balance)),
            ("GET", reads.STATEMENT, edge.asgi(read.statement)),
            ("POST", hold_calls.CAPTURE, edge.asgi(hold_calls.capture_route(holds, access, limit))),
        )
        """Routes before the framework whose addresses name something."""
        self._cors = Cors(services.settings.cors_origins)

    async def __call__(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        if scope["type"] == "http" and self._cors:
            origin = self._cors.origin(scope)
            if origin is not None:
                if is_preflight(scope):
                    await self._cors.preflight(origin, send)
                    return
                send = self._cors.granting(origin, send)
        await self._answer(scope, receive, send)

    async def _answer(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        if scope["type"] == "http":
            if scope["query_string"]:
                problem = check_query(scope["query_string"])
                if problem is not None:
                    await _refuse(scope, send, problem)
                    return
            route = self._route(scope)
            if route is not None:
                await route(scope, receive, send)
                return
            if scope["path"] in self._posts_only:
                await _refuse(scope, send, MethodNotAllowed("this address has no such method"), (b"allow", b"POST"))
                return
            if "\0" in scope["path"]:  # which no text of the database can hold
                await _refuse(scope, send, NotFound("there is nothing at this address; /docs lists what there is"))
                return
            stream = self._stream(scope["path"])
            if stream is not None:
                if scope["method"] == "GET":
                    await stream(scope, receive, send)
                else:
                    await _refuse(scope, send, MethodNotAllowed("this address has no such method"), (b"allow", b"GET"))
                return
            if scope["method"] == "HEAD":  # the head of what GET gets, for monitors; uvicorn keeps the body back
                scope = {**scope, "method": "GET"}
        await self._framework(scope, receive, send)  # type: ignore[arg-type]  # ASGI by another name

    def _route(self, scope: edge.Scope) -> edge.App | None:
        method, path = scope["method"], scope["path"]
        hot = self._hot.get(path)
        if hot is not None:
            return hot if method == "POST" else None
        if not path.startswith("/v1/"):
            return None
        for does, (paths, queries), app in self._straight:
            if does == method and paths.fullmatch(path) and queries.fullmatch(scope["query_string"]):
                return app
        return None

    def _stream(self, path: str) -> edge.App | None:
        if not path.endswith(("/stream", "/events")):
            return None
        return next((stream for pattern, stream in self.streams if pattern.fullmatch(path)), None)

    def end_streams(self) -> None:
        """Ends the streams that are this application's own."""
        self._charges.end()

    @property
    def framework(self) -> Callable[[edge.Scope, edge.Receive, edge.Send], Awaitable[None]]:
        """The framework's application alone; tests compare its charge route with the hot one."""
        return self._framework  # type: ignore[return-value]


def check_query(query: bytes) -> Problem | None:
    """What is wrong with a query string, if anything."""
    plain = unquote_to_bytes(query)
    if _SECRET.search(plain):
        return BadRequest(
            "a secret does not belong in an address, where it is logged: send it in a header, and replace this one",
            "secret_in_query",
        )
    names = [unquote_to_bytes(part.partition(b"=")[0]) for part in query.split(b"&") if part]
    if len(names) != len(set(names)):
        return BadRequest("a query parameter stands twice", "repeated_parameter")
    if b"\0" in plain:
        return Invalid("a query parameter holds a NUL character")
    return None


async def _refuse(scope: edge.Scope, send: edge.Send, problem: Problem, *more: Header) -> None:
    status, (kind, *headers), body = written(problem, scope["path"])
    await edge.reply(send, status, body, *headers, *more, content_type=kind)
