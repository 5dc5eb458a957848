"""API keys: making, checking and revoking them."""

import asyncio
import contextlib
from collections import OrderedDict
from datetime import datetime

from asyncpg import Pool, Record

from farebox import ids
from farebox.db import queries
from farebox.db.pool import AWAY
from farebox.errors import NotFound
from farebox.identity.types import READ, WRITE, Key, Principal

_SQL = queries.load("farebox.identity")
_REMEMBERED = 4096
ENVIRONMENT = "environment"


class Keys:
    """The keys of one database.

    What a key stands for never changes, so it is remembered; whether it still holds is asked again: by the
    ledger inside the batch, by `authenticate` on every call. So a revoked key ends at once, on every worker.

    Keys are found by their SHA-256, here and in the database's index, and never compared themselves. How long a
    look-up takes can tell at most how far the digest of a guess agrees with a stored one; to agree further, a guesser
    would have to find secrets with chosen digests, and would still know nothing of the secret behind the stored one.
    That is what a comparison in constant time is for (RULES 26).
    """

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool
        self._known: OrderedDict[bytes, Principal] = OrderedDict()
        self._used: set[int] = set()

    def remembered(self, secret: str) -> Principal | None:
        """What the key stood for when it was last valid. Only for asks that the ledger checks again."""
        found = self._known.get(ids.digest(secret))
        if found is not None:
            self.used(found)
        return found

    def used(self, known: Principal) -> None:
        """Notes that a key was used, for who reads when it was last."""
        if known.credential_id is not None:
            self._used.add(known.credential_id)

    async def authenticate(self, secret: str) -> Principal | None:
        """The owner of a key that is valid now; None for any other text."""
        digest = ids.digest(secret)
        row = await _SQL.key_by_hash.first(self._pool, secret_hash=digest)
        if row is None:
            self._known.pop(digest, None)
            return None
        principal = principal_of(row)
        self._used.add(row["id"])
        self._known[digest] = principal
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return principal

    async def note_uses(self) -> None:
        """Writes down when keys were last used here: now, for those used since it was written last."""
        used, self._used = self._used, set()
        if used:
            await _SQL.note_uses.run(self._pool, ids=used)

    async def note_uses_forever(self, interval_s: float) -> None:
        """Does so time and again. What can't be written is for information only: nothing else waits for it."""
        while True:
            await asyncio.sleep(interval_s)
            with contextlib.suppress(*AWAY):
                await self.note_uses()

    async def valid(self, key_id: int) -> bool:
        """Whether a key is valid now."""
        return bool(await _SQL.key_is_valid.value(self._pool, id=key_id))

    async def make(
        self,
        kind: str,
        name: str,
        *,
        slug: str = "",
        provider_id: int | None = None,
        organization_id: str | None = None,
        scopes: tuple[str, ...] = (READ, WRITE),
        expires_at: datetime | None = None,
    ) -> tuple[Key, str]:
        """A new key and its secret, which is shown this once."""
        secret = ids.new_api_key(kind, slug)
        row = await _SQL.add_key.one(
            self._pool,
            kind=kind,
            provider_id=provider_id,
            organization_id=organization_id,
            name=name,
            secret_hash=ids.digest(secret),
            hint=ids.hint(secret),
            scopes=list(scopes),
            expires_at=expires_at,
        )
        return Key(**row), secret

    async def owned(self, kind: str, provider_id: int | None = None, organization_id: str | None = None) -> list[Key]:
        """The keys of one owner, newest first, without their secrets."""
        rows = await _SQL.keys_of.all(self._pool, kind=kind, provider_id=provider_id, organization_id=organization_id)
        return [Key(**row) for row in rows]

    async def revoke(
        self, key_id: int, kind: str, provider_id: int | None = None, organization_id: str | None = None
    ) -> None:
        """Ends a key at once; raises NotFound where the owner has no such valid key."""
        done = await _SQL.revoke_key.value(
            self._pool, id=key_id, kind=kind, provider_id=provider_id, organization_id=organization_id
        )
        if done is None:
            raise NotFound("there is no such valid key")

    async def replace(
        self, key_id: int, kind: str, ends_in_s: int, provider_id: int | None = None, organization_id: str | None = None
    ) -> tuple[Key, str]:
        """A new key of the same name and rights, with its secret; the old one ends in so many seconds.

        NotFound where the owner has no such valid key.
        """
        owner = {"provider_id": provider_id, "organization_id": organization_id}
        known = next((key for key in await self.owned(kind, **owner) if key.id == key_id), None)  # type: ignore[arg-type]
        if known is None or not await self.valid(key_id):
            raise NotFound("there is no such valid key")
        slug = "" if provider_id is None else (await _SQL.provider_by_id.one(self._pool, id=provider_id))["slug"]
        made = await self.make(
            kind,
            known.name,
            slug=slug,
            provider_id=provider_id,
            organization_id=organization_id,
            scopes=tuple(known.scopes),
        )
        await _SQL.end_key_in.run(self._pool, id=key_id, seconds=ends_in_s)
        return made

    async def adopt_admin_key(self, secret: str) -> None:
        """Makes the key from the environment the administrator's; the one that was there before ends."""
        digest = ids.digest(secret)
        async with self._pool.acquire() as conn, conn.transaction():
            await _SQL.revoke_other_environment_keys.run(conn, name=ENVIRONMENT, secret_hash=digest)
            await _SQL.add_key.run(
                conn,
                kind="admin",
                provider_id=None,
                organization_id=None,
                name=ENVIRONMENT,
                secret_hash=digest,
                hint=f"…{secret[-4:]}",
                scopes=[READ, WRITE],
                expires_at=None,
            )
            await _SQL.restore_key.run(conn, secret_hash=digest)

    async def first_admin_key(self) -> str | None:
        """Makes the first administrator's key where there is none; None where there is."""
        if await _SQL.admin_keys.value(self._pool):
            return None
        _, secret = await self.make("admin", "first start")
        return secret


def principal_of(row: Record) -> Principal:
    """The owner of a key, from its row."""
    kind: str = row["kind"]
    owner = row["provider_id"] if kind == "provider" else row["organization_id"]
    return Principal(
        kind=kind,
        credential_id=row["id"],
        client=kind if owner is None else f"{kind}:{owner}",
        scopes=frozenset(row["scopes"]),
        provider_id=row["provider_id"],
        slug=row["slug"],
        organization_id=row["organization_id"],
    )
