"""What a call can raise.

FareboxError
├── Unreachable              no answer came; `maybe_done` says whether the request may have been carried out
├── BadAnswer                an answer that is none of Farebox's: a proxy's page, a cut body
├── NotConnected             nobody connected in time; `session` says how far it came
├── NoUsage                  an AI service's answer that a meter can't read any usage from
└── Problem                  the server's own error: `http_status`, `code`, `detail`, `errors`, `retry_after_s`
    ├── BadRequest           400: malformed
    ├── Unauthorized         401: no valid key
    ├── PaymentRequired      402: the wallet does not hold enough; `available` says what it holds
    ├── Forbidden            403: a grant's limit or end, or a key that may not do this
    ├── NotFound             404: absent, or not yours to see
    ├── Conflict             409: in another state by now
    ├── Gone                 410: its time is over
    ├── TooLarge             413: more than the server takes
    ├── Invalid              422: a value is not acceptable; `errors` says which
    ├── TooMany              429: a rate limit that the deadline did not outlast
    └── ServerProblem        5xx: broken, or away for longer than the deadline
        └── Unavailable      503: nothing was done, or `code` is `outcome_unknown`: the same key will tell
"""

from typing import Any

import msgspec
from msgspec import Struct


class FieldError(Struct, frozen=True):
    """What is wrong where: a JSON path such as `usage.input_tokens`, and why."""

    field: str
    message: str


class FareboxError(Exception):
    """Whatever goes wrong with a call. Goes whole from one process to another."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Else it would be made again of its text alone, which fails here: a pool of processes then waits for ever.
        return _again, (type(self), self.args), self.__dict__


def _again(kind: type[FareboxError], args: tuple[Any, ...]) -> FareboxError:
    return kind.__new__(kind, *args)


class Unreachable(FareboxError):
    """No answer came within the deadline."""

    def __init__(self, reason: str, *, maybe_done: bool, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.maybe_done = maybe_done
        """Whether it may have been carried out: ask again with the same idempotency key."""
        self.timed_out = timed_out


class BadAnswer(FareboxError):
    """Something answered that does not speak as Farebox does."""

    def __init__(self, message: str, http_status: int) -> None:
        super().__init__(message)
        self.http_status = http_status


class NoUsage(FareboxError):
    """An answer told no usage. Of OpenAI's streams it has to be asked for."""

    def __init__(self) -> None:
        super().__init__(
            "the answer tells no usage: ask for it (stream_options={'include_usage': True} for a stream of OpenAI's), "
            "or say it with used()"
        )


class Problem(FareboxError):
    """An error answer. `code` is for programs, `detail` for people."""

    def __init__(self, http_status: int, body: dict[str, Any], retry_after_s: float | None = None) -> None:
        self.http_status = http_status
        self.code: str = body["code"]
        self.detail: str = body["detail"]
        self.request_id: str | None = body.get("request_id")
        self.errors: tuple[FieldError, ...] = msgspec.convert(body.get("errors", ()), tuple[FieldError, ...])
        self.retry_after_s = retry_after_s
        self.id: str | None = body.get("id")
        """Of a refused charge, hold or movement: it is kept, and can be explained."""
        self.amount: int | None = body.get("amount")
        """What was refused, in units."""
        self.available: int | None = body.get("available")
        """What the wallet has, in units, with a refusal."""
        self.remaining: int | None = body.get("remaining")
        """What is left of the grant's limit, in units, with a refusal; None also without a limit."""
        self.nearest: list[str] = body.get("nearest", [])
        """With `unknown_model`: models whose names are like it."""
        super().__init__(f"{self.detail} [{http_status} {self.code}]")


class BadRequest(Problem):
    """400."""


class Unauthorized(Problem):
    """401."""


class PaymentRequired(Problem):
    """402."""


class Forbidden(Problem):
    """403."""


class NotFound(Problem):
    """404."""


class Conflict(Problem):
    """409."""


class Gone(Problem):
    """410."""


class TooLarge(Problem):
    """413."""


class Invalid(Problem):
    """422."""


class TooMany(Problem):
    """429."""


class ServerProblem(Problem):
    """5xx."""


class Unavailable(ServerProblem):
    """503."""


OF_STATUS: dict[int, type[Problem]] = {
    400: BadRequest,
    401: Unauthorized,
    402: PaymentRequired,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: Invalid,
    429: TooMany,
    503: Unavailable,
}


def problem_of(status: int, content: bytes, retry_after_s: float | None) -> FareboxError:
    """The error that an answer is; BadAnswer where it is not one of Farebox's."""
    try:
        body = msgspec.json.decode(content, type=dict[str, Any])
        kind = OF_STATUS.get(status, ServerProblem if status >= 500 else Problem)
        return kind(status, body, retry_after_s)
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError):
        return BadAnswer(f"status {status}, and no error of Farebox's: is this its address?", status)
