"""The composition root: from settings to a running application."""

import asyncio
import contextlib
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import asyncpg
import structlog

from farebox.db import durability, pool
from farebox.events.relay import Relay
from farebox.events.service import Live
from farebox.ingest.service import Ingest
from farebox.ledger.batcher import Ledger, Limits
from farebox.ledger.owners import Owners, Seat
from farebox.ledger.sweeper import sweep_forever
from farebox.reports.totals import keep_forever
from farebox.services import Services
from farebox.settings import Settings

log = structlog.get_logger()


class UnsafeDatabase(RuntimeError):
    """The database may lose what it acknowledges."""


class WrongSecret(RuntimeError):
    """The database was set up with another secret key."""


def secret_of(settings: Settings) -> bytes:
    """The key that tokens and cursors are derived with; made in the data directory where none is set.

    Raises WrongSecret for a file that holds none.
    """
    if settings.secret_key:
        return bytes.fromhex(settings.secret_key)
    path = Path(settings.data_dir).expanduser() / "secret.key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_hex(32) + "\n")
    return _secret_in(path)


def _secret_in(path: Path) -> bytes:
    with contextlib.suppress(ValueError):  # neither text nor hexadecimal digits
        found = bytes.fromhex(path.read_text().strip())
        if len(found) >= 32:
            return found
    raise WrongSecret(f"{path} holds no 64 hexadecimal digits: bring back the file that was there")


def _write_once(path: Path, text: str) -> None:
    """Writes a file whole and for its owner only, or leaves the one that another process has written just now."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600, exist_ok=True)
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


async def prepare(url: str, settings: Settings, secret: bytes) -> None:
    """Checks a migrated database before anything is served from it; raises UnsafeDatabase, WrongSecret."""
    conn = await pool.until_reachable(url, settings)
    try:
        found = await durability.risks(conn)
        if found and not settings.allow_unsafe_database:
            raise UnsafeDatabase("; ".join(found) + " (FAREBOX_ALLOW_UNSAFE_DATABASE=true starts all the same)")
        for risk in found:
            log.warning("database.unsafe", risk=risk)
        mark = hashlib.sha256(b"farebox secret " + secret).hexdigest()
        await conn.execute("INSERT INTO installation VALUES ('secret_mark', $1) ON CONFLICT DO NOTHING", mark)
        known = await conn.fetchval("SELECT value FROM installation WHERE name = 'secret_mark'")
        if known != mark:
            raise WrongSecret(
                "this database was set up with another secret key: set FAREBOX_SECRET_KEY, or bring back the "
                "secret.key of its data directory"
            )
    finally:
        await conn.close()


@contextlib.asynccontextmanager
async def open_services(
    url: Callable[[], str], settings: Settings, secret: bytes, seat: Seat | None = None
) -> AsyncIterator[Services]:
    """The parts of one server on a prepared database; closes them in order, with the ledger's queue written.

    With a `seat`, it is one of several workers that share the wallets.
    """
    if settings.tokenvault_open:
        log.warning("tokenvault.open", risk="whoever reaches this server can spend and recharge, without a key")
    connections = await pool.open_pool(url(), settings)

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        return await pool.connect(url(), settings)

    async def listen() -> "asyncpg.Connection[asyncpg.Record]":
        return await pool.connect(settings.events_url or url(), settings)

    limits = Limits(batch_items=settings.batch_items, queue_items=settings.queue_items, deadline_s=settings.deadline_s)
    ledger = Ledger(connect, limits, settings.writers if seat is None else -(-settings.writers // seat.places))
    if seat is not None:
        owners = Owners(seat, ledger, limits)
        ledger.share(owners, seat.places)
        await owners.open()
    services = Services(settings, secret, connections, ledger)
    await services.prices.fresh()
    sweeper = asyncio.create_task(sweep_forever(connections, ledger, settings))
    totals = asyncio.create_task(keep_forever(services.totals, settings.sweep_interval_s))
    noting = asyncio.create_task(services.keys.note_uses_forever(settings.sweep_interval_s))
    ingest = Ingest(services, settings) if settings.redis_url else None
    relay = Relay(connections, ledger.committed, None if ingest is None else ingest.forget_balances)
    services.live = Live(connections, listen, relay, services.teams, settings.max_streams)
    if ingest is not None:
        services.ingest = ingest
        ingest.start()
        relay.start()  # what clients remember of balances is forgotten whoever changes them
    try:
        yield services
    finally:
        sweeper.cancel()
        totals.cancel()
        noting.cancel()
        await services.audits.close()
        await services.live.close()
        if ingest is not None:
            await ingest.close()
        await relay.close()
        await ledger.close()
        await connections.close()
