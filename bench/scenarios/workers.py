"""Two workers against one, on all wallets and on one, with few connections and with more."""

import contextlib
from collections.abc import Iterator

from bench import asks
from bench.figures import Claim, Figure, at_least, at_most, ratio
from bench.ground import Ground
from bench.rounds import Stage
from bench.serving import served

WHERE = ("all wallets", "one hot wallet")
FEW, MORE = 64, 128
SEEN = {1: 2, 2: 6}
"""How often each wallet is charged before, so that (nearly) every worker has seen each of them."""


@contextlib.contextmanager
def workers(ground: Ground) -> Iterator[Stage]:
    """Connections are spread over the workers by the kernel. Each server has wallets of its own.

    What a server remembers of wallets stands as long as nobody else writes on them: two that take turns on the same
    ones would measure how each learns anew what the other has changed. And each has seen all its wallets before.
    """
    with ground.apart(2) as world, served(world) as one, served(world, workers=2) as two:
        own = {1: world.payers[::2], 2: world.payers[1::2]}
        for count, server in ((1, one), (2, two)):
            for _ in range(SEEN[count]):
                server.visit(asks.conxa(world, own[count]))
        yield Stage(
            f"Workers: two processes against one on the same port, {FEW} and {MORE} connections (CONXA dialect)",
            [
                server.variant(
                    name_of(count, where, connections),
                    asks.conxa(world, own[count] if where == WHERE[0] else own[count][:1]),
                    connections,
                )
                for connections in (FEW, MORE)
                for where in WHERE
                for count, server in ((1, one), (2, two))
            ],
            _claims,
        )


def name_of(count: int, where: str, connections: int = FEW) -> str:
    """How the variant is called."""
    workers = "one worker" if count == 1 else "two workers"
    return f"{workers}, {where}" + ("" if connections == FEW else f", {connections} connections")


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    def gained(where: str, connections: int) -> list[float]:
        return ratio(figures[name_of(2, where, connections)], figures[name_of(1, where, connections)])

    hot = figures[name_of(2, "one hot wallet")].p99s_ms
    return [
        at_least("two workers / one, 10,000 wallets", gained("all wallets", FEW), 1.5),
        at_least(f"two workers / one, 10,000 wallets, {MORE} connections", gained("all wallets", MORE), 1.5),
        at_least("two workers / one, the same hot wallet", gained("one hot wallet", FEW), 1),
        at_least(f"two workers / one, the same hot wallet, {MORE} connections", gained("one hot wallet", MORE), 1),
        at_most("two workers, the same hot wallet: p99, ms", hot, 20),
    ]
