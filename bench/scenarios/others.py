"""A charge over HTTP against another ledger's, and against what PostgreSQL and the disk allow."""

import asyncio
import contextlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg

from bench import asks
from bench.apart import apart, missing
from bench.figures import Claim, Figure, Run, at_least, best, ratio
from bench.ground import Ground
from bench.histogram import Histogram
from bench.rounds import Stage, Variant
from bench.serving import served
from bench.world import World
from farebox.db.embedded import programs_dir

OURS = "Farebox over HTTP, one hot wallet, 64 connections"
THEIRS = "django-hordak, one hot wallet"
ROWS = 64
_TABLE = "CREATE TABLE IF NOT EXISTS public.bench_rows (id bigserial PRIMARY KEY, row text NOT NULL)"
_ROW = "INSERT INTO public.bench_rows (row) SELECT repeat('x', 250) FROM generate_series(1, {rows});\n"


@contextlib.contextmanager
def others(ground: Ground) -> Iterator[Stage]:
    """Each by its own public tools, on the same PostgreSQL with the same durable settings."""
    world = ground.world
    asyncio.run(_prepare(world))
    hot, absent = asks.conxa(world, world.payers[:1]), missing("hordak")
    with contextlib.ExitStack() as opened:
        theirs = [
            opened.enter_context(
                apart(f"{THEIRS}, {count} process{'es' * (count > 1)}", "hordak", str(count), env=_env(world))
            )
            for count in (() if absent else (1, 4))
        ]
        inserts, without = _inserts(world, Path(opened.enter_context(tempfile.TemporaryDirectory())))
        ours = opened.enter_context(served(world)).variant(OURS, hot)
        yield Stage(
            "A charge over HTTP against django-hordak without HTTP, and against plain inserts (pgbench)",
            [ours, *theirs, *inserts],
            _claims,
            skipped=[*absent, *without],
        )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    ours = figures[OURS]
    theirs = [figure for name, figure in figures.items() if name.startswith(THEIRS)]
    if not theirs:
        return []
    found = ratio(ours, best(theirs))
    return [at_least("Farebox over HTTP / django-hordak without HTTP, one hot wallet", found, 50)]


async def _prepare(world: World) -> None:
    """A table for plain rows, and an empty database for django-hordak's."""
    conn = await asyncpg.connect(world.owner_url)
    await conn.execute(_TABLE)
    await conn.execute("DROP DATABASE IF EXISTS hordak")
    await conn.execute("CREATE DATABASE hordak")
    await conn.close()


def _env(world: World) -> dict[str, str]:
    """Where it is, as Django asks for it."""
    found = urlsplit(world.owner_url)
    host = parse_qs(found.query).get("host", [found.hostname or ""])[0]
    return {"HORDAK_NAME": "hordak", "HORDAK_USER": unquote(found.username or ""), "HORDAK_HOST": host}


def _inserts(world: World, folder: Path) -> tuple[list[Variant], list[str]]:
    """One row a commit, and many: the first is bound by how often the disk writes, the second by how much."""
    if not (programs_dir() / "pgbench").exists():
        return [], ["pgbench: not among PostgreSQL's programs here."]
    found = []
    for rows, clients in ((1, 64), (ROWS, 2)):
        script = folder / f"{rows}.sql"
        script.write_text(_ROW.format(rows=rows))
        name = f"pgbench, {rows} row{'s' * (rows > 1)} a commit, {clients} clients"
        found.append(_pgbench(name, world, script, clients, rows))
    return found, []


def _pgbench(name: str, world: World, script: Path, clients: int, rows: int) -> Variant:
    def run(seconds: float) -> Run:
        options = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds)))]
        command = [str(programs_dir() / "pgbench"), *options, "-f", str(script), world.owner_url]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        tps = re.search(r"^tps = ([\d.]+)", told, re.MULTILINE)
        if tps is None:
            raise RuntimeError(f"pgbench says nothing of its speed: {told}")
        return Run(float(tps[1]) * rows, Histogram())

    return Variant(name, run)
