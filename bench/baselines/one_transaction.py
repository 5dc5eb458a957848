"""Baseline: one asyncpg transaction per charge, with the very same SQL and rules as the batches."""

import asyncio
import random
import time
from collections.abc import Callable

from bench.figures import Run, of_latencies
from bench.world import World, settings
from farebox.db import pool
from farebox.ledger.store import post
from farebox.ledger.types import Ask


async def one_transaction(
    world: World, make: Callable[[random.Random], Ask], callers: int, connections: int, seconds: float
) -> Run:
    """Callers share a pool of connections; each charge is a transaction of its own."""
    free: asyncio.Queue[object] = asyncio.Queue()
    opened = [await pool.connect(world.url, settings()) for _ in range(connections)]
    for conn in opened:
        free.put_nowait(conn)
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        source = random.Random(number)
        while (start := time.perf_counter()) < end:
            conn = await free.get()
            try:
                (outcome,) = await post(conn, [make(source)])  # type: ignore[arg-type]
            finally:
                free.put_nowait(conn)
            assert outcome.refusal is None
            latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    for conn in opened:
        await conn.close()
    return of_latencies(latencies, seconds)
