"""Proves the books on a live database: everything that can be computed twice is, in one snapshot.

Nothing here changes anything or waits for anybody; a server may go on writing meanwhile.
"""

from collections.abc import Callable
from datetime import datetime

from asyncpg import Connection, Record
from asyncpg.pool import PoolConnectionProxy
from msgspec import Struct

from farebox.db import queries

_SQL = queries.load("farebox.ledger", "audit.sql")
SHOWN = 20
"""The most rows of one difference that are listed."""

CHECKS: dict[str, str] = {
    "entries_sum_to_zero": "the sum of all entries is zero, in every asset",
    "transfers_have_their_entries": "every transfer has its two entries, every entry its transfer",
    "transfers_are_between_the_right_accounts": "money moves between the wallet and the provider that are named",
    "balances_are_their_entries": "every balance is the sum of its entries",
    "balances_follow_their_entries": "every entry leaves the balance that it says",
    "held_is_open_holds": "what a wallet holds back is the sum of its open holds",
    "debt_is_what_is_missing": "debt is what is missing, to the unit",
    "grants_count_their_charges": "what a grant has spent is the sum of its charges less refunds",
    "grants_count_their_holds": "what a grant holds back is the sum of its open holds",
    "holds_end_once": "every hold is open, captured once, or freed once",
    "holds_are_written_down": "every accepted hold is there",
    "refunds_are_counted": "what was given back of a charge is the sum of its refunds",
    "limits_hold": "no grant has passed its limit",
    "envelopes_count_their_records": "all that an envelope has counted is the sum of its records",
    "envelopes_count_their_holds": "what an envelope holds back is the sum of its open holds",
    "windows_add_up": "an envelope's windows add up to all that it has counted",
    "envelopes_hold": "no envelope has passed its limit",
    "totals_follow_the_journal": "the totals of the charts are the charges and refunds that they have counted",
}


class Row(Struct, frozen=True):
    """One place where the books differ. `expected` is computed from the journal, `found` is what is kept."""

    subject: str
    expected: int | None
    found: int | None


class Difference(Struct, frozen=True):
    """A check that failed: how many rows differ, and the first of them."""

    check: str
    rule: str
    count: int
    rows: list[Row]


class Balance(Struct, frozen=True):
    """What one kind of account holds in an asset, in units."""

    asset: str
    kind: str
    balance: int


class Report(Struct, frozen=True):
    """The result of an audit."""

    at: datetime
    figures: dict[str, int]
    balances: list[Balance]
    checks: list[str]
    differences: list[Difference]

    @property
    def clean(self) -> bool:
        """Whether no check found a difference."""
        return not self.differences


async def audit(
    conn: "Connection[Record] | PoolConnectionProxy[Record]", progress: Callable[[str], None] | None = None
) -> Report:
    """Runs every check in one snapshot. `progress` is told the rule that is checked next."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        # Whole tables are read: what the server sets against that would only get in the way here.
        await conn.execute("SET LOCAL statement_timeout = 0")
        at: datetime = await _SQL.snapshot.value(conn)
        figures = {row["name"]: row["value"] for row in await _SQL.figures.all(conn)}
        balances = [Balance(row["asset"], row["kind"], int(row["balance"])) for row in await _SQL.balances.all(conn)]
        differences = []
        for check, rule in CHECKS.items():
            if progress is not None:
                progress(rule)
            found = await _check(conn, check, rule)
            if found is not None:
                differences.append(found)
    return Report(at, figures, balances, list(CHECKS.values()), differences)


async def _check(conn: "Connection[Record] | PoolConnectionProxy[Record]", check: str, rule: str) -> Difference | None:
    rows: list[Row] = []
    count = 0
    async for row in conn.cursor(getattr(_SQL, check).sql):
        count += 1
        if count <= SHOWN:
            rows.append(Row(row["subject"], _number(row["expected"]), _number(row["found"])))
    return Difference(check, rule, count, rows) if count else None


def _number(value: object) -> int | None:
    return None if value is None else int(str(value))
