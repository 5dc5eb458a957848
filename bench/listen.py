"""Listeners: event streams of wallets, held open by a process of their own, which notes how late each change arrives.

`python -m bench.listen SPEC.json` says `ready` when every stream has had its first message. For every line that it is
given, it prints the delays in seconds since the last one, from a change's own time to its arrival.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

CONNECTS_AT_ONCE = 100


class Spec(Struct):
    """Which streams."""

    port: int
    key: str
    wallets: list[int]
    streams: int


class Listener(asyncio.Protocol):
    """One stream."""

    def __init__(self, found: "Found", wallet: int) -> None:
        self._found = found
        self._wallet = wallet
        self._first = True
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        head = f"GET /v1/wallets/{self._wallet}/events HTTP/1.1\r\nHost: x\r\n"
        transport.write(f"{head}Authorization: Bearer {self._found.key}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        now = time.time()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            if not line.startswith(b"data: "):
                continue
            if self._first:
                self._first = False
                self._found.opened.release()
            else:
                at = datetime.fromisoformat(json.loads(line[6:])["at"]).timestamp()
                self._found.delays.append(now - at)


class Found:
    """What the streams of a process have in common."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.delays: list[float] = []
        self.opened = asyncio.Semaphore(0)


async def _run(spec: Spec) -> None:
    loop, found = asyncio.get_running_loop(), Found(spec.key)
    for start in range(0, spec.streams, CONNECTS_AT_ONCE):
        some = range(start, min(start + CONNECTS_AT_ONCE, spec.streams))
        for number in some:
            wallet = spec.wallets[number % len(spec.wallets)]
            await loop.create_connection(lambda wallet=wallet: Listener(found, wallet), "127.0.0.1", spec.port)  # type: ignore[misc]
        for _ in some:
            await found.opened.acquire()
    found.delays.clear()
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        delays, found.delays = found.delays, []
        print(json.dumps(delays), flush=True)


@contextmanager
def listening(spec: Spec) -> Iterator[Callable[[], list[float]]]:
    """Streams that are open until the block ends; a call gives the delays since the last one."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "listen.json"
        path.write_bytes(msgspec.json.encode(spec))
        command = [sys.executable, "-m", "bench.listen", str(path)]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        told, answers = child.stdin, child.stdout
        assert told is not None
        assert answers is not None

        def delays() -> list[float]:
            told.write(b"\n")
            told.flush()
            return msgspec.json.decode(answers.readline(), type=list[float])

        if answers.readline().strip() != b"ready":
            raise RuntimeError("the streams did not open")
        try:
            yield delays
        finally:
            told.close()
            child.wait(timeout=60)


def main() -> None:
    import uvloop

    spec = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Spec)
    uvloop.run(_run(spec))


if __name__ == "__main__":
    main()
