"""The machine that was measured on, and what a load costs it."""

import os
import platform
from pathlib import Path

import psutil

from bench.figures import Measures


def described() -> str:
    """The machine in a line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores of {next(models, platform.processor())}, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


class Meter:
    """CPU time that processes have taken, with their children; those of a server, and PostgreSQL's."""

    def __init__(self, postmaster: int, server: psutil.Process | None = None) -> None:
        self._of = {"server": server or psutil.Process(), "PostgreSQL": psutil.Process(postmaster)}
        self._family = {"server": server is not None, "PostgreSQL": True}
        self._start = self._now()

    def _now(self) -> Measures:
        return {name: _spent(process, self._family[name]) for name, process in self._of.items()}

    def start(self) -> None:
        """Counts from now."""
        self._start = self._now()

    def per_thousand(self, done: float) -> Measures:
        """CPU milliseconds for each of the things done since the start, which is seconds for a thousand."""
        now = self._now()
        return {f"{name} CPU s per 1,000": (now[name] - self._start[name]) / max(done, 1) * 1000 for name in now}


def _spent(process: psutil.Process, family: bool) -> float:
    """CPU seconds. What children that have ended took is their parent's."""
    total = 0.0
    for one in [process, *(process.children(recursive=True) if family else [])]:
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + (times.children_user + times.children_system if family else 0)
    return total


def resident_mib(process: psutil.Process) -> float:
    """Resident memory of one process."""
    return float(process.memory_info().rss) / 2**20
