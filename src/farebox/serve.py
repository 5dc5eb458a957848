"""Running a server: its database, its workers, its first keys and prices."""

import asyncio
import contextlib
import gc
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import structlog
import uvicorn
from msgspec import Struct

from farebox import app
from farebox.db import migrate, pool
from farebox.db.embedded import APP_ROLE, DATABASE, EmbeddedPostgres, creating, keep_running
from farebox.endings import endings
from farebox.http import server
from farebox.http.front import Front
from farebox.ledger.owners import Seat
from farebox.pricing.defaults import load_default_book
from farebox.services import Services
from farebox.settings import Settings
from farebox.workers import Workers

log = structlog.get_logger()


class Database(Struct, frozen=True):
    """Where the data is. `url` is asked anew for every connection: an embedded database can move when it restarts."""

    url: Callable[[], str]
    embedded: EmbeddedPostgres | None = None


class Started(Struct, frozen=True):
    """What a first start has to tell."""

    admin_key: str | None
    """The administrator's key, if it was made just now: it is told this once."""
    prices: int
    """How many models the default book has brought, if it was taken in just now."""


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[Database]:
    """The database of the settings, migrated; the embedded one is started, kept running, and stopped at the end."""
    if settings.database_url:
        asyncio.run(_set_up_external(settings))
        yield Database(lambda: settings.database_url)
        return
    postgres = EmbeddedPostgres(Path(settings.data_dir))
    try:
        postgres.start()
        with _kept_running(postgres):
            asyncio.run(_set_up(postgres))
            yield Database(postgres.url, postgres)
    finally:
        postgres.stop()


@contextlib.contextmanager
def _kept_running(postgres: EmbeddedPostgres) -> Iterator[None]:
    stopped = threading.Event()
    keeper = threading.Thread(target=keep_running, args=(postgres, stopped), name="postgres-keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopped.set()
        keeper.join(timeout=5)


async def _set_up_external(settings: Settings) -> None:
    """Migrates as the owner; where the server comes as a lesser role, gives that one what it needs."""
    conn = await pool.until_reachable(settings.database_url, settings)
    role: str = await conn.fetchval("SELECT current_user")
    await conn.close()
    owner = settings.migration_url or settings.database_url
    await migrate.migrate(owner)
    if settings.migration_url:
        await migrate.grant(owner, role)


async def _set_up(postgres: EmbeddedPostgres) -> None:
    owner = "postgres"
    conn = await asyncpg.connect(postgres.url(owner, owner))
    try:
        if not await conn.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
            with contextlib.suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                await conn.execute(creating())  # another server may start on it just now
    finally:
        await conn.close()
    await migrate.migrate(postgres.url(owner))
    await migrate.grant(postgres.url(owner), APP_ROLE)


async def first_things(services: Services) -> Started:
    """The administrator's key and the default price book, where they are missing."""
    settings = services.settings
    made: str | None = None
    if settings.admin_key:
        await services.keys.adopt_admin_key(settings.admin_key)
    else:
        made = await services.keys.first_admin_key()
    prices = 0
    if settings.default_prices != "none" and not await services.prices.any():
        prices = await load_default_book(services.prices)
    return Started(made, prices)


class Running(Struct, frozen=True):
    """A server in this process, answering."""

    services: Services
    started: Started
    address: str
    port: int


@contextlib.asynccontextmanager
async def running(
    found: Database, settings: Settings, sock: socket.socket, seat: Seat | None = None
) -> AsyncIterator[tuple[Running, uvicorn.Server]]:
    """Serves until the block ends; the server's `should_exit` ends it too. With a `seat`, as one of several."""
    secret = app.secret_of(settings)
    await app.prepare(found.url(), settings, secret)
    async with app.open_services(found.url, settings, secret, seat) as services:
        started = await first_things(services)
        front = Front(services)
        http = uvicorn.Server(server.config(front, settings, front.hot))
        http.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # ours: see `serve`
        task = asyncio.create_task(http.serve(sockets=[sock]))
        while not http.started and not task.done():
            await asyncio.sleep(0.01)
        host, port = sock.getsockname()[:2]
        try:
            yield Running(services, started, host, port), http
        finally:
            services.live.end_streams()  # they would keep the server from ending
            front.end_streams()
            http.should_exit = True
            await task


def serve(settings: Settings, ready: Callable[[Running], None]) -> None:
    """Serves until a signal ends it; `ready` is told when this process answers."""
    for number in endings()[1:]:
        signal.signal(number, _end)  # while it starts, too: the database is not left behind
    with database(settings) as found, contextlib.closing(server.listen(settings)) as sock:
        port: int = sock.getsockname()[1]
        others = Workers(found.url(), settings, port, settings.workers - 1)

        def up(running: Running) -> None:
            others.start()  # after the first keys and prices are there
            ready(running)

        try:
            run(_serve_one(found, settings, sock, up, seat=others.seat))
        finally:
            others.stop()


def _end(number: int, frame: object) -> None:
    raise SystemExit(0)


def run_worker(
    found: Database,
    settings: Settings,
    sock: socket.socket,
    seat: Seat,
    watch: Callable[[asyncio.Event], Coroutine[Any, Any, None]],
) -> None:
    """Serves as one of several processes; `watch` sets the event when it is time to end."""
    run(_serve_one(found, settings, sock, lambda _: None, watch, seat))


def spare_the_collector() -> None:
    """Keeps what was made at the start out of the garbage collector's way, and calls it less often.

    A full collection looks at every object and stops everybody for 50 ms; hardly anything here is garbage in cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Runs it on the faster event loop, where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(main)
    else:
        uvloop.run(main)


async def _serve_one(
    found: Database,
    settings: Settings,
    sock: socket.socket,
    ready: Callable[[Running], None],
    watch: Callable[[asyncio.Event], Coroutine[Any, Any, None]] | None = None,
    seat: Seat | None = None,
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in endings():
        loop.add_signal_handler(number, ended.set)
    async with running(found, settings, sock, seat) as (up, _):
        spare_the_collector()
        ready(up)
        watcher = asyncio.create_task(watch(ended)) if watch is not None else None
        await ended.wait()
        if watcher is not None:
            watcher.cancel()
