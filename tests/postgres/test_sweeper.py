"""What the sweeper frees and forgets, and that looking for it does not grow with what is kept."""

import asyncio

from farebox.db import queries
from farebox.ledger.sweeper import sweep
from farebox.ledger.types import Hold
from farebox.services import Services
from tests.support.ledgers import Books, owner
from tests.support.racing import Payer

ADD = """
    INSERT INTO outbox (wallet_id, kind, payload, created_at)
    SELECT 1, 'balance.changed', '{}', now() - $2 * interval '1 second' FROM generate_series(1, $1)
"""
LOOKED_AT = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'outbox'"
FORGET = queries.load("farebox.ledger", "sweeper.sql").forget_events
MORE_THAN_AT_ONCE = 10_005
MORE_THAN_ONE_BATCH = 4_100
"""A batch has 4,096 ids to give away."""


async def test_more_holds_than_one_batch_has_ids_for_are_freed_and_nobody_is_in_their_way(
    database: str, services: Services
) -> None:
    payer = await Payer.of(await Books.open(services), MORE_THAN_ONE_BATCH)
    asked = {"wallet_id": payer.wallet, "grant_id": payer.grant, "amount": 1, "ttl_s": 600}
    await asyncio.gather(*(payer.books.ask(Hold, **asked) for _ in range(MORE_THAN_ONE_BATCH)))
    conn = await owner(database)
    await conn.execute("UPDATE holds SET expires_at = now()")
    await conn.close()
    outcomes = [await services.ledger.submit(payer.charge(key)) for key in ("first", "second")]
    assert [outcome.available for outcome in outcomes] == [MORE_THAN_ONE_BATCH - 1, MORE_THAN_ONE_BATCH - 2]
    assert (await payer.books.audit()).clean


async def test_a_wallet_that_can_not_be_tidied_stops_nothing_else(database: str, services: Services) -> None:
    books = await Books.open(services)
    payers = [await Payer.of(books, 10) for _ in range(4)]
    for payer in payers:
        await books.ask(Hold, wallet_id=payer.wallet, grant_id=payer.grant, amount=10, ttl_s=600)
    await services.pool.execute(ADD, 1, 120.0)
    conn = await owner(database)
    await conn.execute("UPDATE holds SET expires_at = now()")
    await conn.execute("UPDATE accounts SET held = 5 WHERE id = ANY($1)", [payer.wallet for payer in payers[:2]])
    await conn.close()
    await sweep(services.pool, services.ledger, 60)
    left = await services.pool.fetch("SELECT wallet_id FROM holds WHERE state = 'pending'")
    assert {row["wallet_id"] for row in left} == {payer.wallet for payer in payers[:2]}
    assert not await services.pool.fetchval("SELECT count(*) FROM outbox WHERE wallet_id = 1")


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
