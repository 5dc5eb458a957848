"""Asks decided while another batch is written: whatever becomes of that one, each gets its true outcome (ADR 0031)."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest

from farebox.ledger.batcher import Ledger
from farebox.ledger.types import Refusal
from farebox.services import Services
from tests.support.racing import Payer, intruder, ledger_on, waiting_for_locks


@pytest.fixture
async def while_written(
    database: str, services: Services, payer: Payer, ledger: Ledger
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Holds up a batch that is being written; what is called later lets it go on."""
    async with AsyncExitStack() as held:
        conn = await held.enter_async_context(intruder(database))
        await conn.execute("SELECT FROM accounts WHERE id = $1 FOR UPDATE", payer.wallet)
        yield held.aclose


async def test_it_is_decided_meanwhile(
    services: Services, payer: Payer, ledger: Ledger, while_written: Callable[[], Awaitable[None]]
) -> None:
    asked = [ledger.submit(payer.charge("written"))]
    await waiting_for_locks(services, 1)
    asked += [ledger.submit(payer.charge(f"k{number}", amount=400)) for number in range(3)]
    await while_written()
    outcomes = await asyncio.gather(*asked)
    assert [o.available for o in outcomes] == [998, 598, 198, 198]
    assert [o.refusal for o in outcomes] == [None, None, None, Refusal.INSUFFICIENT_BALANCE]
    assert [o.transfer_id for o in outcomes] == sorted({o.transfer_id for o in outcomes})
    assert (ledger.batches, ledger.reads, ledger.ahead) == (3, 1, 3)
    assert await payer.balance() == 198


async def test_it_is_decided_again_where_the_other_found_something_changed(
    database: str,
    services: Services,
    payer: Payer,
    ledger: Ledger,
    while_written: Callable[[], Awaitable[None]],
) -> None:
    async with ledger_on(database, services) as other:
        elsewhere = other.submit(payer.charge("elsewhere", amount=990))
        await waiting_for_locks(services, 1)
        asked = [ledger.submit(payer.charge("written"))]
        await waiting_for_locks(services, 2)
        asked += [ledger.submit(payer.charge(f"k{number}", amount=5)) for number in range(3)]
        await while_written()
        assert (await elsewhere).available == 9
    outcomes = await asyncio.gather(*asked)
    assert [o.available for o in outcomes] == [8, 3, 3, 3]
    assert (ledger.reads, ledger.ahead) == (2, 3), "ahead of the batch that was read again, not of the one that failed"
    assert await payer.balance() == 3


async def test_what_is_in_line_already_is_decided_too(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services, batch_items=40) as ledger:
        asked = [ledger.submit(payer.charge(f"k{number}", amount=5)) for number in range(205)]
        outcomes = await asyncio.gather(*asked)
    assert [o.available for o in outcomes] == [*range(995, -1, -5), *[0] * 5], "in the order of their arrival"
    assert (ledger.batches, ledger.reads, ledger.ahead) == (6, 1, 165)


async def test_what_takes_more_than_is_known_waits_for_a_batch_of_its_own(
    database: str, services: Services, payer: Payer
) -> None:
    stranger = await Payer.of(payer.books)
    async with ledger_on(database, services, batch_items=3) as ledger:
        payers = [payer] * 3 + [payer, stranger, payer, payer]
        asked = [ledger.submit(who.charge(f"k{number}", amount=5)) for number, who in enumerate(payers)]
        outcomes = await asyncio.gather(*asked)
    assert [o.available for o in outcomes] == [995, 990, 985, 980, 995, 975, 970]
    assert (ledger.batches, ledger.reads, ledger.ahead) == (3, 2, 1)


async def test_who_comes_while_others_flood_is_soon_in_line(database: str, services: Services, payer: Payer) -> None:
    async with ledger_on(database, services, batch_items=10, deadline_s=60) as ledger:
        flood = [ledger.submit(payer.charge(f"k{number}", client="flood")) for number in range(300)]
        await flood[0]
        before = sum(ask.done() for ask in flood)
        await asyncio.gather(*(ledger.submit(payer.charge("k", client=f"polite{number}")) for number in range(4)))
        assert sum(ask.done() for ask in flood) < before + 50, "two batches were decided before, at most"
        await asyncio.gather(*flood)
        assert ledger.ahead > 200


