"""What the workers of one machine say to each other of asks, and how it is framed.

Messages are MessagePack with the length before it, and name their fields: that costs less than a microsecond an ask.
The worker that hands over says lists of `Handed`, an empty one to see whether anybody is there. The one that takes says
`Said`: at the beginning, when it was asked whether it is there, when there are answers, and when it is about to end.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from farebox.ledger.batcher import OutcomeUnknown, Overloaded, Unavailable
from farebox.ledger.store import BrokenInvariant
from farebox.ledger.types import (
    Capture,
    Charge,
    Deposit,
    Hold,
    Outcome,
    Record,
    RecordUsage,
    Refund,
    Release,
    Tidy,
    Transfer,
)

MAX_BYTES = 16 * 2**20
"""The longest message."""
_LENGTH_BYTES = 4

AnyAsk = Capture | Charge | Deposit | Hold | Record | RecordUsage | Refund | Release | Tidy | Transfer


class Handed(Struct, gc=False):
    """An ask, with the number that its answer comes under."""

    number: int
    deadline: float
    """On the machine's monotonic clock, which all its processes share."""
    ask: AnyAsk


class Answered(Struct, gc=False, omit_defaults=True):
    """What became of an ask: an outcome, or the name of an error."""

    number: int
    outcome: Outcome | None = None
    error: str = ""
    detail: str = ""


class Said(Struct, gc=False, omit_defaults=True):
    """What the worker says that takes asks."""

    answers: list[Answered] = []
    version: str = ""
    """Of the program, in its first message: two versions have nothing to say to each other."""
    leaving: bool = False
    """It is about to end: it answers what it was handed, and wants no more."""


class BadFrame(Exception):
    """What came is not a message."""


class FailedElsewhere(Exception):
    """The worker that was handed the ask met something unforeseen; its log says what."""


_ERRORS: dict[str, type[Exception]] = {
    error.__name__: error for error in (Overloaded, Unavailable, OutcomeUnknown, BrokenInvariant)
}
_encode = msgspec.msgpack.Encoder().encode
read_handed = msgspec.msgpack.Decoder(list[Handed]).decode
read_said = msgspec.msgpack.Decoder(Said).decode


def failed(number: int, error: Exception) -> Answered:
    """The answer that tells of an error."""
    name = type(error).__name__
    return Answered(number, error=name if name in _ERRORS else FailedElsewhere.__name__, detail=str(error))


def error_of(answer: Answered) -> Exception:
    """The error that an answer tells of."""
    return _ERRORS.get(answer.error, FailedElsewhere)(*([answer.detail] if answer.detail else []))


def framed(message: Sequence[Handed] | Said) -> bytes:
    """A message as it is sent. Raises BadFrame where it is too long, or can't be said."""
    try:
        body = _encode(message)
    except (msgspec.MsgspecError, UnicodeError, OverflowError) as error:  # an amount of more than 64 bits, for instance
        raise BadFrame(str(error)) from error
    if len(body) > MAX_BYTES:
        raise BadFrame(f"{len(body)} bytes")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class Frames:
    """What has come on one connection, cut into messages."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def cut(self, data: bytes) -> Iterator[bytes]:
        """The messages that are whole with this; the rest waits. Raises BadFrame."""
        begun = self._begun
        begun += data
        at = 0
        while len(begun) - at >= _LENGTH_BYTES:
            length = int.from_bytes(begun[at : at + _LENGTH_BYTES], "big")
            if length > MAX_BYTES:
                raise BadFrame(f"{length} bytes")
            end = at + _LENGTH_BYTES + length
            if end > len(begun):
                break
            yield bytes(begun[at + _LENGTH_BYTES : end])
            at = end
        del begun[:at]
