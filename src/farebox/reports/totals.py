"""Totals of what was spent, kept beside the journal and behind what has settled. No charge waits for them (ADR 22)."""

import asyncio

import structlog
from asyncpg import Pool, Record

from farebox.db import queries

log = structlog.get_logger()
_SQL = queries.load("farebox.reports", "totals.sql")
_AT_ONCE = 4096 * 128
"""Numbers of the journal that are counted in one transaction; a batch takes 4096 of them, and mostly leaves most."""


class Totals:
    """The keeper of one database's totals."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def keep(self) -> bool:
        """Counts what has settled since the last time; whether there is more to count at once."""
        async with self._pool.acquire() as conn, conn.transaction():
            state = await _SQL.claim_progress.first(conn)
            if state is None:
                return False
            done = state["done"]
            if state["settled"] and done < state["noted"]:
                until = min(state["noted"], done + _AT_ONCE)
                await _SQL.count_up.value(conn, done=done, until=until)
                await _SQL.advance.run(conn, done=until)
                done = until
            if done < state["noted"]:
                return bool(state["settled"])
            # In this order: whoever takes a number after the first look has a transaction that the second one sees.
            last = await _SQL.last_number.value(conn)
            if last > done:
                await _SQL.note_horizon.run(conn, noted=last)
        return False


async def keep_forever(totals: Totals, every_s: float) -> None:
    """Keeps the totals until it is cancelled. A database that is away is no reason to stop."""
    while True:
        await asyncio.sleep(every_s)
        try:
            while await totals.keep():
                pass
        except Exception as error:
            log.warning("totals.failed", error=repr(error))
