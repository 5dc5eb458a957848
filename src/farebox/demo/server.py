"""The demo's server: `farebox serve` in a process of its own, on a data directory that goes away with it."""

import contextlib
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from msgspec import Struct

START_S = 90
_URL = re.compile(r"listens on (http://\S+)")


class DemoFailure(RuntimeError):
    """The demo can't go on; the text says why."""


class Server(Struct, frozen=True):
    """A server that answers."""

    url: str
    admin_key: str
    data_dir: Path
    started_in_s: float


@contextlib.contextmanager
def serving(directory: Path, host: str, port: int, **settings: str) -> Iterator[Server]:
    """A running server on a data directory; `port` 0 takes a free one."""
    more = {f"FAREBOX_{name.upper()}": value for name, value in settings.items()}
    admin_key = f"fbx_admin_{secrets.token_hex(24)}"
    log = directory / "serve.log"
    began = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own module
            [
                sys.executable,
                "-m",
                "farebox",
                "serve",
                "--host",
                host,
                "--port",
                str(port),
                "--data-dir",
                str(directory),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment() | {"FAREBOX_ADMIN_KEY": admin_key} | more,
            start_new_session=True,  # Ctrl-C is the demo's: it ends the server when it is done
        )
    try:
        url = _when_ready(process, log)
        yield Server(url, admin_key, directory, time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _environment() -> dict[str, str]:
    # Settings of a real installation must not reach the demo: it would write into its database.
    return {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")} | {"COLUMNS": "200"}


@contextlib.contextmanager
def data_directory(given: str | None) -> Iterator[Path]:
    """Where the demo keeps its data; where none is given, one that is deleted at the end."""
    if given is not None:
        path = Path(given).expanduser().absolute()
        path.mkdir(parents=True, exist_ok=True)
        yield path
        return
    path = Path(tempfile.mkdtemp(prefix="farebox-demo-"))
    path.chmod(0o755)  # for root, PostgreSQL runs as another user
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _when_ready(process: "subprocess.Popen[bytes]", log: Path) -> str:
    give_up = time.monotonic() + START_S
    while time.monotonic() < give_up:
        text = log.read_text("utf-8", "replace")
        found = _URL.search(text)
        if found is not None and _answers(found[1]):
            return found[1]
        if process.poll() is not None:
            raise DemoFailure(f"The server did not start:\n{text.strip()}")
        time.sleep(0.05)
    raise DemoFailure(f"The server was not ready after {START_S} s:\n{log.read_text('utf-8', 'replace').strip()}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False
