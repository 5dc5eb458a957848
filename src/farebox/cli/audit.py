"""`farebox audit`: proves the books."""

import asyncio
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from farebox.cli.command import AsJson, fail
from farebox.cli.database import DatabaseUrl, DataDir, connected, database_of, settings_of
from farebox.cli.output import Failure, Output
from farebox.ledger.audit import CHECKS, Report
from farebox.ledger.audit import audit as prove

UNCLEAN = 2
"""The exit status when the books differ; 1 is for an audit that could not be made."""


def audit(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print differences only.")] = False,
) -> None:
    """Prove the books: every balance from its entries, on a live database, in one snapshot.

    Exits with 0 if everything adds up, with 2 on any difference, with 1 if the books can't be read.
    """
    out = Output(as_json=as_json)
    try:
        with database_of(settings_of(database_url=database_url, data_dir=data_dir)) as url:
            report = asyncio.run(_audit(url, out))
    except Failure as failure:
        fail(failure, as_json=as_json)
    if as_json:
        out.json({"clean": report.clean, "report": report})
    else:
        show(report, out.data, quiet=quiet)
    if not report.clean:
        raise typer.Exit(UNCLEAN)


async def _audit(url: str, out: Output) -> Report:
    async with connected(url) as conn:
        bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=out.notes,
            transient=True,
            disable=out.as_json or not out.notes.is_terminal,
        )
        with bar:
            task = bar.add_task("reading figures", total=len(CHECKS))
            return await prove(conn, lambda rule: bar.update(task, advance=1, description=rule))


def show(report: Report, console: Console, *, quiet: bool = False) -> None:
    """A report for people."""
    if not quiet:
        console.print(_figures(report))
        for rule in report.checks:
            failed = any(difference.rule == rule for difference in report.differences)
            console.print("[red]✗[/red]" if failed else "[green]✓[/green]", escape(rule))
    for difference in report.differences:
        console.print(f"\n[bold red]{escape(difference.rule)}[/bold red]: {difference.count:,} rows differ")
        table = Table("where", "expected", "found", box=box.SIMPLE_HEAD)
        for row in difference.rows:
            table.add_row(escape(row.subject), str(row.expected), str(row.found))
        console.print(table)
    if report.clean:
        console.print("[bold green]The books are clean.[/bold green]")
    else:
        console.print("[bold red]The books differ.[/bold red] docs/operations.md says what to do next.")


def _figures(report: Report) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in report.figures.items():
        table.add_row(f"[dim]{escape(name.replace('_', ' '))}[/dim]", f"{value:,}")
    for balance in report.balances:
        table.add_row(f"[dim]{escape(balance.kind)} accounts hold[/dim]", f"{balance.balance:,} units {balance.asset}")
    return table
