"""What the pages take from npm is what the lock file says, byte by byte, and from no named registry."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VENDOR = ROOT / "src" / "farebox" / "http" / "web" / "static" / "vendor"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_lock_has_hashes_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "assets" / "package-lock.json").read_text("utf-8"))
    packages = {name: found for name, found in lock["packages"].items() if name}
    assert packages
    assert all(found["integrity"].startswith("sha512-") and "resolved" not in found for found in packages.values())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm")
def test_the_copies_are_what_npm_has(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "assets", tmp_path / "assets", ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=tmp_path / "assets", check=True)
    subprocess.run([tmp_path / "assets" / "copy.sh", tmp_path / "vendor"], check=True)
    assert files(tmp_path / "vendor") == files(VENDOR)
