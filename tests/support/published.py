"""The published clients, unchanged, each in a virtual environment of its own."""

import fcntl
import hashlib
import json
import select
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests" / "e2e" / "clients"
CACHE = ROOT / ".cache" / "clients"

CLASSES = {"conxa-sdk": ("conxa", "CONXAClient"), "knai-provider": ("knai", "KNAIProvider")}

PATIENCE_S = 60
"""How long a call may take before its client is given up; some wait for ever by design."""


def environment(release: str) -> Path:
    """The Python of an environment with a release such as `conxa-sdk-1.3.4`, from its hash-locked requirements."""
    return installed(CLIENTS / f"{release}.txt")


def installed(requirements: Path) -> Path:
    """The Python of an environment with these hash-locked requirements, and nothing else."""
    release = requirements.stem
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    directory = CACHE / f"{release}-{mark}"
    python = directory / "bin" / "python"
    done = directory / "installed"
    if not done.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / f"{release}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in several processes
            if not done.exists():
                _install(directory, requirements)
                done.touch()
    return python


def _install(directory: Path, requirements: Path) -> None:
    venv.create(directory, with_pip=True, clear=True)
    pip = [str(directory / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(requirements)], check=True)


class Published:
    """One client object of a release, in a process of its own."""

    def __init__(self, release: str, **given: Any) -> None:
        module, name = CLASSES[release.rpartition("-")[0]]
        self._process = subprocess.Popen(
            [environment(release), CLIENTS / "driver.py", module, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._tell({"make": given})
        assert self.answer() == {"returned": None, "warnings": []}

    def start(self, call: str, **given: Any) -> None:
        """Makes a call without waiting for it; `answer` waits."""
        self._tell({"call": call, "with": given})

    def answer(self) -> dict[str, Any]:
        """What the call that was started came to."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        if not ready:  # an answer that never comes fails the test and not the whole run
            self._process.kill()
        line = self._process.stdout.readline()
        assert line, "the client's process has ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def call(self, name: str, **given: Any) -> dict[str, Any]:
        """A call and what it came to: `returned`, or `raised` with `is`, `text`, `fields`."""
        self.start(name, **given)
        return self.answer()

    def returned(self, name: str, **given: Any) -> Any:
        """What a call returned; it must not raise."""
        found = self.call(name, **given)
        assert "returned" in found, found
        return found["returned"]

    def raised(self, name: str, **given: Any) -> dict[str, Any]:
        """What a call raised; it must."""
        found = self.call(name, **given)
        assert "raised" in found, found
        return found

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)

    def _tell(self, command: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
