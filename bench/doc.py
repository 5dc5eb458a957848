"""The parts of `docs/performance.md` that are made of results: what is claimed, and the arithmetic to a million.

`python -m bench.doc` writes them anew from `bench/results/latest.json` and `growth.json`, as `--save` does.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench.figures import Figure, Result
from bench.report import amount, claim_rows, kept
from bench.scenarios.http import HOT, SPREAD
from bench.scenarios.operations import BATCH, BATCHED
from bench.scenarios.workers import name_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"
CORES = 16
"""Of a machine of the bigger deployment."""
BUSY = 0.5
"""How busy its cores may be, so that it can take what another one drops."""
MILLION = 1_000_000
SERVER, POSTGRES, LOG = "server CPU s per 1,000", "PostgreSQL CPU s per 1,000", "log kB each"


def renew() -> None:
    """Writes the page's parts anew from what is kept."""
    PAGE.write_text(renewed(PAGE.read_text(), [*kept("latest"), *kept("growth")]))


def renewed(page: str, results: Sequence[Result]) -> str:
    """The page with its parts made of these results."""
    parts: dict[str, Callable[[Sequence[Result]], Iterable[str]]] = {"claims": _claims, "million": _million}
    for name, made in parts.items():
        begin, end = f"<!-- {name}: made by python -m bench.doc -->", f"<!-- {name}: end -->"
        body = "\n".join([begin, "", *made(results), "", end])
        page = re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _, body=body: body, page, flags=re.DOTALL)  # type: ignore[misc]
    return page


def _claims(results: Sequence[Result]) -> Iterable[str]:
    return claim_rows(claim for result in results for claim in result.claims)


def _million(results: Sequence[Result]) -> Iterable[str]:
    figures = {figure.name: figure for result in results for figure in result.figures}
    needed = [SPREAD, HOT, name_of(2, "all wallets"), BATCHED]
    if not all(name in figures for name in needed):
        return ["Not all that this is made of has been measured: `python -m bench --save`."]
    spread, hot, two, batched = (figures[name] for name in needed)
    return [
        "| what | measured | for a million charges a second |",
        "| --- | --- | --- |",
        f"| one worker, all wallets | {amount(spread.per_s)} charges/s | {_count(MILLION / spread.per_s)} workers |",
        f"| two workers, with PostgreSQL and the load on the same 4 cores | {amount(two.per_s)} charges/s | |",
        _cpu("workers' CPU, a request each", spread, SERVER),
        _cpu(f"workers' CPU, {BATCH} charges in a request", batched, SERVER),
        _cpu("PostgreSQL's CPU", spread, POSTGRES),
        _log(spread),
        f"| one wallet | {amount(hot.per_s)} charges/s | that much and no more, whatever is added |",
    ]


def _cpu(what: str, figure: Figure, measure: str) -> str:
    cores = figure.measure(measure) * MILLION / 1000
    machines = cores / (CORES * BUSY)
    told = f"{_count(cores)} cores: {_count(machines)} machines of {CORES}, half busy"
    return f"| {what} | {amount(figure.measure(measure))} s for 1,000 charges | {told} |"


def _log(figure: Figure) -> str:
    each = figure.measure(LOG)
    shards = math.ceil(figure.measure(POSTGRES) * MILLION / 1000 / (CORES * BUSY))
    told = (
        f"{each:.2g} GB/s: {amount(each * 1000 / shards)} MB/s on each of {shards}, and as much again to each standby"
    )
    return f"| PostgreSQL's log | {amount(each)} kB a charge | {told} |"


def _count(value: float) -> str:
    return f"{math.ceil(value):,}"


if __name__ == "__main__":
    renew()
