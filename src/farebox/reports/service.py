"""Kept totals of what was spent, and what an operator looks at. Nothing here is on the way of a charge."""

import asyncio
from datetime import date, datetime

import structlog
from asyncpg import Pool, Record
from msgspec import Struct

from farebox.db import queries

log = structlog.get_logger()
_SQL = queries.load("farebox.reports")
_AT_ONCE = 4096 * 128
"""Numbers of the journal that are counted in one transaction; a batch takes 4096 of them, and mostly leaves most."""


class Spend(Struct, frozen=True):
    """What was spent under a name (a day, provider, model or agent), in units of an asset."""

    name: str
    asset: str
    scale: int
    charges: int
    refused: int
    amount: int
    input_tokens: int
    output_tokens: int


class NewestCharge(Struct, frozen=True):
    """A line of the live stream of charges."""

    wallet_id: int
    id: int
    kind: str
    asset: str
    scale: int
    provider: str
    model: str | None
    amount: int
    refusal: str | None
    created_at: datetime


class OpenHold(Struct, frozen=True):
    """A hold that nobody has ended yet."""

    wallet_id: int
    id: int
    asset: str
    scale: int
    provider: str | None
    provider_username: str | None
    amount: int
    model: str | None
    to_wallet_id: int | None
    created_at: datetime
    expires_at: datetime
    now: datetime


class LogLine(Struct, frozen=True):
    """Who did what. `detail` is JSON text."""

    id: int
    actor: str
    action: str
    subject: str
    detail: str
    created_at: datetime


class Reports:
    """What an operator looks at in one database."""

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

    async def spend(self, by: str, since: date, provider_id: int | None = None) -> list[Spend]:
        """What was spent since a day by `day`, `provider`, `model` or `agent`, the most first."""
        rows = await _SQL.spend.all(self._pool, by=by, since=since, provider_id=provider_id)
        wide = ("amount", "input_tokens", "output_tokens")
        return [Spend(**(dict(row) | {name: int(row[name]) for name in wide})) for row in rows]

    async def newest_charges(self, limit: int, provider_id: int | None = None) -> list[NewestCharge]:
        """The newest charges, refused ones too."""
        rows = await _SQL.newest_charges.all(self._pool, limit=limit, most=limit, provider_id=provider_id)
        return [NewestCharge(**row) for row in rows]

    async def open_holds(self, limit: int) -> list[OpenHold]:
        """Open holds, those that end soonest first."""
        return [OpenHold(**row) for row in await _SQL.open_holds.all(self._pool, limit=limit)]

    async def log(self, before: int, limit: int) -> list[LogLine]:
        """The audit log, newest first."""
        return [LogLine(**row) for row in await _SQL.log.all(self._pool, before=before, limit=limit)]


async def keep_forever(reports: Reports, every_s: float) -> None:
    """Keeps the totals until it is cancelled. A database that is away is no reason to stop."""
    while True:
        await asyncio.sleep(every_s)
        try:
            while await reports.keep():
                pass
        except Exception as error:
            log.warning("reports.failed", error=repr(error))
