"""The scenarios: Farebox and its baselines in turn, round by round, so that they share the machine's moods."""

import asyncio
import contextlib
import hashlib
import itertools
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from bench.baselines.one_transaction import one_transaction
from bench.figures import Claim, Figure, Run, at_least, at_most, of_latencies, summed
from bench.load import load
from bench.world import MODEL, World, settings
from farebox.db import pool
from farebox.ledger.batcher import Ledger, Limits
from farebox.ledger.types import Ask, Charge, Pricing, Usage

ORM = "bench.baselines.fastapi_orm"
BARE = "bench.baselines.bare_asgi"
OURS = "bench.farebox_server"

_numbers = itertools.count()
_run = random.randrange(10**9)


class Effort(Struct, frozen=True):
    """How long and how often."""

    rounds: int
    seconds: float
    memory_s: float


class Result(Struct):
    """What a scenario found."""

    title: str
    figures: list[Figure]
    claims: list[Claim]
    note: str = ""


Say = Callable[[str], None]


def charge_of(world: World, hot: bool) -> Callable[[random.Random], Ask]:
    """Makes charges straight for the ledger: of one wallet, or of all."""
    usage = Usage(374, 44)

    def make(source: random.Random) -> Ask:
        payer = world.payers[0] if hot else source.choice(world.payers)
        key = f"{_run}-{next(_numbers)}"
        return Charge(
            client="bench",
            key=key,
            fingerprint=hashlib.blake2b(key.encode(), digest_size=16).digest(),
            wallet_id=payer.wallet_id,
            grant_id=payer.grant_id,
            provider_id=world.provider_id,
            revenue_account=world.revenue,
            amount=462,
            model=MODEL,
            usage=usage,
            pricing=Pricing(None, 1_000_000, _revision(world), None),
        )

    return make


def _revision(world: World) -> int:
    return REVISIONS[world.url]


REVISIONS: dict[str, int] = {}


async def note_revision(world: World) -> None:
    """The price book's revision, which every charge names."""
    conn = await pool.connect(world.url, settings())
    REVISIONS[world.url] = await conn.fetchval("SELECT revision FROM price_book")
    await conn.close()


async def batched(world: World, make: Callable[[random.Random], Ask], callers: int, seconds: float) -> Run:
    """Callers at the ledger's door, without HTTP."""
    found = settings()
    ledger = Ledger(lambda: pool.connect(world.url, found), Limits(), found.writers)
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def caller(number: int) -> None:
        source = random.Random(number)
        while (start := time.perf_counter()) < end:
            outcome = await ledger.submit(make(source))
            assert outcome.refusal is None
            latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(caller(number) for number in range(callers)))
    await ledger.close()
    return of_latencies(latencies, seconds)


def write_path(world: World, effort: Effort, say: Say) -> Result:
    """The write path alone: hot wallet, 64 callers; then spread, 512 callers."""
    import uvloop

    runs: dict[str, list[Run]] = {}
    singles = [(4, 64, True), (16, 64, True), (64, 64, True), (16, 512, False), (64, 512, False)]

    async def everything() -> None:
        await note_revision(world)
        await batched(world, charge_of(world, True), 64, 1)
        for number in range(effort.rounds):
            for callers, hot in ((64, True), (512, False)):
                say(f"write path, round {number + 1}: batches, {_where(hot)}, {callers} callers")
                found = await batched(world, charge_of(world, hot), callers, effort.seconds)
                runs.setdefault(f"ledger, {_where(hot)}, {callers} callers", []).append(found)
            for connections, callers, hot in singles:
                name = f"one transaction per charge, {_where(hot)}, {callers} callers, {connections} connections"
                say(f"write path, round {number + 1}: {name}")
                found = await one_transaction(world, charge_of(world, hot), callers, connections, effort.seconds)
                runs.setdefault(name, []).append(found)

    uvloop.run(everything())
    figures = [summed(name, found) for name, found in runs.items()]
    best = {
        hot: max(f.per_s for f in figures if f.name.startswith("one") and _where(hot) in f.name)
        for hot in (True, False)
    }
    ours = {hot: next(f for f in figures if f.name.startswith("ledger") and _where(hot) in f.name) for hot in best}
    return Result(
        "The write path alone, against one asyncpg transaction per charge with the same SQL",
        figures,
        [
            at_least("hot wallet: batches / best one-transaction", ours[True].per_s / best[True], 20),
            at_least("spread: batches / best one-transaction", ours[False].per_s / best[False], 6),
        ],
    )


