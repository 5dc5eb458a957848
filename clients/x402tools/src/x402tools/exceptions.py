"""What a call can raise.

X402Error
├── AuthenticationError          401: no valid key of an organization
├── EnvelopeNotFoundError        404: no such envelope or key, or another organization's
├── RateLimitError               429; `retry_after` in seconds, or None
└── APIError                     any other error; `status_code` (None where no answer came), `response`
    ├── UsageLimitExceededError  402: more than is left in this window; `limit`, `used`, `remaining`, `window_end`
    └── ValidationError          422, or refused before it is sent
"""

from datetime import datetime
from typing import Any

Body = dict[str, Any]


class X402Error(Exception):
    """Whatever goes wrong with a call."""


class AuthenticationError(X402Error):
    """The API key is missing, wrong, revoked, or no organization's."""


class APIError(X402Error):
    """An error answer, or none at all."""

    def __init__(self, message: str, status_code: int | None = None, response: Body | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.response = response


class RateLimitError(X402Error):
    """Too many requests; `retry_after` says in how many seconds to come back."""

    def __init__(self, *args: object, retry_after: float | None = None) -> None:
        super().__init__(*args)
        self.retry_after = retry_after


class ValidationError(APIError):
    """A value is not acceptable."""

    def __init__(self, message: str, status_code: int | None = 422, response: Body | None = None) -> None:
        super().__init__(message, status_code, response)


class EnvelopeNotFoundError(X402Error):
    """There is no such thing."""


class UsageLimitExceededError(APIError):
    """Nothing was recorded: more than is left in this window. Counts in the envelope's units."""

    def __init__(self, message: str, status_code: int | None = 402, response: Body | None = None) -> None:
        super().__init__(message, status_code, response)
        body = response or {}
        self.limit: int | None = body.get("limit")
        self.used: int | None = body.get("used")
        self.remaining: int | None = body.get("remaining")
        ends = body.get("windowEnd")
        self.window_end = datetime.fromisoformat(ends) if isinstance(ends, str) else None


def error_of(status: int, body: Body, retry_after_s: float | None) -> X402Error:
    """The error that an answer is."""
    message = str(body.get("error") or body.get("message") or "API request failed")
    if status == 401:
        return AuthenticationError("Invalid API key")
    if status == 404:
        return EnvelopeNotFoundError("Resource not found")
    if status == 429:
        return RateLimitError("Rate limit exceeded", retry_after=retry_after_s)
    if status == 422:
        return ValidationError(message, status, body)
    if body.get("code") == "USAGE_LIMIT_EXCEEDED":
        return UsageLimitExceededError(message, status, body)
    return APIError(message, status_code=status, response=body)
