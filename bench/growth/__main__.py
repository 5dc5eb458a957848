"""`python -m bench.growth`: the same charges and reads on a small ledger and on a large one, side by side.

With `--full`, 10^7 wallets and 10^8 entries: a quarter of an hour to load, and 50 GB of disk.
"""

import argparse
import contextlib
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench import doc, machine, report
from bench.ending import ends_when_told
from bench.ground import Effort, Ground
from bench.growth.charges import growth_of_charges, growth_of_cold_charges
from bench.growth.crowd import Size
from bench.growth.grown import grown, place_of
from bench.growth.ledger import room_for
from bench.growth.loader import Say
from bench.growth.reads import growth_of_reads
from bench.rounds import measure
from farebox.serve import spare_the_collector

SMALL, LARGE, FULL = Size(10**4, 10**6), Size(10**6, 10**7), Size(10**7, 10**8)
OF = {"charges": growth_of_charges, "reads": growth_of_reads, "cold_charges": growth_of_cold_charges}


def main() -> int:
    ends_when_told()
    given = _parser().parse_args()
    effort = Effort(rounds=given.rounds, seconds=given.seconds)
    console = Console(width=None if sys.stdout.isatty() else 160)
    console.print(f"[bold]Farebox growth[/] · {machine.described()}")
    spare_the_collector()

    def say(text: str) -> None:
        console.print(text, style="dim")

    with contextlib.ExitStack() as within:
        place = given.within or Path(within.enter_context(tempfile.TemporaryDirectory(prefix="farebox-growth-")))
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        ledgers = within.enter_context(grown(place, [SMALL, _large(given, place, say)], say))
        ground = Ground(within, effort, say, 0)
        results = [measure(OF[name](ledgers), ground, say) for name in given.only or OF]
    for result in results:
        report.show(console, result)
    if given.save:
        today = datetime.now(UTC).strftime("%Y-%m-%d")
        rounds = f"{effort.rounds} rounds of {effort.seconds:g} s each, in turns."
        report.save(results, given.save, today, machine.described(), rounds)
        doc.renew()
    return 0 if all(claim.holds for result in results for claim in result.claims) else 1


def _large(given: argparse.Namespace, place: Path, say: Say) -> Size:
    if given.wallets:
        return Size(given.wallets, given.entries or given.wallets * 10)
    if given.full and (place_of(FULL, place).exists() or room_for(FULL, place)):
        return FULL
    if given.full:
        say(f"the disk has no room for {FULL.name}: {LARGE.name} instead")
    return LARGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--full", action="store_true", help="10^7 wallets, 10^8 entries instead of a tenth of that")
    parser.add_argument("--wallets", type=int, help="of the large ledger")
    parser.add_argument("--entries", type=int, help="of the large ledger; two for each movement")
    parser.add_argument(
        "--in", type=Path, dest="within", metavar="DIR", help="keep the ledgers there, and use them again"
    )
    parser.add_argument("--only", choices=OF, action="append")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--save", nargs="?", const="growth", metavar="NAME", help="keep the results under that name")
    return parser


if __name__ == "__main__":
    sys.exit(main())
