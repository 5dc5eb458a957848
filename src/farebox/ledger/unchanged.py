"""The short way of a batch: decided on what is known, and written in one round trip if that still stands.

The database locks the rows, sees that nobody has changed them since, and writes; or writes nothing. Then they are read
again, and if that is no use either, the batch goes the long way (`store.post`), which locks before it reads. What is
true is decided under the locks either way (ADR 0028).
"""

from collections.abc import Sequence
from typing import Any

import asyncpg
from asyncpg import Connection, Record

from farebox.db import queries
from farebox.db.pool import AWAY
from farebox.ledger.batch import Batch, Movement, Rows
from farebox.ledger.envelopes import told
from farebox.ledger.standing import SHORT, Standing, Unknown, moved_to, stands_until
from farebox.ledger.store import (
    CommitUnknown,
    as_json,
    askers_of,
    balance_changed,
    draws_of,
    named_by,
    read_rows,
)
from farebox.ledger.types import MAX_UNITS, UNSTORED, Ask, Facts, HoldFacts, Outcome

_SQL = queries.load("farebox.ledger", "unchanged.sql")
WAITED = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""Locks that the long way would only wait for again."""


async def read(conn: "Connection[Record]", asks: Sequence[Ask], standing: Standing) -> None:
    """Learns what asks are decided on, as it stands, in one round trip and without locks."""
    draws = draws_of(asks)
    facts, _ = read_rows(await _SQL.read_facts.all(conn, **named_by(asks, draws)), draws)
    standing.learn(facts, draws)


class Draft:
    """Asks that are decided on what is known, before the database has said whether it stands."""

    def __init__(self, standing: Standing, *, read: bool = False) -> None:
        self.asks: list[Ask] = []
        self.stale = False
        """Whether it was not written because facts had changed: they can be read again."""
        self._read = read
        self._standing = standing
        self._facts = standing.open()
        self._batch = Batch(self._facts)
        self._keys: set[tuple[str, str]] = set()
        self._outcomes: list[Outcome] = []

    @classmethod
    def of(cls, asks: Sequence[Ask], standing: Standing, *, read: bool = False) -> "Draft | None":
        """A draft of a whole batch; None where that takes more than what is known, or has just been `read`."""
        draft = cls(standing, read=read)
        try:
            for ask in asks:
                standing.lend(ask, draft._facts)
        except Unknown:
            return None
        try:
            if all(map(draft._decided, asks)):
                return draft
        except Exception:  # what was decided before it stays in no memory: its batch is halved, and decided anew
            draft.forget()
            raise
        standing.miss(draft._facts, read=True)  # to read it again would be no use
        return None

    def add(self, ask: Ask) -> bool:
        """Decides one more; False, and it is not in it, where that takes more than what is known."""
        if type(ask) not in SHORT:
            return False
        try:
            self._standing.lend(ask, self._facts)
        except Unknown:
            return False
        return self._decided(ask)

    def forget(self) -> None:
        """Gives it up: what it was decided on may be what never was."""
        self._standing.forget(self._facts)

    async def write(self, conn: "Connection[Record]") -> list[Outcome] | None:
        """Writes it if what it was decided on still stands; the outcomes are in the order of the asks.

        None, and nothing is written, where something has changed, or a key is known already.
        Raises CommitUnknown when the connection is lost: post the same asks again, their keys tell.
        """
        facts, rows = self._facts, self._batch.rows
        try:
            written = await _written(conn, _known(self.asks, facts) | _rows(facts, rows), self._standing.last_id)
        except BaseException:
            self.forget()
            raise
        if written is None or written["first_id"] is None:
            self.stale = written is not None and written["version"] == 0
            self._standing.miss(facts, read=self._read or not self.stale)
            return None
        moved_to(rows, written["first_id"], written["posted_at"] - facts.now)
        facts.now = written["posted_at"]
        for outcome in self._outcomes:
            outcome.transfer_id += written["first_id"]
            outcome.created_at = facts.now
        self._standing.hit(read=self._read)
        self._standing.keep(facts, rows, draws_of(self.asks), written["version"])
        return self._outcomes

    def _decided(self, ask: Ask) -> bool:
        """Decides an ask; not one whose key stands twice, or that leaves no row."""
        key = (ask.client, ask.key)
        if key in self._keys:
            return False
        outcome = self._batch.decide(ask)
        if outcome.refusal in UNSTORED:
            return False
        self._keys.add(key)
        self.asks.append(ask)
        self._outcomes.append(outcome)
        return True


def _known(asks: Sequence[Ask], facts: Facts) -> dict[str, Any]:
    """What is decided on: rows and their versions, in the order of the locks, and until when it holds."""
    wallets, grants, envelopes = (sorted(known) for known in (facts.wallets, facts.grants, facts.envelopes))
    holds = sorted(facts.holds.values(), key=_place)
    return askers_of(asks) | {
        "wallet_ids": wallets,
        "wallet_versions": [facts.wallets[id_].version for id_ in wallets],
        "grant_ids": grants,
        "grant_versions": [facts.grants[id_].version for id_ in grants],
        "hold_wallets": [hold.wallet_id for hold in holds],
        "hold_ids": [hold.id for hold in holds],
        "hold_versions": [hold.version for hold in holds],
        "envelope_ids": envelopes,
        "envelope_versions": [facts.envelopes[id_].version for id_ in envelopes],
        "price_revision": facts.price_revision,
        "envelope_revision": facts.envelope_revision,
        "decided_at": facts.now,
        "before": stands_until(asks, facts),
        "holding": any(wallet.held for wallet in facts.wallets.values()),
    }


def _place(hold: HoldFacts) -> tuple[int, int]:
    return hold.wallet_id, hold.id


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
