"""Sessions of browsers: made at sign-in, ended by signing out, by time, by another password or a revoked key."""

from asyncpg import Pool, Record

from farebox import ids
from farebox.db import queries
from farebox.identity.credentials import Member
from farebox.identity.keys import principal_of
from farebox.identity.types import Principal

_SQL = queries.load("farebox.identity", "sessions.sql")


class Sessions:
    """The sessions of one database. A session is its token, of which only the hash is kept."""

    def __init__(self, pool: "Pool[Record]", ttl_s: int) -> None:
        self._pool = pool
        self.ttl_s = ttl_s

    async def of_person(self, member: Member, replaced: str | None = None) -> str:
        """A new session of a person whose password was verified; the one that the browser had before ends."""
        return await self._add(replaced, member.id, member.password_version, None)

    async def of_key(self, principal: Principal, replaced: str | None = None) -> str:
        """A new session of somebody with a valid key; the one that the browser had before ends."""
        return await self._add(replaced, None, None, principal.credential_id)

    async def person(self, token: str) -> Member | None:
        """Whose session it is; None for one that has ended, and for any other text."""
        row = await _SQL.person_of_session.first(self._pool, token_hash=ids.digest(token))
        return None if row is None else Member(**row)

    async def principal(self, token: str) -> Principal | None:
        """Whose key the session was opened with; None for one that has ended, and for any other text."""
        row = await _SQL.key_of_session.first(self._pool, token_hash=ids.digest(token))
        return None if row is None else principal_of(row)

    async def end(self, token: str) -> None:
        """Ends a session. One that has ended is no error."""
        await _SQL.end_session.run(self._pool, token_hash=ids.digest(token))

    async def _add(
        self, replaced: str | None, person_id: int | None, password_version: int | None, credential_id: int | None
    ) -> str:
        token = ids.new_session_of_browser()
        async with self._pool.acquire() as conn, conn.transaction():
            if replaced is not None:
                await _SQL.end_session.run(conn, token_hash=ids.digest(replaced))
            await _SQL.forget_expired_sessions.run(conn)
            await _SQL.add_session.run(
                conn,
                token_hash=ids.digest(token),
                person_id=person_id,
                password_version=password_version,
                credential_id=credential_id,
                ttl_s=self.ttl_s,
            )
        return token
