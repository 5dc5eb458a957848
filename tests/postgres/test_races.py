"""Races on a real PostgreSQL: several ledgers, as several processes have them, on the same wallets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from farebox.db import pool
from farebox.ledger.batcher import Ledger
from farebox.ledger.types import Capture, Charge, Hold, Outcome, Refund, Refusal, Release, Transfer
from farebox.services import Services
from tests.support.ledgers import Books, mark
from tests.support.racing import Payer, intruder, waiting_for_locks


@asynccontextmanager
async def ledgers(database: str, services: Services, count: int) -> AsyncIterator[list[Ledger]]:
    """Ledgers with connections of their own, as other processes have."""
    found = [Ledger(lambda: pool.connect(database, services.settings)) for _ in range(count)]
    try:
        yield found
    finally:
        for ledger in found:
            await ledger.close()


def charge(books: Books, wallet: int, grant: int, number: int, amount: int = 1, **more: Any) -> Charge:
    base: dict[str, Any] = {"client": "racer", "key": f"race{number}", "fingerprint": mark()}
    return Charge(
        **base | more,
        wallet_id=wallet,
        grant_id=grant,
        provider_id=books.provider_id,
        revenue_account=books.revenue,
        amount=amount,
    )


@pytest.mark.parametrize("count", [1, 3])
async def test_the_last_unit_of_a_wallet_goes_to_one(database: str, services: Services, count: int) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(1)
    grant = await books.grant(wallet)
    async with ledgers(database, services, count) as doors:
        asks = [doors[n % count].submit(charge(books, wallet, grant, n)) for n in range(1000)]
        outcomes = await asyncio.gather(*asks)
    assert Counter(outcome.refusal for outcome in outcomes) == {None: 1, Refusal.INSUFFICIENT_BALANCE: 999}
    assert (await books.audit()).clean


@pytest.mark.parametrize("count", [1, 3])
async def test_the_last_unit_of_a_limit_goes_to_one(database: str, services: Services, count: int) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(10_000)
    grant = await books.grant(wallet, limit=1)
    async with ledgers(database, services, count) as doors:
        asks = [doors[n % count].submit(charge(books, wallet, grant, n)) for n in range(1000)]
        outcomes = await asyncio.gather(*asks)
    assert Counter(outcome.refusal for outcome in outcomes) == {None: 1, Refusal.GRANT_LIMIT_EXCEEDED: 999}
    assert (await books.audit()).clean


@pytest.mark.parametrize("count", [1, 4])
async def test_one_key_asked_fifty_times_has_one_effect_and_one_answer(
    database: str, services: Services, count: int
) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(100)
    grant = await books.grant(wallet)
    same = mark()
    async with ledgers(database, services, count) as doors:
        asks = [doors[n % count].submit(charge(books, wallet, grant, 0, fingerprint=same)) for n in range(50)]
        outcomes = await asyncio.gather(*asks)
    assert len({(o.transfer_id, o.refusal, o.amount, o.available, o.created_at) for o in outcomes}) == 1
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert (await services.wallets.get(wallet)).balance == 99


async def test_one_key_on_two_wallets_at_once_is_one_ask(database: str, services: Services) -> None:
    books = await Books.open(services)
    first, second = await books.wallet(100), await books.wallet(100)
    grants = [await books.grant(first), await books.grant(second)]
    async with ledgers(database, services, 2) as doors:
        for number in range(20):
            pairs = zip(doors, (first, second), grants, strict=True)
            asks = [door.submit(charge(books, wallet, grant, number)) for door, wallet, grant in pairs]
            outcomes = await asyncio.gather(*asks)
            assert sorted(str(o.refusal) for o in outcomes) == ["None", str(Refusal.KEY_REUSED)]
    assert (await books.audit()).clean


async def test_transfers_both_ways_never_deadlock(database: str, services: Services) -> None:
    books = await Books.open(services)
    wallets = [await books.wallet(1000) for _ in range(20)]
    async with ledgers(database, services, 4) as doors:

        def move(number: int) -> asyncio.Future[Outcome]:
            payer, payee = wallets[number % 20], wallets[(number * 7 + 1) % 20]
            if payer == payee:
                payee = wallets[(number + 1) % 20]
            ask = Transfer(
                client="racer",
                key=f"move{number}",
                fingerprint=mark(),
                wallet_id=payer,
                to_wallet_id=payee,
                amount=1 + number % 9,
            )
            return doors[number % 4].submit(ask)

        outcomes = await asyncio.gather(*(move(number) for number in range(2000)))
    assert {outcome.refusal for outcome in outcomes} <= {None, Refusal.INSUFFICIENT_BALANCE}
    assert sum([(await services.wallets.get(wallet)).balance for wallet in wallets]) == 20_000
    assert (await books.audit()).clean


async def test_a_hold_ends_once(database: str, services: Services) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(1000)
    grant = await books.grant(wallet)
    common: dict[str, Any] = {"client": "racer", "wallet_id": wallet, "grant_id": grant}
    taking: dict[str, Any] = {"provider_id": books.provider_id, "revenue_account": books.revenue, "amount": 5}
    async with ledgers(database, services, 2) as doors:
        for number in range(20):
            hold = await books.ask(Hold, wallet_id=wallet, grant_id=grant, amount=5, ttl_s=60)
            end = common | {"hold_id": hold.transfer_id}
            outcomes = await asyncio.gather(
                doors[0].submit(Capture(key=f"c{number}", fingerprint=mark(), **end, **taking)),
                doors[1].submit(Release(key=f"r{number}", fingerprint=mark(), **end)),
                doors[1].submit(Capture(key=f"d{number}", fingerprint=mark(), **end, **taking)),
            )
            assert Counter(o.refusal for o in outcomes) == {None: 1, Refusal.HOLD_CLOSED: 2}
    assert (await books.audit()).clean


async def test_a_charge_is_given_back_once(database: str, services: Services) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(1000)
    grant = await books.grant(wallet)
    async with ledgers(database, services, 3) as doors:
        paid = await doors[0].submit(charge(books, wallet, grant, 0, amount=10))

        def give_back(number: int) -> asyncio.Future[Outcome]:
            ask = Refund(
                client="racer",
                key=f"back{number}",
                fingerprint=mark(),
                wallet_id=wallet,
                grant_id=grant,
                charge_id=paid.transfer_id,
                revenue_account=books.revenue,
                amount=3,
            )
            return doors[number % 3].submit(ask)

        outcomes = await asyncio.gather(*(give_back(number) for number in range(30)))
    assert Counter(o.refusal for o in outcomes) == {None: 3, Refusal.REFUND_EXCEEDS_CHARGE: 27}
    assert (await services.wallets.get(wallet)).balance == 999
    assert (await books.audit()).clean


@pytest.mark.parametrize(("keys", "left"), [(("one", "one"), 10), (("one", "other"), 0)])
async def test_a_first_refund_knows_of_the_rival_that_it_waited_for(
    database: str, services: Services, keys: tuple[str, str], left: int
) -> None:
    payer = await Payer.of(await Books.open(services))
    paid = await services.ledger.submit(payer.charge("paid", amount=20))
    same = mark()
    async with ledgers(database, services, 2) as doors:
        async with intruder(database) as conn:
            await conn.execute("SELECT FROM accounts WHERE id = $1 FOR UPDATE", payer.wallet)
            asks = [replace(payer.refund(key, paid.transfer_id), amount=10, fingerprint=same) for key in keys]
            begun = [door.submit(ask) for door, ask in zip(doors, asks, strict=True)]
            await waiting_for_locks(services, 2)
        outcomes = await asyncio.gather(*begun)
    assert [outcome.refusal for outcome in outcomes] == [None, None]
    assert await payer.balance() == 1000 - left
    assert (await payer.books.audit()).clean


async def test_numbers_rise_within_a_wallet_whoever_writes(database: str, services: Services) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(5000)
    grant = await books.grant(wallet)
    async with ledgers(database, services, 4) as doors:
        asks = [doors[n % 4].submit(charge(books, wallet, grant, n)) for n in range(1000)]
        outcomes = await asyncio.gather(*asks)
    in_order = sorted(outcomes, key=lambda outcome: outcome.transfer_id)
    assert [outcome.available for outcome in in_order] == list(range(4999, 3999, -1))
