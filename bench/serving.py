"""Servers to be measured, each in processes of its own."""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from bench.figures import Run
from bench.load import load
from bench.machine import Meter
from bench.rounds import Variant
from bench.sender import Then
from bench.world import World

OURS = "bench.farebox_server"
BARE = "bench.baselines.bare_asgi"
ORM = "bench.baselines.fastapi_orm"


class Server(Struct):
    """One that answers."""

    port: int
    process: psutil.Process
    meter: Meter

    def visit(self, asks: Sequence[bytes]) -> None:
        """Sends it each of these asks once: it has seen what they name before anything is measured."""
        load(self.port, asks, 64, seconds=60, once=True)

    def variant(
        self,
        name: str,
        asks: Sequence[bytes],
        connections: int = 64,
        *,
        status: int = 200,
        keys: int = 0,
        then: Then | None = None,
        weight: int = 1,
    ) -> Variant:
        """Sends it these asks, from so many connections."""

        def run(seconds: float) -> Run:
            return load(
                self.port,
                asks,
                connections,
                seconds,
                status=status,
                keys=keys,
                then=then,
                weight=weight,
                meter=self.meter,
            )

        return Variant(name, run)


@contextlib.contextmanager
def served(world: World, module: str = OURS, *arguments: str, workers: int = 1) -> Iterator[Server]:
    """A server in a process of its own, or in several, answering until the block ends."""
    more = [f"workers={workers}"] if workers > 1 else []
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "world.json"
        path.write_bytes(msgspec.json.encode(world))
        command = [sys.executable, "-m", module, str(path), *arguments, *more]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            port = int(child.stdout.readline() or 0)
            if not port:
                raise RuntimeError(f"{module} did not start")
            _until_listened_to(port, workers)
            process = psutil.Process(child.pid)
            yield Server(port, process, Meter(world.postmaster, process, world.url))
        finally:
            child.stdin.close()
            child.wait(timeout=60)


def _until_listened_to(port: int, times: int) -> None:
    """Waits until so many processes listen on it."""
    ends = f":{port:04X}"
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up:
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        if sum(row[1].endswith(ends) and row[3] == "0A" for row in rows) >= times:
            return
        time.sleep(0.05)
    raise RuntimeError(f"fewer than {times} processes listen")
