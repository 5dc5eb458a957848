"""The next batch, decided while the last one is written.

A writer waits for the database half of its time. What is in line by then, and what arrives meanwhile, is decided as if
the batch that is being written were so already; if it will not have been, nothing of it counts, and it is decided again
(ADR 0031).
"""

from collections.abc import Sequence

from msgspec import Struct

from farebox.ledger.standing import Standing
from farebox.ledger.unchanged import Draft
from farebox.ledger.waiting import Item


class Ahead(Struct, gc=False):
    """The first items in line, and what they were decided to come to. They stay in line, and can leave it."""

    draft: Draft
    bound: int
    """How many items a batch can have."""
    items: list[Item]
    _open: bool = True
    _broken: bool = False

    @classmethod
    def after(cls, standing: Standing, bound: int) -> "Ahead":
        """One that nothing was decided in yet."""
        return cls(Draft(standing), bound, [])

    def follow(self, line: Sequence[Item], most: int) -> bool:
        """Decides the next ones in line, at most so many; whether there are more to decide."""
        start = len(self.items)
        for place in range(start, min(start + most, len(line))):
            if not self._open:
                break
            self._add(line[place])
        return self._open and len(self.items) < len(line)

    def _add(self, item: Item) -> None:
        """Decides the next one in line; the first that takes more than what is known is for the batch after it."""
        try:
            self._open = len(self.items) < self.bound and self.draft.add(item.ask)
        except Exception:  # whatever it is, it comes again when the item's own batch is decided
            self._open, self._broken = False, True
        if self._open:
            self.items.append(item)

    @property
    def sound(self) -> bool:
        """Whether there is something decided, and nothing that was left half decided."""
        return bool(self.items) and not self._broken
