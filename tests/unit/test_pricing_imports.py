"""What an import adds: walked through by example, and held against both timelines by chance."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.pricing.imports import by_model, compare
from farebox.pricing.types import NewPrice, Rates

AT = datetime(2026, 6, 1, tzinfo=UTC)
Row = dict[str, Any]
Said = tuple[int | None, str | None]
"""Days from now (None: now) and a rate (None: withdrawn)."""


def moment(days: int | None) -> datetime | None:
    return None if days is None else AT + timedelta(days)


def rates(text: str | None) -> Rates | None:
    return None if text is None else Rates(input_token=text)


def row(days: int | None, text: str | None, source: str = "list") -> Row:
    """A version that is in the book."""
    return {
        "model": "m",
        "asset": "USD",
        "rates": None if text is None else msgspec.json.encode(rates(text)).decode(),
        "starts_at": moment(days) or AT - timedelta(1),
        "source": source,
        "planned": days is not None,
    }


def said(days: int | None, text: str | None) -> NewPrice:
    """A price of a list."""
    return NewPrice("m", "USD", rates(text), starts_at=moment(days))


def added(rows: list[Row], prices: list[Said], *, replace: bool = False) -> tuple[list[Said], str]:
    plan, done = compare([said(*price) for price in prices], by_model(rows), 5, AT, replace=replace)
    assert all(price.provider_id == 5 for price in plan)
    (what,) = [name for name in ("added", "unchanged", "kept") if getattr(done, name)]
    assert getattr(done, what) == ["m"]
    return [
        (
            None if price.starts_at is None else (price.starts_at - AT).days,
            None if price.rates is None else price.rates.input_token,
        )
        for price in plan
    ], what


HAND = "api"
EXAMPLES: list[tuple[str, list[Row], list[Said], list[Said], str]] = [
    ("new", [], [(None, "1")], [(None, "1")], "added"),
    ("the same", [row(None, "1")], [(None, "1")], [], "unchanged"),
    ("another price", [row(None, "1")], [(None, "2")], [(None, "2")], "added"),
    ("withdrawn by a list and back", [row(None, None)], [(None, "2")], [(None, "2")], "added"),
    ("withdrawn by hand stays so", [row(None, None, HAND)], [(None, "2")], [], "kept"),
    ("set by hand stays", [row(None, "1", HAND)], [(None, "2"), (3, "4")], [], "kept"),
    ("set in the console stays", [row(None, "1", "console")], [(None, "2")], [], "kept"),
    ("a change to come", [row(None, "1")], [(None, "1"), (3, "2")], [(3, "2")], "added"),
    ("known to come", [row(None, "1"), row(3, "2")], [(None, "1"), (3, "2")], [], "unchanged"),
    ("a change that was called off", [row(None, "1"), row(3, "2")], [(None, "1")], [(3, "1")], "added"),
    ("a change that moved", [row(None, "1"), row(3, "2")], [(None, "1"), (5, "2")], [(3, "1"), (5, "2")], "added"),
    ("a change that was corrected", [row(None, "1"), row(3, "2")], [(None, "1"), (3, "4")], [(3, "4")], "added"),
    ("a change to what holds is none", [row(None, "1")], [(None, "1"), (3, "1")], [], "unchanged"),
    ("planned by hand stays", [row(None, "1"), row(3, "9", HAND)], [(None, "1"), (4, "2")], [], "kept"),
    ("until then the list counts", [row(None, "1"), row(3, "9", HAND)], [(None, "2")], [(None, "2")], "added"),
    ("the last of equal starts", [row(None, "1"), row(3, "2"), row(3, "4")], [(None, "1"), (3, "4")], [], "unchanged"),
    ("only to come", [], [(3, "1")], [(3, "1")], "added"),
    ("only to come leaves what holds", [row(None, "1")], [(3, "2")], [(3, "2")], "added"),
    ("what has begun holds now", [], [(-9, "1"), (-2, "2")], [(None, "2")], "added"),
    ("what begins this moment holds", [row(None, "1")], [(None, "1"), (0, "2")], [(None, "2")], "added"),
    ("what has begun is known", [row(None, "2")], [(-2, "2"), (-9, "1")], [], "unchanged"),
]


@pytest.mark.parametrize(("rows", "prices", "plan", "what"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_an_import_by_example(rows: list[Row], prices: list[Said], plan: list[Said], what: str) -> None:
    assert added(rows, prices) == (plan, what)


def test_replacing_what_was_set_by_hand_has_to_be_asked_for() -> None:
    rows = [row(None, "1", HAND), row(3, "9", HAND)]
    assert added(rows, [(None, "2")], replace=True) == ([(None, "2"), (3, "2")], "added")
    assert added([row(None, "2", HAND)], [(None, "2")], replace=True) == ([], "unchanged")


def test_another_asset_is_another_price() -> None:
    plan, done = compare([NewPrice("m", "TOKEN", rates("1"))], by_model([row(None, "1")]), None, AT, replace=False)
    assert (len(plan), done.added) == (1, ["m"])


def test_a_model_that_the_list_does_not_name_stays() -> None:
    plan, _ = compare([NewPrice("other", "USD", rates("1"))], by_model([row(None, "1")]), None, AT, replace=False)
    assert [price.model for price in plan] == ["other"]


texts = st.sampled_from(["1", "2", "3", None])
days = st.sampled_from([None, 1, 2, 3, 4])
timelines = st.dictionaries(days, texts, max_size=4)


def holding(timeline: dict[int | None, str | None], day: int) -> tuple[bool, str | None]:
    begun = [start for start in timeline if start is None or start <= day]
    return (True, timeline[max(begun, key=lambda start: start or 0)]) if begun else (False, None)


@given(timelines, timelines.filter(bool))
def test_afterwards_the_book_says_what_the_list_says(
    before: dict[int | None, str | None], listed: dict[int | None, str | None]
) -> None:
    rows = [row(day, text) for day, text in before.items()]
    plan, _ = added(rows, list(listed.items()))
    after = before | dict(plan)
    for day in range(6):
        there, wanted = holding(listed, day)
        assert holding(after, day) == ((True, wanted) if there else holding(before, day))
    assert added([row(day, text) for day, text in after.items()], list(listed.items())) == ([], "unchanged")
