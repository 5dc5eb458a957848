"""`GET /v1/wallets/{id}/events`: a wallet's balance, live; and the tickets that a browser opens it with."""

import re
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Controller, post
from litestar.params import FromPath
from msgspec import Meta, Struct

from farebox import ids
from farebox.errors import NotFound, Problem
from farebox.events.hub import Subscriber
from farebox.events.service import event_id
from farebox.events.types import Balance
from farebox.http import edge, sse
from farebox.http.access import Access, bearer
from farebox.http.depends import TheAuthority, TheServices
from farebox.http.native.authority import Authority
from farebox.http.problem import problem_body, problem_of, request_id, retry_after
from farebox.identity.types import READ
from farebox.services import Services
from farebox.wallets.types import Wallet

PATH = re.compile(r"/v1/wallets/([^/]+)/events")
_encode = msgspec.json.Encoder().encode


class TicketView(Struct, frozen=True):
    """What opens the stream as `?ticket=…`, for as long."""

    ticket: str
    expires_in_s: Annotated[int, Meta(gt=0)]


class Tickets(Controller):
    """What opens a wallet's stream of events in a browser, which can set no header there."""

    path = "/v1/wallets"
    tags = ("Wallets",)

    @post("/{wallet_id:str}/tickets", summary="Make a ticket that opens a wallet's events in a browser")
    async def add(self, services: TheServices, authority: TheAuthority, wallet_id: FromPath[str]) -> TicketView:
        wallet = await authority.wallet(wallet_id)
        ticket = services.tickets.make(_subject(wallet.id), authority.principal.credential_id)
        return TicketView(ticket, services.tickets.ttl_s)


class Events:
    """The streams."""

    def __init__(self, services: Services, access: Access) -> None:
        self._services = services
        self._access = access

    async def __call__(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        try:
            subscriber, first = await self._open(scope)
        except Exception as error:
            await _refused(send, problem_of(error, scope["path"]))
            return
        try:
            await sse.stream(subscriber, first, receive, send, self._services.settings.heartbeat_s)
        finally:
            self._services.live.leave(subscriber)

    async def _open(self, scope: edge.Scope) -> tuple[Subscriber, list[bytes]]:
        found = PATH.fullmatch(scope["path"])
        assert found is not None
        wallet, credential_id = await self._wallet(scope, found[1])

        def write(balance: Balance) -> bytes:
            told: dict[str, Any] = {
                "wallet": str(wallet.id),
                "asset": wallet.asset,
                "scale": wallet.scale,
                "balance": balance.balance,
                "held": balance.held,
                "available": balance.available,
                "debt": balance.debt,
                "at": balance.at,
            }
            return sse.message(event_id(wallet.id, balance.version), _encode(told))

        last_seen = edge.text(edge.headers_of(scope).get(b"last-event-id"))
        return await self._services.live.wallet(wallet.id, "native", write, credential_id, last_seen)

    async def _wallet(self, scope: edge.Scope, wallet_id: str) -> tuple[Wallet, int | None]:
        """The wallet, and the key that the caller came with."""
        ticket = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("ticket")
        number = ids.parse_wallet_id(wallet_id)
        if ticket is not None and number is not None:
            found = await self._services.tickets.check(ticket, _subject(number))
            return await self._services.wallets.get(number), found.credential_id
        secret = bearer(edge.text(edge.headers_of(scope).get(b"authorization")))
        principal = await self._access.principal(secret, edge.address_of(scope), READ)
        if number is None:
            raise NotFound("there is no such wallet")
        return await Authority(self._services, principal).wallet(wallet_id), principal.credential_id


def _subject(wallet_id: int) -> str:
    return f"wallet {wallet_id}"


async def _refused(send: edge.Send, problem: Problem) -> None:
    name = request_id(problem)
    headers = [(b"x-request-id", name.encode()), *retry_after(problem)]
    if problem.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await edge.reply(send, problem.status, problem_body(problem, name), *headers, content_type=edge.PROBLEM_JSON)
