"""Follows a stream of server-sent events through lost connections: reads its lines, and says when to come back.

`Following` is what both shells share; they bring lines and wait.
"""

import random
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from farebox.client.core import Lost, Policy, Reply, Request, retry_after_s
from farebox.client.errors import BadAnswer, Unreachable, problem_of

T = TypeVar("T")

QUIET_S = 60.0
"""A stream that is silent for so long, without a heartbeat, is taken for lost."""

PASSING = frozenset({408, 429, 502, 503, 504})


class Following(Generic[T]):
    """A stream as it has been read so far."""

    def __init__(self, path: str, result: type[T], policy: Policy) -> None:
        self._path = path
        self._result = result
        self._policy = policy
        self._last_id: str | None = None
        self._data: list[str] = []
        self._heard_at = time.monotonic()
        self._failures = 0

    def request(self) -> Request:
        """Opens the stream, after what was heard last."""
        resumed = {} if self._last_id is None else {"Last-Event-ID": self._last_id}
        return Request("GET", self._path, headers={"Accept": "text/event-stream"} | resumed, repeatable=True)

    def line(self, line: str) -> T | None:
        """Takes in a line; the message that it ends. Raises BadAnswer for one that is none of Farebox's."""
        self._heard_at, self._failures = time.monotonic(), 0
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            self._last_id = value
        elif name == "data":
            self._data.append(value)
        elif not line and self._data:
            text, self._data = "\n".join(self._data), []
            try:
                return msgspec.json.decode(text, type=self._result)
            except (msgspec.MsgspecError, UnicodeError):
                raise BadAnswer("an event is not what this stream tells", 200) from None
        return None

    def pause_s(self, ended: Reply | Lost | None) -> float:
        """How long to wait before asking again; raises Problem where that is no use, Unreachable after the deadline."""
        self._data = []
        told_s = None
        if isinstance(ended, Reply):
            told_s = retry_after_s(ended)
            if ended.status not in PASSING:
                raise problem_of(ended.status, ended.content, told_s)
        backoff_s = min(self._policy.first_pause_s * 2**self._failures, self._policy.longest_pause_s)
        pause_s = backoff_s * random.uniform(0.5, 1.0) if told_s is None else told_s
        self._failures = min(self._failures + 1, 30)
        if time.monotonic() - self._heard_at + pause_s > self._policy.deadline_s:
            reason = ended.reason if isinstance(ended, Lost) else "the stream does not come back"
            raise Unreachable(reason, maybe_done=False)
        return pause_s


def follow(carrier: Any, following: Following[T]) -> Iterator[T]:
    """The messages, as they come."""
    while True:
        lines = carrier.lines(following.request(), QUIET_S)
        ended: Reply | Lost | None = None
        for line in lines:
            if not isinstance(line, str):
                ended = line
                break
            found = following.line(line)
            if found is not None:
                yield found
        time.sleep(following.pause_s(ended))


async def follow_async(carrier: Any, following: Following[T]) -> AsyncIterator[T]:
    """The same for asyncio."""
    import asyncio  # a client with threads does not need it

    while True:
        ended: Reply | Lost | None = None
        async for line in carrier.lines(following.request(), QUIET_S):
            if not isinstance(line, str):
                ended = line
                break
            found = following.line(line)
            if found is not None:
                yield found
        await asyncio.sleep(following.pause_s(ended))
