"""A charge over HTTP: one process, against what a bare server, the usual frameworks and the ledger alone reach."""

import contextlib
import importlib.util
from collections.abc import Iterator

from bench import asks
from bench.baselines.one_transaction import one_transaction
from bench.direct import charges
from bench.figures import Claim, Figure, at_least, at_most, best, ratio
from bench.ground import Ground
from bench.rounds import Stage
from bench.scenarios.write_path import SINGLE, singles
from bench.serving import BARE, ORM, served
from bench.world import World

HOT = "Farebox, one hot wallet, 64 connections"
SPREAD = "Farebox, all wallets, 64 connections"
ALONE = "Farebox, one caller alone"
LEDGER = "bare ASGI with the same ledger call, one hot wallet, 64 connections"
ECHO = "bare ASGI echo, 64 connections"
USUAL = "FastAPI with an ORM transaction per charge, one hot wallet, 64 connections"


@contextlib.contextmanager
def http(ground: Ground) -> Iterator[Stage]:
    """Everything by CONXA's charge with idempotency keys, from the same generator.

    Each wallet has been charged before: a server that has just started asks the database once for each of them. And
    nobody else writes on them: what the server remembers would not stand any more, and it would learn anew all along.
    """
    with ground.apart(2) as world:
        yield from _staged(world)


def _staged(world: World) -> Iterator[Stage]:
    own, others = world.payers[::2], world.payers[1::2]
    hot, spread = asks.conxa(world, own[:1]), asks.conxa(world, own)
    one, many = charges(world, others[:1]), charges(world, others)
    known = importlib.util.find_spec("fastapi") is not None
    with (
        served(world) as ours,
        served(world, BARE, "ledger") as bare,
        served(world, BARE, "echo") as echo,
        served(world, ORM) if known else contextlib.nullcontext() as usual,
    ):
        ours.visit(spread)
        yield Stage(
            "A charge over HTTP, one process (CONXA dialect, idempotency keys)",
            [
                bare.variant(LEDGER, hot),
                ours.variant(HOT, hot),
                echo.variant(ECHO, hot),
                *([usual.variant(USUAL, hot)] if usual else []),
                ours.variant(SPREAD, spread),
                ours.variant(ALONE, hot, 1),
                one_transaction(f"{SINGLE}, no HTTP, one hot wallet, 64 callers, 1 connection", world, one, 64, 1),
                one_transaction(f"{SINGLE}, no HTTP, one hot wallet, 64 callers, 4 connections", world, one, 64, 4),
                one_transaction(f"{SINGLE}, no HTTP, all wallets, 64 callers, 16 connections", world, many, 64, 16),
            ],
            _claims,
            skipped=[] if usual else ["FastAPI with an ORM: not installed; `make bench` does that."],
        )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    ours, spread = figures[HOT], figures[SPREAD]
    direct = {where: best(singles(figures, where)) for where in ("one hot wallet", "all wallets")}
    return [
        at_least("Farebox / bare ASGI with the same ledger call", ratio(ours, figures[LEDGER]), 0.85),
        at_least("Farebox / bare ASGI echo", ratio(ours, figures[ECHO]), 0.5),
        *(
            at_least("Farebox / FastAPI with an ORM transaction per charge", ratio(ours, figures[name]), 40)
            for name in {USUAL} & figures.keys()
        ),
        at_most("p99 of a charge, hot wallet, 64 connections, ms", ours.p99s_ms, 8),
        at_least("10,000 wallets / one hot wallet", ratio(spread, ours), 0.6),
        at_most("one caller alone, median, ms", figures[ALONE].p50s_ms, 2),
        at_least(
            "hot wallet, 64 callers: over HTTP / one asyncpg transaction per charge without HTTP",
            ratio(ours, direct["one hot wallet"]),
            15,
        ),
        at_least(
            "10,000 wallets, 64 callers: over HTTP / one asyncpg transaction per charge without HTTP",
            ratio(spread, direct["all wallets"]),
            2.5,
        ),
    ]
