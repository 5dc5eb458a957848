"""Loads without HTTP: callers at the ledger's door, in this process."""

import asyncio
import hashlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import asyncpg
import uvloop

from bench.figures import Run, run_of
from bench.machine import Meter
from bench.rounds import Variant
from bench.world import MODEL, Payer, World, settings
from farebox.db import pool
from farebox.ledger.batcher import Ledger, Limits
from farebox.ledger.types import Ask, Charge, Outcome, Pricing, Usage

Make = Callable[[random.Random], Ask]
Submit = Callable[[Ask], Awaitable[Outcome]]

_numbers = itertools.count()
_run = time.time_ns()


def charges(world: World, payers: Sequence[Payer]) -> Make:
    """Makes charges straight for the ledger: of one of these payers."""
    revision = asyncio.run(_revision(world))

    def make(source: random.Random) -> Ask:
        payer = payers[0] if len(payers) == 1 else source.choice(payers)
        key = f"{_run}-{next(_numbers)}"
        return Charge(
            client="bench",
            key=key,
            fingerprint=hashlib.blake2b(key.encode(), digest_size=16).digest(),
            wallet_id=payer.wallet_id,
            grant_id=payer.grant_id,
            provider_id=world.provider_id,
            revenue_account=world.revenue,
            amount=462,
            model=MODEL,
            usage=Usage(374, 44),
            pricing=Pricing(None, 1_000_000, revision, None),
        )

    return make


async def _revision(world: World) -> int:
    """The price book's, which every charge names."""
    conn = await asyncpg.connect(world.url)
    found: int = await conn.fetchval("SELECT revision FROM price_book")
    await conn.close()
    return found


def batched(name: str, world: World, make: Make, callers: int, batch_items: int | None = None) -> Variant:
    """Callers at the ledger's door; batches as large as shipped, or of at most so many."""

    async def run(seconds: float) -> Run:
        found = settings()
        limits = Limits(batch_items=batch_items or found.batch_items)
        ledger = Ledger(lambda: pool.connect(world.url, found), limits, found.writers)
        try:
            return await called(world, ledger.submit, make, callers, seconds)
        finally:
            await ledger.close()

    return directly(name, run)


def directly(name: str, run: Callable[[float], Coroutine[Any, Any, Run]]) -> Variant:
    """A variant that runs in this process, on the same event loop as the server's."""
    return Variant(name, lambda seconds: uvloop.run(run(seconds)))


async def called(world: World, submit: Submit, make: Make, callers: int, seconds: float) -> Run:
    """Callers that each ask again when they have the outcome; at least one of them gets one, however long it takes."""
    latencies: list[float] = []
    done, meter = 0, Meter(world.postmaster)
    begun = time.perf_counter()
    took, end = seconds, begun + seconds

    async def caller(number: int) -> None:
        nonlocal done, took
        source = random.Random(number)
        while (start := time.perf_counter()) < end or not latencies:
            outcome = await submit(make(source))
            assert outcome.refusal is None
            done += 1
            now = time.perf_counter()
            if now <= end or not latencies:
                latencies.append(now - start)
                took = max(took, now - begun)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    return run_of(latencies, took, 0, **meter.per_thousand(done))
