"""Agents: what each may spend of its organization's credits and has, pausing one and letting it go on."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from farebox.consent.types import Terms
from farebox.errors import Invalid
from farebox.http.depends import TheServices
from farebox.http.web.console.acts import Act, once, reason_of, unconfirmed
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.forms import Form
from farebox.http.web.render import page, to
from farebox.money import show
from farebox.services import Services
from farebox.teams.types import Agent

_SHOWN = 200
_LATEST = 30
LASTING: dict[str, int | None] = {
    "no end": None,
    "an hour": 3600,
    "a day": 86_400,
    "a week": 7 * 86_400,
    "30 days": 30 * 86_400,
}


@get("/console/agents")
async def agents(services: TheServices, desk: TheDesk, q: FromQuery[str] = "") -> Response[bytes]:
    words = q.strip()[:100]
    found = await services.teams.search_agents(words, _SHOWN + 1)
    return page("console/agents.html", desk=desk, agents=found[:_SHOWN], cut=len(found) > _SHOWN, q=words)


@get("/console/agents/{number:int}")
async def agent(services: TheServices, desk: TheDesk, number: FromPath[int]) -> Response[bytes]:
    return await _shown(services, desk, await services.teams.agent_by_id(number))


@post("/console/agents/{number:int}/allowance")
async def allow(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, number: FromPath[int]
) -> Response[Any]:
    form = await desk.form(request)
    found = await services.teams.agent_by_id(number)
    try:
        terms = await _terms(services, form, found)
    except Invalid as problem:
        return await _shown(services, desk, found, problem.detail, 422)
    asked = unconfirmed(request, desk, form, await _allowing(services, found, terms))
    if asked is None:
        await once(services, form)
        await services.teams.allow(desk.actor, found, terms, reason=reason_of(form))
    return asked or to(_path(found))


@post("/console/agents/{number:int}/pause")
async def pause(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, number: FromPath[int]
) -> Response[Any]:
    form = await desk.form(request)
    found = await services.teams.agent_by_id(number)
    effects = [
        f"{found.organization_id}’s agent {found.name} can spend nothing from now on; its charges are refused.",
        "What it has reserved stays reserved until it is captured or its time is over.",
        "Usage that a stream reports afterwards is still booked: it has happened.",
        "A new allowance lets it go on.",
    ]
    asked = unconfirmed(request, desk, form, Act("Pause an agent", effects, "Pause it", _path(found)))
    if asked is None:
        await services.consent.revoke(desk.actor, found.grant_id, reason=reason_of(form))
    return asked or to(_path(found))


async def _terms(services: Services, form: Form, found: Agent) -> Terms:
    asset = services.prices.book.assets[(await services.wallets.get(found.wallet_id)).asset]
    limit, at_once = form.amount("limit", asset), form.amount("charge_limit", asset)
    return Terms(limit, at_once, form.choice("lasting", LASTING))


async def _allowing(services: Services, found: Agent, terms: Terms) -> Act:
    asset = services.prices.book.assets[(await services.wallets.get(found.wallet_id)).asset]
    spent = (await services.consent.get(found.grant_id)).spent
    limit = "all that its organization has" if terms.limit_units is None else show(terms.limit_units, asset)
    effects = [
        f"{found.organization_id}’s agent {found.name} may spend {limit}, counted since it was made; "
        f"{show(spent, asset)} are spent already.",
        "At once it may take "
        + ("as much." if terms.charge_limit_units is None else f"at most {show(terms.charge_limit_units, asset)}."),
        "This holds from now on" + ("." if terms.ttl_s is None else f", for {_lasting(terms.ttl_s)}."),
    ]
    return Act("Set an allowance", effects, "Set it", _path(found), grave=False)


def _lasting(ttl_s: int) -> str:
    return next(name for name, seconds in LASTING.items() if seconds == ttl_s)


def _path(found: Agent) -> str:
    return f"/console/agents/{found.id}"


async def _shown(
    services: Services, desk: Desk, found: Agent, error: str | None = None, status: int = 200
) -> Response[bytes]:
    wallet = await services.wallets.get(found.wallet_id)
    return page(
        "console/agent.html",
        status,
        desk=desk,
        agent=found,
        grant=await services.consent.get(found.grant_id),
        wallet=wallet,
        asset=services.prices.book.assets[wallet.asset],
        items=await services.wallets.history_of_grant(wallet.id, found.grant_id, _LATEST),
        lasting=LASTING,
        error=error,
    )
