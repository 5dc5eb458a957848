"""Two workers against one, on all wallets and on one."""

import contextlib
from collections.abc import Iterator

from bench import asks
from bench.figures import Claim, Figure, at_least, at_most, ratio
from bench.ground import Ground
from bench.rounds import Stage
from bench.serving import served

WHERE = ("all wallets", "one hot wallet")


@contextlib.contextmanager
def workers(ground: Ground) -> Iterator[Stage]:
    """64 connections, which the kernel spreads over the workers."""
    world = ground.world
    sent = dict(zip(WHERE, (asks.conxa(world, world.payers), asks.conxa(world, world.payers[:1])), strict=True))
    with served(world) as one, served(world, workers=2) as two:
        yield Stage(
            "Workers: two processes against one on the same port, 64 connections (CONXA dialect)",
            [
                server.variant(name_of(count, where), sent[where])
                for where in WHERE
                for count, server in ((1, one), (2, two))
            ],
            _claims,
        )


def name_of(count: int, where: str) -> str:
    """How the variant is called."""
    return f"{'one worker' if count == 1 else 'two workers'}, {where}"


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    gained = {where: ratio(figures[name_of(2, where)], figures[name_of(1, where)]) for where in WHERE}
    return [
        at_least("two workers / one, 10,000 wallets", gained["all wallets"], 1.5),
        at_least("two workers / one, the same hot wallet", gained["one hot wallet"], 1),
        at_most("two workers, the same hot wallet: p99, ms", figures[name_of(2, "one hot wallet")].p99s_ms, 20),
    ]
