"""Tidying up: frees holds that have expired, folds insert-only credits into balances, forgets old events.

Nothing depends on it: expiry is decided when a thing is used (RULES 18), and unfolded credits count (RULES 5).
"""

import asyncio
from collections.abc import Sequence

import structlog
from asyncpg import Pool, Record

from farebox.db import queries
from farebox.ledger.batch import SYSTEM
from farebox.ledger.batcher import Ledger, Overloaded
from farebox.ledger.store import BrokenInvariant
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
    await _free(ledger, [row["wallet_id"] for row in await _SQL.due_wallets.all(pool, limit=_AT_ONCE)])
    while await _SQL.fold.value(pool, limit=10_000):
        pass
    while await _SQL.forget_events.value(pool, keep_s=outbox_keep_s, limit=10_000):
        pass


async def _free(ledger: Ledger, wallet_ids: Sequence[int]) -> None:
    """Frees what has expired; a wallet that somebody keeps locked, or whose books are broken, stops nothing else."""
    left: list[str] = []
    for wallet_id in wallet_ids:
        try:
            await ledger.submit(Tidy(client=SYSTEM, key="", fingerprint=b"", wallet_id=wallet_id))
        except (Overloaded, BrokenInvariant) as error:
            left.append(type(error).__name__)
    if left:
        log.warning("sweeper.wallets_left", wallets=len(left), errors=sorted(set(left)))
