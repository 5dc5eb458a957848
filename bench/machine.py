"""The machine that was measured on, and what a load costs it."""

import asyncio
import os
import platform
from pathlib import Path

import asyncpg
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
    """CPU time of a server and of PostgreSQL, with their children.

    With a `url`, what PostgreSQL has logged too; that is for synchronous code only.
    """

    def __init__(self, postmaster: int, server: psutil.Process | None = None, url: str = "") -> None:
        self._url = url
        self._of = {"server": server or psutil.Process(), "PostgreSQL": psutil.Process(postmaster)}
        self._family = {"server": server is not None, "PostgreSQL": True}
        self._start = self._now()

    def _now(self) -> Measures:
        found = {f"{name} CPU s per 1,000": _spent(one, self._family[name]) for name, one in self._of.items()}
        if self._url:
            found["log kB each"] = asyncio.run(_log_bytes(self._url)) / 1_000_000
        return found

    def start(self) -> None:
        """Counts from now."""
        self._start = self._now()

    def per_thousand(self, done: float) -> Measures:
        """What was spent since the start: CPU seconds for a thousand of the things done; log for each. And memory."""
        now = self._now()
        found = {name: (spent - self._start[name]) / max(done, 1) * 1000 for name, spent in now.items()}
        return found | ({"server resident MiB": resident_mib(self._of["server"])} if self._url else {})


async def _log_bytes(url: str) -> float:
    """How much PostgreSQL has written into its log (WAL) since it was made."""
    conn = await asyncpg.connect(url)
    found: int = await conn.fetchval("SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint")
    await conn.close()
    return float(found)


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
