"""One process of a load: connections that each send the next request when they have the answer to the last.

At least one answer is waited for, however long it takes: no rate is nothing.

`python -m bench.sender SPEC` opens its connections, says `ready`, waits for a line, sends for as long as the
spec says, to the loopback interface only, and prints what it found. It knows as little as it can, to cost little.
"""

import asyncio
import random
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.alarm import Alarm
from bench.histogram import Histogram

KEY = b"<--idempotency-key->"
"""Stands in an ask where its key belongs; a key is as long, so that lengths stay true."""
FOUND = b"<found>"


class Then(Struct):
    """A second request, made of what stands between two marks in the answer to the first; both count as one."""

    before: bytes
    until: bytes
    heads: list[bytes]
    """Without the length. One for each ask, or one for all."""
    body: bytes


class Spec(Struct):
    """One process's share of a load; `load` tells what each means."""

    port: int
    asks: list[bytes]
    connections: int
    seconds: float
    ramp_s: float
    seed: int
    run: int
    status: int
    keys: int
    then: Then | None
    due: list[float]
    once: bool


class Sent(Struct):
    """What came of it."""

    latencies: Histogram
    errors: int
    took_s: float
    cpu_s: float


class Caller(asyncio.Protocol):
    """One connection. Reads no more of an answer than its status and its length."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent = 0.0
        self._number = 0
        self._then = load.spec.then
        self._following = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._load.opened(self)

    def send(self, number: int, since: float) -> None:
        """Sends an ask; its latency counts from then."""
        self._number = number
        self._sent = since
        self._transport.write(self._load.ask(number))

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = data
            return
        length = data.find(b"ontent-length: ", 0, end) + 15
        if len(data) - end - 4 < int(data[length : data.find(b"\r\n", length)]):
            self._buffer = data
            return
        self._buffer = b""
        ok = data[9:12] == self._load.status
        if self._then is not None and ok and not self._following:
            self._following = True
            self._transport.write(self._load.follow(self._then, self._number, data))
            return
        self._following = False
        self._load.answered(self, ok, self._sent)

    def close(self) -> None:
        """Ends the connection."""
        self._transport.close()


class Load:
    """What the connections of one process have in common."""

    def __init__(self, spec: Spec, alarm: Alarm) -> None:
        self.spec = spec
        self._alarm = alarm
        self._waiting: deque[tuple[float, int, Caller]] = deque()
        self.status = b"%d" % spec.status
        self.done = asyncio.Event()
        self.latencies: list[float] = []
        self._errors = 0
        self._callers: list[Caller] = []
        self._asks = spec.asks
        self._random = random.Random(spec.seed)
        self._prefix = b"%012x" % (spec.run % 2**48)
        self._count = 0
        self._followed = 0
        self._next_due = 0
        self._start = self._counted_from = self._end = 0.0
        self._last = 0.0
        self._cpu = 0.0
        self._left = spec.connections
        self._open_ended = bool(spec.due or spec.once)

    def opened(self, caller: Caller) -> None:
        """Notes a connection."""
        self._callers.append(caller)

    def start(self) -> None:
        """Begins on all connections."""
        self._loop = asyncio.get_running_loop()
        self._start = time.perf_counter()
        self._counted_from = self._start + self.spec.ramp_s
        self._end = self._counted_from + self.spec.seconds
        self._loop.call_later(self.spec.ramp_s, self._count_cpu)
        for caller in self._callers:
            self._next(caller, self._start)

    def _count_cpu(self) -> None:
        self._cpu = time.process_time()

    def _next(self, caller: Caller, now: float) -> None:
        if self.spec.due:
            self._next_that_is_due(caller, now)
        elif self.spec.once:
            if self._count < len(self._asks):
                caller.send(self._count, now)
            else:
                self._end_of(caller)
        elif now >= self._end and (self.latencies or self._errors):
            self._end_of(caller)
        else:
            caller.send(0 if len(self._asks) == 1 else self._random.randrange(len(self._asks)), now)

    def _next_that_is_due(self, caller: Caller, now: float) -> None:
        number = self._next_due
        if number == len(self.spec.due):
            self._end_of(caller)
            return
        self._next_due += 1
        due = self._start + self.spec.due[number]
        if due <= now:
            caller.send(number % len(self._asks), due)
            return
        self._waiting.append((due, number % len(self._asks), caller))
        if len(self._waiting) == 1:
            self._alarm.set(due)

    def rung(self) -> None:
        """Sends what is due by now."""
        self._alarm.heard()
        while self._waiting and self._waiting[0][0] <= time.perf_counter():
            due, ask, caller = self._waiting.popleft()
            caller.send(ask, due)
        if self._waiting:
            self._alarm.set(self._waiting[0][0])

    def ask(self, number: int) -> bytes:
        """An ask with a key."""
        self._count += 1
        key = self._count % self.spec.keys if self.spec.keys else self._count
        return self._asks[number].replace(KEY, self._prefix + b"%08d" % key)

    def follow(self, then: Then, number: int, answer: bytes) -> bytes:
        """What follows an answer."""
        self._followed += 1
        start = answer.index(then.before) + len(then.before)
        found = answer[start : answer.index(then.until, start)]
        body = then.body.replace(FOUND, found)
        head = then.heads[number % len(then.heads)].replace(FOUND, found)
        head = head.replace(KEY, b"%b%08d" % (self._prefix, 99_999_999 - self._followed))
        return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)

    def answered(self, caller: Caller, ok: bool, since: float) -> None:
        """Notes an answer, and goes on."""
        now = time.perf_counter()
        if not ok:
            self._errors += 1
        elif self._counts(since, now):
            self.latencies.append(now - since)
            self._last = now
        self._next(caller, now)

    def _counts(self, since: float, now: float) -> bool:
        if self._open_ended:
            return since >= self._counted_from
        return self._counted_from <= now and (now <= self._end or not self.latencies)

    def _end_of(self, caller: Caller) -> None:
        caller.close()
        self._left -= 1
        if not self._left:
            self.done.set()

    def sent(self) -> Sent:
        """What came of it."""
        cpu_s = time.process_time() - self._cpu
        took_s = max(0.0 if self._open_ended else self.spec.seconds, self._last - self._counted_from)
        return Sent(Histogram().note(self.latencies), self._errors, max(took_s, 1e-9), cpu_s)


async def _run(spec: Spec) -> Sent:
    loop = asyncio.get_running_loop()
    with Alarm() as alarm:
        load = Load(spec, alarm)
        loop.add_reader(alarm.fd, load.rung)
        for _ in range(spec.connections):
            await loop.create_connection(lambda: Caller(load), "127.0.0.1", spec.port)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        load.start()
        await load.done.wait()
        loop.remove_reader(alarm.fd)
    return load.sent()


def main() -> None:
    import gc

    import uvloop

    gc.disable()  # nothing here is garbage in cycles, and a pause would be counted as the server's
    spec = msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Spec)
    sys.stdout.buffer.write(msgspec.msgpack.encode(uvloop.run(_run(spec))))


if __name__ == "__main__":
    main()
