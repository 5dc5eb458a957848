"""Audits that somebody starts and looks at later: how far each is and what it found, kept where every node sees it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime

import msgspec
import structlog
from asyncpg import Pool, Record
from msgspec import Struct

from farebox.db import queries
from farebox.ledger.audit import CHECKS, Report, audit

log = structlog.get_logger()
_SQL = queries.load("farebox.ledger", "audits.sql")
_BEAT_S = 1.0
_SILENT_S = 60


class Run(Struct, frozen=True):
    """One audit. It is `checked` checks far; without an end it runs, with an end and no report it was cut short."""

    id: int
    started_by: str
    started_at: datetime
    ended_at: datetime | None
    checking: str
    checked: int
    report: Report | None

    @property
    def checks(self) -> int:
        """How many there are in all."""
        return len(CHECKS)


class Audits:
    """The audits of one database: one at a time, in whichever process it was started."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()
        self._place: tuple[str, int] = ("", -1)

    async def start(self, actor: str) -> bool:
        """Starts one; False where one runs already, here or on another node."""
        await _SQL.give_up_dead.run(self._pool, silent_s=_SILENT_S)
        number: int | None = await _SQL.start.value(self._pool, started_by=actor)
        if number is None:
            return False
        task = asyncio.create_task(self._run(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def newest(self, limit: int) -> list[Run]:
        """The newest first."""
        return [_run(row) for row in await _SQL.newest.all(self._pool, silent_s=_SILENT_S, limit=limit)]

    async def close(self) -> None:
        """Cuts short what runs here."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self, number: int) -> None:
        self._place = ("", -1)
        report: Report | None = None
        try:
            async with self._telling(number), self._pool.acquire() as conn:
                report = await audit(conn, self._next)
        except Exception as error:
            log.warning("audit.failed", error=repr(error))
        finally:
            text = None if report is None else msgspec.json.encode(report).decode()
            checked = len(CHECKS) if report is not None else max(0, self._place[1])
            await _SQL.end.run(self._pool, id=number, checked=checked, report=text)

    def _next(self, rule: str) -> None:
        self._place = (rule, self._place[1] + 1)

    @contextlib.asynccontextmanager
    async def _telling(self, number: int) -> AsyncIterator[None]:
        """Tells how far it is while it goes on."""
        teller = asyncio.create_task(self._tell(number))
        try:
            yield
        finally:
            teller.cancel()

    async def _tell(self, number: int) -> None:
        while True:
            rule, place = self._place
            await _SQL.move.run(self._pool, id=number, checking=rule, checked=max(0, place))
            await asyncio.sleep(_BEAT_S)


def _run(row: Record) -> Run:
    fields = dict(row)
    silent, text = fields.pop("silent"), fields.pop("report")
    if silent and fields["ended_at"] is None:
        fields["ended_at"] = fields["started_at"]
    return Run(**fields, report=None if text is None else msgspec.json.decode(text, type=Report))
