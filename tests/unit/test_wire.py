"""What workers say to each other: every ask and every answer arrives as it was, and nothing else is understood."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest

from farebox.ledger import types
from farebox.ledger.batcher import OutcomeUnknown, Overloaded, Unavailable
from farebox.ledger.envelopes import Counts, Stopped
from farebox.ledger.store import BrokenInvariant
from farebox.ledger.wire import (
    MAX_BYTES,
    Answered,
    AnyAsk,
    BadFrame,
    FailedElsewhere,
    Frames,
    Handed,
    Said,
    error_of,
    failed,
    framed,
    read_handed,
    read_said,
)
from farebox.windows import Period

NOW = datetime(2026, 2, 3, 4, 5, 6, 789_012, UTC)
USAGE = types.Usage(1, 2, 3, 4, 5, 6, (("images", 7),))
PRICING = types.Pricing(1, 50_000, 9, NOW, "1/3")
FULL: dict[str, Any] = {"usage": USAGE, "pricing": PRICING, "person": (1, 2), "lineage": (3, 4), "fingerprint": b"\xff"}
FULL |= {"metadata": b'{"a": [1.50, "\xc3\xa9"]}', "amount": types.MAX_UNITS}


def asks() -> Iterator[types.Ask]:
    """One of each kind, with a value in every field."""
    for kind in types.Ask.__subclasses__():
        given = {}
        for field in msgspec.structs.fields(kind):
            text = field.type is str or str in get_args(field.type)
            given[field.name] = FULL.get(field.name, "text \N{SNOWMAN}" if text else 2**53 + 1)
        yield kind(**given)


def one(message: bytes) -> bytes:
    (found,) = Frames().cut(message)
    return found


@pytest.mark.parametrize("ask", list(asks()), ids=lambda ask: type(ask).__name__)
def test_every_kind_of_ask_arrives_as_it_was(ask: Any) -> None:
    (handed,) = read_handed(one(framed([Handed(1, 12.5, ask)])))
    assert type(handed.ask) is type(ask)
    assert handed == Handed(1, 12.5, ask)


def test_every_kind_of_ask_can_be_handed_over() -> None:
    assert set(get_args(AnyAsk)) == set(types.Ask.__subclasses__())


@pytest.mark.parametrize("refusal", [None, *types.Refusal])
def test_outcomes_arrive_as_they_were(refusal: types.Refusal | None) -> None:
    stopped = Stopped(5, "Limit", Counts.USAGE, None, Period.MONTHLY, 10, 8, 2, NOW, NOW + timedelta(31))
    outcome = types.Outcome(types.MAX_UNITS, refusal, 1, -5, None, NOW, True, stopped)
    assert read_said(one(framed(Said([Answered(7, outcome)])))) == Said([Answered(7, outcome)])


@pytest.mark.parametrize("kind", [Overloaded, Unavailable, OutcomeUnknown, BrokenInvariant])
@pytest.mark.parametrize("detail", [(), ("what is broken",)])
def test_errors_arrive_as_they_were(kind: type[Exception], detail: tuple[str, ...]) -> None:
    (answer,) = read_said(one(framed(Said([failed(7, kind(*detail))])))).answers
    error = error_of(answer)
    assert (answer.number, type(error), error.args) == (7, kind, detail)


def test_an_unforeseen_error_is_told_as_such() -> None:
    error = error_of(failed(7, KeyError("x")))
    assert (type(error), str(error)) == (FailedElsewhere, "'x'")


def test_messages_are_cut_wherever_they_are_torn() -> None:
    said = [Said(version="1"), Said(), Said(leaving=True), Said([failed(1, Overloaded())])]
    stream = b"".join(map(framed, said))
    for size in range(1, len(stream) + 1):
        frames = Frames()
        parts = [stream[start : start + size] for start in range(0, len(stream), size)]
        found = itertools.chain.from_iterable(list(frames.cut(part)) for part in parts)
        assert [read_said(message) for message in found] == said


def test_what_is_too_long_is_neither_sent_nor_waited_for() -> None:
    with pytest.raises(BadFrame):
        framed(Said(version="x" * MAX_BYTES))
    with pytest.raises(BadFrame):
        list(Frames().cut((MAX_BYTES + 1).to_bytes(4, "big")))


@pytest.mark.parametrize(("client", "wallet_id"), [("\ud800", 1), ("x", 2**64)])
def test_what_can_not_be_said_is_told(client: str, wallet_id: int) -> None:
    ask = types.Tidy(client=client, key="", fingerprint=b"", wallet_id=wallet_id)
    with pytest.raises(BadFrame):
        framed([Handed(1, 12.5, ask)])
