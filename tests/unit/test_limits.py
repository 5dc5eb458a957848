"""Envelopes: what counts on which, what is left, which thresholds are told, and when a window turns."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from farebox.ledger import limits
from farebox.ledger.decide import decide
from farebox.ledger.envelopes import Count, Counts, count, tightest, turn
from farebox.ledger.types import Capture, Charge, Facts, Hold, Plan, RecordUsage, Refund, Release, Transfer, Usage
from tests.unit.test_decide import ENVELOPE, GRANT, WALLET, ask, envelope, facts

USED = Usage(10, 5, 4, 3, 2, 1, (("image", 7),))


def with_usage_envelope(**more: Any) -> Facts:
    return facts(envelope_counts=Counts.USAGE, envelope_asset=None, **more)


def counted(kind: Any, found: Facts, **more: Any) -> tuple[Count, ...]:
    plan = decide(ask(kind, **more), found)
    assert isinstance(plan, Plan), plan
    return plan.envelopes


@pytest.mark.parametrize("kind", [Charge, Transfer])
def test_what_is_charged_counts_as_money(kind: Any) -> None:
    assert counted(kind, facts(), amount=60) == (Count(ENVELOPE, used=60),)


def test_usage_is_tokens_of_every_kind_calls_and_units() -> None:
    assert counted(Charge, with_usage_envelope(), usage=USED) == (Count(ENVELOPE, used=32),)
    assert counted(Charge, with_usage_envelope()) == (Count(ENVELOPE),), "an amount alone says nothing of usage"


def test_money_of_another_asset_is_not_counted() -> None:
    assert counted(Charge, facts(envelope_asset="TOKEN", envelope_used=200)) == ()


def test_a_fact_counts_past_the_limit() -> None:
    (change,) = counted(RecordUsage, facts(), amount=500)
    assert change == Count(ENVELOPE, used=500, fact=True)
    full = envelope()
    count(full, change)
    assert (full.used, full.overrun, full.remaining) == (600, 420, -420)


def test_a_hold_reserves_and_its_end_frees_or_counts() -> None:
    held: dict[str, Any] = {"hold_envelopes": (ENVELOPE,), "hold_usage_units": 9}
    assert counted(Hold, facts()) == (Count(ENVELOPE, held=70),)
    assert counted(Hold, with_usage_envelope(), usage=USED) == (Count(ENVELOPE, held=32),)
    assert counted(Release, facts(**held)) == (Count(ENVELOPE, held=-50),)
    assert counted(Release, with_usage_envelope(**held)) == (Count(ENVELOPE, held=-9),)
    assert counted(Capture, facts(**held)) == (Count(ENVELOPE, used=40, held=-50, fact=True),)
    taken = counted(Capture, with_usage_envelope(**held), usage=USED)
    assert taken == (Count(ENVELOPE, used=32, held=-9, fact=True),)


def test_a_hold_that_was_made_before_an_envelope_does_not_count_on_it() -> None:
    assert counted(Capture, facts()) == ()
    assert counted(Release, facts()) == ()


def test_a_hold_that_tells_no_usage_needs_one_unit_left() -> None:
    assert limits.short(ask(Hold), with_usage_envelope(envelope_used=179)) is None
    assert limits.short(ask(Hold), with_usage_envelope(envelope_used=180)) is not None


def test_what_counts_nothing_passes_an_envelope_that_is_used_up() -> None:
    assert limits.short(ask(Charge, amount=0), facts(envelope_used=500)) is None
    assert limits.short(ask(Transfer), with_usage_envelope(envelope_used=500)) is None


def test_a_refund_gives_money_back_to_the_window_that_it_was_charged_in() -> None:
    charged: dict[str, Any] = {"charge_envelopes": (ENVELOPE,)}
    assert counted(Refund, facts(**charged)) == (Count(ENVELOPE, used=-50),)
    before = datetime(2026, 5, 31, 23, 59, tzinfo=UTC)
    assert counted(Refund, facts(**charged, charge_created_at=before)) == ()
    assert counted(Refund, with_usage_envelope(**charged)) == (), "what was used has been used"
    assert counted(Refund, facts()) == ()


def test_an_envelope_that_is_deleted_meanwhile_counts_nothing() -> None:
    gone = facts(hold_envelopes=(ENVELOPE,), charge_envelopes=(ENVELOPE,), envelope_gone=1)
    assert [counted(kind, gone) for kind in (Release, Capture, Refund, Charge)] == [()] * 4


def test_the_tightest_is_the_one_with_the_least_left_of_those_that_stop() -> None:
    wide, tight, roomy = envelope(id=1, used=150), envelope(id=2, used=160), envelope(id=3, limit_units=9000)
    shares = [(wide, 70), (tight, 70), (roomy, 70)]
    assert tightest(shares) is tight
    assert tightest([(wide, 70), (tight, 10), (roomy, 70)]) is wide
    assert tightest([(wide, 30), (tight, 20), (roomy, 70)]) is None
    assert tightest([(envelope(id=9, used=150), 70), (wide, 70)]) is wide, "the first of equals"


def test_each_threshold_is_told_once_a_window() -> None:
    found = envelope(used=0, held=0, told=0)

    def told(units: int) -> list[int]:
        return [passed.threshold for passed in count(found, Count(ENVELOPE, used=units))]

    assert [told(99), told(1), told(50), told(10), told(-20), told(20), told(40)] == [[], [50], [], [80], [], [], [100]]
    turn(found, found.window_end)
    assert told(200) == [50, 80, 100]


def test_a_window_turns_when_it_is_over_and_not_before() -> None:
    found = envelope(overrun=7, used=190)
    assert turn(found, found.window_end - timedelta(microseconds=1)) is None
    closed = turn(found, datetime(2026, 7, 1, tzinfo=UTC))
    assert closed is not None
    assert (closed.starts_at, closed.ends_at, closed.used) == (
        datetime(2026, 6, 1, tzinfo=UTC),
        datetime(2026, 7, 1, tzinfo=UTC),
        190,
    )
    assert (found.window_start, found.window_end) == (closed.ends_at, datetime(2026, 8, 1, tzinfo=UTC))
    assert (found.used, found.held, found.overrun, found.told, found.total) == (0, 20, 0, 0, 5000)


def test_windows_that_nobody_used_are_passed_over() -> None:
    found = envelope(used=0)
    assert turn(found, datetime(2027, 3, 5, tzinfo=UTC)) is None
    assert (found.window_start, found.counted_since) == (datetime(2027, 3, 1, tzinfo=UTC),) * 2


def test_a_clock_that_is_set_back_brings_no_window_back() -> None:
    found = envelope()
    assert turn(found, found.window_start - timedelta(hours=1)) is None
    assert found.used == 100


def test_counters_stay_what_a_bigint_holds() -> None:
    found = envelope(total=2**63 - 2)
    count(found, Count(ENVELOPE, used=2**63 - 1, fact=True))
    assert (found.used, found.total) == (2**63 - 1, 2**63 - 1)


def test_what_a_draw_is_on() -> None:
    assert limits.draw_of(ask(Charge, model="m")) == (WALLET, GRANT, 1, "m")
    assert limits.draw_of(ask(Hold, model="m")) == (WALLET, GRANT, None, "m")
    assert limits.draw_of(ask(Transfer)) == (WALLET, None, None, None)
    assert limits.draw_of(ask(Refund)) is None
