"""Usage records out of a Redis stream into the ledger, against one transaction per record."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Iterator

import uvloop
from tests.support.redises import RedisProcess, record, redis_process

from bench.baselines.one_transaction import one_transaction
from bench.direct import Make
from bench.figures import Claim, Figure, Run, at_least, best, ratio
from bench.ground import Ground
from bench.histogram import Histogram
from bench.machine import Meter
from bench.rounds import Stage, Variant
from bench.world import World, settings
from farebox import app
from farebox.ingest.read import read
from farebox.ingest.service import Ingest
from farebox.ledger.types import Ask, Pricing, RecordUsage
from farebox.pricing.types import NewPrice, Rates
from farebox.services import Services

RECORDS_PER_S = 20_000
"""How many records wait in the stream, for each second that is to be measured."""
ORGANIZATIONS = 4
USAGE = "bench-usage"
STREAM = "stream into ledger, 4 consumers"
_numbers = itertools.count()


@contextlib.contextmanager
def ingestion(ground: Ground) -> Iterator[Stage]:
    """A stream of usage records into committed entries, one process with its four consumers."""
    world = ground.world
    make = uvloop.run(_facts(world))
    yield Stage(
        f"Usage records from a Redis stream into the ledger, {ORGANIZATIONS} organizations, one process",
        [
            Variant(STREAM, lambda seconds: _streamed(world, seconds)),
            *(
                one_transaction(f"one transaction per record, {connections} connections", world, make, 64, connections)
                for connections in (4, 16)
            ),
        ],
        _claims,
    )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    ours, *singles = figures.values()
    return [
        at_least("usage records ingested a second", ours.rates, 20_000),
        at_least("ingestion / best of one transaction per record", ratio(ours, best(singles)), 10),
    ]


def _streamed(world: World, seconds: float) -> Run:
    # A Redis that is trusted as most are: written down every second.
    with redis_process("--appendfsync", "everysec") as redis:
        count = int(RECORDS_PER_S * seconds)
        _fill(redis, count)
        return uvloop.run(_ingested(world, redis, count))


def _fill(redis: RedisProcess, count: int) -> None:
    turn = time.time_ns()
    with redis.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(count):
            organization = f"bench-{number % ORGANIZATIONS}"
            fields = record(organization, f"{turn}-{number}", 374, completion_tokens=44, model=USAGE)
            pipe.xadd("usage_records", fields)
            if number % 2000 == 1999:
                pipe.execute()
        pipe.execute()


async def _ingested(world: World, redis: RedisProcess, count: int) -> Run:
    found = settings()
    async with app.open_services(lambda: world.url, found, app.secret_of(found)) as services:
        ingest, meter = Ingest(services, settings(redis_url=redis.url)), Meter(world.postmaster)
        start = time.perf_counter()
        ingest.start()
        while ingest.counts["booked"] < count:
            await asyncio.sleep(0.005)
        took = time.perf_counter() - start
        await ingest.close()
    return Run(count / took, Histogram(), 0, meter.per_thousand(count))


async def _facts(world: World) -> Make:
    """Organizations with a spender each and a price; makes the same facts as the stream, for the baseline."""
    found = settings()
    async with app.open_services(lambda: world.url, found, app.secret_of(found)) as services:
        for number in range(ORGANIZATIONS):
            await services.teams.add("bench", f"bench-{number}", "Bench")
        rates = Rates(input_token="0.000001", output_token="0.000002")
        await services.prices.add("bench", "bench", [NewPrice(model=USAGE, asset="USD", rates=rates)])
        return await _maker(services)


async def _maker(services: Services) -> Make:
    """Facts, read off their fields as they come from Redis."""
    house = (await services.teams.house()).id
    revenue = await services.accounts.revenue(house, "CREDIT")
    spenders = [await services.teams.spender(f"bench-{number}", "agent-1", "ada") for number in range(ORGANIZATIONS)]
    revision = services.prices.book.revision
    fields = {
        str(name).encode(): str(value).encode() for name, value in record("bench-0", "x", 374, model=USAGE).items()
    }

    def make(source: random.Random) -> Ask:
        key = f"{time.time_ns()}-{next(_numbers)}"
        found = read(fields | {b"id": key.encode()}, time.time())
        spender = source.choice(spenders)
        return RecordUsage(
            client="bench",
            key=found.record_id,
            fingerprint=found.fingerprint,
            wallet_id=spender.grant.wallet_id,
            grant_id=spender.grant.grant_id,
            provider_id=house,
            revenue_account=revenue,
            amount=46_200,
            model=USAGE,
            usage=found.usage,
            pricing=Pricing(None, 1_000_000, revision, None),
            member_id=spender.member_id,
        )

    return make
