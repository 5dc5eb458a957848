"""Envelopes: making, reading, changing and deleting them. What is counted on them, only the ledger writes."""

from typing import Any

import asyncpg
import msgspec
from asyncpg import Pool, Record
from msgspec import UNSET

from farebox import ids
from farebox.db import queries
from farebox.db.queries import Connection
from farebox.envelopes.types import (
    MAX_THRESHOLDS,
    Envelope,
    EnvelopeChange,
    NewEnvelope,
    Scope,
    WindowRecord,
)
from farebox.errors import Invalid, NotFound
from farebox.identity.service import note
from farebox.ledger.envelopes import Counts, EnvelopeFacts, adjust, told, turn
from farebox.ledger.types import MAX_UNITS
from farebox.windows import BadCalendar, Calendar, check, window_at

_SQL = queries.load("farebox.envelopes")


class Envelopes:
    """The envelopes of one database."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def number(self, organization_id: str) -> int:
        """The account number that an organization's records stand under; NotFound where there is none."""
        return (await self._owner(organization_id))[0]

    async def add(self, actor: str, new: NewEnvelope, **why: str) -> Envelope:
        """Makes an envelope, its first window the one of now. Raises Invalid."""
        number, zone = (0, "UTC") if new.organization_id is None else await self._owner(new.organization_id)
        calendar = Calendar(new.period, new.reset_day, new.zone or zone)
        _checked(calendar, new.thresholds)
        home = int(new.scope.name) if new.scope is not None and new.scope.kind == "wallet" else number
        async with self._pool.acquire() as conn, conn.transaction():
            envelope_id = await _insert(conn, new, calendar, home)
            await note(
                conn,
                actor,
                "envelope.add",
                ids.public("env", envelope_id),
                organization=new.organization_id,
                applies_to=None if new.scope is None else str(new.scope),
                limit=new.limit_units,
                period=new.period,
                **why,
            )
        return await self.get(envelope_id)

    async def get(self, envelope_id: int) -> Envelope:
        """An envelope by its number; NotFound where there is none, or none any more."""
        return envelope_of(await _SQL.get.first(self._pool, id=envelope_id))

    async def page(self, organization_id: str, before: int, limit: int, counts: Counts | None = None) -> list[Envelope]:
        """An organization's envelopes, newest first, with numbers below `before`."""
        given = {"organization_id": organization_id, "before": before, "limit": limit, "counts": counts}
        rows = await _SQL.page.all(self._pool, **given)
        return [envelope_of(row) for row in rows]

    async def page_of_all(self, before: int, limit: int) -> list[Envelope]:
        """Everybody's envelopes, newest first."""
        return [envelope_of(row) for row in await _SQL.page_of_all.all(self._pool, before=before, limit=limit)]

    async def change(self, actor: str, envelope_id: int, change: EnvelopeChange, **why: str) -> Envelope:
        """Changes what is given, at once; what was used in this window stays used. Raises NotFound, Invalid."""
        async with self._pool.acquire() as conn, conn.transaction():
            row = await _SQL.lock.first(conn, id=envelope_id)
            if row is None:
                raise NotFound("there is no such envelope")
            standing = msgspec.json.decode(row["standing"], type=EnvelopeFacts)
            await _turn(conn, standing, row["now"])
            calendar = _changed_calendar(standing, change)
            _apply(standing, change, calendar)
            window = window_at(calendar, row["now"])
            standing.window_start, standing.window_end = window.start, window.end
            for passed in adjust(standing):
                event = told(passed)
                await _SQL.tell.run(conn, **event | {"payload": msgspec.json.encode(event["payload"]).decode()})
            await _SQL.change.run(conn, **_written(standing))
            given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
            await note(conn, actor, "envelope.change", ids.public("env", envelope_id), **given, **why)
        return await self.get(envelope_id)

    async def move(self, actor: str, organization_id: str, before: str, after: str) -> None:
        """Lets an organization's envelopes follow it from one time zone to another. Again is no error."""
        place = MAX_UNITS
        while found := await self.page(organization_id, place, 500):
            for envelope in found:
                if envelope.standing.zone == before:
                    await self.change(actor, envelope.id, EnvelopeChange(zone=after))
            place = found[-1].id

    async def delete(self, actor: str, envelope_id: int, **why: str) -> None:
        """Ends an envelope at once; what it counted stays in the totals. NotFound where there is none."""
        async with self._pool.acquire() as conn, conn.transaction():
            if await _SQL.delete.value(conn, id=envelope_id) is None:
                raise NotFound("there is no such envelope")
            await note(conn, actor, "envelope.delete", ids.public("env", envelope_id), **why)

    async def windows(self, envelope_id: int, before: Any, limit: int) -> list[WindowRecord]:
        """The windows that are over and in which something was used, the latest first, that began before `before`."""
        rows = await _SQL.windows.all(self._pool, envelope_id=envelope_id, before=before, limit=limit)
        return [WindowRecord(**row) for row in rows]

    async def _owner(self, organization_id: str) -> tuple[int, str]:
        row = await _SQL.owner.first(self._pool, organization_id=organization_id)
        if row is None:
            raise NotFound("there is no such organization")
        return row["number"], row["zone"]


