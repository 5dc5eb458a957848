"""Limits: a charge under three nested envelopes against one under none, and statistics over a million records."""

import asyncio
import time

import asyncpg
import httpx
import msgspec
import uvloop
from msgspec import Struct

from bench.figures import Run, at_most, of_latencies, summed
from bench.scenarios import OURS, Effort, Result, Say, batched, charge_of, note_revision, served
from bench.world import MODEL, MONEY, World, settings
from farebox import app
from farebox.envelopes.types import NewEnvelope, Scope
from farebox.ledger.envelopes import Counts
from farebox.windows import Period

CALLERS = 64
RECORDS = 1_000_000
ENVELOPES = 20
READERS = 4
ORGANIZATION = "bench-limits"


class Scene(Struct):
    """A payer whom nothing limits, one under three envelopes, and a key that reads statistics."""

    free: World
    limited: World
    key: str


def limits(world: World, effort: Effort, say: Say) -> Result:
    """Charges of one hot wallet, with and without envelopes; then `GET /usage/stats`."""
    say("limits: setting envelopes, recording usage")
    scene = uvloop.run(_fill(world))
    names = {"no envelope": scene.free, "three nested envelopes": scene.limited}
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for number in range(effort.rounds):
        for name, of in names.items():
            say(f"limits, round {number + 1}: {name}")
            runs[name].append(uvloop.run(batched(of, charge_of(of, True), CALLERS, effort.seconds)))
    say("limits: statistics")
    with served(world, OURS) as (port, _):
        asyncio.run(_read(port, scene.key, 1))
        read = [asyncio.run(_read(port, scene.key, effort.seconds)) for _ in range(effort.rounds)]
    free, under = (summed(f"charges, {name}, one hot wallet, {CALLERS} callers", runs[name]) for name in names)
    stats = summed(f"statistics over {RECORDS:,} records of {ENVELOPES} envelopes, {READERS} readers", read)
    return Result(
        "Limits: what three nested envelopes cost a charge, and what statistics cost",
        [free, under, stats],
        [
            at_most("a charge under three envelopes / one under none", free.per_s / under.per_s, 1.5),
            at_most("p99 of statistics, ms", stats.p99_ms, 50),
        ],
    )


async def _fill(world: World) -> Scene:
    """An organization with the second payer's wallet, three envelopes on it, and many records on others."""
    await note_revision(world)
    found = settings()
    conn = await asyncpg.connect(world.url)
    free, limited = world.payers[:2]
    async with app.open_services(lambda: world.url, found, app.secret_of(found)) as services:
        await services.directory.add_organization("bench", ORGANIZATION, "Bench")
        await conn.execute("UPDATE accounts SET organization_id = $1 WHERE id = $2", ORGANIZATION, limited.wallet_id)
        for scope in (Scope("all"), Scope("wallet", str(limited.wallet_id)), Scope("model", MODEL)):
            await services.envelopes.add("bench", _envelope(scope))
        records = [(await services.envelopes.add("bench", _envelope(None))).id for _ in range(ENVELOPES)]
        _, key = await services.keys.make("organization", "bench", organization_id=ORGANIZATION)
        await _record(conn, await services.envelopes.number(ORGANIZATION), records)
    await conn.close()
    return Scene(_of(world, free), _of(world, limited), key)


def _envelope(scope: Scope | None) -> NewEnvelope:
    money = {"counts": Counts.MONEY, "asset": "TOKEN"} if scope is not None and scope.kind != "model" else {}
    given = {"name": "bench", "limit_units": MONEY, "period": Period.MONTHLY, "organization_id": ORGANIZATION}
    return msgspec.convert(given | money | {"scope": scope}, NewEnvelope)


def _of(world: World, payer: object) -> World:
    return msgspec.structs.replace(world, payers=[payer])


async def _record(conn: "asyncpg.Connection[asyncpg.Record]", number: int, envelopes: list[int]) -> None:
    """A unit a record, as the ledger writes them, so that the audit stays clean."""
    await conn.execute(
        """
        INSERT INTO transfers (wallet_id, id, kind, amount, parent_id, envelope_ids, available_after, client, key,
                               fingerprint, created_at)
        SELECT $1, nextval('transfer_ids'), 'record', 1, e, ARRAY[e], 0, 'bench', 'record:' || n, ''::bytea, now()
        FROM generate_series(1, $3) n CROSS JOIN LATERAL (SELECT ($2::bigint[])[1 + n % cardinality($2)]) AS one (e)
        """,
        number,
        envelopes,
        RECORDS,
        timeout=600,
    )
    await conn.execute(
        "UPDATE envelopes SET used = $2, total = $2 WHERE id = ANY($1::bigint[])", envelopes, RECORDS // len(envelopes)
    )
    await conn.execute("ANALYZE transfers")


async def _read(port: int, key: str, seconds: float) -> Run:
    """Readers of `GET /usage/stats`, one request after the other."""
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def reader() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/x402tools", headers=headers) as client:
            while (start := time.perf_counter()) < end:
                answer = await client.get("/usage/stats")
                assert answer.json()["totalUsage"] >= RECORDS
                latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(reader() for _ in range(READERS)))
    return of_latencies(latencies, seconds)
