"""Group commit: the asks of one process, gathered into one transaction after the other (RULES 12-17)."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence

import asyncpg
import structlog
from asyncpg import Connection, Record
from msgspec import Struct

from farebox.db.pool import AWAY
from farebox.ledger.store import BrokenInvariant, CommitUnknown, post
from farebox.ledger.types import Ask, Outcome

log = structlog.get_logger()

Connect = Callable[[], Awaitable["Connection[Record]"]]

RETRIED = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,  # a rival's key: the next look sees it
)
LOST = (CommitUnknown, *AWAY)


class Overloaded(Exception):
    """The queue is full or moves too slowly; nothing was done. Try again after `retry_after_s`."""

    retry_after_s = 1


class Unavailable(Exception):
    """The database could not be reached in time; nothing was done. Try again after `retry_after_s`."""

    retry_after_s = 2


class OutcomeUnknown(Exception):
    """The answer to a COMMIT was lost and the database did not come back in time. Ask again with the same key."""

    retry_after_s = 2


class Limits(Struct, frozen=True):
    """The bounds of one writer."""

    batch_items: int = 512
    queue_items: int = 10_000
    deadline_s: float = 10.0
    batch_timeout_s: float = 30.0
    retries: int = 8


class Item(Struct, gc=False):
    """An ask on its way, with the future of the one who waits for it."""

    ask: Ask
    future: "asyncio.Future[Outcome]"
    deadline: float
    unknown: bool = False


class Writer:
    """One queue, one connection, one transaction at a time: while a batch is written, the next one fills."""

    def __init__(self, connect: Connect, limits: Limits) -> None:
        self._connect = connect
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._queue: deque[Item] = deque()
        self._in_flight: Sequence[Item] = ()
        self._conn: Connection[Record] | None = None
        self._wake = asyncio.Event()
        self._closing = False
        self._posting = False
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._watch())]
        self.batches = 0
        self.items = 0

    def submit(self, ask: Ask) -> "asyncio.Future[Outcome]":
        """Queues an ask. The future raises Overloaded, Unavailable, OutcomeUnknown or BrokenInvariant."""
        if self._closing or len(self._queue) >= self._limits.queue_items:
            raise Overloaded
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._queue.append(Item(ask, future, self._loop.time() + self._limits.deadline_s))
        self._wake.set()
        return future

    @property
    def depth(self) -> int:
        """How many asks wait."""
        return len(self._queue)

    async def close(self) -> None:
        """Finishes what is queued, then lets go of the connection."""
        self._closing = True
        self._wake.set()
        await self._tasks[0]
        self._tasks[1].cancel()
        if self._conn is not None and not self._conn.is_closed():
            await self._conn.close()

    async def _write(self) -> None:
        while self._queue or not self._closing:
            if not self._queue:
                self._wake.clear()
                await self._wake.wait()
                continue
            items = [item for item in self._take() if not item.future.done()]
            if items:
                self.batches += 1
                self.items += len(items)
                self._in_flight = items
                await self._settle(items)
                self._in_flight = ()

    def _take(self) -> Sequence[Item]:
        """Seals a batch: everything that waits, or, past the bound, an equal share for every client."""
        size = self._limits.batch_items
        if len(self._queue) <= size:
            batch, self._queue = self._queue, deque()
            return batch
        waiting = Counter(item.ask.client for item in self._queue)
        share = max(1, size // len(waiting))
        taken: Counter[str] = Counter()
        sealed: list[Item] = []
        left: deque[Item] = deque()
        for item in self._queue:
            client = item.ask.client
            if len(sealed) < size and taken[client] < share:
                taken[client] += 1
                sealed.append(item)
            else:
                left.append(item)
        while len(sealed) < size:
            sealed.append(left.popleft())
        self._queue = left
        return sealed

    async def _settle(self, items: Sequence[Item]) -> None:
        """Gives every item its outcome or its error."""
        attempt = 0
        while items := [item for item in items if not item.future.done()]:
            attempt += 1
            try:
                outcomes = await self._post(items)
            except RETRIED as error:
                if attempt >= self._limits.retries:
                    await self._split(items, error)
                    return
                await asyncio.sleep(random.uniform(0, 0.002 * 2**attempt))
            except LOST as error:
                self._lose_connection()
                if isinstance(error, CommitUnknown):
                    for item in items:
                        item.unknown = True
                log.warning("ledger.connection_lost", error=type(error).__name__, items=len(items), attempt=attempt)
                await asyncio.sleep(min(0.5, random.uniform(0, 0.02 * 2**attempt)))
            except Exception as error:
                await self._split(items, error)
                return
            else:
                for item, outcome in zip(items, outcomes, strict=True):
                    if not item.future.done():
                        if item.unknown:  # found by its key after a lost answer: the first answer all the same
                            outcome.replayed = False
                        item.future.set_result(outcome)
                return

    async def _post(self, items: Sequence[Item]) -> list[Outcome]:
        if self._conn is None or self._conn.is_closed():
            self._conn = await asyncio.wait_for(self._connect(), self._limits.batch_timeout_s)
        self._posting = True
        try:
            async with asyncio.timeout(self._limits.batch_timeout_s):
                return await post(self._conn, [item.ask for item in items])
        except TimeoutError:
            raise CommitUnknown from None  # it may hang in COMMIT: by key, not by guess
        finally:
            self._posting = False

    async def _split(self, items: Sequence[Item], error: Exception) -> None:
        """Halves a batch that failed, so that a bad item fails alone (RULES 14)."""
        if len(items) == 1:
            log.error("ledger.item_failed", error=repr(error), kind=type(items[0].ask).__name__)
            if not items[0].future.done():
                items[0].future.set_exception(_shown(error))
            return
        half = len(items) // 2
        await self._settle(items[:half])
        await self._settle(items[half:])

    def _lose_connection(self) -> None:
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None

    async def _watch(self) -> None:
        """Answers those whose deadline has passed while the database is away or slow."""
        while True:
            await asyncio.sleep(0.1)
            now = self._loop.time()
            while self._queue and self._queue[0].deadline <= now:
                late = self._queue.popleft()
                if not late.future.done():
                    late.future.set_exception(Overloaded() if self._conn is not None else Unavailable())
            _give_up(self._in_flight, now, posting=self._posting)


def _give_up(items: Sequence[Item], now: float, *, posting: bool) -> None:
    # An item that is answered here is not posted again: see _settle.
    for item in items:
        if item.deadline <= now and not item.future.done():
            item.future.set_exception(OutcomeUnknown() if item.unknown or posting else Unavailable())


def _shown(error: Exception) -> Exception:
    if isinstance(error, BrokenInvariant):
        return error
    if isinstance(error, (asyncpg.LockNotAvailableError, *RETRIED)):
        return Overloaded()
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return BrokenInvariant(f"{error.constraint_name}: {error}")
    return error


class Ledger:
    """The one door for everything that moves money. Wallets are spread over the writers; one wallet has one writer."""

    def __init__(self, connect: Connect, limits: Limits | None = None, writers: int = 1) -> None:
        self._writers = [Writer(connect, limits or Limits()) for _ in range(writers)]

    def submit(self, ask: Ask) -> "asyncio.Future[Outcome]":
        """See Writer.submit."""
        writers = self._writers
        return writers[ask.wallet_id % len(writers)].submit(ask)

    @property
    def depth(self) -> int:
        """How many asks wait to be written."""
        return sum(writer.depth for writer in self._writers)

    @property
    def batches(self) -> int:
        """How many batches were sealed since the start."""
        return sum(writer.batches for writer in self._writers)

    @property
    def items(self) -> int:
        """How many asks were in those batches."""
        return sum(writer.items for writer in self._writers)

    async def close(self) -> None:
        """Finishes what is queued."""
        await asyncio.gather(*(writer.close() for writer in self._writers))
