"""What the sweeper forgets, and that looking for it does not grow with what is kept."""

from farebox.db import queries
from farebox.ledger.sweeper import sweep
from farebox.services import Services

ADD = """
    INSERT INTO outbox (wallet_id, kind, payload, created_at)
    SELECT 1, 'balance.changed', '{}', now() - $2 * interval '1 second' FROM generate_series(1, $1)
"""
LOOKED_AT = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'outbox'"
FORGET = queries.load("farebox.ledger", "sweeper.sql").forget_events
MORE_THAN_AT_ONCE = 10_005


async def test_all_that_is_old_is_forgotten_in_one_round_and_nothing_else(services: Services) -> None:
    await services.pool.execute(ADD, MORE_THAN_AT_ONCE, 120.0)
    await services.pool.execute(ADD, 3, 10.0)
    await sweep(services.pool, services.ledger, 60)
    assert await services.pool.fetchval("SELECT count(*) FROM outbox") == 3


async def test_where_nothing_is_old_few_are_looked_at(services: Services) -> None:
    await services.pool.execute(ADD, 5_000, 10.0)
    await services.pool.execute("ANALYZE outbox")
    async with services.pool.acquire() as conn, conn.transaction():
        before = await conn.fetchval(LOOKED_AT)
        assert not await FORGET.value(conn, keep_s=60, limit=10)
        assert await conn.fetchval(LOOKED_AT) - before <= 20
