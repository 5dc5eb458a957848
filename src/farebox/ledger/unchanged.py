"""The short way of a batch of charges: decided on what is known, and written in one round trip if that still stands.

The database locks the rows, sees that nobody has changed them since, and writes; or writes nothing, and the batch goes
the long way (`store.post`), which reads them first. What is true is decided under the locks either way (ADR 0028).
"""

from collections.abc import Sequence

import asyncpg
from asyncpg import Connection, Record

from farebox.db import queries
from farebox.db.pool import AWAY
from farebox.ledger.batch import Batch, Movement, Rows
from farebox.ledger.standing import Standing, stands_until
from farebox.ledger.store import CommitUnknown, as_json, balance_changed, changed
from farebox.ledger.types import MAX_UNITS, UNSTORED, Ask, Facts, Outcome

_SQL = queries.load("farebox.ledger", "unchanged.sql")
WAITED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Locks that the long way would only wait for again."""


async def post_unchanged(conn: "Connection[Record]", asks: Sequence[Ask], standing: Standing) -> list[Outcome] | None:
    """Decides and writes a batch on facts that still stand; the outcomes are in the order of the asks.

    None, and nothing is written, where not all is known, or something has changed, or a key is known already.
    Raises CommitUnknown when the connection is lost: post the same asks again, their keys tell.
    """
    facts = None if conn.is_in_transaction() else standing.facts_for(asks)
    if facts is None:
        return None
    try:
        return await _post(conn, asks, facts, standing)
    except BaseException:
        standing.forget(facts)
        raise


async def _post(
    conn: "Connection[Record]", asks: Sequence[Ask], facts: Facts, standing: Standing
) -> list[Outcome] | None:
    before = stands_until(asks, facts)
    versions = [fact.version for fact in facts.wallets.values()], [fact.version for fact in facts.grants.values()]
    holding = any(wallet.held for wallet in facts.wallets.values())
    batch = Batch(facts)
    outcomes = [batch.decide(ask) for ask in asks]
    if any(outcome.refusal in UNSTORED for outcome in outcomes):
        standing.miss(facts)
        return None
    row = await _written(conn, asks, batch.rows, facts, versions, (before, holding), standing.last_id)
    if row is None or row["first_id"] is None:
        standing.miss(facts)
        return None
    facts.now = row["posted_at"]
    for outcome in outcomes:
        outcome.transfer_id += row["first_id"]
        outcome.created_at = facts.now
    standing.hit()
    standing.keep(facts, changed(facts, batch.rows), outcomes[-1].transfer_id, row["version"])
    return outcomes


async def _written(
    conn: "Connection[Record]",
    asks: Sequence[Ask],
    rows: Rows,
    facts: Facts,
    versions: tuple[list[int], list[int]],
    stands: tuple[object, bool],
    last_id: int,
) -> Record | None:
    """What the database says; None where it refuses the rows: the long way tells why."""
    wallets = [facts.wallets[id_] for id_ in rows.wallets]
    try:
        (row,) = await _SQL.post_unchanged.all(
            conn,
            wallet_ids=list(facts.wallets),
            wallet_versions=versions[0],
            grant_ids=list(facts.grants),
            grant_versions=versions[1],
            credential_ids={ask.credential_id for ask in asks if ask.credential_id is not None},
            book_revision=facts.price_revision,
            before=stands[0],
            holding=stands[1],
            transfer_rows=as_json(rows.transfers),
            movement_rows=as_json([Movement(account, 0, amount) for account, amount in rows.received.items()]),
            wallet_rows=as_json(wallets),
            grant_rows=as_json([facts.grants[id_] for id_ in rows.grants]),
            event_rows=as_json([balance_changed(wallet, rows.transfers[-1].id) for wallet in wallets]),
        )
        return row
    except WAITED:
        raise
    except AWAY as error:
        raise CommitUnknown(range(last_id + 1, MAX_UNITS)) from error
    except asyncpg.PostgresError:
        return None
    except BaseException as error:  # its answer may never come: what was sent may have been done
        raise CommitUnknown(range(last_id + 1, MAX_UNITS)) from error
