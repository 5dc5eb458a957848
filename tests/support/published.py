"""The published clients, unchanged, each in a virtual environment of its own."""

import fcntl
import hashlib
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from tests.support.talking import Talking, raised, returned

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "tests" / "e2e" / "clients"
CACHE = ROOT / ".cache" / "clients"

CLASSES = {"conxa-sdk": ("conxa", "CONXAClient"), "knai-provider": ("knai", "KNAIProvider")}


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


class Published(Talking):
    """One client object of a release, in a process of its own."""

    def __init__(self, release: str, **given: Any) -> None:
        module, name = CLASSES[release.rpartition("-")[0]]
        super().__init__([environment(release), CLIENTS / "driver.py", module, name])
        self.tell({"make": given})
        assert self.answer() == {"returned": None, "warnings": []}

    def start(self, call: str, **given: Any) -> None:
        """Makes a call without waiting for it; `answer` waits."""
        self.tell({"call": call, "with": given})

    def call(self, name: str, **given: Any) -> dict[str, Any]:
        """A call and what it came to: `returned`, or `raised` with `is`, `text`, `fields`."""
        self.start(name, **given)
        return self.answer()

    def returned(self, name: str, **given: Any) -> Any:
        """What a call returned; it must not raise."""
        return returned(self.call(name, **given))

    def raised(self, name: str, **given: Any) -> dict[str, Any]:
        """What a call raised; it must."""
        return raised(self.call(name, **given))
