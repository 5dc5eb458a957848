"""The load's timer: it rings when it was set to, not before, and once."""

import select
import time

from bench.alarm import Alarm


def test_it_rings_at_its_moment_and_is_silent_again() -> None:
    with Alarm() as alarm:
        moment = time.monotonic() + 0.02
        alarm.set(moment)
        assert _rings(alarm, 5)
        assert time.monotonic() >= moment
        alarm.heard()
        assert not _rings(alarm, 0)


def test_what_has_passed_rings_at_once() -> None:
    with Alarm() as alarm:
        assert not _rings(alarm, 0)
        alarm.heard()
        alarm.set(time.monotonic() - 1)
        assert _rings(alarm, 5)


def _rings(alarm: Alarm, within_s: float) -> bool:
    return bool(select.select([alarm.fd], [], [], within_s)[0])
