"""Schemathesis asks everything that the document allows, and much that it does not: the server does as it says."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.live import ADMIN_KEY, Live

NOT_HELD_TO = "positive_data_acceptance,use_after_free"
"""A schema can't tell that an asset has to exist, nor that 1435.0 is no integer of ours; and a revoked grant or key
is over, but stays to be read."""


def held(live: Live, key: str, folder: Path, *, phases: str, examples: int) -> None:
    """Fails with the whole report where the server and the document disagree."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{live.url}/openapi.json"]
    options = ["--header", f"Authorization: Bearer {key}", "--checks", "all", "--exclude-checks", NOT_HELD_TO]
    bounds = ["--phases", phases, "--max-examples", str(examples), "--seed", "1", "--continue-on-failure"]
    quiet = ["--no-color", "--generation-database", "none"]
    asked = [*command, *options, *bounds, *quiet]
    done = subprocess.run(asked, check=False, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tested: +5\d", done.stdout), done.stdout


def test_an_administrator_is_answered_as_documented(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live(requests_per_key_s=0)
    held(live, ADMIN_KEY, tmp_path, phases="coverage,fuzzing,stateful", examples=10)


def test_a_provider_is_answered_as_documented(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live(requests_per_key_s=0)
    held(live, live.provider().key, tmp_path, phases="coverage,fuzzing", examples=5)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["administrator", "provider"])
def test_a_thousand_examples_of_each(make_live: Callable[..., Live], tmp_path: Path, who: str) -> None:
    live = make_live(requests_per_key_s=0)
    key = ADMIN_KEY if who == "administrator" else live.provider().key
    held(live, key, tmp_path, phases="coverage,fuzzing,stateful", examples=1000)
