"""`python -m bench [--full] [--only NAME] [--save]`: measures, prints a table, keeps it under bench/results/."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from bench import scenarios, teams
from bench.figures import machine
from bench.limits import limits
from bench.people import people
from bench.scenarios import Effort, Result
from bench.world import world

RESULTS = Path(__file__).parent / "results"
SCENARIOS = {
    "write_path": scenarios.write_path,
    "http": scenarios.over_http,
    "memory": scenarios.memory,
    "people": people,
    "limits": limits,
    "ingestion": teams.ingestion,
    "streams": teams.streams,
}
QUICK = Effort(rounds=3, seconds=4, memory_s=60)
FULL = Effort(rounds=5, seconds=10, memory_s=600)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--full", action="store_true", help="more rounds, longer ones, ten minutes of memory")
    parser.add_argument("--only", choices=SCENARIOS, action="append", help="only this scenario")
    parser.add_argument("--wallets", type=int, default=10_000)
    parser.add_argument("--save", action="store_true", help="keep the results under bench/results/")
    given = parser.parse_args()
    console, effort = Console(), FULL if given.full else QUICK
    console.print(f"[bold]Farebox bench[/] · {machine()}")
    results: list[Result] = []
    with console.status("making wallets …") as status, world(given.wallets) as found:
        for name in given.only or SCENARIOS:
            results.append(SCENARIOS[name](found, effort, status.update))
            show(console, results[-1])
    if given.save:
        save(results)
    return 0 if all(claim.holds for result in results for claim in result.claims) else 1


def show(console: Console, result: Result) -> None:
    """A scenario as tables."""
    table = Table(title=result.title, title_justify="left", title_style="bold")
    table.add_column("what")
    for column in ("per second", "range", "p50 ms", "p99 ms", "errors"):
        table.add_column(column, justify="right")
    for figure in result.figures:
        table.add_row(
            figure.name,
            f"{figure.per_s:,.0f}",
            f"{figure.lowest_per_s:,.0f}–{figure.highest_per_s:,.0f}",
            f"{figure.p50_ms:.2f}",
            f"{figure.p99_ms:.2f}",
            str(figure.errors),
        )
    console.print(table)
    for claim in result.claims:
        mark = "[green]holds[/]" if claim.holds else "[red]does not hold[/]"
        console.print(f"  {claim.what}: [bold]{claim.found:.2f}[/] (wanted {claim.wanted}) {mark}")
    if result.note:
        console.print(f"  {result.note}")
    console.print()


def save(results: list[Result]) -> None:
    """The results as JSON and as a page."""
    RESULTS.mkdir(exist_ok=True)
    when = datetime.now(UTC).strftime("%Y-%m-%d")
    document = {"machine": machine(), "date": when, "results": msgspec.to_builtins(results)}
    (RESULTS / "latest.json").write_text(json.dumps(document, indent=1) + "\n")
    lines = [f"# Results of {when}", "", machine() + ". Everything on this one machine, durable settings on.", ""]
    for result in results:
        lines += [
            f"## {result.title}",
            "",
            "| what | per second | range | p50 ms | p99 ms |",
            "| --- | --: | --: | --: | --: |",
        ]
        for figure in result.figures:
            spread = f"{figure.lowest_per_s:,.0f}–{figure.highest_per_s:,.0f}"
            lines.append(
                f"| {figure.name} | {figure.per_s:,.0f} | {spread} | {figure.p50_ms:.2f} | {figure.p99_ms:.2f} |"
            )
        lines += ["", "| claim | found | wanted | |", "| --- | --: | --: | --- |"]
        lines += [
            f"| {claim.what} | {claim.found:.2f} | {claim.wanted} | {'holds' if claim.holds else '**does not hold**'} |"
            for claim in result.claims
        ]
        lines += ["", *([result.note, ""] if result.note else [])]
    (RESULTS / "latest.md").write_text("\n".join(lines))


if __name__ == "__main__":
    sys.exit(main())
