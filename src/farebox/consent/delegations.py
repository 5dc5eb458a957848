"""Delegations: grants from one person to another, as tokens; and narrower ones that are made from them."""

from collections import OrderedDict
from datetime import datetime

import msgspec
from asyncpg import Pool, Record
from msgspec import Struct

from farebox import ids
from farebox.db import queries
from farebox.errors import Forbidden, Invalid, NotFound, Unauthorized
from farebox.identity.people import sealed
from farebox.identity.service import note

_SQL = queries.load("farebox.consent", "delegations.sql")
_REMEMBERED = 65_536
Seal = tuple[int, int]
"""A person's number, and the version of the password that was verified."""
MOST_LINKS = 5
"""The longest chain of delegations made from one another, the payer's own included."""


class DelegationRef(Struct, frozen=True):
    """What never changes of a delegation: enough to build an ask. Whether it still holds, the ledger decides."""

    grant_id: int
    wallet_id: int
    recipient_wallet_id: int
    lineage: tuple[int, ...]
    services: frozenset[str] | None

    def covers(self, service: str | None) -> bool:
        """Whether it is good for a service."""
        return self.services is None or service in self.services


class Limits(Struct, frozen=True):
    """What a delegation allows, in units of the payer's wallet: in all, for one draw, until when, for what."""

    limit_units: int | None = None
    charge_limit_units: int | None = None
    ttl_s: int | None = None
    services: frozenset[str] | None = None


class Delegation(Struct, frozen=True):
    """A delegation as the payer sees it."""

    id: int
    wallet_id: int
    sender: str
    recipient: str
    parent_id: int | None
    limit_units: int | None
    charge_limit_units: int | None
    spent: int
    held: int
    services: list[str] | None
    expires_at: datetime
    ended_at: datetime | None
    created_at: datetime
    now: datetime

    @property
    def state(self) -> str:
        """`active`, `expired` or `revoked`."""
        if self.ended_at is not None:
            return "revoked"
        return "expired" if self.now >= self.expires_at else "active"


