"""Statements: what moved in a period, and what that adds up to, at the same cost however long the history is."""

import asyncio
from datetime import datetime

from asyncpg import Pool, Record

from farebox.db import queries
from farebox.wallets.types import Entry, Period, Span

_SQL = queries.load("farebox.wallets", "statements.sql")
_MARK_EVERY = 1024
_EVER = Span(0, 2**63 - 2)


class Statements:
    """The statements of the wallets of one database."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def span(self, wallet_id: int, since: datetime, until: datetime) -> Span:
        """Which movements lie in a period: not before `since`, and before `until`."""
        row = await _SQL.span.one(self._pool, account_id=wallet_id, since=since, until=until)
        return Span(row["after"], max(row["after"], row["up_to"]))

    async def newest(self, wallet_id: int, limit: int) -> tuple[Span, list[Entry], Period]:
        """All movements up to now: the newest of them, and what all add up to."""
        page, (span, period) = await asyncio.gather(
            self.entries(wallet_id, _EVER, limit), self._whole_period(wallet_id)
        )
        shown = page[0].transfer_id if page else 0
        if shown != span.up_to:  # something has moved between the two looks
            span = Span(0, shown)
            period = await self.period(wallet_id, span)
        return span, page, period

    async def _whole_period(self, wallet_id: int) -> tuple[Span, Period]:
        span = Span(0, await _SQL.newest.value(self._pool, account_id=wallet_id))
        return span, await self.period(wallet_id, span)

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
