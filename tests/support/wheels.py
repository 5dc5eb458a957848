"""Our own distributions as wheels, each installed alone in an environment of its own."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKED = ROOT / "tests" / "clients" / "locked"
CACHE = ROOT / ".cache" / "wheels"
UV = Path(sys.executable).parent / "uv"


def environment(locked: str, *projects: Path) -> Path:
    """The Python of an environment with some projects' wheels, what is locked for them, and nothing else.

    It is kept, and made anew when a source has changed. Processes that ask at once wait for one another.
    """
    requirements = LOCKED / f"{locked}.txt"
    prefix = "-".join([locked, *(project.name for project in projects if project != ROOT)])
    directory = CACHE / f"{prefix}-{_mark(requirements, *projects)}"
    with _alone(prefix):
        if not (directory / "installed").exists():
            for old in CACHE.glob(f"{prefix}-{'[0-9a-f]' * 12}"):
                shutil.rmtree(old)
            _make(directory, requirements, *projects)
    return directory / "bin" / "python"


def _make(directory: Path, requirements: Path, *projects: Path) -> None:
    python = directory / "bin" / "python"
    _run(UV, "venv", "--quiet", "--python", sys.executable, directory)
    _run(UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", requirements)
    with tempfile.TemporaryDirectory() as made:
        for project in projects:
            _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made, cwd=project)
        wheels = list(Path(made).glob("*.whl"))
        if wheels:
            _run(UV, "pip", "install", "--quiet", "--python", python, "--offline", "--no-deps", *wheels)
    (directory / "installed").touch()


def _mark(*parts: Path) -> str:
    """Changes with the contents of files, and of projects: their descriptions and sources."""
    found = hashlib.sha256(sys.version.encode())
    for part in parts:
        paths = [part] if part.is_file() else [part / "pyproject.toml", *sorted((part / "src").rglob("*.*"))]
        for path in paths:
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:12]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
