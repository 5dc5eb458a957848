"""The ledger looks things up by their keys from the first charge on: no table that grows is ever read whole."""

import asyncpg

from farebox import app
from farebox.ledger.types import Capture, Charge, Hold, Refund
from tests.support.ledgers import Books
from tests.support.live import settings_for

GROWING = ("transfers", "entries", "holds", "refunds", "accounts", "grants", "account_movements", "api_keys")
ROUNDS = 40


async def test_a_young_database_is_read_by_keys_too(database: str) -> None:
    settings = settings_for(writers=1, sweep_interval_s=3600)
    secret = app.secret_of(settings)
    await app.prepare(database, settings, secret)
    async with app.open_services(lambda: database, settings, secret) as services:
        books = await Books.open(services)
        wallet = await books.wallet(10**9)
        grant = await books.grant(wallet)
        before = await whole_reads(database)
        drawn = {
            "wallet_id": wallet,
            "grant_id": grant,
            "provider_id": books.provider_id,
            "revenue_account": books.revenue,
        }
        for _ in range(ROUNDS):
            charge = await books.ask(Charge, **drawn, amount=5)
            await books.ask(
                Refund,
                wallet_id=wallet,
                grant_id=grant,
                revenue_account=books.revenue,
                charge_id=charge.transfer_id,
                amount=1,
            )
            hold = await books.ask(Hold, wallet_id=wallet, grant_id=grant, amount=5, ttl_s=60)
            await books.ask(Capture, **drawn, hold_id=hold.transfer_id, amount=5)
    # The writer's connection is closed: what it counted is told.
    assert await whole_reads(database) == before


async def whole_reads(database: str) -> dict[str, int]:
    """How often each growing table was read whole."""
    conn = await asyncpg.connect(database)
    try:
        rows = await conn.fetch(
            "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY($1)", list(GROWING)
        )
        return {row["relname"]: row["seq_scan"] for row in rows}
    finally:
        await conn.close()
