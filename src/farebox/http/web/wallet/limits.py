"""Limits on one's own wallet: what may leave it in a day, a week, a month or a year."""

from typing import Any

from litestar import Request, Response, get, post

from farebox.errors import Invalid
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.forms import Form
from farebox.http.web.render import Typed, page, to
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.services import Services
from farebox.windows import Period

PERIODS = {
    Period.DAILY: "day",
    Period.WEEKLY: "week",
    Period.MONTHLY: "month",
    Period.YEARLY: "year",
}


@get("/wallet/limits")
async def limits_page(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    return await _shown("wallet/limits.html", services, visitor)


@get("/wallet/limits/live")
async def limits_live(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    return await _shown("wallet/limits_live.html", services, visitor)


@post("/wallet/limits")
async def set_limit(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    wallet = await services.wallets.get(visitor.person.wallet_id)
    try:
        amount = form.amount("amount", services.prices.book.assets[wallet.asset])
        if amount is None:
            raise Invalid.field("amount", "say how much")
        await services.own_limits.set(visitor.person, _period(form), wallet.asset, amount, form.text("zone", 64))
    except Invalid as problem:
        return await _shown("wallet/limits.html", services, visitor, 422, problem.detail, typed=form.fields)
    return to("/wallet/limits")


@post("/wallet/limits/remove")
async def remove_limit(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    await services.own_limits.remove(visitor.person, _period(form))
    return to("/wallet/limits")


def _period(form: Form) -> Period:
    try:
        return Period(form.text("period"))
    except ValueError:
        raise Invalid.field("period", "one of the choices") from None


async def _shown(
    template: str,
    services: Services,
    visitor: Visitor,
    status: int = 200,
    error: str | None = None,
    typed: Typed | None = None,
) -> Response[bytes]:
    wallet = await services.wallets.get(visitor.person.wallet_id)
    return page(
        template,
        status,
        visitor=visitor,
        asset=services.prices.book.assets[wallet.asset],
        assets=services.prices.book.assets,
        limits=await services.own_limits.of(wallet.id),
        periods=PERIODS,
        error=error,
        typed=typed,
    )
