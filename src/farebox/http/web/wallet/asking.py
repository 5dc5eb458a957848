"""Asking the operator for money."""

from typing import Any

from litestar import Request, Response, get, post

from farebox.errors import Conflict, Invalid
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.render import Typed, page, to
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.services import Services


@get("/wallet/ask")
async def ask_page(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    return await _shown(services, visitor)


@post("/wallet/ask")
async def ask(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    form = await forms.read(request)
    visitor.check(form)
    try:
        amount = form.amount("amount", services.prices.book.assets["USD"])
        if amount is None:
            raise Invalid.field("amount", "say how much")
        await services.top_ups.ask(visitor.person.client, visitor.person.wallet_id, amount, form.text("reason", 200))
    except (Invalid, Conflict) as problem:
        return await _shown(services, visitor, problem.detail, problem.status, typed=form.fields)
    return to("/wallet/ask")


async def _shown(
    services: Services, visitor: Visitor, error: str | None = None, status: int = 200, typed: Typed | None = None
) -> Response[bytes]:
    newest = await services.top_ups.newest_of(visitor.person.wallet_id)
    asset = services.prices.book.assets["USD"]
    return page("wallet/ask.html", status, visitor=visitor, newest=newest, asset=asset, error=error, typed=typed)
