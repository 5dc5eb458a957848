"""What moved in a month: to read, to print, and as CSV for a spreadsheet."""

import csv
import io
import re
from datetime import UTC, datetime

from litestar import Response, get
from litestar.params import FromQuery
from msgspec import Struct

from farebox.errors import Invalid
from farebox.http.depends import TheServices
from farebox.http.web.render import KINDS, page
from farebox.http.web.visitor import Visitor
from farebox.http.web.wallet.given import TheVisitor
from farebox.http.web.wallet.printer import Printer, Statement
from farebox.money import Asset, ones
from farebox.services import Services
from farebox.wallets.types import Entry

_AT_ONCE = 1000
_MOST = 50_000
_SHOWN = 100
PDF_MOST = 2000
_PRINTER = Printer()
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Month(Struct, frozen=True):
    """A calendar month, in UTC."""

    name: str
    since: datetime
    until: datetime


@get("/wallet/statement")
async def statement(services: TheServices, visitor: TheVisitor, month: FromQuery[str] = "") -> Response[bytes]:
    found = month_of(month or f"{datetime.now(UTC):%Y-%m}")
    wallet = await services.wallets.get(visitor.person.wallet_id)
    span = await services.statements.span(wallet.id, found.since, found.until)
    return page(
        "wallet/statement.html",
        visitor=visitor,
        wallet=wallet,
        asset=services.prices.book.assets[wallet.asset],
        month=found,
        period=await services.statements.period(wallet.id, span),
        entries=await services.statements.entries(wallet.id, span, _SHOWN),
    )


@get("/wallet/statement.csv")
async def statement_csv(services: TheServices, visitor: TheVisitor, month: FromQuery[str] = "") -> Response[bytes]:
    found = month_of(month or f"{datetime.now(UTC):%Y-%m}")
    wallet = await services.wallets.get(visitor.person.wallet_id)
    body = table(await _entries(services, visitor, found), services.prices.book.assets[wallet.asset])
    headers = {"content-disposition": f'attachment; filename="statement-{found.name}.csv"'}
    return Response(body, media_type="text/csv", headers=headers)


@get("/wallet/statement.pdf")
async def statement_pdf(services: TheServices, visitor: TheVisitor, month: FromQuery[str] = "") -> Response[bytes]:
    found = month_of(month or f"{datetime.now(UTC):%Y-%m}")
    wallet = await services.wallets.get(visitor.person.wallet_id)
    span = await services.statements.span(wallet.id, found.since, found.until)
    period = await services.statements.period(wallet.id, span)
    if period.entries > PDF_MOST:
        raise Invalid(f"more than {PDF_MOST:,} movements in this month are too many for a PDF: the CSV has them all")
    entries = await services.statements.entries(wallet.id, span, PDF_MOST)
    asset = services.prices.book.assets[wallet.asset]
    body = await _PRINTER.print(Statement(visitor.person.email, wallet.id, found.name, asset, period, entries))
    headers = {"content-disposition": f'attachment; filename="statement-{found.name}.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)


def month_of(text: str) -> Month:
    """A month such as `2026-11`; raises Invalid."""
    found = _MONTH.fullmatch(text)
    if found is None:
        raise Invalid.field("month", "a month such as 2026-11")
    year, number = int(found[1]), int(found[2])
    until = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return Month(text, datetime(year, number, 1, tzinfo=UTC), until)


def table(entries: list[Entry], asset: Asset) -> bytes:
    """Entries as CSV; amounts are exact decimals. No text in it can be taken for a formula."""
    text = io.StringIO()
    rows = csv.writer(text)
    amounts = [f"amount_{asset.code}", f"balance_{asset.code}"]
    rows.writerow(["time", "kind", *amounts, "with", "model", "note", "reference"])
    for one in entries:
        words = [one.counterpart, one.model, one.note, one.reference]
        moved = [ones(one.amount, asset.scale), ones(one.balance_after, asset.scale)]
        rows.writerow([one.created_at.isoformat(), KINDS[one.kind], *moved, *map(plain, words)])
    return text.getvalue().encode()


def plain(text: str | None) -> str:
    """A cell that a spreadsheet shows and does not compute."""
    found = text or ""
    return f"'{found}" if found.startswith(_FORMULA) or found.lstrip().startswith(_FORMULA) else found


async def _entries(services: Services, visitor: Visitor, month: Month) -> list[Entry]:
    """All of a month, newest first; raises Invalid where there are too many for one file."""
    found: list[Entry] = []
    wallet_id = visitor.person.wallet_id
    span = await services.statements.span(wallet_id, month.since, month.until)
    before = None
    while True:
        some = await services.statements.entries(wallet_id, span, _AT_ONCE, before)
        found += some
        if len(some) < _AT_ONCE:
            return found
        if len(found) >= _MOST:
            raise Invalid(f"more than {_MOST} movements: take them from the API, page by page")
        before = some[-1].transfer_id
