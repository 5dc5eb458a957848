"""Rate limits: token buckets in bounded memory."""

import math
import time
from collections import OrderedDict

from farebox.errors import TooMany
from farebox.http.addresses import holder_of

_BUCKETS = 100_000


class RateLimit:
    """At most `per_s` in the long run and `burst` at once, for each name. Forgets the names that were quiet longest."""

    def __init__(self, per_s: float, burst: float | None = None) -> None:
        self._per_s = per_s
        self._burst = max(1.0, per_s * 2 if burst is None else burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> None:
        """Takes one; raises TooMany where there is none, with the time until there is."""
        if self._per_s:
            self.check(name)
            self.owe(name, 1)

    def owe(self, name: str, count: int) -> None:
        """Takes `count` whether they are there or not: it takes longer until there is one again."""
        if self._per_s:
            self._put(name, self._left(name) - count)

    def check(self, name: str) -> None:
        """Raises TooMany where there is none, and takes nothing."""
        left = self._left(name) if self._per_s else 1
        if left < 1:
            raise TooMany("too many requests: slow down", retry_after_s=max(1, math.ceil((1 - left) / self._per_s)))

    def give_back(self, name: str) -> None:
        """Undoes a `take` that turned out not to count."""
        if self._per_s:
            self._put(name, min(self._burst, self._left(name) + 1))

    def _left(self, name: str) -> float:
        now = time.monotonic()
        left, seen = self._buckets.get(name, (self._burst, now))
        return min(self._burst, left + (now - seen) * self._per_s)

    def _put(self, name: str, left: float) -> None:
        self._buckets[name] = (left, time.monotonic())
        self._buckets.move_to_end(name)
        if len(self._buckets) > _BUCKETS:
            self._buckets.popitem(last=False)


class AddressLimit(RateLimit):
    """The same for each holder of addresses, whichever of them a request comes from."""

    def _left(self, name: str) -> float:
        return super()._left(holder_of(name))

    def _put(self, name: str, left: float) -> None:
        super()._put(holder_of(name), left)
