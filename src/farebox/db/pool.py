"""Connections: one pool for reads and set-up, and single ones for the ledger's writers."""

import asyncio

import asyncpg
import structlog
from asyncpg import Connection, Pool, Record

from farebox.settings import Settings

log = structlog.get_logger()

RETRIED_CONNECT = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)

_SESSION = {"application_name": "farebox", "timezone": "UTC"}
"""What poolers hand on: a name to be seen by, and the zone that times are written in."""

AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver says when the connection breaks between two of its messages
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # closed to connections, for maintenance
    asyncpg.InsufficientResourcesError,  # disk or memory full: the database may come back by itself
    asyncpg.PostgresSystemError,
    asyncpg.InternalServerError,
)
"""The database is not there, or not able: it may be again soon (RULES 16)."""


async def connect(url: str, settings: Settings) -> "Connection[Record]":
    """One connection. No session state but a name and a time zone: pgbouncer in transaction mode works (RULES 25)."""
    return await asyncpg.connect(
        url,
        statement_cache_size=settings.statement_cache,
        server_settings=_SESSION,
        timeout=5,
    )


async def open_pool(url: str, settings: Settings) -> "Pool[Record]":
    """The pool for everything but the ledger; its connections are made when they are needed."""
    return await asyncpg.create_pool(
        url,
        min_size=0,
        max_size=settings.read_connections,
        statement_cache_size=settings.statement_cache,
        command_timeout=30,
        timeout=5,
        server_settings=_SESSION,
        reset=_nothing_to_reset,
    )


async def _nothing_to_reset(conn: object) -> None:
    """No session state is ever set, so none is reset: a round trip saved each time."""


async def until_reachable(url: str, settings: Settings) -> "Connection[Record]":
    """A connection as soon as the database takes one; raises the last error after `database_wait_s`."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + settings.database_wait_s
    told = False
    while True:
        try:
            return await connect(url, settings)
        except RETRIED_CONNECT as error:
            if loop.time() >= give_up:
                raise
            if not told:
                said = str(error) or type(error).__name__
                log.warning("database.not_reachable", error=said, waiting_s=settings.database_wait_s)
            told = True
            await asyncio.sleep(0.1)
