"""What a call can raise.

KNAIError                        `message`, `status_code` (None where no answer came), `response_body`
├── SessionExpiredError          403, 410: the session has ended, or its payer's limit is reached
├── InsufficientBalanceError     402: the wallet does not hold enough
└── InvalidAPIKeyError           401: no valid key, or another provider's
"""

from typing import Any


class KNAIError(Exception):
    """Whatever goes wrong with a call."""

    def __init__(
        self, message: str, status_code: int | None = None, response_body: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.response_body = response_body

    def __str__(self) -> str:
        return f"{self.message} (HTTP {self.status_code})" if self.status_code else self.message


class SessionExpiredError(KNAIError):
    """The session is over, or no more may be drawn on it: ask for a new one."""

    def __init__(self, message: str = "Session has expired", **kwargs: Any) -> None:
        super().__init__(message, **kwargs)


class InsufficientBalanceError(KNAIError):
    """The wallet does not hold enough for the charge; nothing was taken."""

    def __init__(self, message: str = "Insufficient wallet balance", **kwargs: Any) -> None:
        super().__init__(message, **kwargs)


class InvalidAPIKeyError(KNAIError):
    """The API key is missing, wrong, revoked, or does not belong to this provider."""

    def __init__(self, message: str = "Invalid API key", **kwargs: Any) -> None:
        super().__init__(message, **kwargs)


OF_STATUS: dict[int, type[KNAIError]] = {
    401: InvalidAPIKeyError,
    402: InsufficientBalanceError,
    403: SessionExpiredError,
    410: SessionExpiredError,
}
