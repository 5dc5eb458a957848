"""What the demo shows: on a terminal with a live table, otherwise as plain lines."""

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import segno
from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from farebox.demo.chat import Tally
from farebox.demo.picture import CODE_FORMAT, THEME

PICTURE_WIDTH = 96
PLAIN_EVERY_S = 2.0


class Screen:
    """Prints to the terminal and, where a picture is wanted, into that."""

    def __init__(self, *, picture: bool = False) -> None:
        self._console = Console(highlight=False)
        self._recorder = (
            Console(file=io.StringIO(), record=True, width=PICTURE_WIDTH, force_terminal=True, highlight=False)
            if picture
            else None
        )

    def show(self, what: RenderableType = "") -> None:
        """Prints something."""
        for console in (self._console, self._recorder):
            if console is not None:
                console.print(what)

    def text(self, text: str) -> None:
        """Prints text as it is, unbroken: what is meant to be copied."""
        self._console.print(text, markup=False, soft_wrap=True)

    def act(self, number: int, title: str) -> None:
        """The head of a part."""
        self.show()
        self.show(f"[bold cyan]{number}[/bold cyan]  [bold]{title}[/bold]")

    def line(self, text: str) -> None:
        """A line of a part; rich markup."""
        self.show(Padding(Text.from_markup(text, overflow="fold"), (0, 0, 0, 3)))

    @contextlib.contextmanager
    def following(self, frame: Callable[[], RenderableType], plain: Callable[[], str]) -> Iterator[Callable[[], None]]:
        """Shows `frame` again and again while the block runs; yields what to call for the next one."""
        if self._console.is_terminal:
            with Live(frame(), console=self._console, transient=True, auto_refresh=False) as live:
                yield lambda: live.update(frame(), refresh=True)
        else:
            last = time.monotonic()

            def tick() -> None:
                nonlocal last
                if time.monotonic() - last >= PLAIN_EVERY_S:
                    last = time.monotonic()
                    self._console.print(plain())

            yield tick
        self.show(frame())

    def save(self, path: Path) -> None:
        """Writes the picture (SVG)."""
        if self._recorder is None:
            raise RuntimeError("no picture was asked for")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._recorder.save_svg(str(path), title="farebox demo", theme=THEME, code_format=CODE_FORMAT)


def qr_text(payload: str) -> Text:
    """A QR code to be scanned from a terminal: two modules in each character, black on white."""
    code = segno.make(payload, error="l", micro=False, boost_error=False)
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=4)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    glyphs = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
    lines = [
        "".join(glyphs[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    ]
    text = Text()
    for line in lines:
        text.append("   ")
        text.append(line, style="#000000 on #ffffff")
        text.append("\n")
    return text


def frame(tally: Tally, balance_text: str, remaining: int, cap: int) -> RenderableType:
    """The live table: figures, what is left of the cap, the latest charges. Tokens are whole ones."""
    figures = Table.grid(padding=(0, 3))
    figures.add_row("charges", "tokens used", "wallet holds", "left of the cap", "charges/s", style="dim")
    figures.add_row(
        f"[bold]{tally.charges:,}[/bold]",
        f"{tally.tokens:,}",
        balance_text,
        f"[bold]{remaining:,}[/bold]",
        f"[bold green]{tally.per_second:,.0f}[/bold green]",
    )
    latest = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("model", "tokens in", "tokens out", "balance after"):
        latest.add_column(name, justify="left" if name == "model" else "right", min_width=12)
    for charged in tally.last:
        asked = charged.request
        latest.add_row(asked.model, f"{asked.input_tokens:,}", f"{asked.output_tokens:,}", f"{charged.new_balance:,}")
    bar = Table.grid()
    bar.add_row("   cap used ", ProgressBar(total=cap, completed=cap - remaining, width=52))
    return Group(indented(figures), bar, indented(latest))


def indented(table: Table) -> Table:
    """A table as far to the right as the lines of a part."""
    outer = Table.grid()
    outer.add_row("   ", table)
    return outer
