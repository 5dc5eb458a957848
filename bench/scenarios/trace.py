"""Real traffic: arrivals and token counts of a production trace (Azure LLM inference, 2023), sped up."""

import contextlib
import csv
import itertools
import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from bench import asks
from bench.figures import Run
from bench.ground import Ground
from bench.load import load
from bench.rounds import Stage, Variant
from bench.serving import Server, served
from bench.world import World

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = {"conversations": "azure_llm_trace_2023_conv.csv", "code": "azure_llm_trace_2023_code.csv"}
RATE = 2_000
"""Requests a second, on average, that it is sped up to."""


class Arrival(Struct):
    """A request of the trace: seconds since its first, and what it used."""

    at: float
    input_tokens: int
    output_tokens: int


@contextlib.contextmanager
def trace(ground: Ground) -> Iterator[Stage]:
    """Each request is a charge of one of 100 wallets, at its own time, whatever has become of those before."""
    missing = [name for name in FILES.values() if not (FOLDER / name).exists()]
    title = f"The Azure trace's own arrivals and tokens, sped up to {RATE:,} charges a second on average"
    if missing:
        yield Stage(title, [], skipped=[f"{', '.join(missing)}: not beside this repository."])
        return
    world = ground.world
    with served(world) as ours:
        yield Stage(
            title,
            [_variant(f"{kind}, latency from when each was due", ours, world, name) for kind, name in FILES.items()],
        )


def _variant(name: str, ours: Server, world: World, file: str) -> Variant:
    arrivals = list(read(FOLDER / file))
    source = random.Random(1)

    def run(seconds: float) -> Run:
        some = arrivals[: int(seconds * RATE)]
        faster = some[-1].at / (len(some) / RATE)
        sent = [
            ask
            for arrival in some
            for ask in asks.conxa(
                world, [source.choice(world.payers[:100])], (arrival.input_tokens, arrival.output_tokens)
            )
        ]
        due = [arrival.at / faster for arrival in some]
        return load(ours.port, sent, 128, seconds, due=due, meter=ours.meter)

    return Variant(name, run)


def read(path: Path) -> Iterator[Arrival]:
    """A trace's requests; those of one process follow each other as in the file."""
    with path.open(newline="") as file:
        rows = csv.DictReader(file)
        first: datetime | None = None
        for row in itertools.islice(rows, None):
            at = datetime.fromisoformat(row["TIMESTAMP"][:26])
            first = first or at
            used = int(row["ContextTokens"]), int(row["GeneratedTokens"])
            yield Arrival((at - first).total_seconds(), *used)
