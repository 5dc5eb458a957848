"""The first page: what there is, who draws on it, what happened last."""

from typing import Any

from litestar import Response, get

from farebox.http.depends import TheServices
from farebox.http.web.render import page
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.http.web.wallet.limits import PERIODS
from farebox.ids import NEWEST
from farebox.services import Services

_CONNECTIONS = 100
_LATEST = 8


@get("/wallet")
async def home(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    await services.funding.welcomed(await services.people.get(visitor.person.email))
    return page("wallet/home.html", visitor=visitor, **await _told(services, visitor))


@get("/wallet/live")
async def home_live(services: TheServices, visitor: TheVisitor) -> Response[bytes]:
    """The part of the page that moves."""
    return page("wallet/home_live.html", visitor=visitor, **await _told(services, visitor))


async def _told(services: Services, visitor: Visitor) -> dict[str, Any]:
    wallet = await services.wallets.get(visitor.person.wallet_id)
    grants = await services.consent.open_first(wallet.id, _CONNECTIONS)
    asset = services.prices.book.assets[wallet.asset]
    limits = await services.own_limits.of(wallet.id)
    return {
        "wallet": wallet,
        "asset": asset,
        "limits": [limit for limit in limits if limit.envelope.standing.asset == wallet.asset],
        "periods": PERIODS,
        "grants": [grant for grant in grants if grant.state == "active"],
        "latest": await services.wallets.history(wallet.id, NEWEST, _LATEST),
    }
