"""The write path alone, without HTTP: batches against one transaction per charge."""

import contextlib
from collections.abc import Iterator

from bench.baselines.one_transaction import one_transaction
from bench.direct import batched, charges
from bench.figures import Claim, Figure, at_least, best, ratio
from bench.ground import Ground
from bench.rounds import Stage

HOT = "ledger, one hot wallet, 64 callers"
SPREAD = "ledger, all wallets, 512 callers"
SINGLE = "one transaction per charge"


@contextlib.contextmanager
def write_path(ground: Ground) -> Iterator[Stage]:
    """One hot wallet with 64 callers; then all wallets with 512."""
    world = ground.world
    hot, spread = charges(world, world.payers[:1]), charges(world, world.payers)
    yield Stage(
        "The write path alone, against one asyncpg transaction per charge with the same SQL",
        [
            batched(HOT, world, hot, 64),
            *(
                one_transaction(f"{SINGLE}, one hot wallet, 64 callers, {_connections(count)}", world, hot, 64, count)
                for count in (1, 4, 16)
            ),
            batched(f"{HOT}, batches of one", world, hot, 64, 1),
            batched(SPREAD, world, spread, 512),
            *(
                one_transaction(f"{SINGLE}, all wallets, 512 callers, {_connections(count)}", world, spread, 512, count)
                for count in (16, 64)
            ),
            batched(f"{SPREAD}, batches of one", world, spread, 512, 1),
        ],
        _claims,
    )


def _connections(count: int) -> str:
    return f"{count} connection{'s' if count > 1 else ''}"


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    return [
        at_least(
            "write path, hot wallet, 64 callers: batches / best of one transaction per charge",
            ratio(figures[HOT], best(singles(figures, "one hot wallet"))),
            30,
        ),
        at_least(
            "write path, all wallets, 512 callers: batches / best of one transaction per charge",
            ratio(figures[SPREAD], best(singles(figures, "all wallets"))),
            6,
        ),
    ]


def singles(figures: dict[str, Figure], where: str) -> list[Figure]:
    """The figures of one transaction per charge, there."""
    return [figure for name, figure in figures.items() if name.startswith(SINGLE) and where in name]
