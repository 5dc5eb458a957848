"""Ingestion: consumers that read the stream, book what they read, and acknowledge what is committed."""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from farebox.db.pool import AWAY as DATABASE_AWAY
from farebox.errors import Busy
from farebox.ingest.book import Books
from farebox.ingest.read import read
from farebox.ingest.redis import AWAY as REDIS_AWAY
from farebox.ingest.redis import Client, connect
from farebox.ingest.stream import State, Stream
from farebox.ingest.types import Entry, Fate, Malformed, UsageRecord
from farebox.services import Services
from farebox.settings import Settings

log = structlog.get_logger()
AWAY = (*REDIS_AWAY, *DATABASE_AWAY, Busy)
_BLOCK_MS = 250
_TRIM_EVERY_S = 1.0
_UNPARK_EVERY_S = 1.0
_WHOLE_EVERY_S = 30.0
_LONGEST_PAUSE_S = 1.0


class Reader:
    """What one consumer books next: what it had begun, what others have left lying, what is new."""

    def __init__(self, stream: Stream, name: str, settings: Settings) -> None:
        self._stream = stream
        self._name = name
        self._count = settings.ingest_batch
        self._idle_s = settings.ingest_claim_idle_s
        self._next_claim = 0.0
        self.interrupted = False
        """Whether something that it has read may not be acknowledged."""

    async def next(self) -> list[Entry]:
        """The next batch; empty where nothing has come for a while."""
        if self.interrupted:
            entries = await self._stream.own(self._name, self._count)
            self.interrupted = bool(entries)
            if entries:
                return entries
        if time.monotonic() >= self._next_claim:
            entries = await self._stream.claim(self._name, int(self._idle_s * 1000), self._count)
            if entries:
                return entries
            self._next_claim = time.monotonic() + self._idle_s / 2
        return await self._stream.read(self._name, self._count, _BLOCK_MS)


class Ingest:
    """The consumers of this process. Each entry has one effect, whoever reads it and how often (RULES 21)."""

    def __init__(self, services: Services, settings: Settings) -> None:
        self._settings = settings
        self._redis: Client = connect(settings.redis_url)
        self.stream = Stream(self._redis, settings.ingest_stream, settings.ingest_group)
        self.books = Books(
            settings.ingest_stream,
            services.pool,
            services.ledger,
            services.prices,
            services.charging,
            services.teams,
            services.accounts,
        )
        self.counts: Counter[str] = Counter()
        self.state: State | None = None
        """How far the group was a second ago; None while Redis does not answer."""
        self._name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._ended = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._next_whole = 0.0
        self._outdated: set[str] = set()
        self._quiet = False

    def start(self) -> None:
        """Starts the consumers. Redis need not be there yet."""
        names = [f"{self._name}-{number}" for number in range(self._settings.ingest_consumers)]
        self._tasks = [asyncio.create_task(self._consume(name)) for name in names]
        self._tasks.append(asyncio.create_task(self._every(_TRIM_EVERY_S, self._tidy)))
        self._tasks.append(asyncio.create_task(self._every(_UNPARK_EVERY_S, self._unpark)))

    async def close(self) -> None:
        """Finishes what is being booked; what was read and is not acknowledged is claimed by others."""
        self._ended.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_BLOCK_MS / 1000 + self._settings.deadline_s)
            for task in late:
                task.cancel()
        with contextlib.suppress(*REDIS_AWAY):
            await self._redis.aclose()

    async def _consume(self, name: str) -> None:
        reader = Reader(self.stream, name, self._settings)
        pause = 0.0
        while not self._ended.is_set():
            try:
                entries = await reader.next()
                if entries:
                    await self._settle(entries)
                pause = 0.0
                self._back()
            except AWAY as error:
                self._away(error)
                reader.interrupted = True
                pause = min(_LONGEST_PAUSE_S, pause * 2 + 0.05)
                await asyncio.sleep(pause)
            except Exception as error:
                log.error("ingest.unexpected", exc_info=error)
                await asyncio.sleep(_LONGEST_PAUSE_S)

    async def _settle(self, entries: Sequence[Entry]) -> None:
        """Books a batch, forgets what clients remember of the balances, and only then acknowledges."""
        records: list[UsageRecord] = []
        readable: list[Entry] = []
        now = time.time()
        for entry in entries:
            try:
                records.append(read(entry[1], now))
            except Malformed as error:
                await self._bury(entry, str(error))
            else:
                readable.append(entry)
        done: list[bytes] = []
        for entry, settled in zip(readable, await self.books.settle(records), strict=True):
            if settled.fate is Fate.REFUSED:
                await self._bury(entry, settled.reason)
            else:
                done.append(entry[0])
                self.counts[settled.fate.value] += 1
        await self._delete_balances({record.organization_id for record in records})
        await self.stream.acknowledge(done)

    async def forget_balances(self, organizations: Iterable[str]) -> None:
        """What clients remember of balances that have changed; as soon as Redis takes it."""
        self._outdated |= set(organizations)
        with contextlib.suppress(*REDIS_AWAY):
            outdated = set(self._outdated)
            await self._delete_balances(outdated)
            self._outdated -= outdated

    async def _delete_balances(self, organizations: set[str]) -> None:
        """Clients keep the balance for a while; they may have read it again before this batch was committed."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for organization in organizations:
                pipe.delete(f"credit_balance:{organization}")
            await pipe.execute()

    async def _bury(self, entry: Entry, reason: str) -> None:
        if await self.stream.bury(entry, reason):
            self.counts["dead"] += 1
            log.warning("ingest.dead_letter", reason=reason, entry=entry[0].decode())

    async def _tidy(self) -> None:
        if self._outdated:
            await self.forget_balances(())
        try:
            self.state = await self.stream.state()
        except BaseException:
            self.state = None
            raise
        await self.stream.trim()
        await self.stream.forget()

    async def _unpark(self) -> None:
        whole = time.monotonic() >= self._next_whole
        done = await self.books.unpark(whole=whole)
        if whole:
            self._next_whole = time.monotonic() + _WHOLE_EVERY_S
        if done:
            self.counts["unparked"] += done
            log.info("ingest.unparked", records=done)

    async def _every(self, seconds: float, act: Callable[[], Awaitable[None]]) -> None:
        while not self._ended.is_set():
            try:
                await act()
            except AWAY as error:
                self._away(error)
            except Exception as error:
                log.error("ingest.unexpected", exc_info=error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), seconds)

    def _away(self, error: Exception) -> None:
        if not self._quiet:
            log.warning("ingest.waiting", error=type(error).__name__)
        self._quiet = True

    def _back(self) -> None:
        if self._quiet:
            log.info("ingest.going_on")
        self._quiet = False
