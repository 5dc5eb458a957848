"""One connection: what it may draw, what it has drawn; less of it, or its end."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from farebox import ids
from farebox.consent.types import Grant
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.render import Typed, page, to
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.services import Services

_SHOWN = 200
_LATEST = 20


@get("/wallet/connections")
async def connections(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    grants = await services.consent.open_first(visitor.person.wallet_id, _SHOWN)
    wallet = await services.wallets.get(visitor.person.wallet_id)
    asset = services.prices.book.assets[wallet.asset]
    return page("wallet/connections.html", visitor=visitor, grants=grants, asset=asset)


@get("/wallet/connections/{grant_id:str}")
async def connection(services: TheServices, visitor: TheVisitor, grant_id: FromPath[str]) -> Response[bytes]:
    return await _shown("wallet/connection.html", services, visitor, await _own(services, visitor, grant_id))


@get("/wallet/connections/{grant_id:str}/live")
async def connection_live(services: TheServices, visitor: TheVisitor, grant_id: FromPath[str]) -> Response[bytes]:
    """The part of the page that moves."""
    return await _shown("wallet/connection_live.html", services, visitor, await _own(services, visitor, grant_id))


@post("/wallet/connections/{grant_id:str}/change")
async def change(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, grant_id: FromPath[str]
) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    grant = await _own(services, visitor, grant_id)
    asset = services.prices.book.assets[grant.asset]
    try:
        limit, charge_limit = form.amount("limit", asset), form.amount("charge_limit", asset)
        await services.consent.narrow(visitor.person.client, grant.id, limit, charge_limit)
    except Invalid as problem:
        return await _shown("wallet/connection.html", services, visitor, grant, 422, problem.detail, typed=form.fields)
    return to(f"/wallet/connections/{grant_id}")


@post("/wallet/connections/{grant_id:str}/revoke")
async def revoke(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, grant_id: FromPath[str]
) -> Response[Any]:
    visitor.check(await forms.read(request))
    grant = await _own(services, visitor, grant_id)
    await services.consent.revoke(visitor.person.client, grant.id)
    return to(f"/wallet/connections/{grant_id}")


async def _own(services: Services, visitor: Visitor, grant_id: str) -> Grant:
    """A connection of this wallet; NotFound for any other."""
    number = ids.parse("gr", grant_id)
    if number is None:
        raise NotFound("there is no such grant")
    found = await services.consent.get(number)
    if found.wallet_id != visitor.person.wallet_id:
        raise NotFound("there is no such grant")
    return found


async def _shown(
    template: str,
    services: Services,
    visitor: Visitor,
    grant: Grant,
    status: int = 200,
    error: str | None = None,
    typed: Typed | None = None,
) -> Response[bytes]:
    latest = await services.wallets.history_of_grant(grant.wallet_id, grant.id, _LATEST)
    asset = services.prices.book.assets[grant.asset]
    return page(template, status, visitor=visitor, grant=grant, asset=asset, latest=latest, error=error, typed=typed)
