"""`python -m bench compare A B`: two revisions against each other, in paired rounds.

A and B are revisions of this repository, or `.` for the working tree. Each has processes and a database of its own;
every round runs a variant on both, one right after the other, first the one and then the other in turns. Only the
server's code differs: what measures it is this bench, on both sides.
"""

import argparse
import contextlib
import math
import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.figures import Figure, ratio
from bench.scenarios import ALL
from bench.side import Side, side

ROOT = Path(__file__).resolve().parents[1]
RESAMPLES = 4_000
SERVER_CPU = "server CPU s per 1,000"


class Change(Struct):
    """How many times the one's rate the other's is: the geometric mean of paired rounds, and where it lies (95 %)."""

    ratio: float
    lowest: float
    highest: float

    @property
    def verdict(self) -> str:
        """What it says."""
        if self.lowest > 1:
            return "faster"
        return "slower" if self.highest < 1 else "no difference shown"


def main(arguments: Sequence[str]) -> int:
    """Compares, prints a table for each scenario."""
    given = _parser().parse_args(arguments)
    console = Console(width=None if os.isatty(1) else 160)
    with contextlib.ExitStack() as opened:
        status = opened.enter_context(console.status("…"))
        both = []
        for name in (given.a, given.b):
            source = opened.enter_context(_checked_out(name)) / "src"
            both.append(opened.enter_context(side(name, source, dict(os.environ), given.wallets)))
        for scenario in given.only or ["http"]:
            status.update(f"{scenario}: setting up")
            names = [one for one in _common(both, scenario) if given.variant in one]
            figures = {one: (Figure(one), Figure(one)) for one in names}
            for number in range(given.rounds + 1):  # the first warms up
                for name in names:
                    status.update(f"{scenario}, round {number} of {given.rounds}: {name}")
                    for which in (0, 1) if number % 2 else (1, 0):
                        run = both[which].run(name, given.seconds)
                        if number:
                            figures[name][which].add(run)
            _show(console, scenario, given.a, given.b, figures)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench compare", description=__doc__)
    parser.add_argument("a", metavar="A", help="a revision, or . for the working tree")
    parser.add_argument("b", metavar="B", help="another one")
    parser.add_argument("--only", choices=ALL, action="append", help="this scenario; may be said several times (http)")
    parser.add_argument("--variant", default="", help="only variants with this in their name")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--wallets", type=int, default=2_000)
    return parser


@contextlib.contextmanager
def _checked_out(revision: str) -> Iterator[Path]:
    """Where its files are: a working tree of git's, gone at the end."""
    if revision == ".":
        yield ROOT
        return
    with tempfile.TemporaryDirectory(prefix="farebox-compare-") as directory:
        Path(directory).chmod(0o755)
        tree = Path(directory) / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(tree), revision], check=True)
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", str(tree)], check=True)


def _common(both: Sequence[Side], scenario: str) -> list[str]:
    """Sets it up on both; the variants that both have."""
    one, other = (each.set_up(scenario) for each in both)
    return [name for name in one if name in other]


def change(a: Sequence[float]) -> Change:
    """Of paired ratios; where their mean lies is found by drawing from them again and again, with a fixed seed."""
    logs = [math.log(each) for each in a]
    source = random.Random(1)
    means = sorted(statistics.fmean(source.choices(logs, k=len(logs))) for _ in range(RESAMPLES))
    low, high = means[RESAMPLES * 25 // 1000], means[RESAMPLES * 975 // 1000]
    return Change(math.exp(statistics.fmean(logs)), math.exp(low), math.exp(high))


def _show(console: Console, scenario: str, a: str, b: str, figures: dict[str, tuple[Figure, Figure]]) -> None:
    table = Table(title=f"{scenario}: {b} against {a}", title_justify="left", title_style="bold")
    table.add_column("what")
    for column in (f"{a}, per second", f"{b}, per second", "ratio", "95 %", "", "p99 ms", "server CPU"):
        table.add_column(column, justify="right")
    for name, (first, second) in figures.items():
        found = change(ratio(second, first))
        table.add_row(
            name,
            f"{first.per_s:,.0f}",
            f"{second.per_s:,.0f}",
            f"{found.ratio:.3f}",
            f"{found.lowest:.3f}–{found.highest:.3f}",
            found.verdict,
            f"{first.p99_ms:.2f} → {second.p99_ms:.2f}",
            _cpu(first, second),
        )
    console.print(table)


def _cpu(first: Figure, second: Figure) -> str:
    if SERVER_CPU not in first.measures or SERVER_CPU not in second.measures:
        return ""
    pairs = zip(first.measures[SERVER_CPU], second.measures[SERVER_CPU], strict=True)
    return f"× {statistics.median(after / before for before, after in pairs if before):.3f}"
