"""Real databases for tests: one PostgreSQL a session, a fresh database a test, cloned from a migrated template."""

import asyncio
import itertools
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from farebox.db import migrate
from farebox.db.embedded import APP_ROLE, EmbeddedPostgres, creating

OWNER = "postgres"
_TEMPLATE = "farebox_template"
_numbers = itertools.count(1)


class Databases:
    """Hands out fresh, migrated databases."""

    def __init__(self, postgres: EmbeddedPostgres) -> None:
        self.postgres = postgres

    def fresh(self) -> str:
        """The name of a new database."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        asyncio.run(self._admin(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY file_copy"))
        return name

    def empty(self) -> str:
        """The name of a new database without a schema."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        asyncio.run(self._admin(creating(name)))
        return name

    def drop(self, name: str) -> None:
        """Removes a database, connections and all."""
        asyncio.run(self._admin(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))

    def url(self, name: str, role: str = APP_ROLE) -> str:
        """Where a database is; as the application sees it, unless another role is named."""
        return self.postgres.url(role, name)

    async def _admin(self, statement: str) -> None:
        conn = await asyncpg.connect(self.postgres.url(OWNER, OWNER))
        try:
            await conn.execute(statement)
        finally:
            await conn.close()

    async def make_template(self) -> None:
        """The database that the others are copies of."""
        await self._admin(creating(_TEMPLATE))
        await migrate.migrate(self.postgres.url(OWNER, _TEMPLATE))
        conn = await asyncpg.connect(self.postgres.url(OWNER, _TEMPLATE))
        try:
            await migrate.grant_app_role(conn, APP_ROLE)
        finally:
            await conn.close()


@contextmanager
def databases() -> Iterator[Databases]:
    """A PostgreSQL of its own, durable settings on, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="farebox-test-") as directory:
        Path(directory).chmod(0o755)  # as root, PostgreSQL runs as another user
        postgres = EmbeddedPostgres(Path(directory))
        postgres.start()
        try:
            found = Databases(postgres)
            asyncio.run(found.make_template())
            yield found
        finally:
            postgres.stop()
