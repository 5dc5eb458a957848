"""One exchange with a server, retries and all, without carrying a byte itself.

`exchange` is a generator: it yields what is to be done (`Send`, `Pause`) and is sent what came of it (`Reply`, `Lost`).
The shells in `carriers` do it, one with threads and one with asyncio; so the rules of asking twice stand here once, for
the own client and for the drop-in ones.

It asks again after a lost connection, 408, 429, 502, 503, 504 and a success that can't be read, always with the same
idempotency key, and only while the deadline leaves time. A request that is not `repeatable` is asked again only where
it surely did nothing: no connection came about, or 429.
"""

import random
import time
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from farebox.client.errors import BadAnswer, Unreachable

T = TypeVar("T")

PASSING = frozenset({408, 429, 502, 503, 504})
"""Statuses that may be another one next time."""


class Policy(Struct, frozen=True):
    """How patient a client is. All in seconds; `deadline_s` bounds a call with its retries and pauses."""

    timeout_s: float = 10.0
    deadline_s: float = 30.0
    attempts: int = 12
    first_pause_s: float = 0.1
    longest_pause_s: float = 5.0


class Request(Struct, frozen=True):
    """What is asked. `path` is below the server's address; `headers` are more than the client's own."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    body: bytes | None = None
    headers: Mapping[str, str] = {}
    repeatable: bool = False
    """Asking twice has the effect of asking once: it reads, it carries an idempotency key, or it says a state."""

    def __repr__(self) -> str:
        """Without headers and body, which may hold secrets."""
        return f"Request({self.method} {self.path})"


class Reply(Struct, frozen=True):
    """What came back: any status, a whole body."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes


class Lost(Struct, frozen=True):
    """No answer. `sent` is False where the request surely never left; `final` where it never will."""

    reason: str
    sent: bool
    timed_out: bool = False
    final: bool = False


class Send(Struct, frozen=True):
    """Step: send this, and bring a Reply or a Lost within `timeout_s`."""

    request: Request
    timeout_s: float


class Pause(Struct, frozen=True):
    """Step: wait."""

    seconds: float


class Tell(Struct, frozen=True):
    """Step: call this; where it gives something to await, the shell of asyncio awaits it."""

    call: Callable[[], object]


Step = Send | Pause | Tell
Program = Generator[Step, Reply | Lost | None, T]
"""What a shell runs: steps out, what came of them in, a result at the end."""

Reader = Callable[[Reply], T]
"""Makes a success's result; raises BadAnswer where it can't be read. Of an error answer it makes what it likes."""


def exchange(request: Request, read: Reader[T], policy: Policy, *, retry: frozenset[int] = PASSING) -> Program[T]:
    """Asks until there is an answer to keep; that, read. Raises Unreachable, BadAnswer, and what `read` raises."""
    began = time.monotonic()
    maybe_done = False
    for attempt in range(1, policy.attempts + 1):
        left_s = policy.deadline_s - (time.monotonic() - began)
        got = yield Send(request, max(min(policy.timeout_s, left_s), 0.001))
        assert got is not None
        if maybe_done and request.method == "DELETE" and isinstance(got, Reply) and got.status == 404:
            return read(Reply(204, {}, b""))  # an attempt before this one has ended it
        pause_s = _pause_s(policy, attempt, got)
        last = attempt == policy.attempts or time.monotonic() - began + pause_s >= policy.deadline_s
        if isinstance(got, Lost):
            if last or got.final or not (request.repeatable or not got.sent):
                unknown = (maybe_done or got.sent) and request.method != "GET"  # any attempt may have done it
                raise Unreachable(got.reason, maybe_done=unknown, timed_out=got.timed_out)
        elif not _passing(request, got, retry) or last:
            if maybe_done and request.method != "GET" and _passing(request, got, retry) and not _maybe_done(got):
                raise Unreachable(f"an answer was lost, and the last one is {got.status}", maybe_done=True)
            try:
                return read(got)
            except BadAnswer:
                if last or not request.repeatable or got.status >= 300:
                    raise
        maybe_done = maybe_done or _maybe_done(got)
        yield Pause(pause_s)
    raise AssertionError("the last attempt returns or raises")


def foreign(
    request: Request,
    read: Reader[T],
    policy: Policy,
    failed: Callable[[Unreachable | BadAnswer], Exception],
    *,
    retry: frozenset[int] = PASSING,
) -> Program[T]:
    """An exchange for a client with errors of its own: `failed` makes one of what went wrong on the way."""
    try:
        return (yield from exchange(request, read, policy, retry=retry))
    except (Unreachable, BadAnswer) as error:
        raise failed(error) from None


def members(reply: Reply) -> dict[str, Any]:
    """The members of an answer's JSON object.

    Of a success that is none: BadAnswer, so that it is asked for again. Of an error: its text, as `message`; where the
    dialect's path is missing in the client's address, it comes from the native API, whose `detail` it is.
    """
    try:
        found = msgspec.json.decode(reply.content, type=dict[str, Any])
        return found if reply.status < 300 or "detail" not in found else {"message": found["detail"], **found}
    except (msgspec.MsgspecError, UnicodeDecodeError):
        if reply.status < 300:
            raise BadAnswer("the answer is not what this call is answered with", reply.status) from None
        return {"message": reply.content.decode("utf-8", "replace")}


def _maybe_done(got: Reply | Lost) -> bool:
    """Whether an attempt that brought no answer to keep may have been carried out: of its own 503, a server says it."""
    if isinstance(got, Lost):
        return got.sent
    return got.status not in (408, 429, 503) or b"outcome_unknown" in got.content.lower()


def _passing(request: Request, reply: Reply, retry: frozenset[int]) -> bool:
    return reply.status in retry and (request.repeatable or reply.status == 429)


def _pause_s(policy: Policy, attempt: int, got: Reply | Lost) -> float:
    """How long to wait: what the server says, or twice as long each time; varied, so that not all come at once."""
    backoff_s = min(policy.first_pause_s * 2 ** (attempt - 1), policy.longest_pause_s)
    told_s = retry_after_s(got) if isinstance(got, Reply) else None
    return (
        backoff_s * random.uniform(0.5, 1.0) if told_s is None else told_s + random.uniform(0.0, policy.first_pause_s)
    )


def retry_after_s(reply: Reply) -> float | None:
    """What Retry-After says, in seconds from now: a number or an HTTP date. None where it can't be read."""
    text = reply.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    from email.utils import parsedate_to_datetime  # of little use, and slow to import

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)
