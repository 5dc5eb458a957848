"""Windows of limits: days, weeks, months and years as they begin in a time zone (RULES 19).

Pure: where a window begins and ends follows from its calendar and a moment, and from nothing else. The windows of a
calendar tile: each ends at the instant at which the next one begins, through every change of the clock.
"""

import functools
from calendar import isleap, monthrange
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct


class Period(StrEnum):
    """How long a window is."""

    DAILY = "DAILY"
    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"
    YEARLY = "YEARLY"


LAST_RESET_DAY = {Period.DAILY: 0, Period.WEEKLY: 7, Period.MONTHLY: 31, Period.YEARLY: 366}
"""The highest reset day of a period; a day begins with itself and has none."""


class Calendar(Struct, frozen=True):
    """When windows begin: at the first instant of each reset day, as clocks in the zone show it.

    `reset_day` is 1 to 7 (Monday = 1) for weeks, 1 to 31 for months, 1 to 366 for years, none for days. A month
    without the day begins on its last one. The days of a year are numbered as in a leap year, so that a number is
    the same date in every year: 60 is 29 February, and 28 February where there is none.
    """

    period: Period
    reset_day: int | None = None
    zone: str = "UTC"


class Window(Struct, frozen=True):
    """From `start` up to, and without, `end`; both in UTC."""

    start: datetime
    end: datetime


class BadCalendar(ValueError):
    """A calendar that can't be; `field` says what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def check(calendar: Calendar) -> None:
    """Raises BadCalendar where the zone is none or the period has no such reset day."""
    if calendar.zone not in zones():
        raise BadCalendar("zone", "no such time zone; give a name such as Europe/Berlin")
    last = LAST_RESET_DAY[calendar.period]
    if calendar.reset_day is None or 1 <= calendar.reset_day <= last:
        return
    if not last:
        raise BadCalendar("reset_day", "a DAILY window has none: it begins at midnight")
    raise BadCalendar("reset_day", f"1 to {last} for {calendar.period}")


def window_at(calendar: Calendar, at: datetime) -> Window:
    """The window that a moment lies in."""
    zone = _zone(calendar.zone)
    day = _latest(calendar, at.astimezone(zone).date())
    start = _beginning(day, zone)
    # Where clocks are set back over midnight, a date is seen again after the next one has begun.
    following = _following(calendar, day)
    end = _beginning(following, zone)
    while end <= at:
        day, start, following = following, end, _following(calendar, following)
        end = _beginning(following, zone)
    return Window(start, end)


@functools.cache
def zones() -> frozenset[str]:
    """The names of all time zones."""
    return frozenset(available_timezones())


@functools.lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _latest(calendar: Calendar, day: date) -> date:
    """The last reset day that is not after `day`."""
    reset = calendar.reset_day or 1
    match calendar.period:
        case Period.DAILY:
            return day
        case Period.WEEKLY:
            return day - timedelta((day.isoweekday() - reset) % 7)
        case Period.MONTHLY:
            here = _in_month(day.year, day.month, reset)
            return here if here <= day else _in_month(day.year, day.month - 1, reset)
        case Period.YEARLY:
            here = _in_year(day.year, reset)
            return here if here <= day else _in_year(day.year - 1, reset)


def _following(calendar: Calendar, day: date) -> date:
    """The reset day after the one on `day`."""
    reset = calendar.reset_day or 1
    match calendar.period:
        case Period.DAILY:
            return day + timedelta(1)
        case Period.WEEKLY:
            return day + timedelta(7)
        case Period.MONTHLY:
            return _in_month(day.year, day.month + 1, reset)
        case Period.YEARLY:
            return _in_year(day.year + 1, reset)


def _in_month(year: int, month: int, reset: int) -> date:
    """The reset day of a month; months 0 and 13 are those of the years beside."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, min(reset, monthrange(year, month)[1]))


def _in_year(year: int, reset: int) -> date:
    numbered = date(2000, 1, 1) + timedelta(reset - 1)
    missing = numbered.month == 2 and numbered.day == 29 and not isleap(year)
    return date(year, numbered.month, 28 if missing else numbered.day)


def _beginning(day: date, zone: ZoneInfo) -> datetime:
    """The first instant at which clocks in the zone show `day`, or a later one where they skip it."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    first, second = midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC)
    # Midnight comes once, or twice: then the first counts. Only where clocks skip it does the second lie before.
    return first if first <= second else _end_of_gap(second, first, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two at which clocks are set forward."""
    offset = before.astimezone(zone).utcoffset()
    early, late = 0, int((after - before).total_seconds())
    while late - early > 1:
        middle = (early + late) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            early = middle
        else:
            late = middle
    return before + timedelta(seconds=late)
