"""The ledger that growth is measured on is a true one: the audit finds nothing, and it is charged like any other."""

from pathlib import Path

import asyncpg
from bench.growth.crowd import Size, grant_id, session_token, wallet_id
from bench.growth.ledger import room_for
from bench.growth.loader import load, settle

from farebox import app, ids
from farebox.ledger.audit import audit
from farebox.ledger.types import Charge
from tests.support.databases import OWNER
from tests.support.ledgers import mark
from tests.support.live import settings_for

SIZE = Size(wallets=300, entries=6_000)


def said_nowhere(_: str) -> None:
    """Nobody listens."""


def test_a_ledger_that_the_disk_has_no_room_for(tmp_path: Path) -> None:
    assert room_for(SIZE, tmp_path)
    assert not room_for(Size(wallets=10**7, entries=10**15), tmp_path)


async def test_a_ledger_made_in_bulk_is_a_true_one(database: str) -> None:
    owner_url = database.replace("://farebox@", f"://{OWNER}@")
    before = await definitions(database)
    await load(owner_url, database, SIZE, said_nowhere, chunk=777)
    await settle(owner_url, said_nowhere)
    assert await definitions(database) == before
    conn = await asyncpg.connect(database)
    assert await clean_figures(conn) == (SIZE.wallets, SIZE.entries)
    assert all(ids.parse_wallet_id(str(row["id"])) for row in await conn.fetch(WALLETS))
    await charge_each_kind(database)
    assert await clean_figures(conn) == (SIZE.wallets, SIZE.entries + 2 * len(KINDS))
    await conn.close()


WALLETS = "SELECT id FROM accounts WHERE kind = 'wallet'"
KINDS = (0, 10, 299)
"""A heavy wallet, a busy one, an ordinary one."""


async def clean_figures(conn: "asyncpg.Connection[asyncpg.Record]") -> tuple[int, int]:
    report = await audit(conn)
    assert not report.differences
    return report.figures["wallets"], report.figures["entries"]


async def charge_each_kind(url: str) -> None:
    settings = settings_for()
    async with app.open_services(lambda: url, settings, app.secret_of(settings)) as services:
        for index in KINDS:
            found = await services.consent.resolve(session_token(index))
            assert found is not None
            assert (found.wallet_id, found.grant_id) == (wallet_id(index), grant_id(index))
            ask = Charge(
                client="test",
                key=str(index),
                fingerprint=mark(),
                wallet_id=found.wallet_id,
                grant_id=found.grant_id,
                provider_id=found.provider_id,
                revenue_account=await services.accounts.revenue(found.provider_id, found.asset),
                amount=1,
            )
            assert (await services.ledger.submit(ask)).refusal is None


async def definitions(url: str) -> list[str]:
    """Indexes, constraints and triggers, as they are told by the database."""
    conn = await asyncpg.connect(url)
    rows = await conn.fetch(
        """
        SELECT indexdef AS told FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT conrelid::regclass::text || conname || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1
        """
    )
    await conn.close()
    return [row["told"] for row in rows]
