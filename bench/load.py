"""Sends a load over HTTP from processes of its own, and notes how long each answer took.

The same generator for everything that is measured over HTTP. A process of it is `python -m bench.sender SPEC`.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from bench.figures import Run
from bench.histogram import Histogram
from bench.machine import Meter
from bench.sender import Sent, Spec, Then

RAMP_S = 0.15
"""Connections are open and caches warm before anything is counted."""


def load(
    port: int,
    asks: Sequence[bytes],
    connections: int,
    seconds: float,
    *,
    status: int = 200,
    keys: int = 0,
    then: Then | None = None,
    due: Sequence[float] = (),
    warm_s: float = 0.0,
    once: bool = False,
    meter: Meter | None = None,
    weight: int = 1,
    processes: int = 2,
) -> Run:
    """Sends asks for so long; what came back.

    `connections` in all send the next ask when they have the answer to the last, or, where `due` is given, when one is
    due (seconds since the start): then latencies count from when it was due, whoever is late. Where there are as many
    asks as moments, each has its own; what is due in the first `warm_s` is sent and not counted. `keys` bounds how many
    different idempotency keys are used; 0 never repeats one. With `once`, each ask is sent once, and that is the end.
    `weight` is how many things one ask does.
    """
    processes = min(processes, connections, len(due) or connections)
    ramp_s = warm_s if due or once else RAMP_S
    shared = once or len(due) == len(asks)
    specs = [
        Spec(
            port=port,
            asks=list(asks[number::processes] if shared else asks),
            connections=connections // processes + (number < connections % processes),
            seconds=seconds,
            ramp_s=ramp_s,
            seed=number,
            run=time.time_ns() // 1000 + number if not keys else number,
            status=status,
            keys=keys,
            then=then,
            due=list(due[number::processes]),
            once=once,
        )
        for number in range(processes)
    ]
    sent = _sent(specs, lambda: _started(meter, ramp_s))
    latencies = Histogram()
    for part in sent:
        latencies.add(part.latencies)
    done = latencies.total
    took = max(part.took_s for part in sent)
    measures = {"generator CPU s per 1,000": sum(part.cpu_s for part in sent) / max(done * weight, 1) * 1000}
    if meter is not None:
        measures |= meter.per_thousand(done * weight)
    return Run(done * weight / took, latencies, sum(part.errors for part in sent), measures)


def _started(meter: Meter | None, ramp_s: float) -> None:
    time.sleep(ramp_s)
    if meter is not None:
        meter.start()


def _sent(specs: Sequence[Spec], started: Callable[[], None]) -> list[Sent]:
    """Runs a process for each; they wait for each other before they begin."""
    with tempfile.TemporaryDirectory() as directory:
        children = []
        for number, spec in enumerate(specs):
            path = Path(directory) / str(number)
            path.write_bytes(msgspec.msgpack.encode(spec))
            command = [sys.executable, "-m", "bench.sender", str(path)]
            children.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        for child in children:
            assert child.stdout is not None
            if child.stdout.readline() != b"ready\n":
                raise RuntimeError("the load's connections did not open")
        for child in children:
            assert child.stdin is not None
            child.stdin.write(b"go\n")
            child.stdin.flush()
        started()
        found = [child.communicate(timeout=900 + specs[0].seconds)[0] for child in children]
    for child in children:
        if child.returncode:
            raise RuntimeError(f"a process of the load ended with status {child.returncode}")
    return [msgspec.msgpack.decode(answer, type=Sent) for answer in found]
