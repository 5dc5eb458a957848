"""How soon `farebox serve` answers on a data directory that it has had before, and what it weighs then."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
from tests.support.processes import ServerProcess

from bench.figures import Claim, Figure, Run, at_most, run_of
from bench.ground import Ground
from bench.machine import resident_mib
from bench.rounds import Stage, Variant

READY = "farebox serve, until /ready says yes"
REST = "resident at rest, MiB"


@contextlib.contextmanager
def startup(_: Ground) -> Iterator[Stage]:
    """With the embedded database and the default price book, as installed."""
    with tempfile.TemporaryDirectory(prefix="farebox-bench-") as directory:
        Path(directory).chmod(0o755)
        server = ServerProcess(Path(directory) / "data", default_prices="genai-prices")
        try:
            server.start()
            server.stop()
            yield Stage(
                "Starting: `farebox serve` on an existing data directory, embedded PostgreSQL, 2,500 models",
                [Variant(READY, lambda _: _started(server))],
                _claims,
            )
        finally:
            server.clean_up()


def _started(server: ServerProcess) -> Run:
    took = server.start()
    assert server.process is not None
    rest = resident_mib(psutil.Process(server.process.pid))
    server.stop()
    run = run_of([took], took)
    run.measures[REST] = rest
    return run


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    found = figures[READY]
    rest = [mib * 1.048576 for mib in found.measures[REST]]
    return [
        at_most("farebox serve on an existing data directory: ready, s", [ms / 1000 for ms in found.p50s_ms], 2),
        at_most("a worker at rest with the default price book, MB", rest, 120),
    ]
