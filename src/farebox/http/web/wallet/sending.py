"""Money to somebody else: named first, moved when it is confirmed."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from farebox import ids
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.web import forms
from farebox.http.web.refusals import told
from farebox.http.web.render import Typed, form_key, page, to
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.payments.types import PENDING, NewPayment, Payment, may_cancel, may_confirm
from farebox.services import Services

_SHOWN = 50
_NOTE = 200


@get("/wallet/send")
async def send_page(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    return await _form(services, visitor)


@post("/wallet/send")
async def send(request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor) -> Response[Any]:
    """Reserves the money; it moves when the sender confirms."""
    form = await forms.read(request)
    visitor.check(form)
    recipient = form.text("recipient", 254)
    asset = services.prices.book.assets["USD"]
    try:
        amount = form.amount("amount", asset)
        if amount is None:
            raise Invalid.field("amount", "say how much")
        new = NewPayment(visitor.person.email, recipient, amount, form.text("note", _NOTE) or None)
        payment, outcome = await services.payments.create(visitor.person, new, form.key())
    except (Invalid, NotFound) as problem:
        return await _form(services, visitor, problem.detail, problem.status, typed=form.fields)
    if payment is None:
        assert outcome.refusal is not None
        return await _form(services, visitor, told(outcome.refusal), 422, typed=form.fields)
    return to(f"/wallet/payments/{ids.public('tx', payment.id)}")


@get("/wallet/payments/{payment_id:str}")
async def payment_page(services: TheServices, visitor: TheVisitor, payment_id: FromPath[str]) -> Response[bytes]:
    return _shown(services, visitor, await _own(services, visitor, payment_id))


@post("/wallet/payments/{payment_id:str}/confirm")
async def confirm(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, payment_id: FromPath[str]
) -> Response[Any]:
    visitor.check(await forms.read(request))
    payment = await _own(services, visitor, payment_id)
    return _ended(services, visitor, payment_id, *await services.payments.confirm(visitor.person, payment.id))


@post("/wallet/payments/{payment_id:str}/cancel")
async def cancel(
    request: Request[Any, Any, Any], services: TheServices, visitor: TheVisitor, payment_id: FromPath[str]
) -> Response[Any]:
    visitor.check(await forms.read(request))
    payment = await _own(services, visitor, payment_id)
    return _ended(services, visitor, payment_id, *await services.payments.cancel(visitor.person, payment.id))


def _ended(services: Services, visitor: Visitor, payment_id: str, payment: Payment, outcome: Any) -> Response[Any]:
    if outcome.refusal is not None:
        return _shown(services, visitor, payment, told(outcome.refusal), 409)
    return to(f"/wallet/payments/{payment_id}")


async def _own(services: Services, visitor: Visitor, payment_id: str) -> Payment:
    """A payment that this person sends or receives; NotFound for any other."""
    number = ids.parse("tx", payment_id)
    if number is None:
        raise NotFound("there is no such transaction")
    return await services.payments.get(visitor.person.wallet_id, number)


async def _form(
    services: Services, visitor: Visitor, error: str | None = None, status: int = 200, typed: Typed | None = None
) -> Response[bytes]:
    return page(
        "wallet/send.html",
        status,
        visitor=visitor,
        asset=services.prices.book.assets["USD"],
        wallet=await services.wallets.get(visitor.person.wallet_id),
        payments=await services.payments.history(visitor.person.wallet_id, _SHOWN),
        key=form_key(),
        error=error,
        typed=typed,
    )


def _shown(
    services: Services, visitor: Visitor, payment: Payment, error: str | None = None, status: int = 200
) -> Response[bytes]:
    side = payment.side_of(visitor.person.wallet_id)
    open_ = payment.status == PENDING
    return page(
        "wallet/payment.html",
        status,
        visitor=visitor,
        payment=payment,
        asset=services.prices.book.assets["USD"],
        mine=side == "sender",
        may_confirm=open_ and may_confirm(payment, side),
        may_cancel=open_ and may_cancel(payment, side),
        error=error,
    )
