"""Payments of people who all act at once, on two nodes with one database: one outcome each, and the books balance."""

import asyncio
import itertools
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from farebox import app
from farebox.consent.delegations import Limits
from farebox.ledger.types import Outcome, Refusal
from farebox.payments.types import CANCELLED, COMPLETED, SYSTEM, NewPayment, Payment
from farebox.services import Services
from tests.postgres.test_payments_model import expire
from tests.support.ledgers import Books
from tests.support.live import settings_for
from tests.support.payers import Party, available, parties, party

Resolved = tuple[Payment, Outcome]


@pytest.fixture
async def nodes(database: str) -> AsyncIterator[list[Services]]:
    """Two servers' parts, as two processes have them."""
    settings = settings_for(transaction_ttl_s=1, sweep_interval_s=0.2)
    secret = app.secret_of(settings)
    await app.prepare(database, settings, secret)
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(app.open_services(lambda: database, settings, secret)) for _ in range(2)]


async def sent(node: Services, sender: Party, recipient: Party, amount: int, token: str | None = None) -> Payment:
    """A pending payment."""
    caller = sender if token is None else recipient
    new = NewPayment(sender.email, recipient.email, amount, token=token)
    payment, outcome = await node.payments.create(caller.member, new, None)
    assert payment is not None, outcome
    return payment


async def clean(node: Services) -> bool:
    report = await Books(node, 0, "", 0, 0).audit()
    assert report.clean, report.differences
    return True


async def gathered(*asked: Awaitable[Any]) -> list[Any]:
    """What all of them came to; within a time that only a deadlock would take."""
    async with asyncio.timeout(90):
        return await asyncio.gather(*asked)


async def test_confirm_against_cancel(nodes: list[Services]) -> None:
    one, other = nodes
    ada, bob = await parties(one, 2, 1000)
    payments = [await sent(one, ada, bob, 10) for _ in range(40)]
    asked = [
        act
        for number, payment in enumerate(payments)
        for act in random.Random(number).sample(
            [one.payments.confirm(ada.member, payment.id), other.payments.cancel(bob.member, payment.id)], 2
        )
    ]
    found: list[Resolved] = await gathered(*asked)
    assert Counter(outcome.refusal for _, outcome in found) == {None: 40, Refusal.HOLD_CLOSED: 40}
    for first, second in zip(found[::2], found[1::2], strict=True):
        assert first[0].status == second[0].status, "both are told the same outcome"
        assert first[0].closed_by == second[0].closed_by
    moved = sum(10 for payment, outcome in found if outcome.refusal is None and payment.status == COMPLETED)
    assert (await available(one, ada), await available(one, bob)) == (1000 - moved, 1000 + moved)
    assert await clean(one)


async def test_a_confirmation_at_the_instant_of_the_time_out(nodes: list[Services]) -> None:
    """Forty payments of a second, each confirmed about then while two sweepers run: moved, or freed by the system."""
    one, other = nodes
    ada, bob = await parties(one, 2, 1000)
    payments = [await sent(nodes[number % 2], ada, bob, 10) for number in range(40)]
    start = asyncio.get_running_loop().time()

    async def confirmed(place: int, payment: Payment) -> Resolved:
        await asyncio.sleep(max(0.0, start + 0.9 + place * 0.005 - asyncio.get_running_loop().time()))
        return await nodes[place % 2].payments.confirm(ada.member, payment.id)

    found: list[Resolved] = await gathered(*(confirmed(*pair) for pair in enumerate(payments)))
    moved = 0
    for payment, outcome in found:
        assert outcome.refusal in (None, Refusal.HOLD_EXPIRED)
        told = {await node.payments.get(ada.wallet, payment.id) for node in nodes}
        assert len({(one.status, one.resolved_by) for one in told}) == 1
        if outcome.refusal is None:
            assert payment.status == COMPLETED
            moved += 10
        else:
            assert (payment.status, payment.resolved_by) == (CANCELLED, SYSTEM)
    assert (await available(other, ada), await available(other, bob)) == (1000 - moved, 1000 + moved)
    assert await clean(one)


@pytest.mark.parametrize("bound", ["wallet", "limit"])
async def test_the_last_dollar_of_two_who_draw(nodes: list[Services], bound: str) -> None:
    one, other = nodes
    payer = await party(one, 1 if bound == "wallet" else 1000)
    holders = await parties(one, 2)
    limits = Limits(1) if bound == "limit" else Limits()
    _, token = await one.delegations.give("test", payer.wallet, holders[0].wallet, limits)
    _, part = await one.delegations.narrow("test", token, holders[0].wallet, holders[1].wallet, Limits())
    draws = [
        node.payments.create(holder.member, NewPayment(payer.email, holder.email, 1, token=secret), None)
        for _ in range(50)
        for node, holder, secret in ((one, holders[0], token), (other, holders[1], part))
    ]
    found = await gathered(*draws)
    refused = Refusal.INSUFFICIENT_BALANCE if bound == "wallet" else Refusal.GRANT_LIMIT_EXCEEDED
    assert Counter(outcome.refusal for _, outcome in found) == {None: 1, refused: 99}
    assert await clean(one)


