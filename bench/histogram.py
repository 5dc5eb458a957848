"""Latencies in buckets, as HdrHistogram has them: each no wider than a thousandth of what is in it."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

EXACT_US = 2048
"""Below this, every microsecond has a bucket of its own."""


def bucket(microseconds: int) -> int:
    """The lower edge of the bucket that a latency falls into."""
    if microseconds < EXACT_US:
        return microseconds
    shift = microseconds.bit_length() - 11
    return microseconds >> shift << shift


class Histogram(Struct):
    """How many latencies fell into each bucket, by its lower edge in microseconds. Two add up without loss."""

    counts: dict[int, int] = {}

    def note(self, seconds: Iterable[float]) -> "Histogram":
        """Adds latencies."""
        counts = self.counts
        for latency in seconds:
            edge = bucket(int(latency * 1_000_000))
            counts[edge] = counts.get(edge, 0) + 1
        return self

    def add(self, other: "Histogram") -> None:
        """Adds what another holds."""
        for edge, count in other.counts.items():
            self.counts[edge] = self.counts.get(edge, 0) + count

    @property
    def total(self) -> int:
        """How many latencies it holds."""
        return sum(self.counts.values())

    def ms(self, share: float) -> float:
        """The latency in milliseconds that this share of all did not pass; 0 where there is none."""
        wanted, seen = share * self.total, 0
        for edge in sorted(self.counts):
            seen += self.counts[edge]
            if seen >= wanted:
                return edge / 1000
        return 0.0

    def curve(self) -> Iterator[tuple[float, float]]:
        """Latency by share: from half of all to all but one in ten thousand."""
        nines = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999)
        return ((share, self.ms(share)) for share in nines)
