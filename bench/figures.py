"""What is measured, and how it is summed up."""

import os
import platform
import statistics
from pathlib import Path

from msgspec import Struct


class Run(Struct):
    """One run of one load."""

    per_s: float
    p50_ms: float
    p99_ms: float
    errors: int = 0


class Figure(Struct):
    """Several runs of one load: medians, and the range of the rate."""

    name: str
    per_s: float
    lowest_per_s: float
    highest_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int
    runs: int


class Claim(Struct):
    """A figure against what it has to reach."""

    what: str
    found: float
    wanted: str
    holds: bool


def summed(name: str, runs: list[Run]) -> Figure:
    """Medians of runs."""
    rates = [run.per_s for run in runs]
    return Figure(
        name=name,
        per_s=statistics.median(rates),
        lowest_per_s=min(rates),
        highest_per_s=max(rates),
        p50_ms=statistics.median(run.p50_ms for run in runs),
        p99_ms=statistics.median(run.p99_ms for run in runs),
        errors=sum(run.errors for run in runs),
        runs=len(runs),
    )


def of_latencies(latencies: list[float], seconds: float, errors: int = 0) -> Run:
    """A run out of its latencies in seconds."""
    latencies.sort()
    count = len(latencies)
    if not count:
        return Run(0, 0, 0, errors)
    return Run(
        count / seconds, latencies[count // 2] * 1000, latencies[min(count - 1, count * 99 // 100)] * 1000, errors
    )


def at_least(what: str, found: float, wanted: float) -> Claim:
    """A ratio that must not be lower."""
    return Claim(what, found, f"≥ {wanted:g}", found >= wanted)


def at_most(what: str, found: float, wanted: float) -> Claim:
    """A figure that must not be higher."""
    return Claim(what, found, f"≤ {wanted:g}", found <= wanted)


def machine() -> str:
    """The machine in a line."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores of {model}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )
