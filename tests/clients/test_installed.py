"""Our packages as they are installed: alone, in an empty environment, with what they list and nothing else."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.wheels import LOCKED, ROOT, environment

PROGRAM = """
import json, sys
before = set(sys.modules)  # a distribution's Python loads some of its own at each start
{statement}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
after = sorted(loaded - set(sys.stdlib_module_names))
from importlib.metadata import distributions
print(json.dumps({{"after": after, "there": sorted(found.metadata["Name"] for found in distributions())}}))
"""
IMPORTS_S = 0.150
PACKAGES = {
    "farebox": "from farebox import AsyncFarebox, Farebox",
    "conxa": "from conxa import AsyncCONXAClient, CONXAClient",
    "knai": "from knai import AsyncKNAIProvider, KNAIProvider",
    "tokenvault_sdk": "from tokenvault_sdk import UsageTracker, quickstart",
    "x402tools": "from x402tools import AsyncX402Client, X402Client",
    "syftbox": "from syftbox import Client; from syft_accounting_sdk import AsyncUserClient, UserClient",
}
MADE = {
    "farebox": "Farebox('http://127.0.0.1:9')",
    "conxa": "CONXAClient('pk_live_a_b').create_payment_qr('ada').qr_image.size",
    "knai": "KNAIProvider('k', 's')",
    "tokenvault_sdk": "UsageTracker('redis://127.0.0.1:9', 'http://127.0.0.1:9')",
    "x402tools": "X402Client('k')",
    "syftbox": "Client(), UserClient('http://127.0.0.1:9', 'ada@example.org', 'p')",
}
"""Something that the package does alone."""


def projects(name: str) -> list[Path]:
    """Our distributions that a package is made of."""
    return [ROOT] if name == "farebox" else [ROOT, ROOT / "clients" / name]


@pytest.mark.parametrize("name", PACKAGES)
def test_it_installs_alone(name: str) -> None:
    python = environment(name, *projects(name))
    found = json.loads(_output(python, "-c", PROGRAM.format(statement=PACKAGES[name])))
    assert set(found["after"]) <= {name, "farebox", "msgspec", "typing_extensions", "syft_accounting_sdk"}, (
        "the rest is loaded where it is used"
    )
    locked = re.findall(r"^([a-z0-9_-]+)==", (LOCKED / f"{name}.txt").read_text("utf-8"), re.MULTILINE)
    ours = {"farebox"} if name == "farebox" else {"farebox", f"farebox-{name}".replace("_", "-")}
    there = {found.lower().replace("_", "-") for found in found["there"]}
    assert ours <= there <= ours | set(locked)
    assert _output(python, "-c", f"{PACKAGES[name]}\nprint({MADE[name]})").strip()
    assert (python.parent.parent / f"lib/python3.{sys.version_info.minor}/site-packages/{name}/py.typed").exists()


def test_they_list_what_they_need() -> None:
    assert _needs("pyproject.toml") == ["httpx", "msgspec"]
    for name in ("conxa", "knai", "x402tools"):
        assert _needs(f"clients/{name}/pyproject.toml") == ["farebox"]
    assert _needs("clients/tokenvault_sdk/pyproject.toml") == ["farebox", "redis"]
    assert _needs("clients/syftbox/pyproject.toml") == ["cryptography", "farebox"]


def _needs(path: str) -> list[str]:
    project = tomllib.loads((ROOT / path).read_text("utf-8"))["project"]
    return [re.split("[<>=]", line)[0] for line in project["dependencies"]]


def test_the_command_says_what_it_misses() -> None:
    python = environment("farebox", ROOT)
    done = subprocess.run([python.parent / "farebox"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'farebox[server]'" in done.stderr


def test_without_the_extra_there_is_the_text_and_a_clear_error() -> None:
    python = environment("knai", *projects("conxa"))  # the same third parties, without those of `qr`
    program = """
from conxa import CONXAClient
from conxa.qr import generate_qr_data
print(generate_qr_data("acme", "api", "ada"))
try:
    CONXAClient("pk_live_a_b").create_payment_qr("ada")
except ImportError as error:
    print(error)
"""
    text, error = _output(python, "-c", program).splitlines()
    assert json.loads(text)["provider_id"] == "acme"
    assert "pip install 'farebox-conxa[qr]'" in error


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKAGES)
def test_it_is_there_in_no_time(name: str) -> None:
    """Once is enough: what a loaded machine adds is not the package's."""
    python = environment(name, *projects(name))
    assert any(_import_s(python, PACKAGES[name], name) <= IMPORTS_S for _ in range(50))


def _import_s(python: Path, statement: str, name: str) -> float:
    """How long a package's imports take, as the interpreter measures it."""
    lines = _run(python, "-X", "importtime", "-c", statement).stderr.splitlines()
    taken = [int(line.split("|")[1]) for line in lines if line.split("|")[-1].strip() in (name, "farebox.client")]
    return max(taken) / 1_000_000


def _output(python: Path, *arguments: str) -> str:
    return _run(python, *arguments).stdout


def _run(python: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done
