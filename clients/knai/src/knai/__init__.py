"""KNAI's provider client, for a Farebox server: waits for a user's session and charges it.

`KNAIProvider` takes the place of the published one; `AsyncKNAIProvider` is the same for asyncio. See COMPATIBILITY.md.
"""

from knai.asynchronous import AsyncKNAIProvider
from knai.client import KNAIProvider
from knai.errors import InsufficientBalanceError, InvalidAPIKeyError, KNAIError, SessionExpiredError

__version__ = "0.1.0"

__all__ = [
    "AsyncKNAIProvider",
    "InsufficientBalanceError",
    "InvalidAPIKeyError",
    "KNAIError",
    "KNAIProvider",
    "SessionExpiredError",
]
