"""The client: `Farebox` for threads, `AsyncFarebox` for asyncio, the whole native API, typed.

It needs httpx and msgspec, and nothing of the server. `docs/clients/farebox.md` shows it at work.
"""

from farebox.client.asynchronous import AsyncFarebox
from farebox.client.calls.connections import NotConnected
from farebox.client.codes import text as connection_code
from farebox.client.core import Policy
from farebox.client.errors import (
    BadAnswer,
    BadRequest,
    Conflict,
    FareboxError,
    FieldError,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    NoUsage,
    PaymentRequired,
    Problem,
    ServerProblem,
    TooLarge,
    TooMany,
    Unauthorized,
    Unavailable,
    Unreachable,
)
from farebox.client.limits import AppliesTo
from farebox.client.sync import Farebox
from farebox.client.types import Balance, Bill, Tier, Usage

__all__ = [
    "AppliesTo",
    "AsyncFarebox",
    "BadAnswer",
    "BadRequest",
    "Balance",
    "Bill",
    "Conflict",
    "Farebox",
    "FareboxError",
    "FieldError",
    "Forbidden",
    "Gone",
    "Invalid",
    "NoUsage",
    "NotConnected",
    "NotFound",
    "PaymentRequired",
    "Policy",
    "Problem",
    "ServerProblem",
    "Tier",
    "TooLarge",
    "TooMany",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "Usage",
    "connection_code",
]
