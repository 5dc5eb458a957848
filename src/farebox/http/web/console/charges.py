"""Charges as they come: the newest, a stream of what follows, and how one came about."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import msgspec
import structlog
from litestar import Response, get
from litestar.connection import ASGIConnection
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from farebox.charging.explain import explain
from farebox.errors import Busy, Invalid
from farebox.events.hub import Subscriber, Topic
from farebox.http import edge, sse
from farebox.http.depends import TheServices
from farebox.http.problem import problem_body, problem_of, request_id
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.refusals import told
from farebox.http.web.render import environment, page
from farebox.http.web.visitor import CONSOLE, key_owner_of
from farebox.ledger.types import Refusal
from farebox.reports.service import NewestCharge
from farebox.services import Services

log = structlog.get_logger()
PATH = re.compile(r"/console/charges/events")
_SHOWN = 50
_LOOK_EVERY_S = 0.5
_LOOKS_PER_CHECK = 10
_REMEMBERED = 5000
_MOST = 200
OUTCOMES = {"": "all", "charged": "charged", "refused": "refused"}


class Filter(Struct, frozen=True):
    """What a reader wants to see; empty is all."""

    provider: str = ""
    model: str = ""
    outcome: str = ""

    def takes(self, one: NewestCharge) -> bool:
        """Whether a charge is wanted."""
        return (
            self.provider in ("", one.provider)
            and self.model.lower() in (one.model or "").lower()
            and (self.outcome == "" or (self.outcome == "refused") == (one.refusal is not None))
        )


def wanted(desk: Desk, provider: str, model: str, outcome: str) -> Filter:
    """What is asked for, as far as the key may see it: a provider's staff sees its own. Raises Invalid."""
    if outcome not in OUTCOMES:
        raise Invalid.field("outcome", "one of the choices")
    slug = desk.visitor.key.slug if desk.role == "provider" else provider.strip()[:39]
    return Filter(slug or "", model.strip()[:200], outcome)


@get("/console/charges")
async def charges(
    services: TheServices,
    desk: TheDesk,
    provider: FromQuery[str] = "",
    model: FromQuery[str] = "",
    outcome: FromQuery[str] = "",
) -> Response[bytes]:
    """The newest, and from then on each as it comes."""
    only = wanted(desk, provider, model, outcome)
    return page("console/charges.html", desk=desk, newest=await newest(services, only), only=only, outcomes=OUTCOMES)


@get("/console/charges/{number:str}")
async def charge(services: TheServices, desk: TheDesk, number: FromPath[str]) -> Response[bytes]:
    """How an amount came about, or why it was refused."""
    found = await desk.authority.charge(number)
    book = await services.prices.fresh()
    price = None if found.price_id is None else await services.prices.price(found.price_id)
    reasons = {
        "item": found,
        "asset": book.assets[found.asset],
        "price": price,
        "sum": None if price is None or price.rates is None else explain(found, price, book.assets),
        "refusal": None if found.refusal is None else told(Refusal(found.refusal)),
    }
    return page("console/charge.html", desk=desk, number=number, **reasons)


async def newest(services: Services, only: Filter) -> list[NewestCharge]:
    """The newest charges of those that are wanted."""
    provider_id = None
    if only.provider:
        provider_id = (await services.directory.provider(only.provider)).id
    if not (only.model or only.outcome):
        return await services.reports.newest_charges(_SHOWN, provider_id)
    refused = None if only.outcome == "" else only.outcome == "refused"
    return await services.reports.charges_like(_SHOWN, provider_id, only.model, refused)


class Reader(Struct, eq=False):
    """Somebody who watches."""

    subscriber: Subscriber
    only: Filter
    token: str
    linked: bool
    """Whether wallets may be looked at, too."""


class ChargeEvents:
    """The stream of charges. One task looks for all readers of this process, and only while there are any."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._readers: set[Reader] = set()
        self._seen: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._task: asyncio.Task[None] | None = None
        self._version = 0

    async def __call__(self, scope: edge.Scope, receive: edge.Receive, send: edge.Send) -> None:
        try:
            reader = await self._open(scope)
        except Exception as error:
            problem = problem_of(error, scope["path"])
            body = problem_body(problem, request_id(problem))
            await edge.reply(send, problem.status, body, content_type=edge.PROBLEM_JSON)
            return
        self._readers.add(reader)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow())
        try:
            first = await newest(self._services, reader.only)
            head = self._message(reader, first)
            await sse.stream(reader.subscriber, head, receive, send, self._services.settings.heartbeat_s)
        finally:
            self._readers.discard(reader)

    def end(self) -> None:
        """Ends every stream: their readers come back, to another node or to this one when it is back."""
        for reader in self._readers:
            reader.subscriber.close()
        if self._task is not None:
            self._task.cancel()

    async def _open(self, scope: edge.Scope) -> Reader:
        if len(self._readers) >= _MOST:
            raise Busy("too many streams", "overloaded", retry_after_s=5)
        request: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)  # type: ignore[arg-type]  # ASGI by another name
        visitor = await key_owner_of(request, self._services)
        asked = {name: request.query_params.get(name, "") for name in Filter.__struct_fields__}
        desk = Desk(self._services, visitor)
        only = wanted(desk, **asked)
        if only.provider:
            await desk.authority.provider(only.provider)
        subscriber = Subscriber(Topic("charges", 0), visitor.key.credential_id)
        return Reader(subscriber, only, CONSOLE.read(request) or "", desk.role != "provider")

    async def _follow(self) -> None:
        looks = 0
        while self._readers:
            try:
                self._tell([one for one in await newest(self._services, Filter()) if self._is_new(one)])
                looks += 1
                if looks % _LOOKS_PER_CHECK == 0:
                    await self._close_ended()
            except Exception as error:
                log.warning("charges.failed", error=repr(error))
            await asyncio.sleep(_LOOK_EVERY_S)

    def _is_new(self, one: NewestCharge) -> bool:
        place = (one.wallet_id, one.id)
        if place in self._seen:
            return False
        self._seen[place] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _tell(self, fresh: Sequence[NewestCharge]) -> None:
        self._version += 1
        for reader in self._readers:
            for message in self._message(reader, fresh):
                reader.subscriber.put(self._version, message)

    def _message(self, reader: Reader, found: Sequence[NewestCharge]) -> list[bytes]:
        """The rows of what a reader wants, newest first; nothing where there are none."""
        own = [one for one in found if reader.only.takes(one)]
        if not own:
            return []
        rows = environment().get_template("console/charge_rows.html").render(newest=own, linked=reader.linked)
        return [sse.message(str(self._version), msgspec.json.encode({"rows": rows}))]

    async def _close_ended(self) -> None:
        """Ends the streams of sessions that have ended."""
        for reader in list(self._readers):
            if await self._services.sessions.principal(reader.token) is None:
                reader.subscriber.close()
