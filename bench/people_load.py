"""A load of transfers between people: each connection creates one, confirms it, and goes on to the next.

Runs in processes of its own (`python -m bench.people_load SPEC.json`, which it replaces by what it found), sends to the
loopback interface only, and stops by itself.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.figures import Run, of_latencies

Sender = tuple[str, str]
"""An e-mail address, and it with the password as Basic auth has them."""


class Spec(Struct):
    """One process's share of a load."""

    port: int
    people: list[Sender]
    connections: int
    seconds: float
    seed: int
    sign_in: bool
    """Everybody once, and then the end; no transfers."""


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._started = 0.0
        self._auth = ""
        self._confirming = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        self._started = time.perf_counter()
        request = self._load.request(self._started)
        if request is None:
            self._transport.close()
            return
        self._confirming = self._load.spec.sign_in
        self._auth, head_and_body = request
        self._transport.write(head_and_body)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._buffer = b""
        ok = head[9:12] == b"200"
        if ok and not self._confirming:
            self._confirming = True
            number = body.split(b'"id":"', 1)[1].split(b'"', 1)[0]
            content = b'{"transactionId":"%b"}' % number
            self._transport.write(message("POST", "/transaction/confirm", self._auth, content))
            return
        self._load.answered(ok, time.perf_counter() - self._started)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.gone()


class Load:
    """What the connections of one process have in common."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.latencies: list[float] = []
        self.errors = 0
        self.done = asyncio.Event()
        self._open = spec.connections
        self._end = time.perf_counter() + spec.seconds
        self._random = random.Random(spec.seed)
        self._signing_in: Iterator[Sender] = iter(spec.people)

    def request(self, now: float) -> tuple[str, bytes] | None:
        """The next first request, with what authenticates it; None at the end."""
        if self.spec.sign_in:
            one = next(self._signing_in, None)
            return None if one is None else (one[1], message("GET", "/user/my-info", one[1], b""))
        if now >= self._end:
            return None
        (sender, auth), (recipient, _) = self._random.sample(self.spec.people, 2)
        body = {"senderEmail": sender, "recipientEmail": recipient, "amount": 0.001, "appName": "bench"}
        return auth, message("POST", "/transaction/create", auth, msgspec.json.encode(body))

    def answered(self, ok: bool, latency: float) -> None:
        """Notes a transfer, or one that failed."""
        if ok:
            self.latencies.append(latency)
        else:
            self.errors += 1

    def gone(self) -> None:
        """Notes a connection that has ended."""
        self._open -= 1
        if not self._open:
            self.done.set()


def message(method: str, path: str, auth: str, body: bytes) -> bytes:
    """A whole request."""
    head = (
        f"{method} /syftbox{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {auth}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _run(spec: Spec) -> tuple[list[float], int]:
    load = Load(spec)
    for _ in range(spec.connections):
        await asyncio.get_running_loop().create_connection(lambda: Caller(load), "127.0.0.1", spec.port)
    await load.done.wait()
    return load.latencies, load.errors


def transfers(
    port: int, people: list[Sender], connections: int, seconds: float, *, sign_in: bool = False, processes: int = 2
) -> Run:
    """Sends a load from processes of its own; their answers taken together."""
    with tempfile.TemporaryDirectory() as directory:
        children = []
        start = time.perf_counter()
        for number in range(processes):
            mine = people[number::processes] if sign_in else people
            spec = Spec(port, mine, connections // processes, seconds, random.randrange(10**9), sign_in)
            path = Path(directory) / f"{number}.json"
            path.write_bytes(msgspec.json.encode(spec))
            children.append((subprocess.Popen([sys.executable, "-m", "bench.people_load", str(path)]), path))
        latencies: list[float] = []
        errors = 0
        for child, path in children:
            if child.wait(timeout=900):
                raise RuntimeError(f"a load ended with status {child.returncode}")
            part, failed = msgspec.json.decode(path.read_bytes(), type=tuple[list[float], int])
            latencies += part
            errors += failed
        return of_latencies(latencies, seconds or time.perf_counter() - start, errors)


def main() -> None:
    import uvloop

    path = Path(sys.argv[1])
    spec = msgspec.json.decode(path.read_bytes(), type=Spec)
    path.write_bytes(msgspec.json.encode(uvloop.run(_run(spec))))


if __name__ == "__main__":
    main()
