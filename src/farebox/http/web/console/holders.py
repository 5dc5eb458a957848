"""Organizations, people, and one wallet with its money: deposits and refunds, each with its reason."""

import secrets
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from farebox import ids
from farebox.charging.service import fingerprint
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.edge import idempotency_key
from farebox.http.web.console.given import NEWEST, Desk, TheDesk
from farebox.http.web.forms import Form
from farebox.http.web.refusals import told
from farebox.http.web.render import page, to
from farebox.identity.service import note
from farebox.ledger.types import Ask, Deposit, Refund
from farebox.services import Services
from farebox.wallets.types import Wallet

_SHOWN = 200
_LATEST = 50
SOURCE = "console"


@get("/console/organizations")
async def organizations(services: TheServices, desk: TheDesk) -> Response[bytes]:
    found = await services.directory.organizations("", _SHOWN)
    return page("console/organizations.html", desk=desk, organizations=found, error=None, secret=None)


@post("/console/organizations")
async def add_organization(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    form = await desk.form(request)
    try:
        name = form.text("name", 200)
        if not name:
            raise Invalid.field("name", "say what it is called")
        await services.directory.add_organization(desk.actor, form.text("id", 64), name)
    except Invalid as problem:
        found = await services.directory.organizations("", _SHOWN)
        told_ = {"organizations": found, "error": problem.detail, "secret": None}
        return page("console/organizations.html", 422, desk=desk, **told_)
    return to("/console/organizations")


@post("/console/organizations/{organization_id:str}/keys")
async def add_organization_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, organization_id: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    owner = await services.directory.organization(organization_id)
    made, secret = await services.keys.make(
        "organization", form.text("name", 100) or "console", organization_id=owner.id
    )
    await note(services.pool, desk.actor, "key.add", f"{owner.id}/{ids.public('key', made.id)}", name=made.name)
    found = await services.directory.organizations("", _SHOWN)
    return page("console/organizations.html", desk=desk, organizations=found, error=None, secret=secret)


@get("/console/people")
async def people(services: TheServices, desk: TheDesk, email: FromQuery[str] = "") -> Response[bytes]:
    """The first of them, or the one with an address."""
    try:
        found = [await services.people.get(email[:254])] if email else await services.people.page(0, _SHOWN)
    except NotFound:
        found = []
    told_ = {"asset": services.prices.book.assets["USD"], "waiting": await services.top_ups.waiting(_SHOWN)}
    return page("console/people.html", desk=desk, people=found, email=email[:254], **told_)


@get("/console/wallets")
async def wallet_of(desk: TheDesk, number: FromQuery[str] = "") -> Response[Any]:
    """On to the wallet of a number, however it is written."""
    wallet = await desk.authority.wallet(number.replace(" ", "")[:32])
    return to(f"/console/wallets/{wallet.id}")


@get("/console/wallets/{number:str}")
async def wallet(services: TheServices, desk: TheDesk, number: FromPath[str]) -> Response[bytes]:
    return await _shown(services, desk, await desk.authority.wallet(number))


@post("/console/wallets/{number:str}/deposit")
async def deposit(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, number: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.wallet(number)
    try:
        amount, reason = _amount(services, form, found), _reason(form)
    except Invalid as problem:
        return await _shown(services, desk, found, problem.detail, 422)
    ask = Deposit(
        client=desk.authority.principal.client,
        key=_key(form),
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
    await desk.form(request)
    found = await desk.authority.wallet(number)
    await services.top_ups.answer(desk.actor, found.id, "declined")
    return to(f"/console/wallets/{found.id}")


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
        amount, reason = _amount(services, form, found), _reason(form)
    except Invalid as problem:
        return await _shown(services, desk, found, problem.detail, 422)
    ask = Refund(
        client=desk.authority.principal.client,
        key=_key(form),
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


def _reason(form: Form) -> str:
    reason = form.text("reason", 200)
    if not reason:
        raise Invalid.field("reason", "say why: it stands in the books")
    return reason


def _key(form: Form) -> str:
    """The form's own idempotency key: sent twice, it is done once."""
    return idempotency_key(form.text("key").encode(), required=True) or ""


async def _shown(
    services: Services, desk: Desk, wallet: Wallet, error: str | None = None, status: int = 200
) -> Response[bytes]:
    return page(
        "console/wallet.html",
        status,
        desk=desk,
        wallet=await services.wallets.get(wallet.id),
        asset=services.prices.book.assets[wallet.asset],
        waiting=await services.top_ups.of(wallet.id),
        items=await services.wallets.history(wallet.id, NEWEST, _LATEST),
        grants=await services.consent.of_wallet(wallet.id, NEWEST, _LATEST),
        key=f"page:{secrets.token_hex(16)}",
        error=error,
    )
