"""What waits for a writer: in line, or aside where somebody else keeps the wallet locked."""

import asyncio
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from msgspec import Struct

from farebox.ledger.types import Ask, Capture, Outcome, Transfer


class Waits(Protocol):
    """Who waits for an outcome, where it is not a future of this process."""

    def done(self) -> bool:
        """Whether nobody waits any more."""

    def set_result(self, outcome: Outcome, /) -> None:
        """Gives the outcome."""

    def set_exception(self, error: Exception, /) -> None:
        """Gives the error."""


class Item(Struct, gc=False):
    """An ask on its way, with the future of the one who waits for it."""

    ask: Ask
    future: "asyncio.Future[Outcome] | Waits"
    deadline: float
    perhaps: tuple[range, ...] = ()
    """Ids that it was perhaps written under: by batches whose COMMIT was never answered, or by another worker."""

    @property
    def open(self) -> bool:
        """Whether somebody still waits for it."""
        return not self.future.done()

    def answer(self, outcome: Outcome) -> None:
        """Gives the outcome to the one who waits."""
        if self.perhaps and any(outcome.transfer_id in ids for ids in self.perhaps):
            outcome.replayed = False  # found by its key, but this very ask had put it there
        self.future.set_result(outcome)


def wallets_of(ask: Ask) -> tuple[int, ...]:
    """The wallets whose rows an ask locks."""
    if isinstance(ask, Transfer | Capture) and ask.to_wallet_id is not None:
        return (ask.wallet_id, ask.to_wallet_id)
    return (ask.wallet_id,)


class Waiting:
    """The items of one writer, in order of arrival."""

    def __init__(self, batch_items: int) -> None:
        self._batch_items = batch_items
        self._line: deque[Item] = deque()
        self._aside: list[Item] = []
        self._locked: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self._line) + len(self._aside)

    @property
    def aside(self) -> Sequence[Item]:
        """The items that wait for a wallet to be unlocked."""
        return self._aside

    @property
    def line(self) -> Sequence[Item]:
        """The items in line, the first one first."""
        return self._line

    def add(self, item: Item) -> None:
        """To the end of the line."""
        self._line.append(item)

    def seal(self) -> list[Item]:
        """Takes a batch out of the line: all of it, or, past the bound, an equal share for every client."""
        self.put_in_order()
        taken = [self._line.popleft() for _ in range(min(self._batch_items, len(self._line)))]
        return self.set_aside(taken, ()) if self._locked else taken

    def put_in_order(self) -> None:
        """Past the bound of a batch, puts an equal share of every client first in the line."""
        size = self._batch_items
        if len(self._line) <= size:
            return
        share = max(1, size // len({item.ask.client for item in self._line}))
        taken: Counter[str] = Counter()
        first: deque[Item] = deque()
        others: list[Item] = []
        for item in self._line:
            client = item.ask.client
            if len(first) < size and taken[client] < share:
                taken[client] += 1
                first.append(item)
            else:
                others.append(item)
        first.extend(others)
        self._line = first

    def take(self, items: Sequence[Item]) -> bool:
        """Takes these items out of the line, if they are the first in it."""
        if len(items) > len(self._line) or any(a is not b for a, b in zip(items, self._line, strict=False)):
            return False
        for _ in items:
            self._line.popleft()
        return True

    def set_aside(self, items: Iterable[Item], locked: Iterable[int]) -> list[Item]:
        """Puts items on locked wallets aside; the others."""
        self._locked |= frozenset(locked)
        others: list[Item] = []
        for item in items:
            (others if self._locked.isdisjoint(wallets_of(item.ask)) else self._aside).append(item)
        return others

    def let_back(self, locked: Iterable[int]) -> None:
        """Puts what waits aside back to the head of the line, where its wallet is not locked any more."""
        aside, self._aside, self._locked = self._aside, [], frozenset()
        self._line.extendleft(reversed(self.set_aside((item for item in aside if item.open), locked)))

    def late(self, now: float) -> Iterator[Item]:
        """Takes out those whose deadline has passed."""
        while self._line and self._line[0].deadline <= now:
            yield self._line.popleft()
        late = [item for item in self._aside if item.deadline <= now]
        if late:
            self._aside = [item for item in self._aside if item.deadline > now]
            yield from late
