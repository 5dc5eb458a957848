"""A load over HTTP: connections that each send the next request when they have the answer to the last.

Runs in processes of its own (`python -m bench.load SPEC.json`, which it replaces by what it found), sends to the
loopback interface only, and stops by itself.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.figures import Run, of_latencies
from bench.world import MODEL

BODY = json.dumps({"model_name": MODEL, "input_tokens": 374, "output_tokens": 44}).encode()


class Spec(Struct):
    """One process's share of a load."""

    port: int
    api_key: str
    tokens: list[str]
    connections: int
    seconds: float
    seed: int
    keyed: bool = True


class Caller(asyncio.Protocol):
    """One connection. Reads no more of an answer than its status and its length."""

    def __init__(self, load: "Load") -> None:
        self._load = load
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        self._sent = time.perf_counter()
        if self._sent >= self._load.end:
            self._transport.close()
            return
        self._transport.write(self._load.request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._buffer = b""
        self._load.answered(head[9:12] == b"200", time.perf_counter() - self._sent)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.gone()


class Load:
    """What the connections of one process have in common."""

    def __init__(self, spec: Spec, start: float) -> None:
        self.end = start + spec.seconds
        self.latencies: list[float] = []
        self.errors = 0
        self._open = spec.connections
        self.done = asyncio.Event()
        self._random = random.Random(spec.seed)
        self._count = 0
        self._seed = spec.seed
        self._heads = [
            (
                f"POST /conxa/charge/authorize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Accept: application/json\r\nX-Provider-API-Key: {spec.api_key}\r\nX-Provider-Session: {token}\r\n"
                f"Content-Length: {len(BODY)}\r\n"
            ).encode()
            for token in spec.tokens
        ]
        self._keyed = spec.keyed

    def request(self) -> bytes:
        """The next request, of a random payer."""
        self._count += 1
        head = self._heads[0] if len(self._heads) == 1 else self._random.choice(self._heads)
        key = b"X-Idempotency-Key: %d-%d-%d\r\n" % (self._seed, self._count, int(self.end * 1000))
        return head + (key if self._keyed else b"") + b"\r\n" + BODY

    def answered(self, ok: bool, latency: float) -> None:
        """Notes an answer."""
        if ok:
            self.latencies.append(latency)
        else:
            self.errors += 1

    def gone(self) -> None:
        """Notes a connection that has ended."""
        self._open -= 1
        if not self._open:
            self.done.set()


async def _run(spec: Spec) -> tuple[list[float], int]:
    loop = asyncio.get_running_loop()
    load = Load(spec, time.perf_counter())
    for _ in range(spec.connections):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", spec.port)
    await load.done.wait()
    return load.latencies, load.errors


def load(port: int, api_key: str, tokens: list[str], connections: int, seconds: float, processes: int = 2) -> Run:
    """Sends a load from processes of its own; their answers taken together."""
    processes = min(processes, connections)
    with tempfile.TemporaryDirectory() as directory:
        children = []
        for number in range(processes):
            share = connections // processes + (number < connections % processes)
            spec = Spec(port, api_key, tokens, share, seconds, random.randrange(10**9))
            path = Path(directory) / f"{number}.json"
            path.write_bytes(msgspec.json.encode(spec))
            command = [sys.executable, "-m", "bench.load", str(path)]
            children.append((subprocess.Popen(command), path))
        latencies: list[float] = []
        errors = 0
        for child, path in children:
            if child.wait(timeout=seconds + 60):
                raise RuntimeError(f"a load ended with status {child.returncode}")
            part, failed = msgspec.json.decode(path.read_bytes(), type=tuple[list[float], int])
            latencies += part
            errors += failed
    return of_latencies(latencies, seconds, errors)


def main() -> None:
    import uvloop

    path = Path(sys.argv[1])
    spec = msgspec.json.decode(path.read_bytes(), type=Spec)
    path.write_bytes(msgspec.json.encode(uvloop.run(_run(spec))))


if __name__ == "__main__":
    main()
