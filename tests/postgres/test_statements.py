"""Statements of a long history are what adding up every movement gives, and don't add up every movement."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy
from bench.growth.crowd import Size, wallet_id
from bench.growth.loader import load, settle
from msgspec import Struct

from farebox.db import queries
from farebox.ledger.types import Transfer
from farebox.services import Services
from farebox.wallets import statements
from farebox.wallets.types import Period, Span
from tests.support.databases import OWNER, Databases
from tests.support.ledgers import Books, Runner, running_services

HEAVY = wallet_id(0)
START, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
MOVEMENTS = 100
Moved = tuple[int, int, int, datetime]
"""A movement's number, amount, balance and time."""


@pytest.fixture(scope="module")
def year(postgres: Databases) -> Iterator[Runner]:
    """A year of wallets, ten of them with a hundred movements each."""
    name = postgres.fresh()
    with running_services(postgres.url(name)) as run:
        run(load(postgres.url(name, OWNER), postgres.url(name), Size(100, 20_000), lambda _: None))
        run(settle(postgres.url(name, OWNER), lambda _: None))
        yield run
    postgres.drop(name)


async def added_up(services: Services, since: datetime, until: datetime) -> tuple[Period, list[Moved]]:
    """The plain way."""
    rows = await services.pool.fetch(
        "SELECT transfer_id, amount, balance_after, created_at FROM entries WHERE account_id = $1"
        " ORDER BY transfer_id DESC",
        HEAVY,
    )
    within = [row for row in rows if since <= row["created_at"] < until]
    return Period(
        sum(row["amount"] for row in rows if row["created_at"] < min(since, until)),
        sum(max(row["amount"], 0) for row in within),
        -sum(min(row["amount"], 0) for row in within),
        len(within),
    ), [tuple(row) for row in within]


