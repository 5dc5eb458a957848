"""Forms that were acted on, by the keys that stood in them: sent again, they do nothing.

What moves money does not need this: its key stands in the journal. Here the key is taken before the act, so that of an
act that is cut off between the two nothing happens, and its form has to be filled in anew.
"""

from asyncpg import Pool, Record

from farebox.db import queries

_SQL = queries.load("farebox.identity", "sent_forms.sql")


class SentForms:
    """The forms of one database that were sent; each is remembered for two days."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def first(self, key: str) -> bool:
        """Whether this form is sent for the first time; from now on it was."""
        await _SQL.forget.run(self._pool)
        return await _SQL.claim.value(self._pool, key=key) is not None
