"""From the outbox to everybody who listens: each change is claimed once, told to all nodes, and forgotten."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog
from asyncpg import Pool, Record

from farebox.db import queries

log = structlog.get_logger()
_SQL = queries.load("farebox.events")

CHANNEL = "farebox_balances"
AT_ONCE = 1000
EVERY_S = 0.02
"""The shortest time between two claims: what changes within it goes together."""
LOOK_EVERY_S = 0.1
"""How often is looked for what other processes have committed."""
BEHIND = 50_000
"""How far below the newest event it begins: commits of now may have numbers from before. Older ones are nobody's."""


class Relay:
    """Claims and tells, until it is closed. Told are the nodes; `organizations_changed` hears whose credits changed."""

    def __init__(
        self,
        pool: "Pool[Record]",
        committed: asyncio.Event,
        organizations_changed: Callable[[list[str]], Awaitable[None]] | None = None,
    ) -> None:
        self._pool = pool
        self._committed = committed
        self._organizations_changed = organizations_changed
        self._task: asyncio.Task[None] | None = None
        self._floor: int | None = None

    def start(self) -> None:
        """Begins, if it has not."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stops; what is not told is told by others, or nobody listens."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        told = True
        while True:
            try:
                self._committed.clear()
                if await self.tell() < AT_ONCE:
                    await asyncio.sleep(EVERY_S)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._committed.wait(), LOOK_EVERY_S)
                told = True
            except Exception as error:
                if told:  # once, and not twice a second for as long as the database is away
                    log.warning("events.relay_waits", error=type(error).__name__)
                told = False
                await asyncio.sleep(0.5)

    async def tell(self) -> int:
        """One claim; how many changes were told."""
        if self._floor is None:
            newest: int = await _SQL.newest_event.value(self._pool)
            self._floor = newest - BEHIND
        row = await _SQL.claim.one(self._pool, floor=self._floor, limit=AT_ONCE, channel=CHANNEL)
        if row["organizations"] and self._organizations_changed is not None:
            await self._organizations_changed(row["organizations"])
        if row["newest"] is not None:  # the index is not searched again from where everything is gone
            self._floor = max(self._floor, row["newest"] - BEHIND)
        changes: int = row["changes"]
        return changes
