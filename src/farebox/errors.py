"""What can go wrong outside a decision, in one vocabulary; native and dialects write it out in their own words.

Problem                     a request that is answered with an error
├── BadRequest              malformed: it never was a request of ours
├── Invalid                 understood, but a value is not acceptable; `errors` says which
├── Unauthorized            no valid key
├── Forbidden               a valid key that may not do this
├── NotFound                absent, or somebody else's: the same answer (RULES 27)
├── Conflict                the thing is in another state by now
├── Gone                    it was there, and its time is over
├── RequestTimeout          the client took too long to send it
├── TooLarge, HeadTooLarge  more than the server takes
├── TooMany                 a rate limit; says when to come back
└── Busy                    overload, database away, outcome unknown: says when to come back
"""

from typing import Any

from msgspec import Struct


class FieldError(Struct, frozen=True):
    """What is wrong where. `field` is a JSON path such as `usage.input_tokens`."""

    field: str
    message: str


class Problem(Exception):
    """Answered with `status`; `code` is for machines, `detail` for people. Neither repeats the offending value."""

    status: int = 500
    default_code: str = "internal_error"
    title: str = "Something broke on our side"
    logged_as: str | None = None
    """The request id under which the log has it, where it does."""

    def __init__(
        self,
        detail: str,
        code: str | None = None,
        *,
        errors: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extra = extra or {}


class BadRequest(Problem):
    status, default_code, title = 400, "bad_request", "The request is malformed"


class Unauthorized(Problem):
    status, default_code, title = 401, "invalid_api_key", "The API key is missing or not valid"


class Forbidden(Problem):
    status, default_code, title = 403, "forbidden", "This key may not do that"


class NotFound(Problem):
    status, default_code, title = 404, "not_found", "There is no such thing"


class MethodNotAllowed(Problem):
    status, default_code, title = 405, "method_not_allowed", "This address has no such method"


class Conflict(Problem):
    status, default_code, title = 409, "conflict", "It is in another state by now"


class Gone(Problem):
    status, default_code, title = 410, "gone", "Its time is over"


class RequestTimeout(Problem):
    status, default_code, title = 408, "request_timeout", "The request took too long to arrive"


class TooLarge(Problem):
    status, default_code, title = 413, "too_large", "The request is too large"


class UnsupportedMediaType(Problem):
    status, default_code, title = 415, "unsupported_media_type", "The body has to be JSON"


class Invalid(Problem):
    status, default_code, title = 422, "invalid_request", "A value is not acceptable"

    @classmethod
    def field(cls, field: str, message: str, code: str | None = None) -> "Invalid":
        """One wrong field."""
        return cls(f"{field}: {message}" if field else message, code, errors=(FieldError(field, message),))


class TooMany(Problem):
    status, default_code, title = 429, "rate_limited", "Too many requests"


class HeadTooLarge(Problem):
    status, default_code, title = 431, "head_too_large", "The head of the request is too large"


class Internal(Problem):
    status, default_code, title = 500, "internal_error", "Something broke on our side"


class Busy(Problem):
    status, default_code, title = 503, "unavailable", "Not now"
