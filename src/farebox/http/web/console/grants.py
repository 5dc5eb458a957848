"""Grants: finding one, and revoking it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery

from farebox import ids
from farebox.http.depends import TheServices
from farebox.http.web.console.acts import Act, reason_of, unconfirmed
from farebox.http.web.console.given import TheDesk
from farebox.http.web.render import card, page, to
from farebox.money import ones

_SHOWN = 200


@get("/console/grants")
async def grants(
    services: TheServices, desk: TheDesk, q: FromQuery[str] = "", valid: FromQuery[str] = ""
) -> Response[bytes]:
    """The newest, or those of a number, a wallet, a provider, its user, a payer."""
    words = q.strip()[:320]
    number, wallet_id = ids.parse("gr", words), ids.parse_wallet_id(words.replace(" ", ""))
    named = words if words and number is None and wallet_id is None else None
    held = valid == "yes"
    found = await services.reports.grants(_SHOWN + 1, number=number, wallet_id=wallet_id, words=named, valid=held)
    cut = len(found) > _SHOWN
    return page("console/grants.html", desk=desk, grants=found[:_SHOWN], cut=cut, q=words, valid=held)


@post("/console/grants/{grant_id:str}/revoke")
async def revoke(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, grant_id: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.grant(grant_id)
    scale = services.prices.book.assets[found.asset].scale
    back = f"/console/grants?q={ids.public('gr', found.id)}"
    effects = [
        f"{found.provider} can draw nothing more on wallet {card(found.wallet_id)} for its user "
        f"“{found.provider_username}”: charges that come after this are refused.",
        f"{ones(found.spent, scale)} {found.asset} were spent on it and stay spent; {ones(found.held, scale)} are "
        "reserved, until that is captured or its time is over.",
        "The payer has to scan and approve again to connect anew.",
    ]
    asked = unconfirmed(request, desk, form, Act("Revoke a grant", effects, "Revoke it", back))
    if asked is None:
        await services.consent.revoke(desk.actor, found.id, reason=reason_of(form))
    return asked or to(back)
