"""Asking for money: a request is only a wish; what answers it is a deposit."""

from datetime import datetime

from asyncpg import Pool, Record
from msgspec import Struct

from farebox import ids
from farebox.db import queries
from farebox.errors import Conflict
from farebox.identity.service import note

_SQL = queries.load("farebox.wallets", "top_ups.sql")


class TopUp(Struct, frozen=True):
    """A request. `amount` is in units of the wallet's asset; `answer` is `paid` or `declined`, None while it waits."""

    id: int
    wallet_id: int
    amount: int
    reason: str
    created_at: datetime
    answer: str | None
    answered_at: datetime | None
    asset: str
    owner: str | None


class TopUps:
    """The requests of one database."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def ask(self, actor: str, wallet_id: int, amount: int, reason: str) -> None:
        """Asks the operator; Conflict where a request of the wallet waits already."""
        async with self._pool.acquire() as conn, conn.transaction():
            number = await _SQL.ask.value(conn, wallet_id=wallet_id, amount=amount, reason=reason)
            if number is None:
                raise Conflict("a request of yours waits already")
            await note(conn, actor, "top_up.ask", ids.public("tu", number), wallet=str(wallet_id), amount=amount)

    async def of(self, wallet_id: int) -> TopUp | None:
        """The request of a wallet that waits, if one does."""
        row = await _SQL.open_of.first(self._pool, wallet_id=wallet_id)
        return None if row is None else TopUp(**row)

    async def newest_of(self, wallet_id: int) -> TopUp | None:
        """The last request of a wallet, answered or not."""
        row = await _SQL.newest_of.first(self._pool, wallet_id=wallet_id)
        return None if row is None else TopUp(**row)

    async def waiting(self, limit: int) -> list[TopUp]:
        """Those that wait, the oldest first."""
        return [TopUp(**row) for row in await _SQL.open_all.all(self._pool, limit=limit)]

    async def answer(self, actor: str, wallet_id: int, answer: str, **why: str) -> None:
        """Closes a wallet's request as `paid` or `declined`; none waiting is no error."""
        async with self._pool.acquire() as conn, conn.transaction():
            number = await _SQL.answer.value(conn, wallet_id=wallet_id, answer=answer)
            if number is not None:
                await note(conn, actor, f"top_up.{answer}", ids.public("tu", number), wallet=str(wallet_id), **why)
