"""An envelope's counters, as pure arithmetic: what is left, what is counted, which thresholds that passes.

An envelope limits what is used in a window of time. It counts either money, in units of its asset, or usage: tokens
of every kind, calls and other units, added up.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from farebox import ids
from farebox.windows import Calendar, Period, window_at

MAX_COUNT = 2**63 - 1
"""Counters stay here: what a bigint holds."""


class Counts(StrEnum):
    """What an envelope counts."""

    USAGE = "usage"
    MONEY = "money"


class EnvelopeFacts(Struct, gc=False, kw_only=True):
    """A locked envelope, as it stands at this point of the batch."""

    id: int
    organization_id: str | None
    home: int
    """The account number that its events are filed under."""
    name: str
    counts: Counts
    asset: str | None
    limit_units: int
    thresholds: list[int]
    """Parts of the limit, in percent, whose passing is told."""
    period: Period
    reset_day: int | None
    zone: str
    window_start: datetime
    window_end: datetime
    counted_since: datetime
    """When counting for this window began: before its start, where the calendar was changed within it."""
    used: int
    held: int
    overrun: int
    """How far facts and changes of the limit have taken it past its limit."""
    told: int
    """The highest threshold that was passed in this window."""
    total: int
    """All that was ever counted."""
    version: int = 0
    """The transaction that wrote the row (its xmin): while it is the same, so is the row."""

    @property
    def remaining(self) -> int:
        """What is left of the limit in this window; below zero where facts have passed it."""
        return self.limit_units - self.used - self.held


class Count(Struct, frozen=True, gc=False):
    """What one ask changes of one envelope's counters."""

    envelope_id: int
    used: int = 0
    held: int = 0
    fact: bool = False
    """Counted whatever the limit."""


class ClosedWindow(Struct, frozen=True, gc=False):
    """A window that is over, for the history."""

    envelope_id: int
    starts_at: datetime
    ends_at: datetime
    limit_units: int
    used: int


class Passed(Struct, frozen=True, gc=False):
    """A threshold that was passed."""

    envelope: EnvelopeFacts
    threshold: int
    used: int


class Stopped(Struct, frozen=True, gc=False):
    """The envelope that stopped an ask, as it stood; kept with the refusal."""

    envelope_id: int
    name: str
    counts: Counts
    asset: str | None
    period: Period
    limit: int
    used: int
    """Held units count as used."""
    remaining: int
    window_start: datetime
    window_end: datetime
    """When it resets."""


def turn(envelope: EnvelopeFacts, now: datetime) -> ClosedWindow | None:
    """Begins the window of `now` where the last one is over; that one, if anything was used in it.

    What is held stays held. A clock that is set back never brings a window back.
    """
    if now < envelope.window_end:
        return None
    closed = ClosedWindow(envelope.id, envelope.counted_since, envelope.window_end, envelope.limit_units, envelope.used)
    window = window_at(Calendar(envelope.period, envelope.reset_day, envelope.zone), now)
    envelope.window_start, envelope.window_end = window.start, window.end
    envelope.counted_since = window.start
    envelope.used = envelope.told = 0
    envelope.overrun = min(envelope.overrun, over(envelope))
    return closed if closed.used else None


def over(envelope: EnvelopeFacts) -> int:
    """How far an envelope is past its limit."""
    return max(0, -envelope.remaining)


def count(envelope: EnvelopeFacts, change: Count) -> Sequence[Passed]:
    """Applies a change to the counters; the thresholds that it passes, the lowest first."""
    used, held = envelope.used + change.used, envelope.held + change.held
    total = envelope.total + change.used
    if total > MAX_COUNT or used + held > MAX_COUNT:  # counted up to there, and no further
        total, used = min(MAX_COUNT, total), min(MAX_COUNT, used)
        held = min(MAX_COUNT - used, held)
    envelope.used, envelope.held, envelope.total = used, held, total
    if change.fact:
        envelope.overrun = over(envelope)
    elif envelope.overrun:
        envelope.overrun = min(envelope.overrun, over(envelope))
    return passed(envelope)


def passed(envelope: EnvelopeFacts) -> Sequence[Passed]:
    """The thresholds that have been passed in this window and not been told yet; told now."""
    last = envelope.told
    reached = [each for each in envelope.thresholds if each > last and _reached(envelope, each)]
    if not reached:
        return ()
    reached.sort()
    envelope.told = reached[-1]
    return [Passed(envelope, threshold, envelope.used) for threshold in reached]


def adjust(envelope: EnvelopeFacts) -> Sequence[Passed]:
    """Takes a changed limit or changed thresholds into account; the thresholds that are passed by it."""
    envelope.overrun = over(envelope)
    envelope.told = max(
        (
            threshold
            for threshold in envelope.thresholds
            if _reached(envelope, threshold) and threshold <= envelope.told
        ),
        default=0,
    )
    return passed(envelope)


def told(passed: Passed) -> dict[str, Any]:
    """The event that tells of a threshold, as a row of the outbox."""
    envelope = passed.envelope
    payload = {
        "envelope": ids.public("env", envelope.id),
        "name": envelope.name,
        "organization": envelope.organization_id,
        "threshold_percent": passed.threshold,
        "limit": envelope.limit_units,
        "used": passed.used,
        "window_start": envelope.window_start,
        "window_end": envelope.window_end,
    }
    return {"wallet_id": envelope.home, "kind": "envelope.threshold", "payload": payload}


def tightest(envelopes: Iterable[tuple[EnvelopeFacts, int]]) -> EnvelopeFacts | None:
    """Of envelopes and what is to be counted on each, the one with the least left of those that have too little."""
    short = [envelope for envelope, units in envelopes if units > max(0, envelope.remaining)]
    return min(short, key=lambda envelope: (envelope.remaining, envelope.id), default=None)


def stopped(envelope: EnvelopeFacts) -> Stopped:
    """What a refusal says of the envelope that stopped it."""
    return Stopped(
        envelope_id=envelope.id,
        name=envelope.name,
        counts=envelope.counts,
        asset=envelope.asset,
        period=envelope.period,
        limit=envelope.limit_units,
        used=envelope.used + envelope.held,
        remaining=envelope.remaining,
        window_start=envelope.window_start,
        window_end=envelope.window_end,
    )


def _reached(envelope: EnvelopeFacts, threshold: int) -> bool:
    return envelope.used * 100 >= envelope.limit_units * threshold
