"""What is measured, how rounds are summed up, and what a figure has to reach."""

import statistics
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from bench.histogram import Histogram

Measures = dict[str, float]


class Run(Struct):
    """One round of one load."""

    per_s: float
    latencies: Histogram
    errors: int = 0
    measures: Measures = {}
    """What else was measured, by a name that says its unit."""


class Figure(Struct):
    """All rounds of one load, in order: round n of one figure was run beside round n of every other."""

    name: str
    rates: list[float] = []
    p50s_ms: list[float] = []
    p99s_ms: list[float] = []
    errors: int = 0
    latencies: Histogram = msgspec.field(default_factory=Histogram)
    """Of all rounds, while they are run; `curve` is what is kept of them."""
    curve: list[tuple[float, float]] = []
    measures: dict[str, list[float]] = {}

    def add(self, run: Run) -> None:
        """Another round."""
        self.rates.append(run.per_s)
        self.p50s_ms.append(run.latencies.ms(0.5))
        self.p99s_ms.append(run.latencies.ms(0.99))
        self.errors += run.errors
        self.latencies.add(run.latencies)
        for name, value in run.measures.items():
            self.measures.setdefault(name, []).append(value)

    def finish(self) -> None:
        """After the last round: keeps latencies by share of all, and lets go of the rest."""
        self.curve = list(self.latencies.curve()) if self.latencies.total else []
        self.latencies = Histogram()

    @property
    def per_s(self) -> float:
        """The median of the rounds' rates."""
        return statistics.median(self.rates)

    @property
    def p50_ms(self) -> float:
        """The median of the rounds' medians."""
        return statistics.median(self.p50s_ms)

    @property
    def p99_ms(self) -> float:
        """The median of what 99 of 100 did not pass in each round."""
        return statistics.median(self.p99s_ms)

    def measure(self, name: str) -> float:
        """The median of one of the other measures."""
        return statistics.median(self.measures[name])


class Claim(Struct):
    """A figure against what it has to reach. The figure is a median of rounds; the range is of single rounds."""

    what: str
    found: float
    lowest: float
    highest: float
    wanted: str
    holds: bool


class Result(Struct):
    """What a scenario found."""

    name: str
    title: str
    figures: list[Figure]
    claims: list[Claim]
    note: str = ""
    skipped: list[str] = []
    """What could not be measured here, and why."""
    date: str = ""
    machine: str = ""
    rounds: str = ""
    """When, where and how it was found; filled in where it is kept."""


def run_of(latencies: list[float], seconds: float, errors: int = 0, **measures: float) -> Run:
    """A run out of its latencies in seconds."""
    return Run(len(latencies) / seconds, Histogram().note(latencies), errors, measures)


def ratio(over: Figure, under: Figure) -> list[float]:
    """How many times the one's rate is the other's, round by round."""
    return [above / below for above, below in zip(over.rates, under.rates, strict=True) if below]


def best(figures: Sequence[Figure]) -> Figure:
    """The one with the highest rate."""
    return max(figures, key=lambda figure: figure.per_s)


def at_least(what: str, found: Sequence[float], wanted: float) -> Claim:
    """Something of each round whose median must not be lower."""
    return _claim(what, found, f"≥ {wanted:g}", statistics.median(found) >= wanted)


def at_most(what: str, found: Sequence[float], wanted: float) -> Claim:
    """Something of each round whose median must not be higher."""
    return _claim(what, found, f"≤ {wanted:g}", statistics.median(found) <= wanted)


def _claim(what: str, found: Sequence[float], wanted: str, holds: bool) -> Claim:
    return Claim(what, statistics.median(found), min(found), max(found), wanted, holds)
