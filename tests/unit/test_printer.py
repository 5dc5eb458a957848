"""Statements on paper are written one at a time, and no more wait than there is room for."""

import asyncio
import threading

import pytest

from farebox.errors import Busy
from farebox.http.web.wallet.printer import Printer, Statement
from farebox.http.web.wallet.statement_pdf import shown


async def test_so_many_wait_and_no_more() -> None:
    go = threading.Event()

    def write(_: Statement) -> bytes:
        go.wait()
        return b"%PDF"

    printer = Printer(write)
    statement: Statement = None  # type: ignore[assignment]  # it is not looked at
    waiting = [asyncio.create_task(printer.print(statement)) for _ in range(8)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await printer.print(statement)
    go.set()
    assert await asyncio.gather(*waiting) == [b"%PDF"] * 8
    assert await printer.print(statement) == b"%PDF", "there is room again"


@pytest.mark.parametrize(
    ("text", "paper"),
    [
        ("Ada’s Ж λ שלום", "Ada’s Ж λ שלום"),
        ("a\u202eb", "a[U+202E]b"),
        ("a\nb\x00\x1b[31m", "a[U+000A]b[U+0000][U+001B][31m"),
        ("中", "[U+4E2D]"),
        ("\ue000\u200b\u2028", "[U+E000][U+200B][U+2028]"),
        ("x" * 400, "x" * 300),
    ],
)
def test_what_can_stand_on_paper(text: str, paper: str) -> None:
    assert shown(text) == paper
