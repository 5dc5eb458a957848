"""What scenarios stand on: how much is asked of them, and a database that is made when the first one needs it."""

import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property

from msgspec import Struct

from bench.world import World, world

Say = Callable[[str], None]


class Effort(Struct, frozen=True):
    """How long and how often."""

    rounds: int = 5
    seconds: float = 0.8
    warm_up_s: float = 0.4
    memory_s: float = 30
    """How long memory is watched under load, where it is."""
    streams: int = 5_000
    """How many streams of live balances are open at once."""
    records: int = 1_000_000
    """How many records statistics are made of."""


class Ground:
    """Scenarios share it; each finds it as the one before has left it."""

    def __init__(self, within: contextlib.ExitStack, effort: Effort, say: Say, wallets: int) -> None:
        self._within = within
        self._wallets = wallets
        self.effort = effort
        self.say = say

    @cached_property
    def world(self) -> World:
        """A database with that many wallets."""
        self.say(f"making {self._wallets:,} wallets")
        return self._within.enter_context(world(self._wallets))

    @contextlib.contextmanager
    def apart(self, times: int) -> Iterator[World]:
        """A database of a scenario's own, with so many times the wallets."""
        self.say(f"making {times * self._wallets:,} wallets")
        with world(times * self._wallets) as found:
            yield found
