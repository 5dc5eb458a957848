"""Grants and the requests that lead to them: opening, approving, declining, revoking, telling."""

import secrets
from collections import OrderedDict
from collections.abc import Sequence

import asyncpg
import msgspec
from asyncpg import Connection, Pool, Record

from farebox import ids
from farebox.consent.types import ConnectionRequest, Grant, GrantRef, SessionStatus, Terms
from farebox.db import queries
from farebox.db.together import Together
from farebox.errors import Conflict, Gone, Invalid, NotFound, TooMany
from farebox.identity.service import note
from farebox.identity.types import Provider

_SQL = queries.load("farebox.consent")
_REMEMBERED = 65_536
_OPEN_REQUESTS = 50
"""The most requests of one wallet that may wait for an answer."""


class Consent:
    """The grants of one database. `secret` is what session tokens are derived with."""

    def __init__(self, pool: "Pool[Record]", secret: bytes, request_ttl_s: int, ended_visible_s: int) -> None:
        self._pool = pool
        self._secret = secret
        self._request_ttl_s = request_ttl_s
        self._ended_visible_s = ended_visible_s
        self._refs: OrderedDict[bytes, GrantRef] = OrderedDict()
        self._by_token = Together(self._by_tokens)

    def remembered(self, session_token: str) -> GrantRef | None:
        """What the token stands for, if it was used here before."""
        return self._refs.get(ids.digest(session_token))

    async def resolve(self, session_token: str) -> GrantRef | None:
        """What the token stands for; None for any other text."""
        digest = ids.digest(session_token)
        known = self._refs.get(digest)
        if known is not None:
            return known
        found = await self._by_token.get(digest)
        if found is not None:
            self._refs[digest] = found
            if len(self._refs) > _REMEMBERED:
                self._refs.popitem(last=False)
        return found

    async def _by_tokens(self, digests: Sequence[bytes]) -> dict[bytes, GrantRef]:
        rows = await _SQL.grant_refs_by_tokens.all(self._pool, token_hashes=digests)
        return {digest: GrantRef(*ref) for digest, *ref in rows}

    async def ref(self, grant_id: int) -> GrantRef | None:
        """What a grant's number stands for."""
        row = await _SQL.grant_ref_by_id.first(self._pool, id=grant_id)
        return None if row is None else GrantRef(**row)

    async def grant(
        self, actor: str, wallet_id: int, provider: Provider, provider_username: str, terms: Terms
    ) -> tuple[Grant, str]:
        """Grants at once, as the payer's wallet does on approval; the grant and its session token."""
        async with self._pool.acquire() as conn, conn.transaction():
            grant_id, token = await self.grant_on(conn, actor, wallet_id, provider, provider_username, terms, None)
        return await self.get(grant_id), token

    async def grant_on(
        self,
        conn: "Connection[Record] | asyncpg.pool.PoolConnectionProxy[Record]",
        actor: str,
        wallet_id: int,
        provider: Provider,
        provider_username: str,
        terms: Terms,
        request_id: int | None,
    ) -> tuple[int, str]:
        """As `grant`, within a transaction of the caller's; the grant's number and its session token."""
        nonce = secrets.token_bytes(16)
        token = ids.session_token(self._secret, nonce)
        pair = {"provider_id": provider.id, "provider_username": provider_username}
        await _SQL.end_open_pair.run(conn, **pair)
        try:
            grant_id: int = await _SQL.add_grant.value(
                conn,
                **pair,
                wallet_id=wallet_id,
                token_nonce=nonce,
                token_hash=ids.digest(token),
                limit_units=terms.limit_units,
                charge_limit_units=terms.charge_limit_units,
                ttl_s=terms.ttl_s,
                connection_request_id=request_id,
            )
        except asyncpg.UniqueViolationError:
            raise Conflict("another approval for this user was quicker: ask again") from None
        await note(
            conn,
            actor,
            "grant.add",
            ids.public("gr", grant_id),
            wallet=str(wallet_id),
            provider=provider.slug,
            terms=msgspec.to_builtins(terms),
        )
        return grant_id, token

    async def get(self, grant_id: int) -> Grant:
        """A grant by its number; NotFound where there is none."""
        row = await _SQL.grant.first(self._pool, id=grant_id)
        if row is None:
            raise NotFound("there is no such grant")
        return Grant(**row)

    async def of_wallet(self, wallet_id: int, before: int, limit: int) -> list[Grant]:
        """The grants of a wallet, newest first, with numbers below `before`."""
        rows = await _SQL.grants_of_wallet.all(self._pool, wallet_id=wallet_id, before=before, limit=limit)
        return [Grant(**row) for row in rows]

    async def open_first(self, wallet_id: int, limit: int) -> list[Grant]:
        """The grants of a wallet, those that hold before those that have ended; each newest first."""
        rows = await _SQL.grants_of_wallet_open_first.all(self._pool, wallet_id=wallet_id, limit=limit)
        return [Grant(**row) for row in rows]

    def token(self, grant: Grant) -> str:
        """The session token of a grant."""
        return ids.session_token(self._secret, grant.token_nonce)

    async def revoke(self, actor: str, grant_id: int, **why: str) -> None:
        """Ends a grant: no charge starts after this was answered. Again is no error. The log says `why`, too."""
        async with self._pool.acquire() as conn, conn.transaction():
            if await _SQL.revoke_grant.value(conn, id=grant_id) is not None:
                await note(conn, actor, "grant.revoke", ids.public("gr", grant_id), **why)

    async def narrow(self, actor: str, grant_id: int, limit_units: int | None, charge_limit_units: int | None) -> None:
        """Allows less from now on; what is not given stays. A hold that is open stays good.

        Raises Invalid for more than is allowed now or for less than is drawn and held, Conflict for one that has ended.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            row = await _SQL.lock_grant.first(conn, id=grant_id)
            if row is None or row["ended"]:
                raise Conflict("this connection has ended")
            _within("limit", row["limit_units"], limit_units)
            _within("charge_limit", row["charge_limit_units"], charge_limit_units)
            if limit_units is not None and limit_units < row["used"]:
                raise Invalid.field("limit", "less than has been drawn: revoke the connection to stop it")
            given = {"limit_units": limit_units, "charge_limit_units": charge_limit_units}
            await _SQL.narrow_grant.run(conn, id=grant_id, **given)
            await note(conn, actor, "grant.narrow", ids.public("gr", grant_id), **given)

    async def open_request(
        self,
        actor: str,
        wallet_id: int,
        provider: Provider,
        provider_username: str,
        limit_units: int | None,
        ttl_s: int | None,
    ) -> ConnectionRequest:
        """What scanning does: notes who asks for what. It grants nothing."""
        if await _SQL.open_requests.value(self._pool, wallet_id=wallet_id) >= _OPEN_REQUESTS:
            raise TooMany("too many requests wait for an answer: decline some", retry_after_s=self._request_ttl_s)
        async with self._pool.acquire() as conn, conn.transaction():
            request_id: int = await _SQL.add_request.value(
                conn,
                provider_id=provider.id,
                provider_username=provider_username,
                wallet_id=wallet_id,
                limit_units=limit_units,
                grant_ttl_s=ttl_s,
                ttl_s=self._request_ttl_s,
            )
            await note(conn, actor, "request.open", ids.public("cr", request_id), wallet=str(wallet_id))
        return await self.request(request_id)

    async def request(self, request_id: int) -> ConnectionRequest:
        """A request by its number; NotFound where there is none."""
        row = await _SQL.request.first(self._pool, id=request_id)
        if row is None:
            raise NotFound("there is no such connection request")
        return ConnectionRequest(**row)

    async def approve(
        self, actor: str, request_id: int, provider: Provider, shown: str, terms: Terms
    ) -> tuple[Grant, str]:
        """Turns a request into a grant, with the terms asked for or narrower ones.

        `shown` is the request's `terms` as the payer saw them. Raises Gone when it is too late, Conflict when it
        was answered or its terms are others by now, Invalid when the terms are wider than asked for.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            request = await self._answerable(conn, request_id)
            if shown != request.terms:
                raise Conflict("the request is not the one that was shown: look at it again", "terms_changed")
            narrowed = _narrowed(request, terms)
            await _SQL.answer_request.run(conn, id=request_id, answer="approved")
            grant_id, token = await self.grant_on(
                conn, actor, request.wallet_id, provider, request.provider_username, narrowed, request_id
            )
        return await self.get(grant_id), token

    async def decline(self, actor: str, request_id: int) -> ConnectionRequest:
        """Answers a request with no. Raises Gone or Conflict as `approve` does."""
        async with self._pool.acquire() as conn, conn.transaction():
            await self._answerable(conn, request_id)
            await _SQL.answer_request.run(conn, id=request_id, answer="declined")
            await note(conn, actor, "request.decline", ids.public("cr", request_id))
        return await self.request(request_id)

    async def _answerable(self, conn: "asyncpg.pool.PoolConnectionProxy[Record]", request_id: int) -> ConnectionRequest:
        await _SQL.lock_request.run(conn, id=request_id)
        row = await _SQL.request.first(conn, id=request_id)
        if row is None:
            raise NotFound("there is no such connection request")
        request = ConnectionRequest(**row)
        if request.answer is not None:
            raise Conflict("this request was answered before", "already_answered")
        if request.state == "expired":
            raise Gone("this request has expired: scan a fresh code", "request_expired")
        return request

    async def status(self, provider_id: int, provider_username: str) -> SessionStatus:
        """What a provider hears about one of its users. Reads, never writes."""
        row = await _SQL.status.one(
            self._pool,
            provider_id=provider_id,
            provider_username=provider_username,
            visible_s=self._ended_visible_s,
        )
        if row["active"]:
            token = ids.session_token(self._secret, row["token_nonce"])
            return SessionStatus("active", token, row["expires_at"], row["grant_id"], row["wallet_id"])
        if row["pending"]:
            return SessionStatus("pending")
        return SessionStatus("expired" if row["lately"] else "not_found")


def _within(field: str, allowed: int | None, asked: int | None) -> None:
    if allowed is not None and asked is not None and asked > allowed:
        raise Invalid.field(field, "more than is allowed now: for more, connect again")


def _narrowed(request: ConnectionRequest, terms: Terms) -> Terms:
    def bound(field: str, asked: int | None, given: int | None) -> int | None:
        if asked is not None and given is not None and given > asked:
            raise Invalid.field(field, "more than was asked for", "wider_than_asked")
        return asked if given is None else given

    return Terms(
        limit_units=bound("limit", request.limit_units, terms.limit_units),
        charge_limit_units=terms.charge_limit_units,
        ttl_s=bound("expires_in_s", request.grant_ttl_s, terms.ttl_s),
    )
