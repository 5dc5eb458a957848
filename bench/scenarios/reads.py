"""Reading: balances, statements and histories of wallets that were charged a lot."""

import contextlib
from collections.abc import Iterator

from bench import asks
from bench.ground import Ground
from bench.load import load
from bench.rounds import Stage
from bench.serving import served

CONNECTIONS = 4
WALLETS = 100
CHARGES_S = 1.0


@contextlib.contextmanager
def reads(ground: Ground) -> Iterator[Stage]:
    """Of wallets at random; no more connections than cores, so that latency is the answer's and not the queue's."""
    world = ground.world
    payers = world.payers[:WALLETS]
    with served(world) as ours:
        load(ours.port, asks.conxa(world, payers), 64, CHARGES_S)
        paths = {
            "a balance": "/v1/wallets/{wallet}",
            "a statement's first page, 100 movements": "/v1/wallets/{wallet}/statement?limit=100",
            "a history's first page, 100 asks": "/v1/wallets/{wallet}/history?limit=100",
        }
        yield Stage(
            f"Reading, one process, {CONNECTIONS} connections",
            [
                ours.variant(name, [asks.get(path.format(wallet=one.wallet_id)) for one in payers], CONNECTIONS)
                for name, path in paths.items()
            ],
        )