class Delegations:
    """The delegations of one database."""

    def __init__(self, pool: "Pool[Record]", ttl_s: int) -> None:
        self._pool = pool
        self._ttl_s = ttl_s
        self._refs: OrderedDict[bytes, DelegationRef] = OrderedDict()

    async def resolve(self, token: str, recipient_wallet_id: int) -> DelegationRef:
        """What a token stands for in the hands of its recipient; Unauthorized in other hands, and for other texts."""
        digest = ids.digest(token)
        found = self._refs.get(digest)
        if found is None:
            row = await _SQL.delegation_by_token.first(self._pool, token_hash=digest)
            if row is None:
                raise _unknown()
            found = self._refs[digest] = _ref(row)
            if len(self._refs) > _REMEMBERED:
                self._refs.popitem(last=False)
        if found.recipient_wallet_id != recipient_wallet_id:
            raise _unknown()
        return found

    async def give(
        self, actor: str, wallet_id: int, recipient_wallet_id: int, limits: Limits, seal: Seal | None = None
    ) -> tuple[int, str]:
        """A delegation on the giver's own wallet; its number, and its token, which is shown this once.

        With the seal of who gives it, Unauthorized where the password is another one by now.
        """
        ttl_s = self._ttl_s if limits.ttl_s is None else limits.ttl_s
        limits = msgspec.structs.replace(limits, ttl_s=ttl_s)
        return await self._add(actor, wallet_id, recipient_wallet_id, (), limits, seal)

    async def narrow(
        self, actor: str, token: str, holder: int, recipient: int, limits: Limits, seal: Seal | None = None
    ) -> tuple[int, str]:
        """A part of a delegation for somebody else, on the same payer. `holder` and `recipient` are wallets.

        Raises Unauthorized for a token that is not the holder's, Forbidden where it has ended or less was allowed
        than is given, Invalid where the chain is too deep.
        """
        row = await _SQL.delegation_to_narrow.first(self._pool, token_hash=ids.digest(token))
        if row is None or row["recipient_wallet_id"] != holder:
            raise _unknown()
        above = _ref(row)
        if row["ended"] or row["left_s"] <= 0:
            raise Forbidden("this token was revoked or has expired", "token_expired")
        if len(above.lineage) + 2 > MOST_LINKS:
            raise Invalid.field("token", f"at most {MOST_LINKS} tokens can be made from one another", "chain_too_deep")
        allowed = Limits(row["limit_units"], row["charge_limit_units"], row["left_s"], above.services)
        given = narrowed(allowed, limits, self._ttl_s)
        return await self._add(actor, above.wallet_id, recipient, (above.grant_id, *above.lineage), given, seal)

    async def of(self, wallet_id: int, before: int, limit: int) -> list[Delegation]:
        """Those on a wallet and those that its owner made from others', newest first."""
        rows = await _SQL.delegations_of.all(self._pool, wallet_id=wallet_id, before=before, limit=limit)
        return [Delegation(**row) for row in rows]

    async def open_first(self, wallet_id: int, limit: int) -> list[Delegation]:
        """The same, those that hold before those that have ended; each newest first."""
        rows = await _SQL.delegations_of_open_first.all(self._pool, wallet_id=wallet_id, limit=limit)
        return [Delegation(**row) for row in rows]

    async def revoke(self, actor: str, grant_id: int, wallet_id: int) -> None:
        """Ends one and all that were made from it: no draw starts after this was answered. Again is no error."""
        async with self._pool.acquire() as conn, conn.transaction():
            done = await _SQL.revoke_delegation.value(conn, id=grant_id, wallet_id=wallet_id)
            if done is None:
                raise NotFound("there is no such token")
            await note(conn, actor, "delegation.revoke", ids.public("dg", grant_id))

    async def _add(
        self,
        actor: str,
        wallet_id: int,
        recipient: int,
        lineage: tuple[int, ...],
        limits: Limits,
        seal: Seal | None,
    ) -> tuple[int, str]:
        if wallet_id == recipient:
            raise Invalid.field("recipientEmail", "the payer needs no token")
        token = ids.new_delegation_token()
        services = None if limits.services is None else sorted(limits.services)
        async with self._pool.acquire() as conn, conn.transaction():
            if seal is not None:
                await sealed(conn, seal)
            grant_id: int = await _SQL.add_delegation.value(
                conn,
                wallet_id=wallet_id,
                recipient_wallet_id=recipient,
                token_hash=ids.digest(token),
                limit_units=limits.limit_units,
                charge_limit_units=limits.charge_limit_units,
                lineage=list(lineage) or None,
                services=services,
                ttl_s=limits.ttl_s,
            )
            terms = {"limit": limits.limit_units, "charge_limit": limits.charge_limit_units, "ttl_s": limits.ttl_s}
            above = ids.public("dg", lineage[0]) if lineage else None
            subject = ids.public("dg", grant_id)
            await note(conn, actor, "delegation.add", subject, wallet=str(wallet_id), above=above, terms=terms)
        return grant_id, token


def narrowed(allowed: Limits, asked: Limits, ttl_s: int) -> Limits:
    """What is asked for, within what is allowed; what is not named is as above. Raises Forbidden where it is wider."""
    if asked.services is not None and allowed.services is not None and not asked.services <= allowed.services:
        raise _wider("services")
    least_ttl = min(ttl_s, allowed.ttl_s or 0) if asked.ttl_s is None else asked.ttl_s
    return Limits(
        _within("limit", allowed.limit_units, asked.limit_units),
        _within("limitPerDraw", allowed.charge_limit_units, asked.charge_limit_units),
        _within("expiresInS", allowed.ttl_s, least_ttl),
        allowed.services if asked.services is None else asked.services,
    )


def _within(field: str, allowed: int | None, asked: int | None) -> int | None:
    if asked is None:
        return allowed
    if allowed is not None and asked > allowed:
        raise _wider(field)
    return asked


def _wider(field: str) -> Forbidden:
    return Forbidden(f"{field}: more than the token allows that it is made from", "wider_than_parent")


def _unknown() -> Unauthorized:
    return Unauthorized("this token is not one that was made for you", "token_unknown")


def _ref(row: Record) -> DelegationRef:
    services = row["services"]
    return DelegationRef(
        row["grant_id"],
        row["wallet_id"],
        row["recipient_wallet_id"],
        tuple(row["lineage"] or ()),
        None if services is None else frozenset(services),
    )
