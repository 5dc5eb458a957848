"""Latency below the peak: callers who come when they come, at half the rate that a closed loop reaches."""

import contextlib
import random
from collections.abc import Iterator

from bench import asks
from bench.figures import Claim, Figure, Run, at_most
from bench.ground import Ground
from bench.load import RAMP_S, load
from bench.rounds import Stage, Variant
from bench.serving import BARE, Server, served

PEAK = "as fast as 64 connections can, one hot wallet"
HALF = "at half that rate, 64 connections, latency from when each was due"
FLOOR = "a bare ASGI echo at the same rate: what of it is HTTP's and the generator's"


@contextlib.contextmanager
def paced(ground: Ground) -> Iterator[Stage]:
    """Arrivals at random moments (Poisson), which wait for nobody. Connections have been used before it counts."""
    world = ground.world
    hot = asks.conxa(world, world.payers[:1])
    with served(world) as ours, served(world, BARE, "echo") as echo:
        fastest = ours.variant(PEAK, hot)
        rates: list[float] = []

        def peak(seconds: float) -> Run:
            run = fastest.run(seconds)
            rates.append(run.per_s)
            return run

        yield Stage(
            "Latency at half the peak rate, one process (CONXA dialect)",
            [
                Variant(PEAK, peak),
                Variant(HALF, lambda seconds: _half(ours, hot, rates[-1] / 2, seconds)),
                Variant(FLOOR, lambda seconds: _half(echo, hot, rates[-1] / 2, seconds)),
            ],
            _claims,
        )


def _half(server: Server, hot: list[bytes], rate: float, seconds: float) -> Run:
    due = arrivals(rate, RAMP_S + seconds, random.Random(1))
    return load(server.port, hot, 64, seconds, due=due, warm_s=RAMP_S, meter=server.meter)


def arrivals(rate: float, seconds: float, source: random.Random) -> list[float]:
    """Moments at random, so many a second."""
    found, at = [], source.expovariate(rate)
    while at < seconds:
        found.append(at)
        at += source.expovariate(rate)
    return found


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    return [at_most("64 callers at half the peak rate: p99, ms", figures[HALF].p99s_ms, 5)]
