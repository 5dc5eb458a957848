"""The commands of docs/prices.md are run, and print what it says they print."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.live import ADMIN_KEY, Live

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "prices.md").read_text("utf-8")
PAIRS = re.findall(r"^```bash\n(.*?)^```\n\n```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def printed(live: Live, script: str, folder: Path) -> str:
    """What a block prints in a terminal that is set up for this server."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"PATH": path, "HOME": str(folder), "FAREBOX_URL": live.url, "FAREBOX_KEY": ADMIN_KEY}
    command = ["bash", "-euc", script]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_print_what_is_written(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live(default_prices="genai-prices")
    for script, expected in PAIRS:
        shown = "".join(printed(live, script, tmp_path).split())
        pattern = ".+".join(re.escape("".join(part.split())) for part in expected.split("…"))
        assert re.fullmatch(pattern, shown), (script, shown)


def test_no_block_is_left_out() -> None:
    assert len(PAIRS) == TEXT.count("```bash") == TEXT.count("```json") == 4
