"""Organizations: who they are, their credits, agents and members, and their keys (shown once)."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from farebox.errors import Invalid
from farebox.http.depends import TheServices
from farebox.http.web.console import key_forms
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.console.key_forms import KeyOwner
from farebox.http.web.console.paging import Number, cut
from farebox.http.web.render import Typed, page, to
from farebox.identity.types import READ, RECHARGE, WRITE
from farebox.services import Services

_SHOWN = 200
SCOPES: dict[str, tuple[str, ...]] = {
    "read and write": (READ, WRITE),
    "read only": (READ,),
    "read, write and recharge": (READ, WRITE, RECHARGE),
}


@get("/console/organizations")
async def organizations(services: TheServices, desk: TheDesk, after: FromQuery[str] = "") -> Response[bytes]:
    return await _list(services, desk, after=after)


@post("/console/organizations")
async def add_organization(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    form = await desk.form(request)
    try:
        name = form.text("name", 200)
        if not name:
            raise Invalid.field("name", "say what it is called")
        made = await services.directory.add_organization(desk.actor, form.text("id", 64), name)
    except Invalid as problem:
        return await _list(services, desk, problem.detail, 422, typed=form.fields)
    return to(_path(made.id))


@get("/console/organizations/{organization_id:str}")
async def organization(
    services: TheServices, desk: TheDesk, organization_id: FromPath[str], after: Number = 0
) -> Response[bytes]:
    return await _shown(services, desk, organization_id, after=after)


@post("/console/organizations/{organization_id:str}/agents")
async def add_agent(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, organization_id: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await services.directory.organization(organization_id)
    try:
        made = await services.teams.add_agent(desk.actor, found.id, form.text("name", 200))
    except Invalid as problem:
        return await _shown(services, desk, organization_id, problem.detail, status=422)
    return to(f"/console/agents/{made.id}")


@post("/console/organizations/{organization_id:str}/credits")
async def open_credits(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, organization_id: FromPath[str]
) -> Response[Any]:
    """Makes the organization's credit wallet, where it has none yet."""
    await desk.form(request)
    return to(f"/console/wallets/{(await services.teams.team(organization_id)).wallet_id}")


@post("/console/organizations/{organization_id:str}/keys")
async def add_organization_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, organization_id: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    owner = await _keys_of(services, organization_id)
    try:
        secret = await key_forms.make(services, desk, form, owner, SCOPES)
    except Invalid as problem:
        return await _shown(services, desk, organization_id, problem.detail, status=422)
    return await _shown(services, desk, organization_id, secret=secret)


@post("/console/organizations/{organization_id:str}/keys/{key_id:str}/replace")
async def replace_organization_key(
    request: Request[Any, Any, Any],
    services: TheServices,
    desk: TheDesk,
    organization_id: FromPath[str],
    key_id: FromPath[str],
) -> Response[Any]:
    owner = await _keys_of(services, organization_id)
    secret = await key_forms.replace(services, desk, await desk.form(request), owner, key_id)
    return await _shown(services, desk, organization_id, secret=secret)


@post("/console/organizations/{organization_id:str}/keys/{key_id:str}/revoke")
async def revoke_organization_key(
    request: Request[Any, Any, Any],
    services: TheServices,
    desk: TheDesk,
    organization_id: FromPath[str],
    key_id: FromPath[str],
) -> Response[Any]:
    owner = await _keys_of(services, organization_id)
    asked = await key_forms.revoke(request, services, desk, await desk.form(request), owner, key_id)
    return asked or to(owner.page)


async def _keys_of(services: Services, organization_id: str) -> KeyOwner:
    found = await services.directory.organization(organization_id)
    return KeyOwner("organization", found.id, _path(found.id), organization_id=found.id)


def _path(organization_id: str) -> str:
    return f"/console/organizations/{organization_id}"  # its id needs no escaping: see the table


async def _list(
    services: Services,
    desk: Desk,
    error: str | None = None,
    status: int = 200,
    after: str = "",
    typed: Typed | None = None,
) -> Response[bytes]:
    found = await services.directory.organizations(after, _SHOWN + 1)
    shown, more = cut(found, _SHOWN, lambda one: one.id, "/console/organizations")
    told = {"organizations": shown, "more": more, "error": error}
    return page("console/organizations.html", status, desk=desk, **told, typed=typed)


async def _shown(
    services: Services,
    desk: Desk,
    organization_id: str,
    error: str | None = None,
    secret: str | None = None,
    status: int = 200,
    after: int = 0,
) -> Response[bytes]:
    found = await services.directory.organization(organization_id)
    wallets, more = cut(
        await services.wallets.page(after, _SHOWN + 1, found.id, None), _SHOWN, lambda one: one.id, _path(found.id)
    )
    agents = await services.teams.agents(found.id, "", _SHOWN + 1)
    members = await services.teams.members(found.id, _SHOWN + 1)
    return page(
        "console/organization.html",
        status,
        desk=desk,
        organization=found,
        wallets=wallets,
        more=more,
        assets=services.prices.book.assets,
        agents=agents[:_SHOWN],
        other_agents=len(agents) > _SHOWN,
        members=members[:_SHOWN],
        other_members=len(members) > _SHOWN,
        keys=await services.keys.owned("organization", organization_id=found.id),
        scopes=SCOPES,
        ends=key_forms.ENDS,
        secret=secret,
        error=error,
    )
