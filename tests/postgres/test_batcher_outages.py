"""What the batcher makes of lost answers, lost connections and a database that is away (RULES 11, 15, 16)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import asyncpg
import pytest

from farebox.db import pool
from farebox.ledger.batcher import Ledger, Limits, OutcomeUnknown, Overloaded, Unavailable
from farebox.services import Services
from tests.support.ledgers import Books, owner
from tests.support.proxy import LONG, SHORT, Proxy, proxy_to
from tests.support.racing import Payer, intruder, ledger_on, waiting_for_locks


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[Proxy]:
    async with proxy_to(database) as found:
        yield found


@pytest.mark.parametrize(("lost", "times"), [("request", 3), ("answer", 1)])
@pytest.mark.parametrize("way", [LONG, SHORT], ids=["long", "short"])
async def test_a_lost_commit_is_resolved_by_key(
    services: Services,
    payer: Payer,
    proxy: Proxy,
    way: tuple[bytes, bytes],
    lost: Literal["request", "answer"],
    times: int,
) -> None:
    async with ledger_on(proxy.url, services) as ledger:
        paid = await ledger.submit(payer.charge("before"))
        first = payer.refund("back", paid.transfer_id) if way is LONG else payer.deposit("more")  # refunds are read for
        before = await payer.balance() + 1
        proxy.lose, proxy.lose_commits, proxy.way = lost, times, way
        asks = [first, *(payer.charge(f"k{n}") for n in range(20))]
        _, *outcomes = await asyncio.gather(*(ledger.submit(ask) for ask in asks))
    assert proxy.lose_commits == 0
    assert [(o.refusal, o.replayed) for o in outcomes] == [(None, False)] * 20
    assert sorted(o.available for o in outcomes) == list(range(before - 20, before))
    assert await payer.balance() == before - 20
    assert (await payer.books.audit()).clean


async def test_a_replay_in_a_lost_batch_is_still_a_replay(services: Services, payer: Payer, proxy: Proxy) -> None:
    ask = payer.charge("earlier")
    async with ledger_on(proxy.url, services) as ledger:
        earlier = await ledger.submit(ask)
        proxy.lose_commits = 1
        again, new = await asyncio.gather(ledger.submit(ask), ledger.submit(payer.charge("new")))
    assert proxy.lose_commits == 0
    assert (again.transfer_id, again.replayed, new.replayed) == (earlier.transfer_id, True, False)


async def test_past_the_deadline_the_outcome_is_unknown_and_a_retry_learns_it(
    services: Services, payer: Payer, proxy: Proxy
) -> None:
    ask = payer.charge("k")
    async with ledger_on(proxy.url, services, deadline_s=0.3) as ledger:
        proxy.lose_commits, proxy.down_after_loss, proxy.way = 1, True, SHORT
        with pytest.raises(OutcomeUnknown):
            await ledger.submit(ask)
        proxy.up.set()
        outcome = await ledger.submit(ask)
    assert (outcome.refusal, outcome.replayed) == (None, True)
    assert await payer.balance() == 999


async def test_nothing_is_done_for_who_was_told_so(services: Services, payer: Payer, proxy: Proxy) -> None:
    """The connection comes after the deadline, with the batch sealed long ago."""
    async with ledger_on(proxy.url, services, deadline_s=0.3) as ledger:
        proxy.up.clear()
        late = [ledger.submit(payer.charge(f"late{n}")) for n in range(3)]
        assert {type(e) for e in await asyncio.gather(*late, return_exceptions=True)} == {Unavailable}
        proxy.up.set()
        in_time = await ledger.submit(payer.charge("in time"))
    assert in_time.available == 999
    assert await payer.balance() == 999


async def test_a_connection_that_brings_no_answers_is_given_up(
    database: str, services: Services, payer: Payer, proxy: Proxy
) -> None:
    async with ledger_on(proxy.url, services, batch_timeout_s=0.5) as ledger:
        await ledger.submit(payer.charge("before"))
        async with intruder(database) as conn:  # holds the batch up in the middle
            await conn.execute("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", payer.wallet)
            ask = ledger.submit(payer.charge("meanwhile"))
            await waiting_for_locks(services, 1)
            proxy.freeze()
        outcome = await ask
    assert (outcome.available, outcome.replayed, proxy.connections) == (998, False, 2)


async def test_whatever_keeps_it_from_connecting_is_unavailable(database: str, services: Services) -> None:
    payer = await Payer.of(await Books.open(services))
    wrong = database.rsplit("?", 1)[0] + "_gone?" + database.rsplit("?", 1)[1]
    async with ledger_on(wrong, services, deadline_s=0.3) as ledger:
        with pytest.raises(Unavailable):
            await ledger.submit(payer.charge("k"))


PASSING = {
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "53100": "disk_full",
    "57014": "query_canceled",
    "58030": "io_error",
    "25006": "read_only_sql_transaction",
    "26000": "invalid_sql_statement_name",
}


async def break_writes(database: str, code: str, times: int) -> None:
    """The next `times` batches meet an error as they write."""
    conn = await owner(database)
    await conn.execute(f"""
        CREATE SEQUENCE tries;
        CREATE FUNCTION break_it() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
            IF nextval('public.tries') <= {times} THEN RAISE EXCEPTION 'made up' USING ERRCODE = '{code}'; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER broken AFTER INSERT ON transfers FOR EACH STATEMENT EXECUTE FUNCTION break_it();
    """)
    await conn.close()


@pytest.mark.parametrize("code", PASSING, ids=PASSING.values())
async def test_what_passes_is_tried_again(database: str, services: Services, payer: Payer, code: str) -> None:
    async with ledger_on(database, services) as ledger:
        await ledger.submit(payer.charge("before"))
        await break_writes(database, code, 2)
        outcomes = await asyncio.gather(*(ledger.submit(payer.charge(f"k{n}")) for n in range(5)))
    assert [(o.refusal, o.replayed) for o in outcomes] == [(None, False)] * 5
    assert await payer.balance() == 994


async def test_what_does_not_pass_ends_as_overload(database: str, services: Services, payer: Payer) -> None:
    await break_writes(database, "40001", 10**6)
    async with ledger_on(database, services, retries=2) as ledger:
        asks = [ledger.submit(payer.charge(f"k{n}")) for n in range(3)]
        assert {type(e) for e in await asyncio.gather(*asks, return_exceptions=True)} == {Overloaded}
    assert await payer.balance() == 1000


async def test_forgotten_statements_are_prepared_again(database: str, services: Services, payer: Payer) -> None:
    made: list[asyncpg.Connection[asyncpg.Record]] = []

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        made.append(await pool.connect(database, services.settings))
        return made[-1]

    ledger = Ledger(connect, Limits())
    await ledger.submit(payer.charge("one"))
    await made[0].execute("DEALLOCATE ALL")
    assert (await ledger.submit(payer.charge("two"))).available == 998
    await ledger.close()


async def test_a_deadlock_is_resolved_and_run_again(database: str, services: Services) -> None:
    books = await Books.open(services)
    low, high = sorted([await Payer.of(books), await Payer.of(books)], key=lambda payer: payer.wallet)
    lock = "SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE"
    conn = await owner(database)
    await conn.execute("BEGIN; SET LOCAL deadlock_timeout = '60s'")  # on a busy machine too, the batch is ended
    await conn.execute(lock, high.wallet)
    async with ledger_on(database, services) as ledger:
        asks = [ledger.submit(payer.charge(f"k{payer.wallet}")) for payer in (low, high)]
        await waiting_for_locks(services, 1)
        await conn.execute(lock, low.wallet)  # now each waits for the other
        await conn.execute("COMMIT")
        outcomes = await asyncio.gather(*asks)
    await conn.close()
    assert [(o.refusal, o.available) for o in outcomes] == [(None, 999)] * 2
