"""Our packages as they are installed: alone, in an empty environment, with what they list and nothing else."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.wheels import ROOT, environment

PROGRAM = """
import json, sys
from farebox import AsyncFarebox, Farebox
after = sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names) - {"__main__"})
import farebox.client.carriers, farebox.client.async_carrier
from importlib.metadata import distributions
print(json.dumps({"after": after, "there": sorted(found.metadata["Name"] for found in distributions())}))
"""
IMPORTS_S = 0.150


def test_the_client_installs_alone() -> None:
    python = environment("farebox", ROOT)
    found = json.loads(_output(python, "-c", PROGRAM))
    assert set(found["after"]) <= {"farebox", "msgspec", "typing_extensions"}, "httpx is loaded where it is used"
    locked = re.findall(
        r"^([a-z0-9_-]+)==", (ROOT / "tests/clients/locked/farebox.txt").read_text("utf-8"), re.MULTILINE
    )
    assert {name.replace("_", "-") for name in found["there"]} == {"farebox", *locked}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert [re.split("[<>=]", line)[0] for line in project["dependencies"]] == ["httpx", "msgspec"]


def test_the_command_says_what_it_misses() -> None:
    python = environment("farebox", ROOT)
    done = subprocess.run([python.parent / "farebox"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'farebox[server]'" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["farebox"])
def test_it_is_there_in_no_time(name: str) -> None:
    """The best of many: what a loaded machine adds is not the package's."""
    python = environment("farebox", ROOT)
    assert min(_import_s(python, "from farebox import Farebox") for _ in range(10)) <= IMPORTS_S


def _import_s(python: Path, statement: str) -> float:
    """How long a statement's imports take, as the interpreter measures it."""
    told = _run(python, "-X", "importtime", "-c", statement).stderr.rstrip().splitlines()[-1]
    return int(told.split("|")[1]) / 1_000_000


def _output(python: Path, *arguments: str) -> str:
    return _run(python, *arguments).stdout


def _run(python: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done
