"""What clocks show, by the C library: an oracle for time zones that shares no code with ours."""

import bisect
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

STEP_S = 6 * 3600
EPOCH = date(1970, 1, 1).toordinal()


@contextmanager
def clocks_of(zone: str) -> Iterator[None]:
    """Lets the C library's clocks run in a zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = f":{zone}"
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def stretches(zone: str, since: int, until: int) -> list[tuple[int, int]]:
    """From when on clocks are how many seconds ahead of UTC, between two seconds of the epoch."""
    with clocks_of(zone):
        found = [(since, _offset(since))]
        for at in range(since + STEP_S, until + STEP_S, STEP_S):
            offset = _offset(at)
            if offset != found[-1][1]:
                found.append((_change(at - STEP_S, at), offset))
        return found


def _offset(at: int) -> int:
    return time.localtime(at).tm_gmtoff


def _change(early: int, late: int) -> int:
    offset = _offset(early)
    while late - early > 1:
        middle = (early + late) // 2
        early, late = (middle, late) if _offset(middle) == offset else (early, middle)
    return late


class Clock:
    """A zone's clock, as the stretches say."""

    def __init__(self, zone: str, since: int, until: int) -> None:
        self._stretches = stretches(zone, since, until)
        self._begins = [begin for begin, _ in self._stretches]
        self._furthest = [begin + offset for begin, offset in self._stretches]

    def first_instant(self, year: int, month: int, day: int) -> datetime:
        """The first instant at which the clock shows this date, or a later one."""
        shown = (date(year, month, day).toordinal() - EPOCH) * 86_400
        place = max(0, bisect.bisect_right(self._begins, shown - 30 * 3600) - 1)
        while True:
            begin, offset = self._stretches[place]
            end = self._begins[place + 1] if place + 1 < len(self._begins) else None
            instant = max(begin, shown - offset)
            if end is None or instant < end:
                return datetime.fromtimestamp(instant, UTC)
            place += 1
