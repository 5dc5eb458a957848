"""Live balances: how late a change arrives, what a stream weighs, and what open streams cost the charges."""

import contextlib
import time
from collections.abc import Callable, Iterator

from bench import asks
from bench.figures import Claim, Figure, Run, at_least, at_most, ratio, run_of
from bench.ground import Ground
from bench.listen import Spec, listening
from bench.load import load
from bench.machine import resident_mib
from bench.rounds import Stage, Variant
from bench.serving import Server, served
from bench.world import ADMIN_KEY, World

WALLETS = 500
CHANGES_PER_S = 200
QUIET, BUSY = "charges, no stream, one hot wallet, 64 connections", "charges, all streams open"
TOLD = f"messages on all streams, {CHANGES_PER_S} changes a second"


@contextlib.contextmanager
def streams(ground: Ground) -> Iterator[Stage]:
    """Charges of a hot wallet with and without streams of others open; then changes on those."""
    world, count = ground.world, ground.effort.streams
    hot = asks.conxa(world, world.payers[:1])
    with served(world) as quiet, served(world) as busy:
        rest = resident_mib(busy.process)
        wallets = [payer.wallet_id for payer in world.payers[1 : WALLETS + 1]]
        with listening(Spec(busy.port, ADMIN_KEY, wallets, count)) as delays:
            weight = (resident_mib(busy.process) - rest) / count * 1024
            yield Stage(
                f"Live balances over server-sent events, {count:,} streams, one process",
                [
                    quiet.variant(QUIET, hot),
                    Variant(TOLD, lambda seconds: _told(busy, world, delays, seconds)),
                    busy.variant(BUSY, hot),
                ],
                _claims,
                lambda _: f"A stream weighs {weight:.0f} KiB of the server's memory.",
            )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    return [
        at_most("live balances: from a change to its arrival, p99, ms", figures[TOLD].p99s_ms, 250),
        at_least("charges with the streams open / without any", ratio(figures[BUSY], figures[QUIET]), 0.9),
    ]


def _told(server: Server, world: World, delays: Callable[[], list[float]], seconds: float) -> Run:
    """Charges at an even pace, of one wallet after the other; how late they are told."""
    payers = world.payers[1 : WALLETS + 1]
    delays()
    due = [number / CHANGES_PER_S for number in range(int(seconds * CHANGES_PER_S))]
    load(server.port, asks.conxa(world, payers), 10, seconds, due=due)
    time.sleep(0.5)
    return run_of(delays(), seconds)
