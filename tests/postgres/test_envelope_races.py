"""Envelopes under races on a real PostgreSQL: several ledgers, as several processes have them, at the same limits."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack
from typing import Any

import pytest

from farebox.envelopes.types import EnvelopeChange, Scope
from farebox.ledger.batcher import Ledger
from farebox.ledger.envelopes import Counts
from farebox.ledger.types import Ask, Capture, Charge, Hold, Outcome, Record, RecordUsage, Refusal, Release, Usage
from farebox.services import Services
from tests.support.ledgers import Books, mark
from tests.support.racing import intruder, ledger_on

REFUSED = Refusal.ENVELOPE_LIMIT_EXCEEDED


class Organization:
    """Wallets with money, each with a grant, that several ledgers ask of."""

    def __init__(self, books: Books, doors: list[Ledger], payers: list[tuple[int, int]]) -> None:
        self.books = books
        self.doors = doors
        self.payers = payers
        self._asked = 0

    @classmethod
    async def open(cls, services: Services, doors: list[Ledger], wallets: int) -> "Organization":
        books = await Books.open(services)
        await services.directory.add_organization("test", "acme", "Acme")
        payers = []
        for _ in range(wallets):
            wallet = (await services.wallets.add("test", "USD", None, "acme")).id
            await books.put(wallet, 10**6)
            payers.append((wallet, await books.grant(wallet)))
        return cls(books, doors, payers)

    def ask(self, kind: type[Ask], **given: Any) -> "asyncio.Future[Outcome]":
        """Asks one ledger after the other."""
        self._asked += 1
        door = self.doors[self._asked % len(self.doors)]
        return door.submit(kind(client="racer", key=f"race{self._asked}", fingerprint=mark(), **given))

    def drawn(self, payer: tuple[int, int]) -> dict[str, Any]:
        paid = {"provider_id": self.books.provider_id, "revenue_account": self.books.revenue}
        return {"wallet_id": payer[0], "grant_id": payer[1], **paid}

    async def limit(self, scope: Scope | None, units: int, **more: Any) -> int:
        return await self.books.envelope(scope, units, **{"organization_id": "acme"} | more)

    async def counters(self, envelope: int) -> tuple[int, int]:
        found = (await self.books.services.envelopes.get(envelope)).standing
        return found.used, found.held


async def opened(stack: AsyncExitStack, database: str, services: Services, ledgers: int, wallets: int) -> Organization:
    doors = [await stack.enter_async_context(ledger_on(database, services)) for _ in range(ledgers)]
    return await Organization.open(services, doors, wallets)


@pytest.mark.parametrize("ledgers", [1, 3])
async def test_of_a_thousand_records_one_gets_the_last_unit(database: str, services: Services, ledgers: int) -> None:
    async with AsyncExitStack() as stack:
        acme = await opened(stack, database, services, ledgers, 0)
        envelope = await acme.limit(None, 5, counts=Counts.USAGE)
        number = await services.envelopes.number("acme")
        record = {"wallet_id": number, "organization_id": "acme", "envelope_id": envelope}
        await acme.ask(Record, **record, amount=4)
        outcomes = await asyncio.gather(*(acme.ask(Record, **record, amount=1) for _ in range(1000)))
    assert Counter(outcome.refusal for outcome in outcomes) == {None: 1, REFUSED: 999}
    assert await acme.counters(envelope) == (5, 0)
    assert (await acme.books.audit()).clean


@pytest.mark.parametrize("ledgers", [1, 3])
async def test_nested_envelopes_hold_under_two_hundred_charges(database: str, services: Services, ledgers: int) -> None:
    async with AsyncExitStack() as stack:
        acme = await opened(stack, database, services, ledgers, 10)
        everything = await acme.limit(Scope("all"), 700)
        model = await acme.limit(Scope("model", "m0"), 250)
        usage = await acme.limit(Scope("provider", str(acme.books.provider_id)), 5000, counts=Counts.USAGE)
        own = [await acme.limit(Scope("wallet", str(wallet)), 90) for wallet, _ in acme.payers]
        dice = random.Random(1)
        asks = []
        for number in range(200):
            amount = dice.randint(1, 20)
            drawn = acme.drawn(acme.payers[number % 10])
            asks.append(acme.ask(Charge, **drawn, amount=amount, model=f"m{number % 2}", usage=Usage(amount * 10)))
        outcomes = await asyncio.gather(*asks)
    taken = sum(outcome.amount for outcome in outcomes if outcome.refusal is None)
    assert {outcome.refusal for outcome in outcomes} == {None, REFUSED}
    assert await acme.counters(everything) == (taken, 0)
    assert await acme.counters(usage) == (taken * 10, 0)
    assert taken <= 500, "usage is the tightest of all"
    assert (await acme.counters(model))[0] <= 250
    assert all([(await acme.counters(envelope))[0] <= 90 for envelope in own])
    assert sum([(await acme.counters(envelope))[0] for envelope in own]) == taken
    smallest = min(outcome.amount for outcome in outcomes if outcome.refusal is REFUSED)
    assert taken > 500 - smallest, "and was nearly used up"
    assert (await acme.books.audit()).clean


async def test_holds_facts_and_ends_of_many_wallets_never_deadlock_and_add_up(
    database: str, services: Services
) -> None:
    async with AsyncExitStack() as stack:
        acme = await opened(stack, database, services, 4, 8)
        shared = await acme.limit(Scope("all"), 3000)
        await acme.limit(Scope("provider", str(acme.books.provider_id)), 10**9, organization_id=None)
        for _, grant in acme.payers:
            await acme.limit(Scope("grant", str(grant)), 900)

        async def life(number: int) -> list[Refusal | None]:
            dice = random.Random(number)
            payer = acme.payers[number % len(acme.payers)]
            drawn = acme.drawn(payer)
            held = {"wallet_id": payer[0], "grant_id": payer[1]}
            found: list[Refusal | None] = []
            for _ in range(4):
                hold = await acme.ask(Hold, **held, amount=dice.randint(1, 60), ttl_s=dice.choice([0, 60]))
                found.append(hold.refusal)
                found.append((await acme.ask(Charge, **drawn, amount=dice.randint(1, 20))).refusal)
                if hold.refusal is None and dice.random() < 0.5:
                    await acme.ask(Release, **held, hold_id=hold.transfer_id)
                elif hold.refusal is None:
                    await acme.ask(Capture, **drawn, hold_id=hold.transfer_id, amount=dice.randint(0, hold.amount))
                await acme.ask(RecordUsage, **drawn, amount=dice.randint(0, 5))
            return found

        lives = await asyncio.gather(*(life(number) for number in range(60)))
    assert {refusal for found in lives for refusal in found} == {None, REFUSED}
    used, _ = await acme.counters(shared)
    assert used > 2000
    assert (await acme.books.audit()).clean


async def test_a_limit_that_somebody_keeps_locked_stops_those_whom_it_limits_and_nobody_else(
    database: str, services: Services
) -> None:
    async with AsyncExitStack() as stack:
        acme = await opened(stack, database, services, 1, 2)
        envelope = await acme.limit(Scope("all"), 100)
        record = {"wallet_id": await services.envelopes.number("acme"), "organization_id": "acme"}
        recorded = await acme.limit(None, 100, counts=Counts.USAGE)
        wallet = await acme.books.wallet(100)
        free = (wallet, await acme.books.grant(wallet))
        await acme.ask(Charge, **acme.drawn(free), amount=1)
        async with intruder(database) as conn:
            await conn.execute("SELECT 1 FROM envelopes WHERE id = ANY($1) FOR UPDATE", [envelope, recorded])
            limited = [acme.ask(Charge, **acme.drawn(payer), amount=1) for payer in acme.payers]
            limited.append(acme.ask(Record, **record, envelope_id=recorded, amount=1))
            passing = [acme.ask(Charge, **acme.drawn(free), amount=1) for _ in range(5)]
            assert {outcome.refusal for outcome in await asyncio.gather(*passing)} == {None}
            assert not any(ask.done() for ask in limited)
        assert {outcome.refusal for outcome in await asyncio.gather(*limited)} == {None}
    assert await acme.counters(envelope) == (2, 0)
    assert (await acme.books.audit()).clean


async def test_a_limit_that_is_changed_while_it_is_charged(database: str, services: Services) -> None:
    async with AsyncExitStack() as stack:
        acme = await opened(stack, database, services, 2, 4)
        envelope = await acme.limit(Scope("all"), 100)

        async def change() -> None:
            for limit in (50, 150, 30, 200, 120):
                await services.envelopes.change("test", envelope, EnvelopeChange(limit_units=limit))

        charges = [acme.ask(Charge, **acme.drawn(acme.payers[number % 4]), amount=1) for number in range(400)]
        outcomes, _ = await asyncio.gather(asyncio.gather(*charges), change())
    taken = sum(outcome.refusal is None for outcome in outcomes)
    used, _ = await acme.counters(envelope)
    assert used == taken <= 200
    assert (await acme.books.audit()).clean
