"""Brings a database to this program's schema, and says when it is already beyond it."""

import asyncio
from importlib import resources

import asyncpg
from asyncpg import Connection, Record

HEAD = "0021"
"""The newest migration of this program; a test compares it with the files."""


class NewerSchema(RuntimeError):
    """The database was migrated by a newer farebox: this one must not write to it."""


async def version(conn: "Connection[Record]") -> str | None:
    """The schema's version, or None in an empty database."""
    if await conn.fetchval("SELECT to_regclass('public.alembic_version')") is None:
        return None
    found: str | None = await conn.fetchval("SELECT version_num FROM alembic_version")
    return found


async def migrate(url: str, target: str = HEAD) -> None:
    """Runs the missing migrations up to `target`, in one transaction. Several nodes may try at once: one does it."""
    conn = await connect(url)
    try:
        found = await version(conn)
    finally:
        await conn.close()
    if found == target:
        return
    if found is not None and found > HEAD:
        raise NewerSchema(
            f"the database has schema {found}, this farebox knows {HEAD}: upgrade the program, or use another database"
        )
    await asyncio.to_thread(_upgrade, url, target)


def _upgrade(url: str, target: str) -> None:
    from alembic import command  # imported where needed: half a second that a start without migrations saves
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(resources.files("farebox.db") / "migrations"))
    config.attributes["url"] = url
    command.upgrade(config, target)


async def grant(url: str, role: str) -> None:
    """Gives the application's role its rights, where it is not the owner itself."""
    conn = await connect(url)
    try:
        if role != await conn.fetchval("SELECT current_user"):
            await grant_app_role(conn, role)
    finally:
        await conn.close()


async def grant_app_role(conn: "Connection[Record]", role: str) -> None:
    """Gives the application's role what it needs and no more: entries can only be added (RULES 3)."""
    name = '"' + role.replace('"', '""') + '"'
    async with conn.transaction():
        # Nodes that start together would trip over each other's changes of the same rights.
        await conn.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await conn.execute(f"CREATE ROLE {name} LOGIN")
        await conn.execute(f"""
            GRANT USAGE ON SCHEMA public TO {name};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name};
            GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name};
            REVOKE UPDATE, DELETE, TRUNCATE ON entries, transfers, prices, audit_log FROM {name};
            REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {name};
        """)  # noqa: S608  # a quoted identifier


async def connect(url: str) -> "Connection[Record]":
    """One connection for what is done to a schema."""
    return await asyncpg.connect(url, timeout=10, statement_cache_size=0)  # it may be a pooler's
