"""Fills a migrated, empty database with a true ledger of a given size, as fast as that can be done.

Rows are computed by the server; indexes of the large tables are built when the rows are there, from their own
definitions. Foreign keys and triggers are passed over: what they would check is what the audit proves.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib import resources

import asyncpg
from asyncpg import Connection, Record

from bench.growth.crowd import HEAVY, Size
from bench.world import MODEL, settings
from farebox import app
from farebox.db import queries
from farebox.db.queries import Query
from farebox.pricing.types import NewPrice, Rates

_SQL = queries.load("bench.growth", "load.sql")
AT_ONCE = 3
"""Connections that load side by side."""
_TABLES = ("accounts", "grants", "transfers", "entries")

Say = Callable[[str], None]


async def load(owner_url: str, app_url: str, size: Size, say: Say, chunk: int = 500_000) -> str:
    """Fills the database; the API key of its provider. Durable only when `settle` has run."""
    conn = await asyncpg.connect(owner_url)
    key = await _prepare(conn, app_url, size)
    dropped = await _drop_indexes(conn)
    whole, moves = (0, size.wallets), (0, size.transfers)
    for query, span in (
        (_SQL.fill_accounts, whole),
        (_SQL.fill_grants, whole),
        (_SQL.fill_transfers, moves),
        (_SQL.fill_entries, moves),
        (_SQL.fill_totals, moves),
    ):
        await _timed(say, query.name, _spread(owner_url, [(query, *part) for part in _chunks(*span, chunk)]))
    await _SQL.fold.run(conn)
    await _SQL.next_numbers.value(conn)
    await _SQL.all_counted.run(conn)
    await conn.execute("DROP SCHEMA growth CASCADE")
    await _timed(say, "indexes", _build(owner_url, dropped))
    await conn.close()
    return key


async def settle(owner_url: str, say: Say) -> None:
    """Writes down what every page of a ledger that has been alive for a while says: what is visible, and how much."""
    conn = await asyncpg.connect(owner_url)
    for table in _TABLES:
        await _timed(say, f"vacuum {table}", conn.execute(f"VACUUM (FREEZE, ANALYZE) {table}"))
    await conn.execute("ANALYZE")
    await conn.execute("CHECKPOINT")
    await conn.close()


async def _prepare(conn: "Connection[Record]", app_url: str, size: Size) -> str:
    """A provider, its account and a price, through the server's own doors; then the size, for the statements."""
    found = settings()
    async with app.open_services(lambda: app_url, found, app.secret_of(found)) as services:
        provider = await services.directory.add_provider("bench", "bench", "Bench")
        _, key = await services.keys.make("provider", "bench", slug="bench", provider_id=provider.id)
        rates = Rates(input_token="0.001", output_token="0.002")
        await services.prices.add("bench", "bench", [NewPrice(MODEL, "TOKEN", rates)])
        revenue = await services.accounts.revenue(provider.id, "TOKEN")
        outside = await services.accounts.external("bench", "TOKEN")
    await conn.execute((resources.files("bench.growth") / "crowd.sql").read_text("utf-8"))
    kinds = {"busy": size.busy, "heavy": HEAVY, "wallets": size.wallets, "transfers": size.transfers}
    await _SQL.note_world.run(conn, provider=provider.id, revenue=revenue, outside=outside, **kinds)
    return key


async def _drop_indexes(conn: "Connection[Record]") -> list[Record]:
    found = await _SQL.late_indexes.all(conn)
    for index in found:
        if index["constraint_name"] is None:
            await conn.execute(f"DROP INDEX {index['name']}")
        else:
            await conn.execute(f"ALTER TABLE {index['on_table']} DROP CONSTRAINT {index['constraint_name']}")
    return found


async def _build(url: str, indexes: list[Record]) -> None:
    """Builds them side by side; then the constraints take them over, under the names they had."""
    await _spread(url, [(index["definition"],) for index in indexes])
    conn = await asyncpg.connect(url)
    for index in indexes:
        if index["constraint_name"] is not None:
            kind = "PRIMARY KEY" if index["constraint_kind"] == "p" else "UNIQUE"
            await conn.execute(
                f"ALTER TABLE {index['on_table']} ADD CONSTRAINT {index['constraint_name']} {kind} "
                f"USING INDEX {index['name']}"
            )
    await conn.close()


def _chunks(low: int, high: int, chunk: int) -> Iterator[tuple[int, int]]:
    for start in range(low, high, chunk):
        yield start, min(start + chunk, high)


async def _spread(url: str, statements: list[tuple[Query | str, *tuple[int, ...]]]) -> None:
    """Runs statements on several connections, each taking the next one that is left."""
    left = iter(statements)

    async def work() -> None:
        conn = await asyncpg.connect(url)
        await conn.execute("SET session_replication_role = replica; SET maintenance_work_mem = '1GB'")
        for statement, *span in left:
            if isinstance(statement, str):
                await conn.execute(statement)
            else:
                await statement.run(conn, low=span[0], high=span[1])
        await conn.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(min(AT_ONCE, len(statements))):
            group.create_task(work())


async def _timed(say: Say, what: str, work: Awaitable[object]) -> None:
    start = time.perf_counter()
    await work
    say(f"{what}: {time.perf_counter() - start:.1f} s")
