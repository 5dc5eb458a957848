"""Windows tile, through every change of every clock, and begin where the C library's clocks say."""

import functools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.windows import BadCalendar, Calendar, Period, Window, check, window_at
from tests.support.clocks import Clock

CENTURY = (1950, 2050)
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
SAMPLE = (
    "UTC",
    "Europe/Berlin",
    "America/Sao_Paulo",  # clocks were set forward at midnight
    "America/St_Johns",  # and back a minute after midnight, over it
    "Pacific/Apia",  # a whole day was left out
    "Asia/Kathmandu",
)


def leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def month_days(year: int, month: int) -> int:
    return DAYS[month - 1] + (month == 2 and leap(year))


@functools.lru_cache(maxsize=64)
def days_of(period: Period, reset: int, first: int, last: int) -> tuple[tuple[int, int, int], ...]:
    """Every reset day of some years, by plain counting."""
    return tuple(_count(period, reset, first, last))


def _count(period: Period, reset: int, first: int, last: int) -> Iterator[tuple[int, int, int]]:
    weekday = datetime(first, 1, 1).isoweekday()  # noqa: DTZ001  # a date
    for year in range(first, last):
        numbered = 0
        for month in range(1, 13):
            for day in range(1, month_days(year, month) + 1):
                numbered += 1 + (month == 3 and day == 1 and not leap(year))
                ends = day == month_days(year, month)
                if (
                    period is Period.DAILY
                    or (period is Period.WEEKLY and weekday == reset)
                    or (period is Period.MONTHLY and (day == reset or (ends and day < reset)))
                    or (period is Period.YEARLY and numbered == reset)
                    or (period is Period.YEARLY and reset == 60 and numbered == 59 and not leap(year))
                ):
                    yield year, month, day
                weekday = weekday % 7 + 1


def follow(calendar: Calendar, clock: Clock, first: int, last: int) -> int:
    """Holds every window of some years against the clock; how many there were."""
    begins = sorted(
        {clock.first_instant(*day) for day in days_of(calendar.period, calendar.reset_day or 1, first, last)}
    )
    for begin, end in pairwise(begins):
        window = Window(begin, end)
        assert window_at(calendar, begin) == window, calendar
        assert window_at(calendar, end - timedelta(microseconds=1)) == window, calendar
    return len(begins)


def clock_of(zone: str, first: int, last: int) -> Clock:
    margin = 400 * 86_400
    ends = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (first, last))
    since, until = (int(end) for end in ends)
    return Clock(zone, since - margin, until + margin)


def calendars(zone: str, period: Period) -> Iterator[Calendar]:
    match period:
        case Period.DAILY:
            yield Calendar(period, None, zone)
        case Period.WEEKLY:
            yield from (Calendar(period, day, zone) for day in range(1, 8))
        case Period.MONTHLY:
            yield from (Calendar(period, day, zone) for day in range(1, 32))
        case Period.YEARLY:
            yield from (Calendar(period, day, zone) for day in (1, 59, 60, 61, 90, 300, 365, 366))


@pytest.mark.parametrize("zone", SAMPLE)
def test_windows_are_where_the_clocks_say(zone: str) -> None:
    clock = clock_of(zone, 1985, 2015)
    for period, some in ((Period.DAILY, [None]), (Period.WEEKLY, [1, 7]), (Period.YEARLY, [1, 60, 366])):
        for day in some:
            assert follow(Calendar(period, day, zone), clock, 1985, 2015) >= 30
    for day in (1, 15, 28, 29, 30, 31):
        assert follow(Calendar(Period.MONTHLY, day, zone), clock, 1985, 2015) == 360


@pytest.mark.slow
@pytest.mark.parametrize("period", Period)
@pytest.mark.timeout(3600)
def test_every_zone_for_a_century(period: Period) -> None:
    for zone in sorted(available_timezones()):
        clock = clock_of(zone, *CENTURY)
        for calendar in calendars(zone, period):
            assert follow(calendar, clock, *CENTURY) >= 100


