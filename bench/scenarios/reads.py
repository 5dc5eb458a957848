"""Reading: balances, statements and histories of wallets that were charged a lot."""

import contextlib
from collections.abc import Iterator

from bench import asks
from bench.figures import Claim, Figure, at_most
from bench.ground import Ground
from bench.load import load
from bench.rounds import Stage
from bench.serving import served

CONNECTIONS = 4
WALLETS = 100
CHARGES_S = 1.0
BALANCE, STATEMENT = "a balance", "a statement's first page, 100 movements"
PATHS = {
    BALANCE: "/v1/wallets/{wallet}",
    STATEMENT: "/v1/wallets/{wallet}/statement?limit=100",
    "a history's first page, 100 asks": "/v1/wallets/{wallet}/history?limit=100",
}
ALONE = {BALANCE: 1.0, STATEMENT: 5.0}
"""What one caller alone waits for at most, in ms, 99 times of 100."""


@contextlib.contextmanager
def reads(ground: Ground) -> Iterator[Stage]:
    """Of wallets at random: by one caller, and from no more connections than cores, so that nobody stands in line."""
    world = ground.world
    payers = world.payers[:WALLETS]
    with served(world) as ours:
        load(ours.port, asks.conxa(world, payers), 64, CHARGES_S)
        asked = {name: [asks.get(path.format(wallet=one.wallet_id)) for one in payers] for name, path in PATHS.items()}
        yield Stage(
            f"Reading, one process, {CONNECTIONS} connections where nothing else is said",
            [
                *(ours.variant(_alone(name), asked[name], 1) for name in ALONE),
                *(ours.variant(name, asked[name], CONNECTIONS) for name in PATHS),
            ],
            _claims,
        )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    return [
        at_most(f"p99 of {_alone(name)}, 10,000 wallets, ms", figures[_alone(name)].p99s_ms, most)
        for name, most in ALONE.items()
    ]


def _alone(name: str) -> str:
    return f"{name}, one caller"
