"""Handing asks over to the worker that owns their wallets, and taking them back where it does not answer."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import cast

import msgspec
import structlog
from msgspec import Struct

from farebox import __version__
from farebox.ledger.batcher import OutcomeUnknown, Overloaded
from farebox.ledger.guests import Take
from farebox.ledger.types import MAX_UNITS, Ask, Outcome
from farebox.ledger.waiting import Item
from farebox.ledger.wire import Answered, AnyAsk, BadFrame, Frames, Handed, Said, error_of, framed, read_said

log = structlog.get_logger()

CHECK_EVERY_S = 0.25
SILENT_CHECKS = 4
"""After so many checks without a word the owner counts as frozen: about a second."""
GRACE_S = 1.0
"""How long after its deadline an answer may still be on its way."""
AT_ONCE = 512


class Home(Struct, frozen=True):
    """What a link needs of its own process."""

    take: Take
    """Where asks go that come back."""
    newest: Callable[[], int]
    """The highest transfer id that is known here."""
    committed: asyncio.Event
    """Set when outcomes arrive."""
    deadline_s: float
    queue_items: int


class Link(asyncio.Protocol):
    """One connection to an owner. `ready` while it takes asks; `over` when the connection is gone."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._numbers = itertools.count()
        self._unsent: list[int] = []
        self._under_way: dict[int, Item] = {}
        self._silent = 0
        self._met = False
        self._leaving = False
        self.ready = False
        self.over = False
        self.newest = 0
        """The highest transfer id that the owner has told."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def hand_over(self, ask: Ask) -> "asyncio.Future[Outcome]":
        """Sends an ask, together with the others of this pass of the event loop. See `Writer.submit`."""
        if len(self._under_way) >= self._home.queue_items:
            raise Overloaded
        future: asyncio.Future[Outcome] = self._loop.create_future()
        number = next(self._numbers)
        self._under_way[number] = Item(ask, future, self._loop.time() + self._home.deadline_s)
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(number)
        return future

    def check(self) -> None:
        """To be called every `CHECK_EVERY_S`: gives up on an owner that is silent though something is due."""
        if self._met and not self._under_way:
            return
        self._answer_late()
        self._silent += 1
        if self._silent > SILENT_CHECKS:
            self.abort()
        elif self._silent > 1:
            self._transport.write(framed([]))

    def abort(self) -> None:
        """Ends the connection now; what is under way is taken back."""
        self.ready = False
        self._transport.abort()

    def leave(self) -> None:
        """Hands over no more, and ends the connection as soon as the rest is answered."""
        self.ready, self._leaving = False, True
        if not self._under_way:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._silent = 0
        try:
            for message in self._frames.cut(data):
                self._heard(read_said(message))
        except (BadFrame, msgspec.MsgspecError) as error:
            log.warning("ledger.owner_not_understood", error=str(error))
            self.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.ready, self.over = False, True
        items, self._under_way, self._unsent = list(self._under_way.values()), {}, []
        if items:
            log.warning("ledger.owner_lost", asks=len(items), action="asked here, with the same keys")
        for item in items:
            self._take_back(item)

    def _heard(self, said: Said) -> None:
        if said.version:
            self._met = True
            self.ready = said.version == __version__ and not self._leaving
        for answer in said.answers:
            self._answered(answer)
        if said.answers:
            self._home.committed.set()
        if said.leaving or (self._leaving and not self._under_way):
            self.leave()

    def _answered(self, answer: Answered) -> None:
        item = self._under_way.pop(answer.number, None)
        outcome = answer.outcome
        if outcome is not None:
            self.newest = max(self.newest, outcome.transfer_id)
        if item is None or not item.open:
            return
        if outcome is not None:
            item.future.set_result(outcome)
        else:
            item.future.set_exception(error_of(answer))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        for start in range(0, len(unsent), AT_ONCE):
            self._send(unsent[start : start + AT_ONCE])

    def _send(self, numbers: Sequence[int]) -> None:
        """Sends asks in one message; in several where that would be too long; keeps what can't be sent at all."""
        items = [self._under_way[number] for number in numbers]
        handed = [
            Handed(number, item.deadline, cast(AnyAsk, item.ask)) for number, item in zip(numbers, items, strict=True)
        ]
        try:
            message = framed(handed)
        except BadFrame:
            if len(numbers) == 1:
                self._take_back(self._under_way.pop(numbers[0]))
                return
            half = len(numbers) // 2
            self._send(numbers[:half])
            self._send(numbers[half:])
            return
        perhaps = (range(max(self.newest, self._home.newest()) + 1, MAX_UNITS),)
        for item in items:
            item.perhaps = perhaps
        self._transport.write(message)

    def _take_back(self, item: Item) -> None:
        """Asks here. What was sent may have been done by the owner, or will be when it wakes: the keys tell."""
        if not item.open:
            return
        try:
            self._home.take(item)
        except Overloaded as error:
            item.future.set_exception(OutcomeUnknown() if item.perhaps else error)

    def _answer_late(self) -> None:
        """Answers those whom the owner should have answered long ago."""
        late = self._loop.time() - GRACE_S
        for number, item in list(itertools.takewhile(lambda each: each[1].deadline <= late, self._under_way.items())):
            del self._under_way[number]
            if item.open:
                item.future.set_exception(OutcomeUnknown())
