"""Our own distributions as wheels, each installed alone in an environment of its own."""

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCKED = ROOT / "tests" / "clients" / "locked"
CACHE = ROOT / ".cache" / "wheels"
UV = Path(sys.executable).parent / "uv"


def build(project: Path) -> Path:
    """The wheel of a project, built from its sources as they are now."""
    made = CACHE / project.name
    made.mkdir(parents=True, exist_ok=True)
    for old in made.glob("*.whl"):
        old.unlink()
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made, cwd=project)
    (found,) = made.glob("*.whl")
    return found


def environment(locked: str, *projects: Path) -> Path:
    """The Python of an environment with some projects' wheels and what is locked for them, and nothing else."""
    requirements = LOCKED / f"{locked}.txt"
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    directory = CACHE / f"{locked}-{mark}"
    python = directory / "bin" / "python"
    if not (directory / "installed").exists():
        _run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, directory)
        _run(UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", requirements)
        (directory / "installed").touch()
    wheels = [build(project) for project in projects]
    _run(UV, "pip", "install", "--quiet", "--python", python, "--offline", "--no-deps", "--reinstall", *wheels)
    return python


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
