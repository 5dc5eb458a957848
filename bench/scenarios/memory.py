"""Memory of one worker: at rest, under load, and whether it stays."""

import contextlib
import itertools
import statistics
import threading
import time
from collections.abc import Iterator, Sequence

import psutil

from bench import asks
from bench.figures import Claim, Figure, Run, at_most
from bench.ground import Ground
from bench.load import load
from bench.machine import resident_mib
from bench.rounds import Stage, Variant
from bench.serving import Server, served
from bench.world import World

PACE = 500
"""Charges a second while memory is watched for long: it takes an hour, and the machine has other things to do."""
REST, LOADED = "resident at rest, MiB", "resident under load, MiB"
FIRST, LAST, MOST = "resident, second tenth, MiB", "resident, last tenth, MiB", "resident, most, MiB"
FRESH, WATCHED = "a fresh worker, 64 connections at full speed", f"a worker watched, {PACE} charges a second"


@contextlib.contextmanager
def memory(ground: Ground) -> Iterator[Stage]:
    """A fresh worker each round: at rest, and then when all wallets have been charged as fast as it can."""
    world = ground.world
    yield Stage(
        "Memory of one worker, all wallets charged",
        [Variant(FRESH, lambda seconds: _fresh(world, seconds))],
        _claims_of_fresh,
    )


@contextlib.contextmanager
def flat(ground: Ground) -> Iterator[Stage]:
    """One worker, watched for as long as is asked for."""
    world, watched_s = ground.world, ground.effort.memory_s
    with served(world) as server:
        yield Stage(
            f"Memory of one worker over {watched_s / 60:.0f} minutes, all wallets charged",
            [Variant(WATCHED, lambda seconds: _watched(server, world, seconds), watched_s)],
            _claims_of_watched,
            lambda figures: _note(figures[WATCHED]),
        )


def _fresh(world: World, seconds: float) -> Run:
    with served(world) as server:
        rest = resident_mib(server.process)
        run = load(server.port, asks.conxa(world, world.payers), 64, seconds, meter=server.meter)
        run.measures |= {REST: rest, LOADED: resident_mib(server.process)}
        return run


def _watched(server: Server, world: World, seconds: float) -> Run:
    samples: list[float] = []
    ended = threading.Event()
    watcher = threading.Thread(target=_sample, args=(server.process, seconds, samples, ended))
    watcher.start()
    try:
        due = [number / PACE for number in range(int(seconds * PACE))]
        run = load(server.port, asks.conxa(world, world.payers), 64, seconds, due=due, meter=server.meter)
    finally:
        ended.set()
        watcher.join()
    tenth = max(1, len(samples) // 10)
    # Not the first tenth: what is remembered of each payer fills up there.
    run.measures |= {
        FIRST: statistics.median(samples[tenth : 2 * tenth] or samples),
        LAST: statistics.median(samples[-tenth:]),
        MOST: max(samples),
    }
    return run


def _sample(process: psutil.Process, seconds: float, samples: list[float], ended: threading.Event) -> None:
    start = time.monotonic()
    for number in itertools.count():
        if ended.wait(max(0.0, start + number * seconds / 200 - time.monotonic())):
            return
        samples.append(resident_mib(process))


def _claims_of_fresh(figures: dict[str, Figure]) -> list[Claim]:
    fresh = figures[FRESH].measures
    return [
        at_most("a worker at rest, MB", _megabytes(fresh[REST]), 120),
        at_most("a worker under load, MB", _megabytes(fresh[LOADED]), 200),
    ]


def _claims_of_watched(figures: dict[str, Figure]) -> list[Claim]:
    watched = figures[WATCHED].measures
    grown = [last / first for first, last in zip(watched[FIRST], watched[LAST], strict=True)]
    return [
        at_most("a worker watched under load: most memory, MB", _megabytes(watched[MOST]), 200),
        at_most("memory under load stays: last tenth of the time / second tenth", grown, 1.05),
    ]


def _megabytes(mib: Sequence[float]) -> list[float]:
    return [each * 1.048576 for each in mib]


def _note(watched: Figure) -> str:
    return (
        f"{watched.latencies.total:,} charges: {watched.measure(FIRST):.0f} MiB in the second tenth of the time, "
        f"{watched.measure(LAST):.0f} in the last, {watched.measure(MOST):.0f} at most."
    )
