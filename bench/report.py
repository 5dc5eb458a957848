"""What was found: as tables in the terminal, as JSON, and as a page with pictures."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.figures import Claim, Figure, Result
from bench.pictures import bars, curves

RESULTS = Path(__file__).parent / "results"


def show(console: Console, result: Result) -> None:
    """A scenario as tables."""
    table = Table(title=result.title, title_justify="left", title_style="bold")
    table.add_column("what")
    for column in ("per second", "range", "p50 ms", "p99 ms", "errors"):
        table.add_column(column, justify="right")
    for figure in result.figures:
        table.add_row(*_cells(figure), str(figure.errors))
    console.print(table)
    _show_measures(console, result)
    for claim in result.claims:
        mark = "[green]holds[/]" if claim.holds else "[red]does not hold[/]"
        console.print(f"  {claim.what}: [bold]{amount(claim.found)}[/] (wanted {claim.wanted}) {mark}")
    for line in [*result.skipped, *filter(None, [result.note])]:
        console.print(f"  {line}")
    console.print()


def _show_measures(console: Console, result: Result) -> None:
    names = _measured(result)
    if not names:
        return
    table = Table("what was spent", style="dim", header_style="dim")
    for name in names:
        table.add_column(name, justify="right")
    for figure in result.figures:
        table.add_row(figure.name, *_spent(figure, names))
    console.print(table)


def _measured(result: Result) -> list[str]:
    return list(dict.fromkeys(name for figure in result.figures for name in figure.measures))


def _spent(figure: Figure, names: Iterable[str]) -> Iterable[str]:
    return (amount(figure.measure(name)) if name in figure.measures else "" for name in names)


def _cells(figure: Figure) -> tuple[str, ...]:
    spread = f"{amount(min(figure.rates))}–{amount(max(figure.rates))}"
    timed = (f"{figure.p50_ms:.2f}", f"{figure.p99_ms:.2f}") if figure.curve else ("", "")
    return figure.name, amount(figure.per_s), spread, *timed


def amount(value: float) -> str:
    """A figure with as many digits as say something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def save(results: list[Result], name: str, date: str, machine: str, rounds: str) -> None:
    """Keeps the results under `bench/results/`: `name.json`, `name.md`, and a folder of pictures.

    What was kept there of other scenarios stays.
    """
    for result in results:
        result.date, result.machine, result.rounds = date, machine, rounds
    every = {result.name: result for result in [*kept(name), *results]}
    folder = RESULTS / name
    folder.mkdir(parents=True, exist_ok=True)
    document = {"results": [_document(result) for result in every.values()]}
    (RESULTS / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text("\n".join(_page(list(every.values()), name)) + "\n")
    for result in results:
        if result.figures:
            (folder / f"{result.name}-rates.svg").write_text(bars(result))
            (folder / f"{result.name}-latencies.svg").write_text(curves(result))


def kept(name: str) -> list[Result]:
    """What is kept under that name."""
    path = RESULTS / f"{name}.json"
    return msgspec.json.decode(path.read_bytes(), type=Kept).results if path.exists() else []


class Kept(Struct):
    """A file of results."""

    results: list[Result]


def _document(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(result)
    for told, figure in zip(found["figures"], result.figures, strict=True):
        told |= {"per_s": figure.per_s, "p50_ms": figure.p50_ms, "p99_ms": figure.p99_ms}
        del told["latencies"]
    return found


def _page(results: list[Result], name: str) -> Iterable[str]:
    yield from ("# Results", "")
    yield "Everything on one machine, PostgreSQL's durable settings on. Figures are medians of rounds; ratios are made"
    yield "round by round, then their median is taken. Ranges are of single rounds. What bounds each figure is in"
    yield "[docs/performance.md](../../docs/performance.md)."
    yield ""
    yield from ("## What is claimed", "", *claim_rows(claim for result in results for claim in result.claims), "")
    for result in results:
        yield from _section(result, name)


def claim_rows(claims: Iterable[Claim]) -> Iterable[str]:
    """Claims as a table."""
    yield "| claim | found | range | wanted | |"
    yield "| --- | --: | --: | --: | --- |"
    for claim in claims:
        spread = f"{amount(claim.lowest)}–{amount(claim.highest)}"
        verdict = "holds" if claim.holds else "**does not hold**"
        yield f"| {claim.what} | {amount(claim.found)} | {spread} | {claim.wanted} | {verdict} |"


def _section(result: Result, name: str) -> Iterable[str]:
    yield from (f"## {result.title}", "", f"{result.date}, {result.machine}. {result.rounds}", "")
    if result.figures:
        yield from ("| what | per second | range | p50 ms | p99 ms | errors |", "| --- | --: | --: | --: | --: | --: |")
        yield from (f"| {' | '.join(_cells(figure))} | {figure.errors} |" for figure in result.figures)
        yield from ("", f"![rates]({name}/{result.name}-rates.svg) ![latencies]({name}/{result.name}-latencies.svg)")
        yield ""
        yield from _measures(result)
    for line in [*result.skipped, *filter(None, [result.note])]:
        yield from (line, "")


def _measures(result: Result) -> Iterable[str]:
    names = _measured(result)
    if not names:
        return
    yield f"| what | {' | '.join(names)} |"
    yield f"| --- |{' --: |' * len(names)}"
    for figure in result.figures:
        if figure.measures:
            yield f"| {figure.name} | {' | '.join(_spent(figure, names))} |"
    yield ""
