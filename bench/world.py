"""What the benchmarks run on: a PostgreSQL of their own with durable settings, a provider, wallets, grants, prices."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import msgspec
from msgspec import Struct

from farebox import app
from farebox.consent.types import Terms
from farebox.db import embedded, migrate
from farebox.db.embedded import APP_ROLE, DATABASE, EmbeddedPostgres
from farebox.pricing.defaults import load_default_book
from farebox.pricing.types import NewPrice, Rates
from farebox.settings import Settings

ADMIN_KEY = "fbx_admin_" + "bench" * 8
SECRET_KEY = "be" * 32
MODEL = "bench-chat"
MONEY = 10**15
TRIAL = 1_000
"""With fewer wallets, nothing is measured but that it works."""
OWNER = "postgres"
CREATE = embedded.creating() if hasattr(embedded, "creating") else f"CREATE DATABASE {DATABASE}"
"""Makes the database as a server does; earlier revisions, which are compared with, said nothing of its order."""


class Payer(Struct):
    """A wallet with a grant to draw on."""

    wallet_id: int
    grant_id: int
    token: str


class World(Struct):
    """Everything a load needs to know."""

    url: str
    owner_url: str
    postmaster: int
    """Process id of its PostgreSQL."""
    provider_id: int
    revenue: int
    api_key: str
    payers: list[Payer]
    poor: Payer
    """With a grant, but no money."""


def settings(**given: object) -> Settings:
    """Settings as shipped, with known keys."""
    base: dict[str, object] = {"admin_key": ADMIN_KEY, "secret_key": SECRET_KEY, "default_prices": "none", "port": 0}
    return msgspec.convert(base | given, Settings, strict=False)


@contextlib.contextmanager
def world(wallets: int) -> Iterator[World]:
    """A fresh database with that many wallets, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="farebox-bench-") as directory:
        Path(directory).chmod(0o755)
        postgres = EmbeddedPostgres(Path(directory))
        postgres.start()
        try:
            yield asyncio.run(_fill(postgres, wallets))
        finally:
            postgres.stop()


async def _fill(postgres: EmbeddedPostgres, wallets: int) -> World:
    conn = await asyncpg.connect(postgres.url(OWNER, OWNER))
    await conn.execute(CREATE)
    await conn.close()
    await migrate.migrate(postgres.url(OWNER))
    conn = await asyncpg.connect(postgres.url(OWNER))
    postmaster = await conn.fetchval("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
    await migrate.grant_app_role(conn, APP_ROLE)
    found = settings()
    secret = app.secret_of(found)
    async with app.open_services(postgres.url, found, secret) as services:
        provider = await services.directory.add_provider("bench", "bench", "Bench")
        _, key = await services.keys.make("provider", "bench", slug="bench", provider_id=provider.id)
        rates = Rates(input_token="0.001", output_token="0.002")
        await services.prices.add("bench", "bench", [NewPrice(MODEL, "TOKEN", rates)])
        await load_default_book(services.prices)

        async def payer(number: int) -> Payer:
            wallet = await services.wallets.add("bench", "TOKEN", None, None)
            grant, token = await services.consent.grant("bench", wallet.id, provider, f"user{number}", Terms(MONEY))
            return Payer(wallet.id, grant.id, token)

        payers = [one for start in range(0, wallets, 100) for one in await _together(payer, start, wallets)]
        poor = await payer(wallets)
        revenue = await services.accounts.revenue(provider.id, "TOKEN")
        outside = await services.accounts.external("bench", "TOKEN")
    await pay_in(conn, [payer.wallet_id for payer in payers], outside)
    await _copy_for_orm(conn)
    await conn.execute("ANALYZE")
    if wallets >= TRIAL:
        await make_log_files(conn)
    await conn.close()
    return World(postgres.url(), postgres.url(OWNER), postmaster, provider.id, revenue, key, payers, poor)


async def make_log_files(conn: "asyncpg.Connection[asyncpg.Record]") -> None:
    """As a busy database has them after a while, and uses them again: to make one stops every commit for some 15 ms."""
    kept = await conn.fetchval("SELECT setting::int FROM pg_settings WHERE name = 'max_wal_size'")
    size = await conn.fetchval("SELECT setting::int FROM pg_settings WHERE name = 'wal_segment_size'")
    for _ in range(kept * 2**20 // size):
        await conn.execute("SELECT pg_logical_emit_message(false, 'bench', '')")
        await conn.execute("SELECT pg_switch_wal()")
    await conn.execute("CHECKPOINT")


async def _together(make: Callable[[int], Awaitable[Payer]], start: int, end: int) -> list[Payer]:
    return await asyncio.gather(*(make(number) for number in range(start, min(start + 100, end))))


async def pay_in(conn: "asyncpg.Connection[asyncpg.Record]", wallets: list[int], outside: int) -> None:
    """Money into many wallets at once, booked as the ledger books it, so that the audit stays clean."""
    await conn.execute(
        """
        WITH paid AS (
            INSERT INTO transfers (wallet_id, id, kind, debit_account, credit_account, amount, available_after,
                                   client, key, fingerprint, created_at)
            SELECT w, nextval('transfer_ids'), 'deposit', $2, w, $3, $3, 'bench', 'deposit:' || w, ''::bytea, now()
            FROM unnest($1::bigint[]) AS w RETURNING wallet_id, id
        ), moved AS (
            INSERT INTO entries (account_id, transfer_id, wallet_id, amount, balance_after, created_at)
            SELECT e.account, id, wallet_id, e.amount, e.after, now() FROM paid
            CROSS JOIN LATERAL (VALUES (wallet_id, $3::bigint, $3::bigint), ($2, -$3, NULL))
                AS e (account, amount, after)
        ), received AS (
            INSERT INTO account_movements (account_id, transfer_id, amount) SELECT $2, id, -$3 FROM paid
        )
        UPDATE accounts SET balance = $3 FROM paid WHERE accounts.id = paid.wallet_id
        """,
        wallets,
        outside,
        MONEY,
    )


async def _copy_for_orm(conn: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Tables of its own for the ORM baseline, without our triggers: it writes entries one by one."""
    await conn.execute("CREATE SCHEMA orm")
    for table in ("accounts", "grants", "transfers", "entries"):
        await conn.execute(f"CREATE TABLE orm.{table} (LIKE public.{table} INCLUDING ALL)")
    await conn.execute("INSERT INTO orm.accounts SELECT * FROM accounts")
    await conn.execute("INSERT INTO orm.grants OVERRIDING SYSTEM VALUE SELECT * FROM grants")
    await conn.execute(f"GRANT USAGE ON SCHEMA orm TO {APP_ROLE}")
    await conn.execute(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA orm TO {APP_ROLE}")
