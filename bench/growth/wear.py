"""What PostgreSQL does for a charge, by its own counters: what else runs on the machine does not change them."""

import asyncio

import asyncpg

from bench.figures import Measures, Run
from bench.growth.grown import Grown
from bench.rounds import Variant

# A connection tells what it has counted when it ends, and the ledger's have ended by then.
_COUNTERS = """
    SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint AS wal_bytes, w.wal_fpi, d.blks_read, t.updates, t.hot
    FROM pg_stat_wal w, pg_stat_database d, (
        SELECT sum(n_tup_upd)::bigint AS updates, sum(n_tup_hot_upd)::bigint AS hot FROM pg_stat_user_tables
        WHERE relname IN ('accounts', 'grants')
    ) t WHERE d.datname = current_database()
"""


def worn(ledger: Grown, variant: Variant, *, checkpoint: bool = False) -> Variant:
    """A variant that also counts log, pages and updates; where wanted, it begins right after a checkpoint."""

    def run(seconds: float) -> Run:
        before = asyncio.run(_counted(ledger.world.owner_url, checkpoint))
        found = variant.run(seconds)
        after = asyncio.run(_counted(ledger.world.owner_url, False))
        change = {name: after[name] - before[name] for name in before}
        found.measures = found.measures | _per_charge(change, found.latencies.total)
        return found

    return Variant(variant.name, run)


def _per_charge(change: Measures, charges: int) -> Measures:
    return {
        "WAL bytes per charge": change["wal_bytes"] / max(charges, 1),
        "full pages in WAL per charge": change["wal_fpi"] / max(charges, 1),
        "pages read per charge": change["blks_read"] / max(charges, 1),
        "updates in place (HOT), %": 100 * change["hot"] / max(change["updates"], 1),
    }


async def _counted(url: str, checkpoint: bool) -> Measures:
    conn = await asyncpg.connect(url)
    if checkpoint:
        await conn.execute("CHECKPOINT")
    row = await conn.fetchrow(_COUNTERS)
    await conn.close()
    assert row is not None
    return {name: float(value) for name, value in row.items()}
