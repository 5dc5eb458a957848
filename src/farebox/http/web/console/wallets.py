"""People, and one wallet with its money: deposits and refunds, each with its reason."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from farebox import ids
from farebox.charging.service import fingerprint
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.web.console.acts import Act, reason_of, unconfirmed
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.console.paging import Number, cut
from farebox.http.web.forms import Form
from farebox.http.web.refusals import told
from farebox.http.web.render import Typed, card, page, to
from farebox.identity.service import note
from farebox.ids import NEWEST
from farebox.ledger.types import Ask, Deposit, Refund
from farebox.money import show
from farebox.services import Services
from farebox.wallets.types import TransferRecord, Wallet

_SHOWN = 200
_LATEST = 50
SOURCE = "console"


@get("/console/people")
async def people(
    services: TheServices, desk: TheDesk, email: FromQuery[str] = "", after: Number = 0
) -> Response[bytes]:
    """A page of them, or the one with an address."""
    try:
        found = [await services.people.get(email[:254])] if email else await services.people.page(after, _SHOWN + 1)
    except NotFound:
        found = []
    shown, more = cut(found, _SHOWN, lambda one: one.id, "/console/people")
    told_ = {"asset": services.prices.book.assets["USD"], "waiting": await services.top_ups.waiting(_SHOWN)}
    return page("console/people.html", desk=desk, people=shown, more=more, email=email[:254], **told_)


@get("/console/wallets")
async def wallet_of(desk: TheDesk, number: FromQuery[str] = "") -> Response[Any]:
    """On to the wallet of a number, however it is written."""
    wallet = await desk.authority.wallet(number.replace(" ", "")[:32])
    return to(f"/console/wallets/{wallet.id}")


@get("/console/wallets/{number:str}")
async def wallet(
    services: TheServices, desk: TheDesk, number: FromPath[str], after: Number = NEWEST
) -> Response[bytes]:
    return await _shown(services, desk, await desk.authority.wallet(number), before=after)


@post("/console/wallets/{number:str}/deposit")
async def deposit(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, number: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.wallet(number)
    try:
        amount, reason = _amount(services, form, found), reason_of(form)
    except Invalid as problem:
        return await _shown(services, desk, found, problem.detail, 422, typed=form.fields)
    asked = unconfirmed(request, desk, form, _putting_in(services, found, amount))
    if asked is not None:
        return asked
    ask = Deposit(
        client=desk.authority.principal.client,
        key=form.key(),
        fingerprint=fingerprint("console.deposit", found.id, amount, reason),
        credential_id=desk.authority.principal.credential_id,
        wallet_id=found.id,
        source_account=await services.accounts.external(SOURCE, found.asset),
        amount=amount,
        note=reason,
    )
    done = await _done(services, desk, found, ask, "wallet.deposit", amount, reason)
    if done.status_code == 303:
        await services.top_ups.answer(desk.actor, found.id, "paid")
    return done


@post("/console/wallets/{number:str}/decline")
async def decline_top_up(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, number: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.wallet(number)
    effects = ["The request is answered with no; its owner sees that it was declined.", "No money moves."]
    act = Act("Decline a request for money", effects, "Decline", f"/console/wallets/{found.id}")
    asked = unconfirmed(request, desk, form, act)
    if asked is None:
        await services.top_ups.answer(desk.actor, found.id, "declined", reason=reason_of(form))
    return asked or to(f"/console/wallets/{found.id}")


@post("/console/wallets/{number:str}/refund/{charge_id:str}")
async def refund(
    request: Request[Any, Any, Any],
    services: TheServices,
    desk: TheDesk,
    number: FromPath[str],
    charge_id: FromPath[str],
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.wallet(number)
    charge = await desk.authority.charge(charge_id)
    if charge.wallet_id != found.id or charge.provider_id is None:
        raise NotFound("there is no such charge")
    try:
        amount, reason = _amount(services, form, found), reason_of(form)
    except Invalid as problem:
        return await _shown(services, desk, found, problem.detail, 422)
    asked = unconfirmed(request, desk, form, _giving_back(services, found, charge, amount))
    if asked is not None:
        return asked
    ask = Refund(
        client=desk.authority.principal.client,
        key=form.key(),
        fingerprint=fingerprint("console.refund", found.id, charge.id, amount, reason),
        credential_id=desk.authority.principal.credential_id,
        wallet_id=found.id,
        grant_id=charge.grant_id,
        charge_id=charge.id,
        revenue_account=await services.accounts.revenue(charge.provider_id, charge.asset),
        amount=amount,
        note=reason,
    )
    return await _done(services, desk, found, ask, "charge.refund", amount, reason)


async def _done(
    services: Services, desk: Desk, wallet: Wallet, ask: Ask, action: str, amount: int, reason: str
) -> Response[Any]:
    outcome = await services.charging.submit(ask)
    if outcome.refusal is not None:
        return await _shown(services, desk, wallet, told(outcome.refusal), 422)
    if not outcome.replayed:
        transfer = ids.transfer("tr", wallet.id, outcome.transfer_id)
        await note(services.pool, desk.actor, action, transfer, amount=amount, reason=reason)
    return to(f"/console/wallets/{wallet.id}")


def _amount(services: Services, form: Form, wallet: Wallet) -> int:
    amount = form.amount("amount", services.prices.book.assets[wallet.asset])
    if amount is None:
        raise Invalid.field("amount", "say how much")
    return amount


def _putting_in(services: Services, wallet: Wallet, amount: int) -> Act:
    asset = services.prices.book.assets[wallet.asset]
    after = wallet.available + amount
    effects = [
        f"{show(amount, asset)} from outside come into wallet {card(wallet.id)}{_owner(wallet)}.",
        f"{show(wallet.available, asset)} are available there now, {show(after, asset)} will be.",
        "Money that is in can be spent at once; it is taken out by nobody but its owner.",
    ]
    return Act("Put money in", effects, "Deposit", f"/console/wallets/{wallet.id}", grave=False)


def _giving_back(services: Services, wallet: Wallet, charge: TransferRecord, amount: int) -> Act:
    asset = services.prices.book.assets[wallet.asset]
    effects = [
        f"{show(amount, asset)} go back from {charge.provider} into wallet {card(wallet.id)}{_owner(wallet)}.",
        f"The charge of {show(charge.amount, asset)} stands; {show(charge.refunded + amount, asset)} of it will have "
        "been given back.",
        f"{charge.provider} has earned so much less.",
    ]
    return Act("Give money back", effects, "Refund", f"/console/wallets/{wallet.id}")


def _owner(wallet: Wallet) -> str:
    name = wallet.owner or wallet.organization_id
    return "" if name is None else f" of {name}"


async def _shown(
    services: Services,
    desk: Desk,
    wallet: Wallet,
    error: str | None = None,
    status: int = 200,
    before: int = NEWEST,
    typed: Typed | None = None,
) -> Response[bytes]:
    history = await services.wallets.history(wallet.id, before, _LATEST + 1)
    items, older = cut(history, _LATEST, lambda one: one.id, f"/console/wallets/{wallet.id}")
    return page(
        "console/wallet.html",
        status,
        desk=desk,
        wallet=await services.wallets.get(wallet.id),
        asset=services.prices.book.assets[wallet.asset],
        waiting=await services.top_ups.of(wallet.id),
        items=items,
        older=older,
        grants=await services.consent.open_first(wallet.id, _LATEST),
        all_grants=f"/console/grants?q={wallet.id}",
        error=error,
        typed=typed,
    )
