"""A hostile server for the tests of your own integration: a proxy before a real one that does to it what networks do.

    from farebox.testing import LOST_ANSWER, Hostile

    with Hostile("http://127.0.0.1:8080") as hostile:
        client = Farebox(hostile.url, key)
        hostile.plan(LOST_ANSWER)      # the next request is carried out, and its answer is lost
        client.charge(token, amount=5)
        assert hostile.seen == ["POST /v1/charges LOST_ANSWER", "POST /v1/charges"]

`chance(0.5, seed=1)` does something to every second request. It needs nothing but Python.
"""

from farebox.testing.faults import (
    ALL,
    BAD_GATEWAY,
    BAD_GATEWAY_AFTER,
    CUT_BODY,
    DUPLICATED_ANSWER,
    DUPLICATED_REQUEST,
    GARBAGE,
    HANG,
    HARMLESS,
    LOST_ANSWER,
    RESET,
    TOO_MANY_DATE,
    TOO_MANY_SECONDS,
    TRUNCATED_JSON,
    UNAVAILABLE,
    WRONG_JSON,
    Fault,
    delay,
    drip,
    late,
    too_many,
)
from farebox.testing.hostile import Hostile

__all__ = [
    "ALL",
    "BAD_GATEWAY",
    "BAD_GATEWAY_AFTER",
    "CUT_BODY",
    "DUPLICATED_ANSWER",
    "DUPLICATED_REQUEST",
    "GARBAGE",
    "HANG",
    "HARMLESS",
    "LOST_ANSWER",
    "RESET",
    "TOO_MANY_DATE",
    "TOO_MANY_SECONDS",
    "TRUNCATED_JSON",
    "UNAVAILABLE",
    "WRONG_JSON",
    "Fault",
    "Hostile",
    "delay",
    "drip",
    "late",
    "too_many",
]
