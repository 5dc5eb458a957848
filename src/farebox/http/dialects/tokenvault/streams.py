"""`…/stream` of organizations and profiles as plain ASGI functions: live balances, by key or by ticket."""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from farebox.errors import Unauthorized
from farebox.events.hub import Subscriber
from farebox.events.service import event_id
from farebox.events.types import Balance
from farebox.http import edge, sse
from farebox.http.access import Access
from farebox.http.dialects.tokenvault import answers
from farebox.http.dialects.tokenvault.caller import Callers, acting_for
from farebox.http.problem import problem_of, retry_after
from farebox.identity.types import READ
from farebox.services import Services
from farebox.teams.types import CREDIT, Standing

PATH = re.compile(r"/tokenvault/v1/balance/(organizations|profiles)/([^/]+)/stream")
_encode = msgspec.json.Encoder().encode

Opened = tuple[Subscriber, list[bytes]]


def organization_subject(organization_id: str) -> str:
    """How a ticket names an organization's stream."""
    return f"tokenvault organization {organization_id}"


def profile_subject(profile_id: str) -> str:
    """How a ticket names a profile's stream."""
    return f"tokenvault profile {profile_id}"


class Streams:
    """Opens the streams of the dialect."""

    def __init__(self, services: Services, access: Access) -> None:
        self._services = services
        self._callers = Callers(access, open_to_all=services.settings.tokenvault_open)

    async def __call__(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        found = PATH.fullmatch(scope["path"])
        assert found is not None
        open_ = self._organization if found[1] == "organizations" else self._profile
        try:
            subscriber, first = await open_(scope, found[2])
        except Exception as error:
            problem = problem_of(error, scope["path"])
            status, body = answers.problem(problem)
            await edge.reply(send, status, body, *retry_after(problem))
            return
        try:
            await sse.stream(subscriber, first, receive, send, self._services.settings.heartbeat_s)
        finally:
            self._services.live.leave(subscriber)

    async def _organization(self, scope: edge.Scope, organization_id: str) -> Opened:
        credential_id, _ = await self._who(scope, organization_subject(organization_id), organization_id)
        team = await self._services.teams.team(organization_id)

        def write(balance: Balance) -> bytes:
            standing = Standing(organization_id, balance.wallet_id, balance.available, balance.debt, balance.at)
            return self._message(balance.version, standing)

        last_seen = edge.text(edge.headers_of(scope).get(b"last-event-id"))
        return await self._services.live.wallet(team.wallet_id, "tokenvault", write, credential_id, last_seen)

    async def _profile(self, scope: edge.Scope, profile_id: str) -> Opened:
        credential_id, mine = await self._who(scope, profile_subject(profile_id), None)
        teams = self._services.teams
        agent = await teams.agent(mine or await teams.organization_of(profile_id), profile_id)
        return await self._services.live.agent(agent, "tokenvault", self._message, credential_id)

    async def _who(self, scope: edge.Scope, subject: str, organization_id: str | None) -> tuple[int | None, str | None]:
        """The key that the caller came with, and the organization that it is bound to."""
        ticket = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("ticket")
        if ticket is not None:
            found = await self._services.tickets.check(ticket, subject)
            if found.credential_id is None and not self._services.settings.tokenvault_open:
                raise Unauthorized("this ticket was made without a key")
            return found.credential_id, found.organization_id
        given = edge.text(edge.headers_of(scope).get(b"authorization"))
        principal, _ = await self._callers.identify(given, edge.address_of(scope), READ)
        if organization_id is not None:
            acting_for(principal, organization_id)
        return principal.credential_id, principal.organization_id

    def _message(self, version: int, standing: Standing) -> bytes:
        told: dict[str, Any] = answers.balance(standing, self._services.prices.book.assets[CREDIT])
        return sse.message(event_id(standing.wallet_id, version), _encode(told))
