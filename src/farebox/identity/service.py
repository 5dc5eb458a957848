"""Providers and organizations, and the audit log of who did what."""

from typing import Any

import asyncpg
import msgspec
from asyncpg import Pool, Record

from farebox.db import queries
from farebox.db.queries import Connection
from farebox.errors import Conflict, Invalid, NotFound
from farebox.identity.types import Organization, Provider

_SQL = queries.load("farebox.identity")


async def note(conn: Connection, actor: str, action: str, subject: str, **detail: Any) -> None:
    """One line of the audit log; call it on the connection of the change itself."""
    await _SQL.note.run(conn, actor=actor, action=action, subject=subject, detail=msgspec.json.encode(detail).decode())


class Directory:
    """Who is registered here."""

    def __init__(self, pool: "Pool[Record]") -> None:
        self._pool = pool

    async def add_provider(
        self, actor: str, slug: str, name: str, *, verified: bool = False, markup_ppm: int = 1_000_000
    ) -> Provider:
        """Registers a provider; Conflict where the slug is taken."""
        async with self._pool.acquire() as conn, conn.transaction():
            try:
                row = await _SQL.add_provider.first(
                    conn, slug=slug, name=name, verified=verified, markup_ppm=markup_ppm
                )
            except asyncpg.CheckViolationError:
                raise Invalid.field("slug", "lower-case letters, digits and hyphens, at most 39") from None
            if row is None:
                raise Conflict("a provider with this slug exists", "slug_taken")
            await note(conn, actor, "provider.add", slug, name=name, verified=verified, markup_ppm=markup_ppm)
        return Provider(**row)

    async def provider(self, slug: str) -> Provider:
        """A provider by its slug; NotFound where there is none."""
        row = await _SQL.provider_by_slug.first(self._pool, slug=slug)
        if row is None:
            raise NotFound("there is no such provider")
        return Provider(**row)

    async def provider_by_id(self, provider_id: int) -> Provider:
        """A provider by its number; it must exist."""
        return Provider(**await _SQL.provider_by_id.one(self._pool, id=provider_id))

    async def change_provider(
        self,
        actor: str,
        slug: str,
        *,
        name: str | None = None,
        verified: bool | None = None,
        markup_ppm: int | None = None,
        **why: str,
    ) -> Provider:
        """Changes what is given; a new markup holds for charges from now on. The log says `why`, too."""
        found = await self.provider(slug)
        given = {"name": name, "verified": verified, "markup_ppm": markup_ppm}
        changed = {field: value for field, value in given.items() if value is not None}
        async with self._pool.acquire() as conn, conn.transaction():
            kept = {"name": found.name, "verified": found.verified, "markup_ppm": found.markup_ppm}
            row = await _SQL.change_provider.one(conn, id=found.id, **(kept | changed))
            await note(conn, actor, "provider.change", slug, **changed, **why)
        return Provider(**row)

    async def providers(self, after: str, limit: int) -> list[Provider]:
        """A page of providers, by slug."""
        return [Provider(**row) for row in await _SQL.providers_page.all(self._pool, after=after, limit=limit)]

    async def add_organization(self, actor: str, organization_id: str, name: str, zone: str = "UTC") -> Organization:
        """Registers an organization; again with the same id gives the same one."""
        async with self._pool.acquire() as conn, conn.transaction():
            try:
                row = await _SQL.add_organization.first(conn, id=organization_id, name=name, zone=zone)
            except asyncpg.CheckViolationError:
                raise Invalid.field("id", "letters, digits, '_', '.', ':' and '-', at most 64") from None
            if row is not None:
                await note(conn, actor, "organization.add", organization_id, name=name)
        return await self.organization(organization_id) if row is None else Organization(**row)

    async def change_organization(
        self, actor: str, organization_id: str, name: str | None, zone: str | None
    ) -> Organization:
        """Changes what is given; NotFound where there is no such organization."""
        found = await self.organization(organization_id)
        changed = {"name": name or found.name, "zone": zone or found.zone}
        async with self._pool.acquire() as conn, conn.transaction():
            await _SQL.change_organization.run(conn, id=organization_id, **changed)
            await note(conn, actor, "organization.change", organization_id, **changed)
        return await self.organization(organization_id)

    async def organization(self, organization_id: str) -> Organization:
        """An organization by its id; NotFound where there is none."""
        row = await _SQL.organization.first(self._pool, id=organization_id)
        if row is None:
            raise NotFound("there is no such organization")
        return Organization(**row)

    async def organizations(self, after: str, limit: int) -> list[Organization]:
        """A page of organizations, by id."""
        rows = await _SQL.organizations_page.all(self._pool, after=after, limit=limit)
        return [Organization(**row) for row in rows]
