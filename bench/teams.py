"""Scenarios of teams: usage records out of a stream into the ledger, and live balances on many open streams."""

import asyncio
import itertools
import random
import statistics
import time
from collections.abc import Callable

from tests.support.redises import RedisProcess, record, redis_process

from bench.baselines.one_transaction import one_transaction
from bench.figures import Run, at_least, at_most, of_latencies, summed
from bench.listen import Spec, listening
from bench.load import load
from bench.scenarios import OURS, Effort, Result, Say, note_revision, served
from bench.world import ADMIN_KEY, MODEL, World, settings
from farebox import app
from farebox.ingest.read import read
from farebox.ingest.service import Ingest
from farebox.ledger.types import Ask, Pricing, RecordUsage
from farebox.pricing.types import NewPrice, Rates
from farebox.services import Services

RECORDS = 60_000
ORGANIZATIONS = 4
STREAMS = 5_000
WALLETS = 500
CHANGES_PER_S = 200
USAGE = "bench-usage"
_numbers = itertools.count()


def ingestion(world: World, effort: Effort, say: Say) -> Result:
    """A stream of usage records into committed entries, one process with its four consumers."""
    import uvloop

    runs: dict[str, list[Run]] = {}
    for number in range(effort.rounds):
        say(f"ingestion, round {number + 1}")
        # A Redis that is trusted as most are: written down every second.
        with redis_process("--appendfsync", "everysec") as redis:
            _fill(redis, number)
            for name, run in uvloop.run(_ingested(world, redis, effort.seconds)).items():
                runs.setdefault(name, []).append(run)
    figures = [summed(name, found) for name, found in runs.items()]
    ours, *singles = figures
    return Result(
        f"Usage records from a Redis stream into the ledger, {ORGANIZATIONS} organizations, one process",
        figures,
        [
            at_least("records a second", ours.per_s, 20_000),
            at_least("ingestion / best one-transaction-per-record", ours.per_s / max(one.per_s for one in singles), 10),
        ],
    )


def _fill(redis: RedisProcess, turn: int) -> None:
    with redis.client() as client, client.pipeline(transaction=False) as pipe:
        for number in range(RECORDS):
            organization = f"bench-{number % ORGANIZATIONS}"
            fields = record(organization, f"{turn}-{time.time_ns()}-{number}", 374, completion_tokens=44, model=USAGE)
            pipe.xadd("usage_records", fields)
            if number % 2000 == 1999:
                pipe.execute()
        pipe.execute()


async def _ingested(world: World, redis: RedisProcess, seconds: float) -> dict[str, Run]:
    found = settings()
    async with app.open_services(lambda: world.url, found, app.secret_of(found)) as services:
        for number in range(ORGANIZATIONS):
            await services.teams.add("bench", f"bench-{number}", "Bench")
            await services.teams.spender(f"bench-{number}", "agent-1", "ada")
        rates = Rates(input_token="0.000001", output_token="0.000002")
        await services.prices.add("bench", "bench", [NewPrice(model=USAGE, asset="USD", rates=rates)])
        await note_revision(world)
        ingest = Ingest(services, settings(redis_url=redis.url))
        start = time.perf_counter()
        ingest.start()
        while ingest.counts["booked"] < RECORDS:
            await asyncio.sleep(0.01)
        took = time.perf_counter() - start
        await ingest.close()
        runs = {"stream into ledger, 4 consumers": Run(RECORDS / took, 0, 0)}
        make = await _facts(services)
        for connections in (4, 16):
            name = f"one transaction per record, {connections} connections"
            runs[name] = await one_transaction(world, make, 64, connections, seconds)
        return runs


async def _facts(services: Services) -> Callable[[random.Random], Ask]:
    """Makes the same facts, for the baseline: read off their fields, as they come from Redis."""
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


def streams(world: World, effort: Effort, say: Say) -> Result:
    """Live balances: how late a change arrives, what a stream weighs, and what it costs the charges."""
    hot = [world.payers[0].token]
    payers = world.payers[1 : WALLETS + 1]
    quiet: list[Run] = []
    busy: list[Run] = []
    arrivals: list[Run] = []
    weights: list[float] = []
    for number in range(effort.rounds):
        with served(world, OURS) as (port, process):
            load(port, world.api_key, hot, 64, 1)
            say(f"streams, round {number + 1}: charges without any")
            quiet.append(load(port, world.api_key, hot, 64, effort.seconds))
            rest = process.memory_info().rss
            spec = Spec(port, ADMIN_KEY, [payer.wallet_id for payer in payers], STREAMS)
            with listening(spec) as heard:
                weights.append((process.memory_info().rss - rest) / STREAMS / 1024)
                say(f"streams, round {number + 1}: {CHANGES_PER_S} changes a second")
                asyncio.run(_changes(port, world.api_key, [payer.token for payer in payers], effort.seconds))
                time.sleep(0.5)
            arrivals.append(of_latencies([delay / 1000 for delay in heard.delays], effort.seconds))
            with listening(spec):
                say(f"streams, round {number + 1}: charges with {STREAMS} streams")
                busy.append(load(port, world.api_key, hot, 64, effort.seconds))
    figures = [
        summed(f"messages on {STREAMS:,} streams, {CHANGES_PER_S} changes/s", arrivals),
        summed("charges, no stream", quiet),
        summed(f"charges, {STREAMS:,} streams open", busy),
    ]
    return Result(
        "Live balances over server-sent events, one process",
        figures,
        [
            at_most("change to arrival, p99 in ms", figures[0].p99_ms, 250),
            at_least("charge rate with the streams / without", figures[2].per_s / figures[1].per_s, 0.9),
        ],
        f"A stream weighs {statistics.median(weights):.0f} KiB of the server's memory.",
    )


async def _changes(port: int, api_key: str, tokens: list[str], seconds: float) -> None:
    """Charges at an even pace, of one wallet after the other."""
    body = b'{"model_name": "%s", "input_tokens": 374, "output_tokens": 44}' % MODEL.encode()
    callers = 10

    async def caller(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        end = time.perf_counter() + seconds
        due = time.perf_counter() + number / CHANGES_PER_S
        while due < end:
            await asyncio.sleep(max(0, due - time.perf_counter()))
            head = (
                f"POST /conxa/charge/authorize HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                f"X-Provider-API-Key: {api_key}\r\nX-Provider-Session: {tokens[next(_numbers) % len(tokens)]}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n"
            )
            writer.write(head.encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
            due += callers / CHANGES_PER_S
        writer.close()

    await asyncio.gather(*(caller(number) for number in range(callers)))
