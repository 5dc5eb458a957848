"""The same charge on a small ledger and on a large one."""

import asyncio
import contextlib
import itertools
import random
import uuid
from collections.abc import Iterator, Sequence

import msgspec
import uvloop

from bench import asks
from bench.direct import Make, batched, charges
from bench.figures import Claim, Figure, at_most, ratio
from bench.ground import Ground
from bench.growth.crowd import HEAVY
from bench.growth.grown import Crowd, Drawn, Grown
from bench.growth.wear import worn
from bench.rounds import Scenario, Stage, Variant
from bench.serving import Server, served
from bench.world import Payer, settings
from farebox.db import pool
from farebox.ledger.batcher import Ledger, Limits
from farebox.ledger.types import Ask

HOT = "ledger, one hot wallet, 64 callers"
RANDOM_KEYS = "ledger, one hot wallet, random keys, 64 callers"
SOME = "ledger, 10,000 wallets of all, 512 callers"
HTTP_HOT = "HTTP, one hot wallet, 64 connections"
HTTP_SOME = "HTTP, 10,000 wallets of all, 64 connections"
ALL = "ledger, any wallet of all, 512 callers"
FRESH = "ledger, any wallet of all, 512 callers, right after a checkpoint"
WARM, COLD = (HOT, RANDOM_KEYS, SOME, HTTP_HOT, HTTP_SOME), (ALL, FRESH)


def growth_of_charges(ledgers: Sequence[Grown]) -> Scenario:
    """Those who are charged are known: their rows have been touched before, since the last checkpoint."""

    @contextlib.contextmanager
    def growth_charges(_: Ground) -> Iterator[Stage]:
        with contextlib.ExitStack() as stack:
            each = [_warm(one, stack.enter_context(served(one.world))) for one in ledgers]
            yield Stage("The same charge", in_turn(each), lambda figures: _claims(ledgers, figures, WARM))

    return growth_charges


def growth_of_cold_charges(ledgers: Sequence[Grown]) -> Scenario:
    """Whoever is charged has not been for long: each charge finds other pages, and is the first to change them."""

    @contextlib.contextmanager
    def growth_cold_charges(_: Ground) -> Iterator[Stage]:
        each = [_cold(one) for one in ledgers]
        title = "The same charge of wallets that have not moved for long"
        yield Stage(title, in_turn(each), lambda figures: _claims(ledgers, figures, COLD))

    return growth_cold_charges


def in_turn(each: Sequence[Sequence[Variant]]) -> list[Variant]:
    """Each load on each ledger, the small one first, before the next load."""
    return [variant for alike in zip(*each, strict=True) for variant in alike]


def _warm(one: Grown, server: Server) -> list[Variant]:
    world, everybody = one.world, Crowd(HEAVY, one.size.wallets)
    some = drawn(everybody, 10_000)
    hot, spread = charges(world, everybody[:1]), charges(world, some)
    uvloop.run(_touch(one, charges(world, Drawn(len(some), itertools.cycle(some))), some))
    server.visit(asks.conxa(world, some))
    return [
        worn(one, batched(one.called(HOT), world, hot, 64)),
        worn(one, batched(one.called(RANDOM_KEYS), world, with_random_keys(hot), 64)),
        worn(one, batched(one.called(SOME), world, spread, 512)),
        server.variant(one.called(HTTP_HOT), asks.conxa(world, everybody[:1])),
        server.variant(one.called(HTTP_SOME), asks.conxa(world, some)),
    ]


def _cold(one: Grown) -> list[Variant]:
    anybody = charges(one.world, anybody_of(Crowd(HEAVY, one.size.wallets)))
    return [
        worn(one, batched(one.called(ALL), one.world, anybody, 512)),
        worn(one, batched(one.called(FRESH), one.world, anybody, 512), checkpoint=True),
    ]


async def _touch(one: Grown, make: Make, payers: Sequence[Payer]) -> None:
    """Charges each of them once."""
    source = random.Random()
    found = settings()
    ledger = Ledger(lambda: pool.connect(one.world.url, found), Limits(), found.writers)
    for _ in range(0, len(payers), 500):
        await asyncio.gather(*(ledger.submit(make(source)) for _ in range(500)))
    await ledger.close()


def drawn(payers: Sequence[Payer], count: int) -> list[Payer]:
    """So many of them at random; all where there are no more."""
    return [payers[place] for place in random.Random(8).sample(range(len(payers)), min(count, len(payers)))]


def anybody_of(payers: Sequence[Payer]) -> Sequence[Payer]:
    """Any of them each time, in no round the same as in another."""
    source = random.Random(9)
    return Drawn(len(payers), (payers[source.randrange(len(payers))] for _ in itertools.count()))


def with_random_keys(make: Make) -> Make:
    """As callers' keys mostly are: each lies elsewhere in the index of keys."""

    def made(source: random.Random) -> Ask:
        return msgspec.structs.replace(make(source), key=str(uuid.uuid4()))

    return made


def _claims(ledgers: Sequence[Grown], figures: dict[str, Figure], loads: Sequence[str]) -> list[Claim]:
    small, large = ledgers[0], ledgers[-1]
    return [
        at_most(
            f"{what}: cost at {large.size.name} / at {small.size.name}",
            ratio(figures[small.called(what)], figures[large.called(what)]),
            1.3,
        )
        for what in loads
    ]
