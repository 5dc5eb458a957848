"""Limits: a charge under three nested envelopes against one under none, and statistics over a million records."""

import contextlib
from collections.abc import Iterator

import asyncpg
import msgspec
import uvloop
from msgspec import Struct

from bench import asks
from bench.direct import batched, charges
from bench.figures import Claim, Figure, at_most, ratio
from bench.ground import Ground
from bench.rounds import Stage
from bench.serving import served
from bench.world import MODEL, MONEY, Payer, World, settings
from farebox import app
from farebox.envelopes.types import NewEnvelope, Scope
from farebox.ledger.envelopes import Counts
from farebox.windows import Period

ENVELOPES = 20
READERS = 4
ORGANIZATION = "bench-limits"
FREE, LIMITED = (f"charges, {name}, one hot wallet, 64 callers" for name in ("no envelope", "three nested envelopes"))
STATISTICS = f"statistics over all records of {ENVELOPES} envelopes, {READERS} readers"


class Scene(Struct):
    """A payer whom nothing limits, one under three envelopes, and a key that reads statistics."""

    free: Payer
    limited: Payer
    key: str


@contextlib.contextmanager
def limits(ground: Ground) -> Iterator[Stage]:
    """Charges of one hot wallet, with and without envelopes; then `GET /usage/stats`."""
    world = ground.world
    ground.say("limits: setting envelopes, recording usage")
    scene = uvloop.run(_fill(world, ground.effort.records))
    with served(world) as server:
        yield Stage(
            f"Limits: what three nested envelopes cost a charge, and statistics over {ground.effort.records:,} records",
            [
                batched(FREE, world, charges(world, [scene.free]), 64),
                batched(LIMITED, world, charges(world, [scene.limited]), 64),
                server.variant(STATISTICS, [asks.get("/x402tools/usage/stats", scene.key)], READERS),
            ],
            _claims,
        )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    return [
        at_most("a charge under three envelopes / one under none", ratio(figures[FREE], figures[LIMITED]), 1.5),
        at_most("statistics over all records, p99, ms", figures[STATISTICS].p99s_ms, 50),
    ]


async def _fill(world: World, count: int) -> Scene:
    """An organization with the second payer's wallet, three envelopes on it, and many records on others."""
    found = settings()
    conn = await asyncpg.connect(world.url)
    free, limited = world.payers[1:3]
    async with app.open_services(lambda: world.url, found, app.secret_of(found)) as services:
        await services.directory.add_organization("bench", ORGANIZATION, "Bench")
        await conn.execute("UPDATE accounts SET organization_id = $1 WHERE id = $2", ORGANIZATION, limited.wallet_id)
        for scope in (Scope("all"), Scope("wallet", str(limited.wallet_id)), Scope("model", MODEL)):
            await services.envelopes.add("bench", _envelope(scope))
        records = [(await services.envelopes.add("bench", _envelope(None))).id for _ in range(ENVELOPES)]
        _, key = await services.keys.make("organization", "bench", organization_id=ORGANIZATION)
        await _record(conn, await services.envelopes.number(ORGANIZATION), records, count)
    await conn.close()
    return Scene(free, limited, key)


def _envelope(scope: Scope | None) -> NewEnvelope:
    money = {"counts": Counts.MONEY, "asset": "TOKEN"} if scope is not None and scope.kind != "model" else {}
    given = {"name": "bench", "limit_units": MONEY, "period": Period.MONTHLY, "organization_id": ORGANIZATION}
    return msgspec.convert(given | money | {"scope": scope}, NewEnvelope)


async def _record(conn: "asyncpg.Connection[asyncpg.Record]", number: int, envelopes: list[int], count: int) -> None:
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
        count,
        timeout=600,
    )
    await conn.execute(
        "UPDATE envelopes SET used = $2, total = $2 WHERE id = ANY($1::bigint[])", envelopes, count // len(envelopes)
    )
    await conn.execute("ANALYZE transfers")
