"""A ledger of the first schema is a ledger of the newest: nothing is lost on the way, and it goes on from there."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from farebox.db import migrate
from farebox.db.embedded import APP_ROLE
from farebox.ledger.audit import audit
from farebox.ledger.types import Capture, Charge, Refund
from tests.support.databases import OWNER, Databases
from tests.support.ledgers import mark, services_on

WALLET = 1_000_000_000_000_001
OUTSIDE, REVENUE = 1, 2
DEPOSIT, CHARGE, REFUND, HOLD = 4096, 4097, 8192, 12288

FIRST = f"""
    INSERT INTO organizations (id, name) VALUES ('acme', 'Acme');
    INSERT INTO providers (slug, name, verified) VALUES ('chat', 'Chat', true);
    INSERT INTO accounts (id, kind, asset, balance, held, owner, organization_id, provider_id, source) VALUES
        (nextval('account_ids'), 'external', 'USD', -600, 0, NULL, NULL, NULL, 'bank'),
        (nextval('account_ids'), 'revenue', 'USD', 100, 0, NULL, NULL, 1, NULL),
        ({WALLET}, 'wallet', 'USD', 910, 50, 'ann', 'acme', NULL, NULL);
    INSERT INTO account_movements (account_id, transfer_id, amount) VALUES
        ({OUTSIDE}, {DEPOSIT}, -400), ({REVENUE}, {REFUND}, -10);
    INSERT INTO grants (wallet_id, provider_id, provider_username, token_nonce, token_hash, limit_units, spent, held)
    VALUES ({WALLET}, 1, 'ann@chat', decode(repeat('01', 16), 'hex'), decode(repeat('02', 32), 'hex'), 500, 90, 50);
    INSERT INTO transfers (wallet_id, id, kind, refusal, debit_account, credit_account, amount, grant_id, parent_id,
                           available_after, remaining_after, client, key, fingerprint, provider_id, model,
                           input_tokens, created_at) VALUES
        ({WALLET}, {DEPOSIT}, 'deposit', NULL, {OUTSIDE}, {WALLET}, 1000, NULL, NULL,
         1000, NULL, 'admin', 'd', '', NULL, NULL, NULL, '2026-01-31T23:59:59Z'),
        ({WALLET}, {CHARGE}, 'charge', NULL, {WALLET}, {REVENUE}, 100, 1, NULL,
         900, 400, 'chat', 'c', decode(repeat('03', 16), 'hex'), 1, 'gpt', 70, '2026-02-01T00:00:00Z'),
        ({WALLET}, {CHARGE + 1}, 'charge', 'grant_limit_exceeded', NULL, NULL, 600, 1, NULL,
         900, 400, 'chat', 'refused', decode(repeat('04', 16), 'hex'), 1, 'gpt', 7, '2026-02-01T00:00:00Z'),
        ({WALLET}, {REFUND}, 'refund', NULL, {REVENUE}, {WALLET}, 10, 1, {CHARGE},
         910, 410, 'chat', 'r', '', NULL, NULL, NULL, '2026-02-02T00:00:00Z'),
        ({WALLET}, {HOLD}, 'hold', NULL, NULL, NULL, 50, 1, NULL,
         860, 360, 'chat', 'h', '', 1, NULL, NULL, '2026-02-03T00:00:00Z');
    INSERT INTO entries (account_id, transfer_id, wallet_id, amount, balance_after, created_at) VALUES
        ({OUTSIDE}, {DEPOSIT}, {WALLET}, -1000, NULL, '2026-01-31T23:59:59Z'),
        ({WALLET}, {DEPOSIT}, {WALLET}, 1000, 1000, '2026-01-31T23:59:59Z'),
        ({WALLET}, {CHARGE}, {WALLET}, -100, 900, '2026-02-01T00:00:00Z'),
        ({REVENUE}, {CHARGE}, {WALLET}, 100, NULL, '2026-02-01T00:00:00Z'),
        ({REVENUE}, {REFUND}, {WALLET}, -10, NULL, '2026-02-02T00:00:00Z'),
        ({WALLET}, {REFUND}, {WALLET}, 10, 910, '2026-02-02T00:00:00Z');
    INSERT INTO refunds (wallet_id, charge_id, amount, refunded) VALUES ({WALLET}, {CHARGE}, 100, 10);
    INSERT INTO holds (wallet_id, id, grant_id, amount, state, expires_at, created_at) VALUES
        ({WALLET}, {HOLD}, 1, 50, 'pending', now() + interval '1 hour', '2026-02-03T00:00:00Z');
    SELECT setval('transfer_ids', {HOLD});
"""
"""A deposit, a charge, one that was refused, a refund and an open hold, as the first schema has them."""


@pytest.fixture
def old(postgres: Databases) -> Iterator[str]:
    """A database of the first schema with something in it; its URL for the application's role."""
    name = postgres.empty()
    asyncio.run(_filled(postgres.url(name, OWNER)))
    yield postgres.url(name)
    postgres.drop(name)


async def _filled(url: str) -> None:
    await migrate.migrate(url, "0001")
    conn = await asyncpg.connect(url)
    try:
        await conn.execute(FIRST)
    finally:
        await conn.close()
    await migrate.migrate(url)
    await migrate.grant(url, APP_ROLE)


async def test_the_first_ledger_goes_on(old: str) -> None:
    ours: dict[str, Any] = {"client": "chat", "wallet_id": WALLET, "grant_id": 1}
    async with services_on(old) as services:

        async def clean() -> dict[str, int]:
            for _ in range(3):  # noted, counted, and nothing more
                await services.totals.keep()
            async with services.pool.acquire() as conn:
                report = await audit(conn)
            assert report.clean, report.differences
            return {item.kind: item.balance for item in report.balances}

        assert await clean() == {"external": -1000, "revenue": 90, "wallet": 910}

        again = Charge(**ours, key="c", fingerprint=b"\3" * 16, provider_id=1, revenue_account=REVENUE, amount=100)
        known = await services.ledger.submit(again)
        assert (known.transfer_id, known.replayed) == (CHARGE, True)

        capture = Capture(**ours, key="x", fingerprint=mark(), hold_id=HOLD, provider_id=1, revenue_account=REVENUE)
        assert (await services.ledger.submit(capture)).available == 860
        back = Refund(**ours, key="y", fingerprint=mark(), charge_id=CHARGE, revenue_account=REVENUE, amount=None)
        assert (await services.ledger.submit(back)).amount == 90
        assert await clean() == {"external": -1000, "revenue": 50, "wallet": 950}
