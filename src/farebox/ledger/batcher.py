"""Group commit: the asks of one process, gathered into one transaction after the other (RULES 12-17)."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import asyncpg
import structlog
from asyncpg import Connection, Record
from msgspec import Struct

from farebox.db.pool import AWAY
from farebox.ledger.ahead import Ahead
from farebox.ledger.standing import Standing
from farebox.ledger.store import BrokenInvariant, CommitUnknown, let_go, locked_elsewhere, post
from farebox.ledger.types import Ask, Outcome
from farebox.ledger.unchanged import Draft, read
from farebox.ledger.waiting import Item, Waiting, wallets_of

log = structlog.get_logger()

Connect = Callable[[], Awaitable["Connection[Record]"]]


class NotConnected(Exception):
    """No connection, whatever the reason: nothing was sent."""


class WalletsLocked(Exception):
    """Somebody else keeps wallets locked, longer than everybody else should wait."""

    def __init__(self, wallets: Sequence[int]) -> None:
        super().__init__(f"{len(wallets)} wallets")
        self.wallets = wallets


RETRIED = (
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,  # a whole table is locked: for maintenance, so it passes
)
RIVALS = ("transfers_client_key_key", "transfers_reference")
"""What a rival with the same key or reference meets; the next look sees who was first (RULES 10)."""
LOST = (
    NotConnected,
    CommitUnknown,
    asyncpg.InvalidSQLStatementNameError,  # a pooler gave us another server, or forgot what was prepared
    asyncpg.ReadOnlySQLTransactionError,  # a primary that has become a replica: ask the address again
    *AWAY,
)
ASIDE_S = 0.1
"""How often is looked whether wallets that somebody else kept locked are free again."""
AT_ONCE = 32
"""How many asks that wait are decided before other work has its turn: a third of a millisecond."""


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


class Writer:
    """One queue, one connection, one transaction at a time: while a batch is written, the next one fills."""

    def __init__(self, connect: Connect, limits: Limits, committed: asyncio.Event | None = None) -> None:
        self._connect = connect
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._waiting = Waiting(limits.batch_items)
        self._in_flight: Sequence[Item] = ()
        self._conn: Connection[Record] | None = None
        self._standing = Standing()
        self._draft: Draft | None = None
        self._ahead: Ahead | None = None
        self._wake = asyncio.Event()
        self._looked_aside = 0.0
        self._closing = False
        self._posting = False
        self._tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._watch())]
        self.batches = 0
        self.short = 0
        self.reads = 0
        self.items = 0
        self.ahead = 0
        self._committed = committed or asyncio.Event()

    def submit(self, ask: Ask) -> "asyncio.Future[Outcome]":
        """Queues an ask. The future raises Overloaded, Unavailable, OutcomeUnknown or BrokenInvariant."""
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self.take(Item(ask, future, self._loop.time() + self._limits.deadline_s))
        return future

    def take(self, item: Item) -> None:
        """Queues what has an end already: it comes from another worker, or comes back from there. Raises Overloaded."""
        if self._closing or len(self._waiting) >= self._limits.queue_items:
            raise Overloaded
        self._waiting.add(item)
        if self._ahead is not None:
            self._ahead.follow(self._waiting.line, 1)
        self._wake.set()

    @property
    def newest(self) -> int:
        """The highest transfer id that was written here."""
        return self._standing.last_id

    @property
    def depth(self) -> int:
        """How many asks wait."""
        return len(self._waiting)

    async def close(self) -> None:
        """Finishes what is queued, then lets go of the connection."""
        self._closing = True
        self._wake.set()
        await self._tasks[0]
        self._tasks[1].cancel()
        if self._conn is not None and not self._conn.is_closed():
            await self._conn.close()

    async def _write(self) -> None:
        while self._waiting or not self._closing:
            self._wake.clear()
            await self._look_aside()
            items = self._sealed()
            if items:
                self.batches += 1
                self.items += len(items)
                self._in_flight = items
                await self._settle(items)
                self._in_flight = ()
            else:
                await self._let_go()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), ASIDE_S if self._waiting else None)

    def _sealed(self) -> Sequence[Item]:
        """The next batch: what was decided ahead, as far as it still waits for that, or all that waits."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.follow(self._waiting.line, ahead.bound)
            if ahead.sound and self._waiting.take(ahead.items):
                self._draft = ahead.draft
                return ahead.items
            ahead.draft.forget()
        return self._waiting.seal()

    def _follows(self) -> bool:
        """Whether another batch is read and written as soon as this one is; not where locked wallets are looked at
        before, and not where it will be written without being read."""
        return bool(self._waiting) and not self._waiting.aside and not self._standing.hopeful

    async def _let_go(self) -> None:
        """Leaves no transaction open while there is nothing to write."""
        if self._conn is not None and not self._conn.is_closed():
            try:
                await let_go(self._conn)
            except Exception as error:
                self._lost(error, (), 1)

    async def _look_aside(self) -> None:
        """Lets items back whose wallets are free again; all of them where that can't be told: it shows soon."""
        aside = self._waiting.aside
        if not aside or self._loop.time() < self._looked_aside + ASIDE_S:
            return
        locked: Sequence[int] = ()
        with contextlib.suppress(Exception):
            locked = await self._locked_elsewhere(aside)
        self._waiting.let_back(locked)
        self._looked_aside = self._loop.time()

    async def _settle(self, items: Sequence[Item]) -> None:
        """Gives every item its outcome or its error."""
        attempt = 0
        while items := [item for item in items if item.open]:
            attempt += 1
            try:
                conn = await self._connected()
                # Connecting can outlast a deadline: who was told that nothing was done must not be charged now.
                items = [item for item in items if item.open]
                outcomes = await self._post(conn, items)
            except WalletsLocked as error:
                log.warning("ledger.wallets_locked", wallets=len(error.wallets), by="another session of the database")
                items = self._waiting.set_aside(items, error.wallets)
            except RETRIED as error:
                if attempt >= self._limits.retries or not _may_pass(error):
                    await self._split(items, error)
                    return
                await asyncio.sleep(random.uniform(0, 0.002 * 2**attempt))
            except LOST as error:
                self._lost(error, items, attempt)
                await asyncio.sleep(min(0.5, random.uniform(0, 0.02 * 2**attempt)))
            except Exception as error:
                await self._split(items, error)
                return
            else:
                for item, outcome in zip(items, outcomes, strict=True):
                    if item.open:
                        item.answer(outcome)
                self._committed.set()
                return

    async def _post(self, conn: "Connection[Record]", items: Sequence[Item]) -> list[Outcome]:
        self._posting = True
        try:
            async with asyncio.timeout(self._limits.batch_timeout_s):
                outcomes = await self._post_unchanged(conn, items)
                if outcomes is not None:
                    self.short += 1
                    return outcomes
                return await post(conn, [item.ask for item in items], self._follows, self._standing)
        except asyncpg.LockNotAvailableError:
            locked = await self._locked_elsewhere(items)
            if not locked:
                raise
            raise WalletsLocked(locked) from None
        finally:
            self._posting = False

    async def _post_unchanged(self, conn: "Connection[Record]", items: Sequence[Item]) -> list[Outcome] | None:
        """Writes a batch the short way; None, and nothing is written, where it can't."""
        self._give_up_ahead()  # of a batch that had to be halved: there is one order of decisions
        asks = [item.ask for item in items]
        draft = self._decided_ahead(asks)
        if draft is None:
            if not self._standing.tries(asks) or conn.is_in_transaction():
                return None
            if not self._standing.reads_first():
                draft = Draft.of(asks, self._standing)
        if draft is not None:
            outcomes = await self._written(conn, draft)
            if outcomes is not None or not draft.stale:
                return outcomes
        self.reads += 1
        await read(conn, asks, self._standing)
        draft = Draft.of(asks, self._standing, read=True)
        return None if draft is None else await self._written(conn, draft)

    def _decided_ahead(self, asks: Sequence[Ask]) -> Draft | None:
        """The draft of these asks, if nobody has left since."""
        draft, self._draft = self._draft, None
        if draft is not None and not _same(draft.asks, asks):
            draft.forget()
            return None
        self.ahead += 0 if draft is None else len(asks)
        return draft

    async def _written(self, conn: "Connection[Record]", draft: Draft) -> list[Outcome] | None:
        """Writes a draft, while the next one is decided."""
        if not self._waiting.aside:
            self._ahead = Ahead.after(self._standing, self._limits.batch_items)
            self._waiting.put_in_order()
            self._loop.call_soon(self._look_ahead, self._ahead)  # when this one has been sent
        outcomes = None
        try:
            outcomes = await draft.write(conn)
            return outcomes
        finally:
            if outcomes is None:  # what was decided after it was decided on what never was
                self._give_up_ahead()

    def _look_ahead(self, ahead: Ahead) -> None:
        """Decides what is in line, not so much at once that others have to wait for it."""
        if ahead is self._ahead and ahead.follow(self._waiting.line, AT_ONCE):
            self._loop.call_soon(self._look_ahead, ahead)

    def _give_up_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.draft.forget()
            self._ahead = None

    async def _connected(self) -> "Connection[Record]":
        if self._conn is None or self._conn.is_closed():
            try:
                self._conn = await asyncio.wait_for(self._connect(), self._limits.batch_timeout_s)
            except Exception as error:
                raise NotConnected(type(error).__name__) from error
            self._standing.forget_all()  # it may be another database, restored to another past
            self._draft = None
        return self._conn

    async def _locked_elsewhere(self, items: Sequence[Item]) -> Sequence[int]:
        conn = await self._connected()
        wallets = {wallet for item in items for wallet in wallets_of(item.ask)}
        async with asyncio.timeout(self._limits.batch_timeout_s):
            return await locked_elsewhere(conn, wallets, {getattr(item.ask, "grant_id", None) for item in items})

    async def _split(self, items: Sequence[Item], error: Exception) -> None:
        """Halves a batch that failed, so that a bad item fails alone (RULES 14)."""
        if len(items) == 1:
            log.error("ledger.item_failed", error=repr(error), kind=type(items[0].ask).__name__)
            if items[0].open:
                shown = _shown(error)
                unknown = items[0].perhaps and isinstance(shown, Overloaded)  # which says that nothing was done
                items[0].future.set_exception(OutcomeUnknown() if unknown else shown)
            return
        half = len(items) // 2
        await self._settle(items[:half])
        await self._settle(items[half:])

    def _lost(self, error: Exception, items: Sequence[Item], attempt: int) -> None:
        """Lets go of a connection that is of no use; notes what it has perhaps written."""
        if self._conn is not None:
            self._conn.terminate()
            self._conn = None
        self._standing.forget_all()
        if isinstance(error, CommitUnknown):
            for item in items:
                item.perhaps += (error.ids,)
        reason = type(error.__cause__ or error).__name__
        log.warning("ledger.connection_lost", error=reason, items=len(items), attempt=attempt)

    async def _watch(self) -> None:
        """Answers those whose deadline has passed while the database is away or slow."""
        while True:
            await asyncio.sleep(0.1)
            now = self._loop.time()
            for item in self._waiting.late(now):
                if item.open:
                    item.future.set_exception(self._late(item))
            for item in self._in_flight:
                if item.deadline <= now and item.open:  # answered here, it is not posted again: see _settle
                    item.future.set_exception(self._late(item, posting=self._posting))

    def _late(self, item: Item, *, posting: bool = False) -> Exception:
        if item.perhaps or posting:
            return OutcomeUnknown()
        return Unavailable() if self._conn is None else Overloaded()


