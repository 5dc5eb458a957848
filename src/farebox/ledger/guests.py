"""Taking asks from the other workers of this machine, and telling them what became of each."""

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec
import structlog

from farebox import __version__
from farebox.ledger.batcher import Overloaded
from farebox.ledger.types import Outcome
from farebox.ledger.waiting import Item
from farebox.ledger.wire import Answered, BadFrame, Frames, Handed, Said, failed, framed, read_handed

log = structlog.get_logger()

Take = Callable[[Item], None]
"""Queues an item with a writer of this process; raises Overloaded."""


class Reply:
    """Where a writer puts the outcome of an ask that was handed to it, as it would into a future."""

    __slots__ = ("_done", "_guest", "_number")

    def __init__(self, guest: "Guest", number: int) -> None:
        self._guest = guest
        self._number = number
        self._done = False

    def done(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._done

    def cancel(self) -> None:
        """Nobody waits for it: who is not in a batch yet is left out."""
        self._done = True

    def set_result(self, outcome: Outcome, /) -> None:
        """Tells the outcome."""
        self._tell(Answered(self._number, outcome))

    def set_exception(self, error: Exception, /) -> None:
        """Tells the error."""
        self._tell(failed(self._number, error))

    def _tell(self, answer: Answered) -> None:
        self._done = True
        self._guest.tell(answer)


class Guest(asyncio.Protocol):
    """A connection on which another worker hands asks over. They wait in the same lines as our own."""

    def __init__(self, take: Take, present: "set[Guest]") -> None:
        self._take = take
        self._present = present
        self._loop = asyncio.get_running_loop()
        self._frames = Frames()
        self._open: dict[int, Reply] = {}
        self._answers: list[Answered] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._present.add(self)
        self._say(Said(version=__version__))

    def data_received(self, data: bytes) -> None:
        try:
            for message in self._frames.cut(data):
                self._heard(read_handed(message))
        except (BadFrame, msgspec.MsgspecError) as error:
            log.warning("ledger.guest_not_understood", error=str(error))
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._present.discard(self)
        for reply in self._open.values():
            reply.cancel()

    def leave(self) -> None:
        """Wants no more; the other side ends the connection when it has all its answers."""
        self._say(Said(leaving=True))

    def abort(self) -> None:
        """Ends the connection now."""
        self._transport.abort()

    def tell(self, answer: Answered) -> None:
        """Sends an answer, together with the others of this pass of the event loop."""
        self._open.pop(answer.number, None)
        if not self._answers:
            self._loop.call_soon(self._flush)
        self._answers.append(answer)

    def _heard(self, handed: list[Handed]) -> None:
        if not handed:
            self._say(Said())
        now = self._loop.time()
        for each in handed:
            reply = self._open[each.number] = Reply(self, each.number)
            try:
                if each.deadline <= now:  # this process was frozen, and they may have been told
                    raise Overloaded
                self._take(Item(each.ask, reply, each.deadline))
            except Overloaded as error:
                reply.set_exception(error)

    def _flush(self) -> None:
        answers, self._answers = self._answers, []
        self._say(Said(answers))

    def _say(self, said: Said) -> None:
        if not self._transport.is_closing():
            self._transport.write(framed(said))
