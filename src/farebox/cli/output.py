"""What commands print: tables and panels for people, JSON for programs, and errors that say what to do next."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from rich import box
from rich.cells import cell_len
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


_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_LEAST_CELL = 7
WHOLE = ("wallet", "id", "grant", "slug")
"""Columns that are copied from."""


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
        """A value as indented JSON, its keys in the order of the API; whole in any locale's encoding."""
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        if not self.data.encoding.startswith("utf"):
            text = _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text)
        self.data.file.write(text + "\n")

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
        """Many things: as JSON, or as a table; a column whose name starts with `>` has numbers, aligned right.

        On a terminal too narrow for the table, each thing's facts stand one below the other.
        """
        if self.as_json:
            self.json(value)
            return
        cells = [[escape(_text(cell)) for cell in row] for row in rows]
        if not cells:
            self.notes.print(empty)
        elif self.data.is_terminal and _least_width(columns, cells) > self.data.width:
            self._one_below_the_other(columns, cells)
        else:
            self._side_by_side(columns, cells)

    def _side_by_side(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column in columns:
            right = column.startswith(">")
            table.add_column(
                column.lstrip(">"),
                justify="right" if right else "left",
                overflow="fold",
                no_wrap=_is_whole(column),
            )
        for row in rows:
            table.add_row(*row)
        self.data.print(table)

    def _one_below_the_other(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        for row in rows:
            table = Table.grid(padding=(0, 2))
            for column, cell in zip(columns, row, strict=True):
                table.add_row(f"[dim]{column.lstrip('>')}[/dim]", cell)
            self.data.print()
            self.data.print(table)


def _is_whole(column: str) -> bool:
    """Numbers and what is copied from: never broken over two lines."""
    return column in WHOLE or column.startswith(">")


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """How narrow a table can be that shows all columns, each whole or in pieces that can still be read."""
    width = 3 * len(columns)
    for place, column in enumerate(columns):
        found = max(cell_len(text) for text in (column.lstrip(">"), *(row[place] for row in rows)))
        width += found if _is_whole(column) else min(found, _LEAST_CELL)
    return width


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
