"""Tidying up: frees holds that have expired, folds insert-only credits into balances, forgets old events.

Nothing depends on it: expiry is decided when a thing is used (RULES 18), and unfolded credits count (RULES 5).
"""

import asyncio

import structlog
from asyncpg import Pool, Record

from farebox.db import queries
from farebox.ledger.batch import SYSTEM
from farebox.ledger.batcher import Ledger
from farebox.ledger.types import Tidy
from farebox.settings import Settings

log = structlog.get_logger()
_SQL = queries.load("farebox.ledger", "sweeper.sql")
_AT_ONCE = 500


async def sweep_forever(pool: "Pool[Record]", ledger: Ledger, settings: Settings) -> None:
    """Sweeps until it is cancelled. A database that is away is no reason to stop."""
    while True:
        await asyncio.sleep(settings.sweep_interval_s)
        try:
            await sweep(pool, ledger, settings.outbox_keep_s)
        except Exception as error:
            log.warning("sweeper.failed", error=repr(error))


async def sweep(pool: "Pool[Record]", ledger: Ledger, outbox_keep_s: int) -> None:
    """One round."""
    for row in await _SQL.due_wallets.all(pool, limit=_AT_ONCE):
        await ledger.submit(Tidy(client=SYSTEM, key="", fingerprint=b"", wallet_id=row["wallet_id"]))
    while await _SQL.fold.value(pool, limit=10_000):
        pass
    while await _SQL.forget_events.value(pool, keep_s=outbox_keep_s, limit=10_000):
        pass
