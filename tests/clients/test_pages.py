"""The blocks of `docs/clients`, run as they stand: they print what is printed there."""

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import ADMIN_KEY, Live

PAGES = Path(__file__).resolve().parents[2] / "docs" / "clients"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def told(page: str) -> list[tuple[str, str]]:
    """The programs of a page in their order, and what each prints."""
    blocks = BLOCK.findall((PAGES / page).read_text("utf-8"))
    found = []
    for (language, text), (follows, printed) in zip(blocks, [*blocks[1:], ("", "")], strict=True):
        if language == "python":
            found.append((text, printed if follows == "text" else ""))
    return found


def test_the_own_client(make_live: Callable[..., Live], monkeypatch: pytest.MonkeyPatch) -> None:
    live = make_live()
    monkeypatch.setenv("FAREBOX_URL", live.url)
    monkeypatch.setenv("FAREBOX_KEY", ADMIN_KEY)
    names: dict[str, Any] = {}
    programs = told("farebox.md")
    assert len(programs) == 9
    for program, printed in programs:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(program, "farebox.md", "exec"), names)
        assert output.getvalue() == printed