async def test_revoking_against_drawing(nodes: list[Services]) -> None:
    """No draw that starts after the revocation was answered is taken."""
    one, other = nodes
    payer, holder = await parties(one, 2, 1000)
    number, token = await one.delegations.give("test", payer.wallet, holder.wallet, Limits())
    revoked = asyncio.Event()
    late: list[Refusal | None] = []

    async def drawing() -> None:
        over = False
        while not over:
            over = revoked.is_set()
            new = NewPayment(payer.email, holder.email, 1, token=token)
            _, outcome = await other.payments.create(holder.member, new, None)
            late.extend([outcome.refusal] if over else [])

    async def revoking() -> None:
        await asyncio.sleep(0.05)
        await one.delegations.revoke("test", number, payer.wallet)
        revoked.set()

    await gathered(*(drawing() for _ in range(8)), revoking())
    assert late == [Refusal.GRANT_REVOKED] * 8


async def test_storms_both_ways_among_200_people(nodes: list[Services]) -> None:
    """2,000 payments, every pair in both directions at once on both nodes: each is answered, none is lost."""
    people = await parties(nodes[0], 200, 1000)
    draw = random.Random(49)

    async def pay(node: Services, sender: Party, recipient: Party, amount: int) -> Resolved:
        payment = await sent(node, sender, recipient, amount)
        if amount == 3:
            return await nodes[draw.randrange(2)].payments.cancel(recipient.member, payment.id)
        return await nodes[draw.randrange(2)].payments.confirm(sender.member, payment.id)

    asked = []
    for number in range(1000):
        a, b = draw.sample(people, 2)
        asked += [pay(nodes[number % 2], a, b, 1 + number % 3), pay(nodes[1 - number % 2], b, a, 2)]
    found: list[Resolved] = await gathered(*asked)
    assert {outcome.refusal for _, outcome in found} <= {None, Refusal.HOLD_EXPIRED}
    total = await nodes[0].pool.fetchval("SELECT sum(balance) FROM accounts WHERE kind = 'wallet'")
    assert total == 200_000
    assert await clean(nodes[0])


@pytest.mark.parametrize("seed", range(5))
async def test_everything_at_once(nodes: list[Services], database: str, seed: int) -> None:
    """Creating, confirming, cancelling, timing out and revoking, all in flight together: what must hold, holds."""
    draw = random.Random(seed)
    people = await parties(nodes[0], 4, 200)
    tokens = []
    for payer, holder in itertools.pairwise(people):
        number, token = await nodes[0].delegations.give("test", payer.wallet, holder.wallet, Limits(100, 20))
        tokens.append((payer, holder, number, token))
    known: list[tuple[Party, Party, Payment]] = []

    async def act() -> None:
        node, kind = draw.choice(nodes), draw.choice(["create", "draw", "confirm", "cancel", "expire", "revoke"])
        if kind == "create":
            sender, recipient = draw.sample(people, 2)
            await remember(node, sender, sender, recipient, None)
        elif kind == "draw":
            payer, holder, _, token = draw.choice(tokens)
            await remember(node, holder, payer, holder, token)
        elif kind == "revoke" and draw.random() < 0.1:
            payer, _, number, _ = draw.choice(tokens)
            await node.delegations.revoke("test", number, payer.wallet)
        elif known and kind in ("confirm", "cancel"):
            sender, recipient, payment = draw.choice(known)
            caller = sender if payment.asked_by == "sender" else recipient
            await (node.payments.confirm if kind == "confirm" else node.payments.cancel)(caller.member, payment.id)
        elif known:
            await expire(database, draw.choice(known)[2].id)

    async def remember(node: Services, caller: Party, sender: Party, recipient: Party, token: str | None) -> None:
        new = NewPayment(sender.email, recipient.email, draw.randint(1, 30), token=token)
        payment, _ = await node.payments.create(caller.member, new, None)
        if payment is not None:
            known.append((sender, recipient, payment))

    for _ in range(10):
        await gathered(*(act() for _ in range(30)))
        assert min([await available(nodes[0], person) for person in people]) >= 0
        assert await nodes[0].pool.fetchval("SELECT sum(balance) FROM accounts WHERE kind = 'wallet'") == 800
    assert await clean(nodes[0])
