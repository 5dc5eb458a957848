"""What a call can raise.

CONXAError                       `message`, `status_code` (None where no answer came), `response`, `error_code`
├── AuthenticationError          401: no valid key
├── SessionExpiredError          a code or a session is over: show a new code
│   └── SessionEndedError        401 SESSION_EXPIRED, for a charge; an AuthenticationError too
├── InsufficientBalanceError     402; `current_balance` in whole tokens
├── ForbiddenError               403: the payer's limit, or no right to charge
├── SessionNotFoundError         404
├── ProviderNotFoundError        404; kept for those who catch it, raised by nothing
├── IdempotencyConflictError     409: the key was used for another request
├── ValidationError              422; `errors` lists `field` and `message`
├── RateLimitError               429; `retry_after` in seconds, or None
├── ConnectionTimeoutError       nobody connected in time
└── APIError                     any other status
"""

from typing import Any

Body = dict[str, Any]


class CONXAError(Exception):
    """Whatever goes wrong with a call."""

    def __init__(
        self,
        message: str,
        status_code: int | None = None,
        response: Body | None = None,
        error_code: str | None = None,
    ) -> None:
        self.message = message
        self.status_code = status_code
        self.response = response or {}
        self.error_code = error_code
        super().__init__(message)

    def __str__(self) -> str:
        return f"[{self.status_code}] {self.message}" if self.status_code else self.message

    def _told(self, message: str, status_code: int, response: Body | None) -> None:
        CONXAError.__init__(self, message, status_code, response, (response or {}).get("code"))


class AuthenticationError(CONXAError):
    """The API key is missing or not valid."""

    def __init__(self, message: str = "Invalid or missing API key", response: Body | None = None) -> None:
        self._told(message, 401, response)


class InsufficientBalanceError(CONXAError):
    """The wallet does not hold enough; `current_balance` is what it has, in whole tokens."""

    def __init__(
        self, message: str = "Insufficient balance", current_balance: int | None = None, response: Body | None = None
    ) -> None:
        self.current_balance = current_balance
        self._told(message, 402, response)


class SessionExpiredError(CONXAError):
    """A QR code or a session is over: show a new code."""

    def __init__(self, message: str = "Session expired or invalid", response: Body | None = None) -> None:
        self._told(message, 401, response)


class SessionEndedError(SessionExpiredError, AuthenticationError):
    """The server says that a session is over. The published client raises AuthenticationError: both catch it."""


class ConnectionTimeoutError(CONXAError):
    """Nobody connected in time."""

    def __init__(self, message: str = "Connection timeout - user did not connect") -> None:
        super().__init__(message)


class SessionNotFoundError(CONXAError):
    """There is no such thing."""

    def __init__(self, message: str = "No active session found", response: Body | None = None) -> None:
        self._told(message, 404, response)


class ProviderNotFoundError(CONXAError):
    """There is no such provider."""

    def __init__(self, message: str = "Provider not found", response: Body | None = None) -> None:
        self._told(message, 404, response)


class ForbiddenError(CONXAError):
    """The payer's limit is reached, or this provider may not charge."""

    def __init__(self, message: str = "Forbidden", response: Body | None = None) -> None:
        self._told(message, 403, response)


class IdempotencyConflictError(CONXAError):
    """The idempotency key was used for another request."""

    def __init__(self, message: str = "Idempotency key in progress", response: Body | None = None) -> None:
        self._told(message, 409, response)


class RateLimitError(CONXAError):
    """Too many requests; `retry_after` says in how many seconds to come back."""

    def __init__(
        self, message: str = "Rate limit exceeded", retry_after: int | None = None, response: Body | None = None
    ) -> None:
        self.retry_after = retry_after
        self._told(message, 429, response)


class APIError(CONXAError):
    """Any other error answer."""

    def __init__(
        self, message: str = "API error occurred", status_code: int = 500, response: Body | None = None
    ) -> None:
        self._told(message, status_code, response)


class ValidationError(CONXAError):
    """A value is not acceptable; `errors` lists which."""

    def __init__(
        self, message: str = "Validation error", errors: list[Any] | None = None, response: Body | None = None
    ) -> None:
        self.errors: list[Any] = errors if errors is not None else (response or {}).get("errors") or []
        self._told(message, 422, response)


SIMPLE: dict[int, type[AuthenticationError] | type[ForbiddenError] | type[SessionNotFoundError]] = {
    401: AuthenticationError,
    403: ForbiddenError,
    404: SessionNotFoundError,
}


def error_of(status: int, body: Body, retry_after_s: float | None) -> CONXAError:
    """The error that an answer is."""
    message = str(body.get("message") or body.get("detail") or "An error occurred")
    if body.get("code") == "SESSION_EXPIRED" and status == 401:
        return SessionEndedError(message, response=body)
    if status in SIMPLE:
        return SIMPLE[status](message, response=body)
    if status == 402:
        return InsufficientBalanceError(message, body.get("new_balance"), response=body)
    if status == 409:
        return IdempotencyConflictError(message, response=body)
    if status == 422:
        return ValidationError(message, response=body)
    if status == 429:
        return RateLimitError(message, None if retry_after_s is None else round(retry_after_s), response=body)
    return APIError(message, status_code=status, response=body)