def _where(hot: bool) -> str:
    return "one hot wallet" if hot else "all wallets"


@contextlib.contextmanager
def served(world: World, module: str, *arguments: str) -> Iterator[tuple[int, psutil.Process]]:
    """A server in a process of its own; its port and process."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "world.json"
        path.write_bytes(msgspec.json.encode(world))
        command = [sys.executable, "-m", module, str(path), *arguments]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            port = int(child.stdout.readline())
            yield port, psutil.Process(child.pid)
        finally:
            child.stdin.close()
            child.wait(timeout=60)


def over_http(world: World, effort: Effort, say: Say) -> Result:
    """The whole path over HTTP: one process, one hot wallet, 64 connections; and a lone caller."""
    hot = [world.payers[0].token]
    everybody = [payer.token for payer in world.payers]
    variants: list[tuple[str, str, tuple[str, ...], list[str], int]] = [
        ("Farebox, one hot wallet, 64 connections", OURS, (), hot, 64),
        ("bare ASGI with the same ledger call, one hot wallet, 64 connections", BARE, ("ledger",), hot, 64),
        ("bare ASGI echo, 64 connections", BARE, ("echo",), hot, 64),
        ("FastAPI + ORM transaction, one hot wallet, 64 connections", ORM, (), hot, 64),
        ("Farebox, all wallets, 64 connections", OURS, (), everybody, 64),
        ("Farebox, one caller alone", OURS, (), hot, 1),
    ]
    runs: dict[str, list[Run]] = {name: [] for name, *_ in variants}
    for number in range(effort.rounds):
        for name, module, arguments, tokens, connections in variants:
            say(f"HTTP, round {number + 1}: {name}")
            with served(world, module, *arguments) as (port, _):
                load(port, world.api_key, tokens, connections, 1)
                runs[name].append(load(port, world.api_key, tokens, connections, effort.seconds))
    figures = {name: summed(name, found) for name, found in runs.items()}
    ours, bare, echo, orm, _, alone = figures.values()
    return Result(
        "The whole path over HTTP, one process (CONXA dialect, idempotency keys)",
        list(figures.values()),
        [
            at_least("Farebox / bare ASGI with the same ledger call", ours.per_s / bare.per_s, 0.75),
            at_least("Farebox / bare ASGI echo", ours.per_s / echo.per_s, 0.5),
            at_least("Farebox / FastAPI with an ORM transaction per charge", ours.per_s / orm.per_s, 20),
            at_most("p99 at 64 connections, ms", ours.p99_ms, 15),
            at_most("a lone caller's median, ms", alone.p50_ms, 5),
        ],
    )


def memory(world: World, effort: Effort, say: Say) -> Result:
    """Memory of the server under load: the second half against the first."""
    samples: list[float] = []
    figures: list[Figure] = []
    hot = [world.payers[0].token]
    with served(world, OURS) as (port, process):
        rest = process.memory_info().rss / 2**20
        end = time.monotonic() + effort.memory_s
        runs = []
        while time.monotonic() < end:
            say(f"memory: {len(samples)} samples, {end - time.monotonic():.0f} s left")
            runs.append(load(port, world.api_key, hot, 64, min(5, effort.memory_s / 4)))
            samples.append(process.memory_info().rss / 2**20)
        figures.append(summed("Farebox under load", runs))
    half = max(1, len(samples) // 2)
    early, late = statistics.median(samples[:half]), statistics.median(samples[half:] or samples)
    return Result(
        "Memory",
        figures,
        [at_most("second half of the load / first half", late / early, 1.05)],
        f"At rest {rest:.0f} MiB; under load {early:.0f} MiB, then {late:.0f} MiB, over {effort.memory_s:.0f} s.",
    )