@given(
    zone=st.sampled_from(sorted(available_timezones())),
    period=st.sampled_from(Period),
    day=st.integers(1, 366),
    at=st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_windows_tile(zone: str, period: Period, day: int, at: datetime) -> None:
    last = {Period.DAILY: 1, Period.WEEKLY: 7, Period.MONTHLY: 31, Period.YEARLY: 366}[period]
    calendar = Calendar(period, None if period is Period.DAILY else (day - 1) % last + 1, zone)
    window = window_at(calendar, at)
    assert window.start <= at < window.end
    assert window_at(calendar, window.start) == window
    assert window_at(calendar, window.end).start == window.end
    assert window_at(calendar, window.start - timedelta(microseconds=1)).end == window.start


def starts(calendar: Calendar, at: datetime, count: int) -> list[str]:
    found = []
    for _ in range(count):
        window = window_at(calendar, at)
        found.append(f"{window.start:%m-%d %H:%M}")
        at = window.end
    return found


def test_the_31st_is_the_last_day_of_a_short_month_and_then_the_31st_again() -> None:
    monthly = Calendar(Period.MONTHLY, 31)
    common, long = datetime(2026, 1, 31, tzinfo=UTC), datetime(2028, 1, 31, tzinfo=UTC)
    assert starts(monthly, common, 4) == ["01-31 00:00", "02-28 00:00", "03-31 00:00", "04-30 00:00"]
    assert starts(monthly, long, 3) == ["01-31 00:00", "02-29 00:00", "03-31 00:00"]


def test_the_29th_of_february_is_the_28th_in_common_years() -> None:
    found = starts(Calendar(Period.YEARLY, 60), datetime(2024, 2, 29, tzinfo=UTC), 5)
    assert found == ["02-29 00:00", "02-28 00:00", "02-28 00:00", "02-28 00:00", "02-29 00:00"]


def test_a_year_begins_on_the_same_date_in_every_year() -> None:
    found = starts(Calendar(Period.YEARLY, 366), datetime(2026, 12, 31, tzinfo=UTC), 3)
    assert found == ["12-31 00:00"] * 3


def test_a_skipped_midnight_begins_its_day_once() -> None:
    daily = Calendar(Period.DAILY, None, "America/Sao_Paulo")  # 2018-11-04 began at 01:00
    found = starts(daily, datetime(2018, 11, 3, 12, tzinfo=UTC), 3)
    assert found == ["11-03 03:00", "11-04 03:00", "11-05 02:00"]


def test_a_midnight_in_the_middle_of_a_gap_is_its_end() -> None:
    daily = Calendar(Period.DAILY, None, "America/Toronto")  # 1919-03-30 was followed at 23:30 by 00:30
    found = starts(daily, datetime(1919, 3, 30, 12, tzinfo=UTC), 3)
    assert found == ["03-30 05:00", "03-31 04:30", "04-01 04:00"]


def test_a_midnight_that_comes_twice_begins_its_day_once() -> None:
    daily = Calendar(Period.DAILY, None, "America/Havana")  # 2024-11-03: at 01:00 it was midnight again
    found = starts(daily, datetime(2024, 11, 2, 12, tzinfo=UTC), 3)
    assert found == ["11-02 04:00", "11-03 04:00", "11-04 05:00"]


def test_a_day_that_was_left_out_has_no_window() -> None:
    daily = Calendar(Period.DAILY, None, "Pacific/Apia")  # there was no 2011-12-30
    found = starts(daily, datetime(2011, 12, 29, 12, tzinfo=UTC), 2)
    assert found == ["12-29 10:00", "12-30 10:00"]
    assert window_at(daily, datetime(2011, 12, 30, 10, tzinfo=UTC)).end == datetime(2011, 12, 31, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "day", "zone", "field"),
    [
        (Period.MONTHLY, 0, "UTC", "reset_day"),
        (Period.MONTHLY, 32, "UTC", "reset_day"),
        (Period.WEEKLY, 8, "UTC", "reset_day"),
        (Period.YEARLY, 367, "UTC", "reset_day"),
        (Period.YEARLY, -1, "UTC", "reset_day"),
        (Period.DAILY, 1, "UTC", "reset_day"),
        (Period.DAILY, None, "Europe/Atlantis", "zone"),
        (Period.DAILY, None, "../../etc/passwd", "zone"),
        (Period.DAILY, None, "", "zone"),
    ],
)
def test_what_is_no_calendar(period: Period, day: int | None, zone: str, field: str) -> None:
    with pytest.raises(BadCalendar) as found:
        check(Calendar(period, day, zone))
    assert found.value.field == field


@pytest.mark.parametrize(("period", "day"), [(Period.MONTHLY, 31), (Period.WEEKLY, 7), (Period.YEARLY, 366)])
def test_what_is_one(period: Period, day: int) -> None:
    check(Calendar(period, day, "Asia/Kolkata"))
    check(Calendar(period, None, "Asia/Kolkata"))