async def _insert(conn: Connection, new: NewEnvelope, calendar: Calendar, home: int) -> int:
    window = window_at(calendar, await _SQL.now.value(conn))
    try:
        made: int = await _SQL.add.value(
            conn,
            organization_id=new.organization_id,
            name=new.name,
            scope=None if new.scope is None else str(new.scope),
            home=home,
            counts=new.counts,
            asset=new.asset,
            limit_units=new.limit_units,
            thresholds=sorted(set(new.thresholds)),
            period=calendar.period,
            reset_day=calendar.reset_day,
            zone=calendar.zone,
            window_start=window.start,
            window_end=window.end,
            person_id=new.person_id,
        )
    except asyncpg.ForeignKeyViolationError:
        raise Invalid.field("asset", "no such asset; GET /v1/assets lists them") from None
    return made


async def _turn(conn: Connection, standing: EnvelopeFacts, now: Any) -> None:
    closed = turn(standing, now)
    if closed is not None:
        await _SQL.close_window.run(conn, **msgspec.structs.asdict(closed))


def envelope_of(row: Record | None) -> Envelope:
    """An envelope out of its row, as it stands in the window of now; NotFound where there is no row."""
    if row is None:
        raise NotFound("there is no such envelope")
    standing = msgspec.json.decode(row["standing"], type=EnvelopeFacts)
    turn(standing, row["now"])
    scope = None if row["scope"] is None else Scope.parse(row["scope"])
    return Envelope(standing, scope, row["created_at"], row["updated_at"], row["slug"])


def _changed_calendar(standing: EnvelopeFacts, change: EnvelopeChange) -> Calendar:
    period = standing.period if change.period is UNSET else change.period
    kept = standing.reset_day if period is standing.period else None
    calendar = Calendar(
        period,
        kept if change.reset_day is UNSET else change.reset_day,
        standing.zone if change.zone is UNSET else change.zone,
    )
    _checked(calendar, () if change.thresholds is UNSET else change.thresholds)
    return calendar


def _apply(standing: EnvelopeFacts, change: EnvelopeChange, calendar: Calendar) -> None:
    standing.period, standing.reset_day, standing.zone = calendar.period, calendar.reset_day, calendar.zone
    if change.name is not UNSET:
        standing.name = change.name
    if change.limit_units is not UNSET:
        standing.limit_units = change.limit_units
    if change.thresholds is not UNSET:
        standing.thresholds = sorted(set(change.thresholds))


def _written(standing: EnvelopeFacts) -> dict[str, Any]:
    fields = msgspec.structs.asdict(standing)
    return {name: fields[name] for name in _SQL.change.params}


def _checked(calendar: Calendar, thresholds: tuple[int, ...]) -> None:
    try:
        check(calendar)
    except BadCalendar as error:
        raise Invalid.field(error.field, str(error)) from None
    if len(thresholds) > MAX_THRESHOLDS or not all(1 <= threshold <= 1000 for threshold in thresholds):
        raise Invalid.field("thresholds", f"at most {MAX_THRESHOLDS}, each from 1 to 1000 percent")
