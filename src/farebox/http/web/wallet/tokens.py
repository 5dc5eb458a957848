"""Tokens with which others draw on this wallet: made with a limit, shown once, ended at any moment."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from farebox import ids
from farebox.consent.delegations import Limits
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.asked import PERIODS
from farebox.http.web.render import Typed, form_key, page, to
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.services import Services

_SHOWN = 100
_SENT_BEFORE = (
    "This was sent before: the token was made, shown once, and stands below. Revoke it if you have not kept it."
)
_PERIODS = {name: period for name, period in PERIODS.items() if period[1] is not None}


@get("/wallet/tokens")
async def tokens_page(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    return await _list(services, visitor)


@post("/wallet/tokens")
async def make_token(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    asset = services.prices.book.assets["USD"]
    try:
        recipient = await services.people.wallet_of(form.text("recipient", 254))
        limit = form.amount("limit", asset)
        if limit is None:
            raise Invalid.field("limit", "say how much may be drawn in all")
        ttl_s = form.choice("period", {name: ttl for name, (_, ttl) in _PERIODS.items()})
        limits = Limits(limit, form.amount("charge_limit", asset), ttl_s)
        if not await services.sent_forms.first(form.key()):
            return await _list(services, visitor, _SENT_BEFORE, status=409)
        payer = visitor.person
        _, token = await services.delegations.give(payer.client, payer.wallet_id, recipient, limits, payer.seal)
    except (Invalid, NotFound) as problem:
        return await _list(services, visitor, problem.detail, None, problem.status, typed=form.fields)
    return await _list(services, visitor, None, token)


@post("/wallet/tokens/{token_id:str}/revoke")
async def revoke_token(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, token_id: FromPath[str]
) -> Response[Any]:
    visitor.check(await forms.read(request))
    number = ids.parse("dg", token_id)
    if number is None:
        raise NotFound("there is no such token")
    await services.delegations.revoke(visitor.person.client, number, visitor.person.wallet_id)
    return to("/wallet/tokens")


async def _list(
    services: Services,
    visitor: Visitor,
    error: str | None = None,
    token: str | None = None,
    status: int = 200,
    typed: Typed | None = None,
) -> Response[bytes]:
    return page(
        "wallet/tokens.html",
        status,
        visitor=visitor,
        asset=services.prices.book.assets["USD"],
        tokens=await services.delegations.open_first(visitor.person.wallet_id, _SHOWN),
        periods=_PERIODS,
        token=token,
        key=form_key(),
        error=error,
        typed=typed,
    )
