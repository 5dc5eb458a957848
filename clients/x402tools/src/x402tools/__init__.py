"""x402tools' client, for a Farebox server: envelopes that limit use, and what was used.

`X402Client` takes the place of the published one; `AsyncX402Client` is the same for asyncio. See COMPATIBILITY.md.
"""

from x402tools.client import AsyncX402Client, X402Client
from x402tools.exceptions import (
    APIError,
    AuthenticationError,
    EnvelopeNotFoundError,
    RateLimitError,
    UsageLimitExceededError,
    ValidationError,
    X402Error,
)
from x402tools.types import ApiKey, Envelope, PeriodType, Usage, UsageStats

__version__ = "0.1.0"

__all__ = [
    "APIError",
    "ApiKey",
    "AsyncX402Client",
    "AuthenticationError",
    "Envelope",
    "EnvelopeNotFoundError",
    "PeriodType",
    "RateLimitError",
    "Usage",
    "UsageLimitExceededError",
    "UsageStats",
    "ValidationError",
    "X402Client",
    "X402Error",
]
