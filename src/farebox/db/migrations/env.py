"""How alembic runs the migrations: forward only, plain SQL, over asyncpg, in one transaction."""

import asyncio
from functools import partial

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from farebox.db.migrate import connect

MIGRATING = 0x66617265626F78
"""The advisory lock of whoever migrates; "farebox" in ASCII."""


def _run(connection: Connection) -> None:
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        # Nodes that start together queue here; the later ones find nothing left to do. A lock of a table would not do:
        # who makes it first is a race of its own, IF NOT EXISTS or not.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATING})")
        context.run_migrations()


async def _connect_and_run() -> None:
    url: str = context.config.attributes["url"]
    # As everything else connects: SQLAlchemy would read the address in a way of its own, and knows no `sslmode`.
    engine = create_async_engine("postgresql+asyncpg://", async_creator=partial(connect, url), poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


asyncio.run(_connect_and_run())
