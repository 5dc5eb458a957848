"""CONXA's client, for a Farebox server: connects users by QR code and charges what they used.

`CONXAClient` takes the place of the published one; `AsyncCONXAClient` is the same for asyncio. See COMPATIBILITY.md.
"""

from conxa.asynchronous import AsyncCONXAClient
from conxa.client import CONXAClient
from conxa.exceptions import (
    APIError,
    AuthenticationError,
    ConnectionTimeoutError,
    CONXAError,
    ForbiddenError,
    IdempotencyConflictError,
    InsufficientBalanceError,
    ProviderNotFoundError,
    RateLimitError,
    SessionEndedError,
    SessionExpiredError,
    SessionNotFoundError,
    ValidationError,
)
from conxa.models import ChargeResult, ConnectionStatus, QRCodeData, SessionStatus, WalletBalance

__version__ = "0.1.0"
__author__ = "Farebox"

__all__ = [
    "APIError",
    "AsyncCONXAClient",
    "AuthenticationError",
    "CONXAClient",
    "CONXAError",
    "ChargeResult",
    "ConnectionStatus",
    "ConnectionTimeoutError",
    "ForbiddenError",
    "IdempotencyConflictError",
    "InsufficientBalanceError",
    "ProviderNotFoundError",
    "QRCodeData",
    "RateLimitError",
    "SessionEndedError",
    "SessionExpiredError",
    "SessionNotFoundError",
    "SessionStatus",
    "ValidationError",
    "WalletBalance",
]
