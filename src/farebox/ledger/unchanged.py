"""The short way of a batch: decided on what is known, and written in one round trip if that still stands.

The database locks the rows, sees that nobody has changed them since, and writes; or writes nothing, and the batch goes
the long way (`store.post`), which reads them first. What is true is decided under the locks either way (ADR 0028).
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
from asyncpg import Connection, Record

from farebox.db import queries
from farebox.db.pool import AWAY
from farebox.ledger.batch import Batch, Movement, Rows
from farebox.ledger.envelopes import told
from farebox.ledger.standing import Standing, moved_to, stands_until
from farebox.ledger.store import CommitUnknown, as_json, balance_changed, draws_of
from farebox.ledger.types import MAX_UNITS, UNSTORED, Ask, Facts, Outcome

_SQL = queries.load("farebox.ledger", "unchanged.sql")
WAITED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Locks that the long way would only wait for again."""


async def post_unchanged(conn: "Connection[Record]", asks: Sequence[Ask], standing: Standing) -> list[Outcome] | None:
    """Decides and writes a batch on facts that still stand; the outcomes are in the order of the asks.

    None, and nothing is written, where not all is known, or something has changed, or a key is known already.
    Raises CommitUnknown when the connection is lost: post the same asks again, their keys tell.
    """
    facts = standing.facts_for(asks)  # asked in any case: it counts how long it is not to be tried
    if facts is None or conn.is_in_transaction():
        return None
    try:
        return await _post(conn, asks, facts, standing)
    except BaseException:
        standing.forget(facts)
        raise


async def _post(
    conn: "Connection[Record]", asks: Sequence[Ask], facts: Facts, standing: Standing
) -> list[Outcome] | None:
    known = _known(asks, facts)
    batch = Batch(facts)
    outcomes = [batch.decide(ask) for ask in asks]
    written = None
    if not batch.rows.turned and not any(outcome.refusal in UNSTORED for outcome in outcomes):
        written = await _written(conn, known | _rows(facts, batch.rows), standing.last_id)
    if written is None or written["first_id"] is None:
        standing.miss(facts)
        return None
    moved_to(batch.rows, written["first_id"], written["posted_at"] - facts.now)
    facts.now = written["posted_at"]
    for outcome in outcomes:
        outcome.transfer_id += written["first_id"]
        outcome.created_at = facts.now
    standing.hit()
    standing.keep(facts, batch.rows, draws_of(asks), written["version"])
    return outcomes


def _known(asks: Sequence[Ask], facts: Facts) -> dict[str, Any]:
    """What is decided on, before anything is: the versions of rows, and until when it holds."""
    people = list({ask.person for ask in asks if ask.credential_id is None and ask.person is not None})
    return {
        "wallet_ids": list(facts.wallets),
        "wallet_versions": [wallet.version for wallet in facts.wallets.values()],
        "grant_ids": list(facts.grants),
        "grant_versions": [grant.version for grant in facts.grants.values()],
        "hold_wallets": [hold.wallet_id for hold in facts.holds.values()],
        "hold_ids": list(facts.holds),
        "hold_versions": [hold.version for hold in facts.holds.values()],
        "envelope_ids": list(facts.envelopes),
        "envelope_versions": [envelope.version for envelope in facts.envelopes.values()],
        "credential_ids": {ask.credential_id for ask in asks if ask.credential_id is not None},
        "person_ids": [person for person, _ in people],
        "person_versions": [version for _, version in people],
        "price_revision": facts.price_revision,
        "envelope_revision": facts.envelope_revision,
        "decided_at": facts.now,
        "before": stands_until(asks, facts),
        "holding": any(wallet.held for wallet in facts.wallets.values()),
    }


def _rows(facts: Facts, rows: Rows) -> dict[str, str]:
    """What is to be written."""
    wallets = [facts.wallets[id_] for id_ in rows.wallets]
    events = [balance_changed(wallet, rows.transfers[-1].id) for wallet in wallets]
    return {
        "transfer_rows": as_json(rows.transfers),
        "movement_rows": as_json([Movement(account, 0, amount) for account, amount in rows.received.items()]),
        "wallet_rows": as_json(wallets),
        "grant_rows": as_json([facts.grants[id_] for id_ in rows.grants]),
        "opened_rows": as_json(rows.opened_holds),
        "closed_rows": as_json(rows.closed_holds),
        "envelope_rows": as_json([facts.envelopes[id_] for id_ in rows.envelopes]),
        "event_rows": as_json([*events, *map(told, rows.passed)]),
    }


async def _written(conn: "Connection[Record]", given: dict[str, Any], last_id: int) -> Record | None:
    """What the database says; None where it refuses the rows: the long way tells why."""
    try:
        (row,) = await _SQL.post_unchanged.all(conn, **given)
        return row
    except WAITED:
        raise
    except AWAY as error:
        raise CommitUnknown(range(last_id + 1, MAX_UNITS)) from error
    except asyncpg.PostgresError:
        return None
    except BaseException as error:  # its answer may never come: what was sent may have been done
        raise CommitUnknown(range(last_id + 1, MAX_UNITS)) from error
