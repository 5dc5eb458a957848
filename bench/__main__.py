"""`python -m bench`: measures, prints tables, and with `--save` keeps them under bench/results/.

`python -m bench compare A B` measures two revisions of this repository against each other.
"""

import argparse
import contextlib
import os
import sys
from datetime import UTC, datetime

from rich.console import Console

from bench import compare, doc, machine, report
from bench.ending import ends_when_told
from bench.figures import Result
from bench.ground import Effort, Ground
from bench.rounds import measure
from bench.scenarios import ALL, MINUTES
from farebox.serve import spare_the_collector

FULL = Effort(rounds=7, seconds=3, warm_up_s=1, memory_s=600)


def main() -> int:
    ends_when_told()
    if sys.argv[1:2] == ["compare"]:
        return compare.main(sys.argv[2:])
    given = _parser().parse_args()
    effort = _effort(given)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(f"[bold]Farebox bench[/] · {machine.described()}")
    spare_the_collector()
    busy = os.getloadavg()[0]
    results: list[Result] = []
    with contextlib.ExitStack() as within:
        status = within.enter_context(console.status("…"))

        def say(text: str) -> None:
            status.update(text)
            if not console.is_terminal:
                console.print(text, style="dim")

        ground = Ground(within, effort, say, given.wallets)
        for name in given.only or (ALL if given.full else MINUTES):
            results.append(measure(ALL[name], ground, say))
            report.show(console, results[-1])
    if given.save:
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        rounds = (
            f"{effort.rounds} rounds of {effort.seconds:g} s each, in turns; the machine's load before: {busy:.1f}."
        )
        report.save(results, given.save, today, machine.described(), rounds)
        doc.renew()
    return 0 if all(claim.holds for result in results for claim in result.claims) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="more rounds, longer ones: an hour")
    parser.add_argument("--only", choices=ALL, action="append", help="only this scenario; may be said several times")
    parser.add_argument("--rounds", type=int, help="how often each variant is run")
    parser.add_argument("--seconds", type=float, help="how long each time")
    parser.add_argument("--memory-seconds", type=float, dest="memory_s", help="how long memory is watched under load")
    parser.add_argument("--wallets", type=int, default=10_000)
    parser.add_argument("--save", nargs="?", const="latest", metavar="NAME", help="keep the results under that name")
    return parser


def _effort(given: argparse.Namespace) -> Effort:
    base = FULL if given.full else Effort()
    return Effort(
        rounds=given.rounds or base.rounds,
        seconds=given.seconds or base.seconds,
        warm_up_s=min(base.warm_up_s, given.seconds or base.seconds),
        memory_s=given.memory_s or base.memory_s,
    )


if __name__ == "__main__":
    sys.exit(main())