def _same(asks: Sequence[Ask], others: Sequence[Ask]) -> bool:
    return len(asks) == len(others) and all(a is b for a, b in zip(asks, others, strict=True))


def _may_pass(error: Exception) -> bool:
    """Whether the same batch may go through when it is run again."""
    return not isinstance(error, asyncpg.UniqueViolationError) or error.constraint_name in RIVALS


def _shown(error: Exception) -> Exception:
    if isinstance(error, BrokenInvariant):
        return error
    if isinstance(error, RETRIED) and _may_pass(error):
        return Overloaded()
    if isinstance(error, asyncpg.IntegrityConstraintViolationError):
        return BrokenInvariant(f"{error.constraint_name}: {error}")
    return error


class Elsewhere(Protocol):
    """The other workers of this machine (`ledger/owners.py`)."""

    handed_over: int

    def submit(self, ask: Ask) -> "asyncio.Future[Outcome] | None":
        """Hands an ask over to the owner of its wallet; None where it is to be done here."""

    async def close(self) -> None:
        """Parts from them, with all answered that is under way."""


class Ledger:
    """The one door for everything that moves money. Wallets are spread over the writers; one wallet has one writer.

    Where other workers own a share of the wallets, their asks are handed over (`share`).
    """

    def __init__(self, connect: Connect, limits: Limits | None = None, writers: int = 1) -> None:
        self.committed = asyncio.Event()
        """Set with every batch; whoever waits for it clears it."""
        self._writers = [Writer(connect, limits or Limits(), self.committed) for _ in range(writers)]
        self._others: Elsewhere | None = None
        self._places = 1

    def share(self, others: Elsewhere, places: int) -> None:
        """From now on, wallets are spread over so many workers: by their number, as over the writers of each."""
        self._others = others
        self._places = places

    def submit(self, ask: Ask) -> "asyncio.Future[Outcome]":
        """See Writer.submit."""
        if self._others is not None:
            begun = self._others.submit(ask)
            if begun is not None:
                return begun
        return self._writer_of(ask.wallet_id).submit(ask)

    def take(self, item: Item) -> None:
        """Queues an ask here, whoever owns its wallet. See Writer.take."""
        self._writer_of(item.ask.wallet_id).take(item)

    def _writer_of(self, wallet_id: int) -> Writer:
        return self._writers[wallet_id // self._places % len(self._writers)]

    @property
    def newest(self) -> int:
        """The highest transfer id that was written here."""
        return max(writer.newest for writer in self._writers)

    @property
    def handed_over(self) -> int:
        """How many asks were handed over to other workers."""
        return 0 if self._others is None else self._others.handed_over

    @property
    def depth(self) -> int:
        """How many asks wait to be written."""
        return sum(writer.depth for writer in self._writers)

    @property
    def batches(self) -> int:
        """How many batches were sealed since the start."""
        return sum(writer.batches for writer in self._writers)

    @property
    def short(self) -> int:
        """How many of them were written on facts that still stood."""
        return sum(writer.short for writer in self._writers)

    @property
    def reads(self) -> int:
        """How many batches had to read those facts before."""
        return sum(writer.reads for writer in self._writers)

    @property
    def ahead(self) -> int:
        """How many asks were decided while another batch was being written."""
        return sum(writer.ahead for writer in self._writers)

    @property
    def items(self) -> int:
        """How many asks were in those batches."""
        return sum(writer.items for writer in self._writers)

    async def close(self) -> None:
        """Finishes what is queued, and what was handed over, in both directions."""
        if self._others is not None:
            await self._others.close()
        await asyncio.gather(*(writer.close() for writer in self._writers))
