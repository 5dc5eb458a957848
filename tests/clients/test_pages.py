"""The blocks of `docs/clients`, run as they stand: they print what is printed there."""

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farebox import Farebox, testing
from tests.clients.shops import Shop
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
    assert run("farebox.md", names) == 10


def test_the_hostile_server(live: Live) -> None:
    with Farebox(live.url, ADMIN_KEY) as admin:
        shop = Shop(admin)
        names = {"key": shop.key, "session_token": shop.token}
        assert run("testing.md", names, lambda program: program.replace("http://127.0.0.1:8080", live.url)) == 1
        assert shop.available() == 999_000
        shop.client.close()


def test_the_page_tells_of_every_fault() -> None:
    text = (PAGES / "testing.md").read_text("utf-8")
    made = {name for name in testing.__all__ if name not in ("ALL", "HARMLESS", "Fault", "Hostile")}
    assert {name for name in made if f"`{name}" not in text} == set()


def run(page: str, names: dict[str, Any], changed: Callable[[str], str] = str) -> int:
    """Runs a page's programs, one after the other in the same names; how many there were."""
    programs = told(page)
    for program, printed in programs:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(changed(program), page, "exec"), names)
        assert output.getvalue() == printed
    return len(programs)
