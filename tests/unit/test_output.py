"""Tables on terminals of every width: nothing is lost, and no number is broken in two."""

import io

import pytest
from rich.console import Console

from farebox.cli.output import Output

COLUMNS = ("at", "what", ">amount", "outcome", "who", "for", "id")
ROWS = [
    (
        "2026-11-22 00:41:47",
        "charge",
        "0.000001 USD",
        "grant_limit_exceeded",
        "acme-chat",
        "gpt-4o",
        "ch_0afc825f476373140",
    ),
    ("2026-11-22 00:34:37", "deposit", "9,223,372.854775 USD", "approved", None, None, "dp_0afc825f4763738001"),
]


def shown(width: int, *, terminal: bool = True) -> str:
    """What is printed on a terminal, or into a pipe, of so many columns."""
    out = Output(as_json=False)
    out.data = Console(file=io.StringIO(), width=width, force_terminal=terminal, highlight=False, color_system=None)
    out.rows([], COLUMNS, ROWS, "nothing")
    assert isinstance(out.data.file, io.StringIO)
    return out.data.file.getvalue()


@pytest.mark.parametrize("width", [32, 40, 60, 80, 100, 120, 160])
def test_every_column_is_there_and_numbers_are_whole(width: int) -> None:
    text = shown(width)
    assert max(len(line) for line in text.splitlines()) <= width
    for whole in ("amount", "outcome", "0.000001 USD", "9,223,372.854775 USD", "ch_0afc825f476373140"):
        assert whole in text
    assert "00:41:47" in text


def test_a_wide_terminal_has_a_row_a_line_and_a_pipe_always_has() -> None:
    for text in (shown(160), shown(200, terminal=False)):
        assert len([line for line in text.splitlines() if "_0afc825f" in line and "2026-11-22" in line]) == 2
    assert "────" in shown(60, terminal=False)
