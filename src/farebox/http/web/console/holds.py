"""Open holds: finding one, since when it is, for what, until when; and freeing it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from farebox import ids
from farebox.charging.service import fingerprint
from farebox.errors import Conflict, Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.web.console.acts import Act, reason_of, unconfirmed
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.console.paging import cut
from farebox.http.web.forms import Form
from farebox.http.web.refusals import told
from farebox.http.web.render import card, hold_number, page, to
from farebox.identity.service import note
from farebox.ledger.types import Release
from farebox.money import show
from farebox.services import Services
from farebox.wallets.types import HoldRecord

_SHOWN = 200


@get("/console/holds")
async def holds(
    services: TheServices, desk: TheDesk, q: FromQuery[str] = "", after: FromQuery[str] = ""
) -> Response[bytes]:
    """All, or one of a number, or those of a wallet, a provider, its user, a payer."""
    words, place = q.strip()[:320], ids.parse_transfer("hd", after)
    if after and place is None:
        raise Invalid.field("after", "this is no hold: start at the list's beginning")
    wallet_id, number = ids.parse_transfer("hd", words) or (ids.parse_wallet_id(words.replace(" ", "")), None)
    named = words if words and wallet_id is None else None
    found = await services.reports.open_holds(_SHOWN + 1, number=number, wallet_id=wallet_id, words=named, after=place)
    shown, more = cut(found, _SHOWN, hold_number, "/console/holds", q=words)
    return page("console/holds.html", desk=desk, holds=shown, more=more, q=words)


@post("/console/holds/{hold_id:str}/release")
async def release(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, hold_id: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.hold(hold_id)
    asked = unconfirmed(request, desk, form, _freeing(services, found))
    if asked is not None:
        return asked
    outcome = await services.charging.submit(await _release(services, desk, form, found))
    if outcome.refusal is not None:
        raise Conflict(told(outcome.refusal).rstrip("."))
    if not outcome.replayed:
        await note(services.pool, desk.actor, "hold.release", hold_id, amount=found.amount, reason=reason_of(form))
    return to("/console/holds")


async def _release(services: Services, desk: Desk, form: Form, found: HoldRecord) -> Release:
    lineage: tuple[int, ...] = ()
    if found.to_wallet_id is not None:
        lineage = tuple((await services.payments.get(found.wallet_id, found.id)).lineage or ())
    return Release(
        client=desk.authority.principal.client,
        key=form.key(),
        fingerprint=fingerprint("console.release", found.wallet_id, found.id),
        credential_id=desk.authority.principal.credential_id,
        wallet_id=found.wallet_id,
        grant_id=found.grant_id,
        lineage=lineage,
        hold_id=found.id,
    )


def _freeing(services: Services, found: HoldRecord) -> Act:
    if found.state != "pending":
        raise NotFound("there is no such open hold")
    amount = show(found.amount, services.prices.book.assets[found.asset])
    whom = found.provider or f"wallet {card(found.to_wallet_id or 0)}"
    effects = [
        f"{amount} that are reserved for {whom} are free again in wallet {card(found.wallet_id)}, at once.",
        f"{whom} can no longer capture them: what was delivered for them stays unpaid.",
    ]
    return Act("Free a hold", effects, "Free it", f"/console/holds?q={ids.transfer('hd', found.wallet_id, found.id)}")
