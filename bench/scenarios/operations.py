"""What else is asked of the ledger over HTTP, against a charge: replays, declines, batches, holds, transfers."""

import contextlib
import random
from collections.abc import Iterator

from bench import asks
from bench.figures import Claim, Figure, at_least, ratio
from bench.ground import Ground
from bench.rounds import Stage
from bench.serving import served

BATCH = 100
CHARGE = "a charge (native API), one hot wallet"
REPLAY = "a replay of one of 4,000 charges"
DECLINE = "a decline: no money"
CONXA, CONXA_DECLINE = "a charge (CONXA), one hot wallet", "a decline (CONXA): no money"
AT_ONCE = 8
"""Such requests under way: while the ledger writes one batch, the next is in line."""
BATCHED = f"charges, {BATCH} in a request, {AT_ONCE} connections"
HOLD = "a hold and its capture, two calls, one hot wallet"
TRANSFER = "a transfer, between all wallets"


@contextlib.contextmanager
def operations(ground: Ground) -> Iterator[Stage]:
    """All in our own API, from 64 connections where nothing else is said."""
    world = ground.world
    hot = world.payers[:1]
    holds, capture = asks.hold_and_capture(world, hot)
    moves = asks.transfers(world.payers, random.Random(1))
    with served(world) as ours:
        yield Stage(
            "What is asked of the ledger over HTTP, one process (native API)",
            [
                ours.variant(CHARGE, asks.native(world, hot), status=201),
                ours.variant(REPLAY, asks.native(world, hot), status=201, keys=2_000),
                ours.variant(DECLINE, asks.native(world, [world.poor]), status=402),
                ours.variant(CONXA, asks.conxa(world, hot)),
                ours.variant(CONXA_DECLINE, asks.conxa(world, [world.poor]), status=402),
                ours.variant(BATCHED, asks.native_batch(world, hot, BATCH), AT_ONCE, weight=BATCH),
                ours.variant(HOLD, holds, status=201, then=capture),
                ours.variant(TRANSFER, moves, status=201),
            ],
            _claims,
        )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    charge = figures[CHARGE]
    return [
        at_least(f"charges in batches of {BATCH} / single ones", ratio(figures[BATCHED], charge), 2.5),
        at_least("replays / charges", ratio(figures[REPLAY], charge), 1),
        at_least("declines / charges", ratio(figures[DECLINE], charge), 1),
        at_least("declines / charges, CONXA", ratio(figures[CONXA_DECLINE], figures[CONXA]), 1),
    ]