async def periods(services: Services) -> Iterator[tuple[datetime, datetime]]:
    """Whole and empty ones, at the ends and in between; on a movement's very moment and beside it."""
    moments = await services.pool.fetch("SELECT created_at FROM entries WHERE account_id = $1", HEAVY)
    first, middle, last = (moments[n]["created_at"] for n in (0, len(moments) // 2, -1))
    tick = timedelta(microseconds=1)
    ends = sorted({START, END, *(one + by * tick for one in (first, middle, last) for by in (-1, 0, 1))})
    return iter([(since, until) for since in ends for until in ends if since <= until])


async def check_every_period(services: Services) -> None:
    for since, until in await periods(services):
        span = await services.statements.span(HEAVY, since, until)
        period, moved = await added_up(services, since, until)
        assert await services.statements.period(HEAVY, span) == period, (since, until)
        found = await services.statements.entries(HEAVY, span, 1000)
        told = [(entry.transfer_id, entry.amount, entry.balance_after, entry.created_at) for entry in found]
        assert told == moved, (since, until)


def test_any_period_is_what_its_movements_add_up_to(year: Runner) -> None:
    year(check_every_period(year.services))


def test_a_period_that_ends_before_it_begins_has_nothing_in_it(year: Runner) -> None:
    kept = year.services.statements
    span = year(kept.span(HEAVY, END, START))
    period = year(kept.period(HEAVY, span))
    assert (period.entries, period.money_in, period.money_out) == (0, 0, 0)
    assert year(kept.entries(HEAVY, span, 10)) == []


async def test_a_wallet_that_has_never_moved(services: Services) -> None:
    books = await Books.open(services)
    wallet = await books.wallet()
    span = await services.statements.span(wallet, START, END)
    assert (span, await services.statements.period(wallet, span)) == (Span(0, 0), Period(0, 0, 0, 0))


def test_pages_are_the_whole_in_pieces(year: Runner) -> None:
    kept = year.services.statements
    span = year(kept.span(HEAVY, START, END))
    whole = year(kept.entries(HEAVY, span, 1000))
    assert len(whole) == MOVEMENTS
    before, pages = None, []
    while page := year(kept.entries(HEAVY, span, 7, before)):
        pages += page
        before = page[-1].transfer_id
    assert pages == whole


def test_a_long_history_is_not_read_through(year: Runner) -> None:
    assert year(rows_looked_at(year.services)) < MOVEMENTS // 3


async def rows_looked_at(services: Services) -> int:
    """In the table of entries, by whatever way, for the figures of one period: some seven for each of its ends."""
    async with services.pool.acquire() as conn, conn.transaction():
        kept = statements.Statements(conn)  # type: ignore[arg-type]  # one connection: its own counters
        since = await conn.fetchval(MIDDLE, HEAVY)
        before: int = await conn.fetchval(LOOKED_AT)
        period = await kept.period(HEAVY, await kept.span(HEAVY, since, END))
        assert period.entries == MOVEMENTS // 2
        after: int = await conn.fetchval(LOOKED_AT)
        return after - before


LOOKED_AT = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'entries'"
MIDDLE = "SELECT created_at FROM entries WHERE account_id = $1 ORDER BY transfer_id OFFSET 50 LIMIT 1"


def test_what_was_counted_is_marked_and_still_counts_the_same(year: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "_MARK_EVERY", 16)
    kept = year.services.statements
    year(kept.period(HEAVY, year(kept.span(HEAVY, START, END))))
    marked = year(year.services.pool.fetchval("SELECT count(*) FROM entry_marks WHERE account_id = $1", HEAVY))
    assert marked == MOVEMENTS // 16
    year(check_every_period(year.services))


async def test_movements_after_the_last_mark_count(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statements, "_MARK_EVERY", 2)
    books = await Books.open(services)
    wallet = await books.wallet()
    for number in range(1, 14):
        await books.put(wallet, number)
        period = await services.statements.period(wallet, await services.statements.span(wallet, START, END))
        assert period == Period(0, number * (number + 1) // 2, 0, number)
    marks = await services.pool.fetch("SELECT entries FROM entry_marks ORDER BY transfer_id")
    assert [row["entries"] for row in marks] == [2, 4, 6, 8, 10, 12]


class Looked(Struct):
    """How rows of a table were found by its primary key: one by one, or in the index first, for many at once."""

    found: int
    one_by_one: int

    def since(self, before: "Looked") -> "Looked":
        return Looked(self.found - before.found, self.one_by_one - before.one_by_one)


async def looked_up(conn: "PoolConnectionProxy[Record]", table: str) -> Looked:
    await conn.fetch("SELECT pg_stat_force_next_flush()")
    row = await conn.fetchrow(
        "SELECT idx_tup_read, idx_tup_fetch FROM pg_stat_user_indexes WHERE indexrelname = $1", f"{table}_pkey"
    )
    assert row is not None
    return Looked(*row)


async def check_reads_at_once(services: Services) -> None:
    statement, journal = queries.load("farebox.wallets", "statements.sql"), queries.load("farebox.wallets")
    pages = (
        (statement.entries, {"account_id": HEAVY, "after": 0, "before": 2**62, "limit": MOVEMENTS}),
        (journal.journal_of_wallet, {"wallet_id": HEAVY, "before": 2**62, "limit": MOVEMENTS, "kinds": None}),
    )
    async with services.pool.acquire() as conn:
        for query, page in pages:
            for _ in range(7):  # whatever is planned: for the values that are given, or once for all
                before = [await looked_up(conn, table) for table in ("transfers", "entries")]
                assert len(await query.all(conn, **page)) == MOVEMENTS
                after = [await looked_up(conn, table) for table in ("transfers", "entries")]
                transfers, entries = (now.since(then) for now, then in zip(after, before, strict=True))
                assert transfers.found >= MOVEMENTS
                assert transfers.one_by_one == 0
                assert entries.one_by_one <= 1, "the newest, for its balance"


def test_a_page_asks_the_disk_for_all_its_rows_at_once(year: Runner) -> None:
    """The index tells where they are, and the rows are read together (ADR 0032)."""
    year(check_reads_at_once(year.services))


async def test_what_others_have_sent_is_told_with_the_balance_that_it_left(services: Services) -> None:
    """Such a movement stands in the journal of the wallet that paid."""
    books = await Books.open(services)
    one, other, third = [await books.wallet(100) for _ in range(3)]
    for payer, taker, amount in (
        (one, other, 7),
        (third, one, 20),
        (other, one, 5),
        (one, third, 113),
        (other, one, 2),
    ):
        await books.ask(Transfer, wallet_id=payer, to_wallet_id=taker, amount=amount)
    await books.ask(Transfer, wallet_id=one, to_wallet_id=other, amount=10**6)  # refused: no movement
    span = await services.statements.span(one, START, END)
    found = await services.statements.entries(one, span, 4)
    assert [(entry.amount, entry.balance_after, entry.counterpart) for entry in found] == [
        (2, 7, str(other)),
        (-113, 5, str(third)),
        (5, 118, str(other)),
        (20, 113, str(third)),
    ]
    later = await services.statements.entries(one, span, 4, found[-1].transfer_id)
    assert [(entry.amount, entry.balance_after) for entry in later] == [(-7, 93), (100, 100)]


async def test_the_newest_page_and_its_sums_are_of_the_same_moment(services: Services) -> None:
    """Though they are read side by side, while money comes in."""
    books = await Books.open(services)
    wallet = await books.wallet(0)
    assert await services.statements.newest(wallet, 5) == (Span(0, 0), [], Period(0, 0, 0, 0))

    async def pay() -> None:
        for _ in range(150):
            await books.put(wallet, 1)

    paying = asyncio.create_task(pay())
    while not paying.done():
        span, page, period = await services.statements.newest(wallet, 5)
        if page:
            assert (page[0].transfer_id, page[0].balance_after) == (span.up_to, period.closing)
            assert period.entries == period.money_in == period.closing
    await paying
