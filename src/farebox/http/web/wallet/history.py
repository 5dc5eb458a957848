"""What was asked of the wallet and what became of it, each with its reason."""

from typing import Any

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from farebox import ids
from farebox.charging.explain import explain
from farebox.errors import NotFound
from farebox.http.depends import TheServices
from farebox.http.web.refusals import told
from farebox.http.web.render import KINDS, page, public_transfer
from farebox.http.web.wallet.given import TheVisitor
from farebox.http.web.wallet.limits import PERIODS
from farebox.ids import NEWEST
from farebox.ledger.types import Refusal
from farebox.services import Services
from farebox.wallets.types import TransferRecord

_PAGE = 50


@get("/wallet/history")
async def history(
    services: TheServices, visitor: TheVisitor, q: FromQuery[str] = "", before: FromQuery[str] = ""
) -> Response[bytes]:
    wallet = await services.wallets.get(visitor.person.wallet_id)
    start = ids.parse_transfer("tr", before)
    words = q.strip()[:100]
    kinds = [kind for kind, shown in KINDS.items() if words.lower() in shown.lower()]
    found = await services.wallets.search(wallet.id, NEWEST if start is None else start[1], _PAGE + 1, words, kinds)
    more = public_transfer(found[_PAGE - 1]) if len(found) > _PAGE else None
    asset = services.prices.book.assets[wallet.asset]
    return page("wallet/history.html", visitor=visitor, items=found[:_PAGE], asset=asset, q=words, more=more)


@get("/wallet/history/{number:str}")
async def one(services: TheServices, visitor: TheVisitor, number: FromPath[str]) -> Response[bytes]:
    """Why it cost what it cost, or why it was refused."""
    place = ids.parse_transfer("tr", number)
    found = None
    if place is not None and place[0] == visitor.person.wallet_id:
        found = await services.wallets.transfer(*place)
    if found is None:
        raise NotFound("there is nothing of this number in your history")
    return page("wallet/one.html", visitor=visitor, **await _reasons(services, found))


async def _reasons(services: Services, found: TransferRecord) -> dict[str, Any]:
    book = await services.prices.fresh()
    price = None if found.price_id is None else await services.prices.price(found.price_id)
    stopping = None
    if found.refusal == Refusal.ENVELOPE_LIMIT_EXCEEDED:
        stopping = await services.own_limits.stopped(found.wallet_id, found.id)
    return {
        "item": found,
        "asset": book.assets[found.asset],
        "price": price,
        "sum": None if price is None or price.rates is None else explain(found, price, book.assets),
        "refusal": None if found.refusal is None else told(Refusal(found.refusal)),
        "stopping": stopping,
        "stopping_asset": None if stopping is None else book.assets.get(stopping.stopped.asset or ""),
        "periods": PERIODS,
    }
