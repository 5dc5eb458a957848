"""Baseline: one asyncpg transaction per charge, with the very same SQL and rules as the batches."""

import asyncio

from bench.direct import Make, called, directly
from bench.figures import Run
from bench.rounds import Variant
from bench.world import World, settings
from farebox.db import pool
from farebox.ledger.store import post
from farebox.ledger.types import Ask, Outcome


def one_transaction(name: str, world: World, make: Make, callers: int, connections: int) -> Variant:
    """Callers share a pool of connections; each charge is a transaction of its own."""

    async def run(seconds: float) -> Run:
        opened = [await pool.connect(world.url, settings()) for _ in range(connections)]
        free: asyncio.Queue[int] = asyncio.Queue()
        for number in range(connections):
            free.put_nowait(number)

        async def submit(ask: Ask) -> Outcome:
            number = await free.get()
            try:
                (outcome,) = await post(opened[number], [ask])
            finally:
                free.put_nowait(number)
            return outcome

        try:
            return await called(world, submit, make, callers, seconds)
        finally:
            for conn in opened:
                await conn.close()

    return directly(name, run)
