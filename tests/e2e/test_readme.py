"""Every block of the README is run, and prints what the README says it prints."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import ServerProcess
from tests.support.published import environment

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
BASH = [text for language, text in BLOCKS if language == "bash"]
PYTHON = [text for language, text in BLOCKS if language == "python"]
PRINTED = [text for language, text in BLOCKS if language in ("json", "text")]
ADMIN_KEY = "an-administrators-key-of-yours"


class Reader:
    """Somebody who follows the README in a terminal, against a server on another port."""

    def __init__(self, server: ServerProcess) -> None:
        self._server = server
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
        self._env |= {"FAREBOX_URL": server.url, "FAREBOX_DATA_DIR": str(server.data_dir)}

    def types(self, script: str, shell: str = "bash") -> str:
        """What a block prints. What it exports is there for the next one."""
        script = script.replace("http://127.0.0.1:8080", self._server.url)
        if shell == "bash":
            script = f"set -euo pipefail\n{script}\nprintf '\\0'; env -0"
        command = [shell, "-c", script]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=self._env, cwd=ROOT, timeout=60)
        assert done.returncode == 0, done.stderr
        printed, _, exported = done.stdout.partition("\0")
        if exported:
            self._env = dict(line.split("=", 1) for line in exported.rstrip("\0").split("\0"))
        return printed


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    data = tmp_path_factory.mktemp("readme") / "data"
    server = ServerProcess(data, admin_key=ADMIN_KEY, default_prices="genai-prices")
    server.start()
    yield Reader(server)
    server.clean_up()


def same(printed: str, expected: str) -> None:
    """Whether two outputs agree where the README is definite: `…` stands for anything."""
    pattern = ".+".join(re.escape(part) for part in expected.strip().split("…"))
    assert re.fullmatch(pattern, printed.strip()), printed


def test_the_two_commands_are_there() -> None:
    assert BASH[0].split("\n") == ["make demo", "make test", ""]
    for target in ("demo", "test"):
        made = subprocess.run(
            ["make", "--dry-run", target, "ONCE=1"], check=True, capture_output=True, text=True, cwd=ROOT
        )
        assert {"demo": "farebox demo --once", "test": "pytest"}[target] in made.stdout


def test_the_server_starts_as_written() -> None:
    assert f"FAREBOX_ADMIN_KEY={ADMIN_KEY}\nfarebox serve\n" in BASH[1]


def test_the_first_charge(reader: Reader) -> None:
    same(reader.types(BASH[2]), PRINTED[0])
    json.loads(PRINTED[0])
    same(reader.types(PYTHON[0], str(ROOT / ".venv/bin/python")), PRINTED[1])
    same(reader.types(BASH[3]), PRINTED[2])
    same(reader.types(BASH[4]), PRINTED[3])
    assert reader.types(PYTHON[1], str(environment("conxa-sdk-1.3.4"))) == "True\n"
    assert reader.types(PYTHON[2], str(environment("knai-provider-0.1.0"))) == "active\n"


def test_no_block_is_left_out() -> None:
    assert (len(BASH), len(PYTHON), len(PRINTED), len(BLOCKS)) == (5, 3, 4, 12)


def test_what_it_points_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
