"""The batcher among good and bad neighbours: nobody pays for another's lock, flood or mistake (RULES 12-17)."""

import asyncio
from collections import Counter

import pytest

from farebox.ledger.batcher import Ledger, OutcomeUnknown, Overloaded
from farebox.ledger.store import BrokenInvariant
from farebox.services import Services
from tests.support.ledgers import owner
from tests.support.proxy import proxy_to
from tests.support.racing import Payer, intruder, ledger_on, waiting_for_locks

LOCK_WALLET = "SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE"
LOCK_GRANT = "SELECT 1 FROM grants WHERE id = $1 FOR UPDATE"


async def sealed(ledger: Ledger) -> None:
    """Until all that was asked is in a batch."""
    while ledger.depth:
        await asyncio.sleep(0.01)


async def test_a_bad_item_fails_alone(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services) as ledger:
        asks = [payer.charge(f"k{n}") for n in range(20)]
        asks[7] = payer.charge("bad", fingerprint=b"short")  # a CHECK of the journal forbids it
        found = await asyncio.gather(*(ledger.submit(ask) for ask in asks), return_exceptions=True)
    assert isinstance(found.pop(7), BrokenInvariant)
    assert all(not isinstance(outcome, BaseException) and outcome.refusal is None for outcome in found)
    assert await payer.balance() == 981
    assert (await payer.books.audit()).clean


async def test_an_id_given_out_twice_is_a_broken_invariant(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services) as ledger:
        first = await ledger.submit(payer.charge("first"))
        conn = await owner(database)
        await conn.execute(f"ALTER SEQUENCE transfer_ids RESTART {first.transfer_id}")
        with pytest.raises(BrokenInvariant):
            await ledger.submit(payer.refund("second", first.transfer_id))
        assert (await ledger.submit(payer.charge("third"))).available == 998
        await conn.close()


@pytest.mark.parametrize("lock", [LOCK_WALLET, LOCK_GRANT], ids=["wallet", "grant"])
async def test_a_locked_wallet_keeps_only_its_own_waiting(
    database: str, services: Services, payer: Payer, lock: str
) -> None:
    others = [await Payer.of(payer.books) for _ in range(5)]
    async with ledger_on(database, services) as ledger:
        async with intruder(database) as conn:
            await conn.execute(lock, payer.wallet if lock is LOCK_WALLET else payer.grant)
            stuck = [ledger.submit(payer.charge(f"stuck{n}")) for n in range(3)]
            for number in range(20):  # the first waits for the lock too, the rest only for each other
                asks = [ledger.submit(other.charge(f"k{other.wallet}-{number}")) for other in others]
                stuck.append(ledger.submit(payer.charge(f"more{number}")))
                assert {outcome.refusal for outcome in await asyncio.gather(*asks)} == {None}
            assert not any(ask.done() for ask in stuck)
        outcomes = await asyncio.gather(*stuck)
    assert [outcome.available for outcome in outcomes] == list(range(999, 976, -1)), "in order of arrival"


async def test_who_waits_for_a_lock_too_long_is_told_so(database: str, services: Services, payer: Payer) -> None:
    async with intruder(database) as conn, ledger_on(database, services, deadline_s=2.5) as ledger:
        await conn.execute(LOCK_WALLET, payer.wallet)
        with pytest.raises(Overloaded):
            await ledger.submit(payer.charge("k"))
    assert await payer.balance() == 1000


async def test_a_process_frozen_in_a_batch_gives_its_wallets_back(
    database: str, services: Services, payer: Payer
) -> None:
    """Its connection stays open, its transaction does not: PostgreSQL ends it, and others go on."""
    async with proxy_to(database) as proxy, ledger_on(proxy.url, services) as frozen:
        before = await frozen.submit(payer.charge("before"))
        async with intruder(database) as conn:
            await conn.execute(LOCK_WALLET, payer.wallet)
            stuck = frozen.submit(payer.refund("stuck", before.transfer_id))
            await waiting_for_locks(services, 1)
            proxy.freeze()  # it will have the lock, and not know
        async with ledger_on(database, services) as ledger:
            assert (await ledger.submit(payer.charge("other"))).available == 998
        proxy.thaw()
        assert (await stuck).available == 999


async def test_a_process_frozen_in_charges_has_made_them(database: str, services: Services, payer: Payer) -> None:
    """What is written in one statement needs nobody to end it."""
    async with proxy_to(database) as proxy, ledger_on(proxy.url, services) as frozen:
        await frozen.submit(payer.charge("before"))
        async with intruder(database) as conn:
            await conn.execute(LOCK_WALLET, payer.wallet)
            stuck = frozen.submit(payer.charge("stuck"))
            await waiting_for_locks(services, 1)
            proxy.freeze()
        async with ledger_on(database, services) as ledger:
            assert (await ledger.submit(payer.charge("other"))).available == 997
        proxy.thaw()
        assert (await stuck).available == 998


async def test_a_flood_does_not_starve_others(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services, batch_items=10) as ledger:
        flood = [ledger.submit(payer.charge(f"k{n}", client="flood")) for n in range(500)]
        polite = [ledger.submit(payer.charge("k", client=f"polite{n}")) for n in range(4)]
        await asyncio.gather(*polite)
        assert sum(ask.done() for ask in flood) < 20
        await asyncio.gather(*flood)


async def test_past_the_bound_the_answer_is_at_once(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services, queue_items=5) as ledger:
        asks = [ledger.submit(payer.charge(f"k{n}")) for n in range(5)]
        with pytest.raises(Overloaded):
            ledger.submit(payer.charge("one too many"))
        assert ledger.depth == 5
        await asyncio.gather(*asks)
        assert (await ledger.submit(payer.charge("later"))).available == 994


async def test_past_the_deadline_what_queues_is_not_done(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services, deadline_s=0.3) as ledger:
        async with intruder(database) as conn:
            await conn.execute("LOCK TABLE account_movements IN EXCLUSIVE MODE")
            being_written = payer.charge("being written")
            written = ledger.submit(being_written)
            await sealed(ledger)
            queued = ledger.submit(payer.charge("queued"))
            found = await asyncio.gather(written, queued, return_exceptions=True)
            assert [type(error) for error in found] == [OutcomeUnknown, Overloaded]
        assert (await ledger.submit(being_written)).refusal is None
    async with services.pool.acquire() as conn:
        assert not await conn.fetchval("SELECT count(*) FROM transfers WHERE key = 'queued'")


async def test_closing_writes_what_is_queued(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services, batch_items=7) as ledger:
        asks = [ledger.submit(payer.charge(f"k{n}")) for n in range(100)]
        await ledger.close()
        assert all(ask.done() for ask in asks)
        with pytest.raises(Overloaded):
            ledger.submit(payer.charge("late"))
    assert await payer.balance() == 900


async def test_who_goes_away_takes_the_ask_along_until_the_batch_is_sealed(
    database: str, services: Services, payer: Payer
) -> None:
    async with ledger_on(database, services) as ledger:
        await ledger.submit(payer.charge("first"))  # what goes away while a connection is made is not posted either
        ledger.submit(payer.charge("gone before")).cancel()
        async with intruder(database) as conn:
            await conn.execute(LOCK_WALLET, payer.wallet)
            ask = ledger.submit(payer.charge("gone after"))
            await sealed(ledger)
            ask.cancel()
        await ledger.submit(payer.charge("stays"))
    rows = await services.pool.fetch("SELECT key FROM transfers WHERE client = 'tester'")
    assert Counter(row["key"] for row in rows) == {"first": 1, "gone after": 1, "stays": 1}
