"""Commands that look into the database itself, beside a running server or without one."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from asyncpg import Connection, Record

from farebox.cli.output import Failure
from farebox.db import migrate
from farebox.db.embedded import EmbeddedPostgres
from farebox.settings import BadSetting, Settings, from_env

DatabaseUrl = Annotated[
    str | None, typer.Option(envvar="FAREBOX_DATABASE_URL", help="PostgreSQL; none: the embedded one.")
]
DataDir = Annotated[
    str | None, typer.Option(envvar="FAREBOX_DATA_DIR", help="Where the embedded database lives.", show_default=False)
]


def settings_of(**given: object) -> Settings:
    """Settings from the environment and the options; raises Failure where one can't be used."""
    try:
        return from_env(os.environ, **given)
    except BadSetting as error:
        raise Failure(str(error), "docs/settings.md lists the settings and what they take.") from None


@contextlib.contextmanager
def database_of(settings: Settings) -> Iterator[str]:
    """Where the database of the settings is. An embedded one is joined, or started for as long as this takes."""
    if settings.database_url:
        yield settings.database_url
        return
    data_dir = Path(settings.data_dir).expanduser()
    if not (data_dir / "postgres" / "PG_VERSION").exists():
        raise Failure(
            f"There is no embedded database in {data_dir}",
            "Name its directory with --data-dir, or the database with --database-url.",
        )
    try:
        postgres = EmbeddedPostgres(data_dir)
        postgres.start()
    except (OSError, RuntimeError) as error:
        raise Failure(f"The embedded database does not start: {error}") from None
    try:
        yield postgres.url()
    finally:
        postgres.stop()


@contextlib.asynccontextmanager
async def connected(url: str) -> "AsyncIterator[Connection[Record]]":
    """A connection to a database that this program knows the schema of; raises Failure."""
    try:
        conn = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Failure(f"The database can't be reached: {error}", "Check --database-url.") from None
    try:
        found = await migrate.version(conn)
        if found != migrate.HEAD:
            raise Failure(
                f"The database has schema {found or 'none'}, this farebox knows {migrate.HEAD}",
                "`farebox serve` brings an older one up to date; a newer one needs a newer farebox.",
            )
        yield conn
    finally:
        await conn.close()
