"""Statements: what moved in a period, and what that adds up to, at the same cost however long the history is."""

from datetime import datetime

from asyncpg import Pool, Record

from farebox.db import queries
from farebox.wallets.types import Entry, Period, Span

_SQL = queries.load("farebox.wallets", "statements.sql")
_MARK_EVERY = 1024


class Statements:
    """The statements of the wallets of one database."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def span(self, wallet_id: int, since: datetime, until: datetime) -> Span:
        """Which movements lie in a period: not before `since`, and before `until`."""
        row = await _SQL.span.one(self._pool, account_id=wallet_id, since=since, until=until)
        return Span(row["after"], max(row["after"], row["up_to"]))

    async def whole(self, wallet_id: int) -> Span:
        """All movements up to now."""
        return Span(0, await _SQL.newest.value(self._pool, account_id=wallet_id))

    async def entries(self, wallet_id: int, span: Span, limit: int, before: int | None = None) -> list[Entry]:
        """Movements within a span, newest first; where given, with numbers below `before`."""
        end = span.up_to + 1 if before is None else min(before, span.up_to + 1)
        rows = await _SQL.entries.all(self._pool, account_id=wallet_id, after=span.after, before=end, limit=limit)
        return [Entry(*row) for row in rows]

    async def period(self, wallet_id: int, span: Span) -> Period:
        """What the movements of a span add up to."""
        found = await _SQL.period.one(self._pool, account_id=wallet_id, after=span.after, up_to=span.up_to)
        if found["unmarked"] > 2 * _MARK_EVERY:
            await _SQL.mark.run(self._pool, account_id=wallet_id, every=_MARK_EVERY)
        # Sums are wider than 64 bits.
        return Period(found["opening"], int(found["money_in"]), int(found["money_out"]), found["entries"])