async def test_who_has_left_is_not_charged(
    services: Services, payer: Payer, ledger: Ledger, while_written: Callable[[], Awaitable[None]]
) -> None:
    written = ledger.submit(payer.charge("written"))
    await waiting_for_locks(services, 1)
    asked = [ledger.submit(payer.charge(f"k{number}", amount=10)) for number in range(3)]
    asked[1].cancel()
    await while_written()
    assert [(await future).available for future in (written, asked[0], asked[2])] == [998, 988, 978]
    assert await payer.balance() == 978


async def test_a_key_that_stands_twice_is_one_charge(
    services: Services, payer: Payer, ledger: Ledger, while_written: Callable[[], Awaitable[None]]
) -> None:
    asked = [ledger.submit(payer.charge("written"))]
    await waiting_for_locks(services, 1)
    once, written = payer.charge("once", amount=10), payer.charge("written")
    asked += [ledger.submit(ask) for ask in (once, once, written, payer.charge("last"))]
    await while_written()
    outcomes = await asyncio.gather(*asked)
    assert outcomes[1].transfer_id == outcomes[2].transfer_id
    assert [o.available for o in outcomes[:3]] == [998, 988, 988]
    assert outcomes[3].refusal is Refusal.KEY_REUSED, "it is another request than the first one with this key"
    assert outcomes[4].available == 987


async def test_what_the_database_refuses_fails_alone(
    services: Services, payer: Payer, ledger: Ledger, while_written: Callable[[], Awaitable[None]]
) -> None:
    written = ledger.submit(payer.charge("written"))
    await waiting_for_locks(services, 1)
    asked = [ledger.submit(payer.charge(f"k{n}", amount=-1 if n == 2 else 10)) for n in range(5)]
    await while_written()
    outcomes = await asyncio.gather(written, *asked, return_exceptions=True)
    assert [isinstance(outcome, Exception) for outcome in outcomes] == [False, False, False, True, False, False]
    assert await payer.balance() == 998 - 40


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_the_books_balance(
    database: str, services: Services, payer: Payer, ledger: Ledger, seed: int
) -> None:
    """Waves of charges, while callers leave, keys are used again, rows are refused, and another process charges."""
    source = random.Random(seed)
    spent: dict[int, int] = {}
    left = 0

    async def one(door: Ledger, key: str, amount: int) -> None:
        nonlocal left
        asked = door.submit(payer.charge(key, amount=amount, fingerprint=key.encode().ljust(16)[:16]))
        if source.random() < 0.02:
            asyncio.get_running_loop().call_later(source.random() / 200, asked.cancel)
        try:
            outcome = await asked
        except asyncio.CancelledError:
            left += 1
            return
        except Exception as error:
            assert amount < 0, error
            return
        if outcome.refusal is None:
            spent[outcome.transfer_id] = amount

    async def caller(name: int, door: Ledger) -> None:
        for turn in range(40):
            bad = source.random() < 0.01
            amount = -1 if bad else source.randint(1, 3)
            key = f"{name}.{source.randint(0, 60)}" + f":{amount}" * (amount > 0) + f":{turn}" * bad
            await one(door, key, amount)
            if source.random() < 0.2:
                await asyncio.sleep(source.random() / 300)

    async with ledger_on(database, services, deadline_s=60) as other:
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*(caller(n, other if n == 0 and seed % 2 else ledger) for n in range(12)))
    assert ledger.ahead
    found = await services.pool.fetch(
        "SELECT id, amount FROM transfers "
        "WHERE wallet_id = $1 AND kind = 'charge' AND refusal IS NULL AND key <> 'first'",
        payer.wallet,
    )
    booked = {row["id"]: row["amount"] for row in found}
    assert spent.items() <= booked.items()
    assert len(booked) <= len(spent) + left, "charged are those who were told, and those who left"
    assert await payer.balance() == 999 - sum(booked.values())
