"""What commands print: tables and panels for people, JSON for programs, and errors that say what to do next."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from farebox import logs
from farebox.money import Asset, show

PIPED_WIDTH = 200
"""Columns of tables that nobody's terminal has to hold."""


class Failure(Exception):
    """A command that can't do what it was asked: told on stderr, exit status 1."""

    def __init__(self, message: str, hint: str = "", problem: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.problem = problem


WHOLE = ("wallet", "id", "grant", "slug")
"""Columns that are copied from: never broken over two lines."""


class Output:
    """Data goes to stdout; everything else to stderr, so that a pipe gets data only."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.data = Console(width=None if _is_terminal() else PIPED_WIDTH, highlight=False)
        self.notes = Console(stderr=True, highlight=False)

    def note(self, text: str) -> None:
        """A remark for people; rich markup. Silent where JSON is printed."""
        if not self.as_json:
            self.notes.print(text)

    def json(self, value: object) -> None:
        """A value as indented JSON, its keys in the order of the API."""
        self.data.file.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")

    def facts(self, value: object, facts: Sequence[tuple[str, object]]) -> None:
        """One thing: as JSON, or as lines of name and value. Values are text, not markup."""
        if self.as_json:
            self.json(value)
            return
        table = Table.grid(padding=(0, 2))
        for name, fact in facts:
            table.add_row(f"[dim]{name}[/dim]", escape(_text(fact)))
        self.data.print(table)

    def rows(self, value: object, columns: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> None:
        """Many things: as JSON, or as a table; a column whose name starts with `>` is aligned right."""
        if self.as_json:
            self.json(value)
            return
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column in columns:
            right = column.startswith(">")
            table.add_column(
                column.lstrip(">"), justify="right" if right else "left", overflow="fold", no_wrap=column in WHOLE
            )
        for row in rows:
            table.add_row(*(escape(_text(cell)) for cell in row))
        if table.row_count:
            self.data.print(table)
        else:
            self.notes.print(empty)


def tell(failure: Failure, *, as_json: bool) -> None:
    """A failure on stderr: for people, or as JSON."""
    console = Console(stderr=True, highlight=False)
    if as_json:
        document = failure.problem or {"title": failure.message, "detail": failure.hint}
        console.file.write(msgspec.json.encode(document).decode() + "\n")
        return
    console.print(f"[bold red]✗[/bold red] {_prose(failure.message)}")
    if failure.hint:
        console.print(f"  [dim]{_prose(failure.hint)}[/dim]")


def amount(units: int, of: dict[str, Any]) -> str:
    """Units of something that names its `asset` and `scale`, for people: `12.5 USD`."""
    return show(units, Asset(of["asset"], "", of["scale"], None))


def moment(text: str | None) -> str:
    """An ISO 8601 time to the second, for people."""
    return "" if text is None else text[:19].replace("T", " ")


def _text(value: object) -> str:
    if value is None:
        return "–"
    return ("yes" if value else "no") if isinstance(value, bool) else logs.escape(str(value))


def _prose(text: str) -> str:
    """A text of several lines, perhaps, that is no markup and steers no terminal."""
    return escape(logs.escape(text, lines=True))


def _is_terminal() -> bool:
    return Console().is_terminal
