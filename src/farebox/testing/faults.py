"""What can happen to a request and its answer. Each is a function of the exchange; write your own the same way."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Protocol

from farebox.testing import wire


class Exchange(Protocol):
    """A request that has come in, and what can be done with it."""

    def forward(self) -> wire.Message:
        """Lets the server carry the request out; its answer."""

    def send(self, data: bytes | wire.Message) -> None:
        """Sends bytes to the client."""

    def reset(self) -> None:
        """Ends the connection with RST."""

    def close(self) -> None:
        """Ends the connection in order."""

    def wait(self, seconds: float) -> bool:
        """Waits; False where the proxy is closed meanwhile."""

    def wait_for_another(self, seconds: float) -> None:
        """Waits until another exchange is over."""


class Fault:
    """Something to do to an exchange. `carried_out` says whether the server sees the request."""

    def __init__(self, name: str, do: Callable[[Exchange], None], *, carried_out: bool) -> None:
        self.name = name
        self.do = do
        self.carried_out = carried_out

    def __repr__(self) -> str:
        return self.name


def delay(seconds: float) -> Fault:
    """Carried out at once, answered late."""

    def do(exchange: Exchange) -> None:
        answer = exchange.forward()
        if exchange.wait(seconds):
            exchange.send(answer)

    return Fault(f"delay({seconds:g})", do, carried_out=True)


def late(seconds: float) -> Fault:
    """Carried out at once, answered after another request was: answers come in another order than requests."""

    def do(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.wait_for_another(seconds)
        exchange.send(answer)

    return Fault(f"late({seconds:g})", do, carried_out=True)


def drip(seconds: float) -> Fault:
    """Carried out, and answered byte by byte with a pause of `seconds` between."""

    def do(exchange: Exchange) -> None:
        for byte in exchange.forward().encoded():
            if not exchange.wait(seconds):
                return
            exchange.send(bytes([byte]))

    return Fault(f"drip({seconds:g})", do, carried_out=True)


def too_many(retry_after: Callable[[], str], name: str) -> Fault:
    """Not carried out: 429, with a Retry-After made for each answer."""

    def do(exchange: Exchange) -> None:
        exchange.send(wire.error("429 Too Many Requests", "too many requests: slow down", Retry_After=retry_after()))

    return Fault(name, do, carried_out=False)


def _in_a_second() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


def _unavailable(exchange: Exchange) -> None:
    exchange.send(wire.error("503 Service Unavailable", "try again", Retry_After="1"))


def _reset(exchange: Exchange) -> None:
    exchange.reset()


def _lost_answer(exchange: Exchange) -> None:
    exchange.forward()
    exchange.reset()


def _bad_gateway(exchange: Exchange) -> None:
    exchange.send(wire.answer("502 Bad Gateway", b"<html><h1>502 Bad Gateway</h1></html>", "text/html"))


def _bad_gateway_after(exchange: Exchange) -> None:
    exchange.forward()
    _bad_gateway(exchange)


def _truncated(exchange: Exchange) -> None:
    answer = exchange.forward()
    half = answer.body[: len(answer.body) // 2]
    exchange.send(wire.Message(answer.first, _with_length(answer, len(half)), half))


def _wrong(exchange: Exchange) -> None:
    answer = exchange.forward()
    body = b'["not what you", "asked for"]'
    exchange.send(wire.Message(answer.first, _with_length(answer, len(body)), body))


def _with_length(answer: wire.Message, length: int) -> list[tuple[str, str]]:
    return [(name, str(length) if name.lower() == "content-length" else value) for name, value in answer.headers]


def _cut(exchange: Exchange) -> None:
    data = exchange.forward().encoded()
    exchange.send(data[:-5])
    exchange.close()


def _garbage(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
    exchange.close()


def _duplicated_request(exchange: Exchange) -> None:
    exchange.forward()
    exchange.send(exchange.forward())


def _duplicated_answer(exchange: Exchange) -> None:
    data = exchange.forward().encoded()
    exchange.send(data + data)


def _hang(exchange: Exchange) -> None:
    exchange.forward()
    began = time.monotonic()
    while exchange.wait(1.0) and time.monotonic() - began < 3600:
        pass


RESET = Fault("RESET", _reset, carried_out=False)
"""The connection is reset before the server sees the request."""
BAD_GATEWAY = Fault("BAD_GATEWAY", _bad_gateway, carried_out=False)
"""502 with a page of HTML; the server has seen nothing."""
UNAVAILABLE = Fault("UNAVAILABLE", _unavailable, carried_out=False)
"""503 with a Retry-After of a second."""
TOO_MANY_SECONDS = too_many(lambda: "1", "TOO_MANY_SECONDS")
"""429 with a Retry-After in seconds."""
TOO_MANY_DATE = too_many(_in_a_second, "TOO_MANY_DATE")
"""429 with a Retry-After as a date."""

LOST_ANSWER = Fault("LOST_ANSWER", _lost_answer, carried_out=True)
"""Carried out; the connection is reset before the answer."""
BAD_GATEWAY_AFTER = Fault("BAD_GATEWAY_AFTER", _bad_gateway_after, carried_out=True)
"""Carried out, and answered 502."""
TRUNCATED_JSON = Fault("TRUNCATED_JSON", _truncated, carried_out=True)
"""Carried out; the body is half of its JSON, and its length says so."""
WRONG_JSON = Fault("WRONG_JSON", _wrong, carried_out=True)
"""Carried out; the body is JSON of something else."""
CUT_BODY = Fault("CUT_BODY", _cut, carried_out=True)
"""Carried out; the connection ends within the body."""
GARBAGE = Fault("GARBAGE", _garbage, carried_out=True)
"""Carried out; what comes back is no HTTP."""
DUPLICATED_REQUEST = Fault("DUPLICATED_REQUEST", _duplicated_request, carried_out=True)
"""Carried out twice, as a proxy does that asks again by itself."""
DUPLICATED_ANSWER = Fault("DUPLICATED_ANSWER", _duplicated_answer, carried_out=True)
"""Carried out; the answer comes twice, and the second waits for the next request on the connection."""
HANG = Fault("HANG", _hang, carried_out=True)
"""Carried out, and never answered."""

HARMLESS = (DUPLICATED_REQUEST, DUPLICATED_ANSWER)
"""After these a client need not ask again."""
ALL = (
    RESET,
    BAD_GATEWAY,
    UNAVAILABLE,
    TOO_MANY_SECONDS,
    TOO_MANY_DATE,
    LOST_ANSWER,
    BAD_GATEWAY_AFTER,
    TRUNCATED_JSON,
    WRONG_JSON,
    CUT_BODY,
    GARBAGE,
    *HARMLESS,
)
"""All that is over at once; HANG, `delay`, `late` and `drip` take the time that you give them."""
