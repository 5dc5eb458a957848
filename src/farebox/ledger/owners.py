"""One wallet has one owner among the workers of a machine: all asks on it meet in one writer (ADR 0029).

This saves work and decides nothing: what is true is said by the database's locks and the journal's keys, whoever posts.
Where a wallet's owner can't be reached, its asks are posted here.
"""

import asyncio
import contextlib
import time
from pathlib import Path

import structlog
from msgspec import Struct

from farebox.ledger.batcher import Ledger, Limits
from farebox.ledger.guests import Guest
from farebox.ledger.links import CHECK_EVERY_S, Home, Link
from farebox.ledger.types import Ask, Outcome

log = structlog.get_logger()

LEAVE_S = 2.0
"""How long an end waits for the others to say that they have handed over all."""


class Seat(Struct, frozen=True):
    """One worker's place among those of its machine, counted from 0, and where they meet."""

    place: int
    places: int
    directory: str
    """Private to the user that they run as: a socket for each."""

    def socket(self, place: int) -> str:
        """Where the worker at a place listens."""
        return str(Path(self.directory) / str(place))


class Owners:
    """Who owns which wallet: the ways to the others, and the door for what they hand over."""

    def __init__(self, seat: Seat, ledger: Ledger, limits: Limits) -> None:
        self._seat = seat
        self._places = seat.places
        self._home = Home(ledger.take, self._newest, ledger.committed, limits.deadline_s, limits.queue_items)
        self._ledger = ledger
        self._links: dict[int, Link] = {}
        self._guests: set[Guest] = set()
        self._server: asyncio.Server | None = None
        self._tending: asyncio.Task[None] | None = None
        self.handed_over = 0

    def submit(self, ask: Ask) -> "asyncio.Future[Outcome] | None":
        """Hands an ask over to the owner of its wallet; None where that is to be done here. See `Writer.submit`."""
        link = self._links.get(ask.wallet_id % self._places)
        if link is None or not link.ready:
            return None
        begun = link.hand_over(ask)
        self.handed_over += 1
        return begun

    async def open(self) -> None:
        """Listens, and looks for the others from now on."""
        path = self._seat.socket(self._seat.place)
        try:
            _remove(path)  # of one that had this place before
            loop = asyncio.get_running_loop()
            self._server = await loop.create_unix_server(lambda: Guest(self._ledger.take, self._guests), path)
        except OSError as error:  # a path that is too long, for instance
            log.warning("ledger.owners_apart", error=str(error), risk="the others post this worker's share: slower")
        self._tending = asyncio.create_task(self._tend())

    async def close(self) -> None:
        """Wants no more from the others, answers what they have handed over, and waits for what was handed to them."""
        if self._tending is not None:
            self._tending.cancel()
        if self._server is not None:
            self._server.close()
            _remove(self._seat.socket(self._seat.place))
        for guest in self._guests:
            guest.leave()
        for link in self._links.values():
            link.leave()
        await asyncio.gather(self._until_alone(), self._until_answered())

    async def _until_alone(self) -> None:
        """Until nobody can hand over any more; who does not let go, being frozen, is cut off."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_S):
                while self._guests:
                    await asyncio.sleep(0.005)
        for guest in self._guests.copy():
            guest.abort()

    async def _until_answered(self) -> None:
        """Until nothing is under way. It ends: a silent owner is given up, and what is late is answered."""
        checked = time.monotonic()
        while any(not link.over for link in self._links.values()):
            await asyncio.sleep(0.005)
            if time.monotonic() - checked > CHECK_EVERY_S:
                checked = time.monotonic()
                for link in self._links.values():
                    link.check()

    async def _tend(self) -> None:
        others = [place for place in range(self._places) if place != self._seat.place]
        while True:
            for place in others:
                link = self._links.get(place)
                if link is not None and not link.over:
                    link.check()
                else:
                    await self._meet(place)
            await asyncio.sleep(CHECK_EVERY_S)

    async def _meet(self, place: int) -> None:
        """Connects, if anybody is there; that it takes asks is for the other side to say."""
        self._links.pop(place, None)
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CHECK_EVERY_S):
                path = self._seat.socket(place)
                _, self._links[place] = await loop.create_unix_connection(lambda: Link(self._home), path)

    def _newest(self) -> int:
        return max([self._ledger.newest, *(link.newest for link in self._links.values())])


def _remove(path: str) -> None:
    Path(path).unlink(missing_ok=True)
