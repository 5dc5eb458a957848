"""The ledger looks things up by their keys from the first charge on: no table that grows is ever read whole."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from farebox.db import queries
from farebox.envelopes.types import Scope
from farebox.ledger.types import Capture, Charge, Hold, Refund
from tests.support.ledgers import Books, owner, services_on
from tests.support.racing import Payer

GROWING = (
    "transfers",
    "entries",
    "holds",
    "refunds",
    "accounts",
    "grants",
    "account_movements",
    "api_keys",
    "envelopes",
)
ROUNDS = 40


@asynccontextmanager
async def rich_payer(database: str) -> AsyncIterator[Payer]:
    """On a server's parts with one writer and an idle sweeper; its connections are closed at the end."""
    async with services_on(database, writers=1, sweep_interval_s=3600) as services:
        yield await Payer.of(await Books.open(services), 10**9)


def drawn_on(payer: Payer) -> dict[str, Any]:
    """What a charge or a capture names."""
    return {
        "wallet_id": payer.wallet,
        "grant_id": payer.grant,
        "provider_id": payer.books.provider_id,
        "revenue_account": payer.books.revenue,
    }


async def test_a_young_database_is_read_by_keys_too(database: str) -> None:
    async with rich_payer(database) as payer:
        books, drawn = payer.books, drawn_on(payer)
        wallet, grant = payer.wallet, payer.grant
        before = await whole_reads(database)
        for _ in range(ROUNDS):
            charge = await books.ask(Charge, **drawn, amount=5)
            await books.ask(
                Refund,
                wallet_id=wallet,
                grant_id=grant,
                revenue_account=books.revenue,
                charge_id=charge.transfer_id,
                amount=1,
            )
            hold = await books.ask(Hold, wallet_id=wallet, grant_id=grant, amount=5, ttl_s=60)
            await books.ask(Capture, **drawn, hold_id=hold.transfer_id, amount=5)
    # The writer's connection is closed: what it counted is told.
    assert await whole_reads(database) == before


async def test_a_page_of_a_journal_reads_a_page(database: str) -> None:
    """And not the whole journal, of which a young database knows nothing."""
    async with rich_payer(database) as payer:
        services = payer.books.services
        for _ in range(ROUNDS):
            await payer.books.ask(Hold, wallet_id=payer.wallet, grant_id=payer.grant, amount=5, ttl_s=60)
        place = {"before": 2**62, "limit": 5}
        statements = queries.load("farebox.wallets")
        for query, more in (
            (statements.journal_of_wallet, {"kinds": ["hold"]}),
            (statements.holds_of_wallet, {}),
        ):
            given = query.ordered({"wallet_id": payer.wallet, **place, **more})
            async with services.pool.acquire() as conn, conn.transaction():
                await conn.execute("SET LOCAL enable_nestloop = off")  # as where it takes the joins for small
                plan = await conn.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {query.sql}", *given)
            assert 5 <= max(_rows_of("holds transfers", json.loads(plan)[0]["Plan"])) <= 6, query.name


def _rows_of(tables: str, node: dict[str, Any]) -> list[float]:
    """How many rows a plan has read of some tables, wherever it does."""
    here = [node["Actual Rows"]] if node.get("Relation Name", "-") in tables.split() else []
    return here + [rows for below in node.get("Plans", ()) for rows in _rows_of(tables, below)]


async def test_envelopes_are_found_by_what_they_are_attached_to(database: str) -> None:
    """However many others there are, and though there were none when the plan was made."""
    async with rich_payer(database) as payer:
        books, services, drawn = payer.books, payer.books.services, drawn_on(payer) | {"model": "m"}
        for _ in range(ROUNDS // 2):
            await books.ask(Charge, **drawn, amount=1)
        envelope = await books.envelope(Scope("model", "m"), 10**6)
        await services.pool.execute(OTHERS)
        before = await entries_read(database, "envelopes%")
        for _ in range(ROUNDS // 2):
            assert (await books.ask(Charge, **drawn, amount=1)).refusal is None
        assert (await services.envelopes.get(envelope)).standing.used == ROUNDS // 2
    assert await entries_read(database, "envelopes%") - before < ROUNDS * 10


async def test_a_hold_is_closed_by_its_key(database: str) -> None:
    """And not found among those that are open: their indexes have an entry for each that was closed since a vacuum."""
    async with rich_payer(database) as payer:
        for _ in range(ROUNDS):
            await hold_and_capture(payer)
        analyst = await owner(database)
        await analyst.execute("ANALYZE holds")  # which tells that hardly any is open
        await analyst.close()
    async with services_on(database, writers=1, sweep_interval_s=3600) as services:
        payer.books.door = services.ledger
        for _ in range(ROUNDS):
            await hold_and_capture(payer)
    assert await entries_read(database, "holds_pending") + await entries_read(database, "holds_due") == 0


async def hold_and_capture(payer: Payer) -> None:
    """A hold, and the whole of it taken."""
    hold = await payer.books.ask(Hold, wallet_id=payer.wallet, grant_id=payer.grant, amount=5, ttl_s=60)
    captured = await payer.books.ask(Capture, **drawn_on(payer), hold_id=hold.transfer_id, amount=5)
    assert captured.refusal is None


OTHERS = """
    INSERT INTO envelopes (name, scope, home, counts, asset, limit_units, thresholds, period, zone, window_start,
                           window_end, counted_since)
    SELECT 'x', 'model:' || g, 0, 'money', 'USD', 1, '{}', 'DAILY', 'UTC', now(), now() + interval '1 day', now()
    FROM generate_series(1, 5000) g
"""


async def entries_read(database: str, indexes: str) -> int:
    """How many entries of some indexes were read; `indexes` is a pattern of LIKE."""
    conn = await asyncpg.connect(database)
    try:
        await conn.execute("SELECT pg_stat_force_next_flush()")
        found: int = await conn.fetchval(
            "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE indexrelname LIKE $1", indexes
        )
        return found
    finally:
        await conn.close()


async def whole_reads(database: str) -> dict[str, int]:
    """How often each growing table was read whole."""
    conn = await asyncpg.connect(database)
    try:
        rows = await conn.fetch(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY($1)", list(GROWING)
        )
        return {row["relname"]: row["seq_scan"] for row in rows}
    finally:
        await conn.close()
