"""`farebox serve` as a process of its own, to be killed."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.support.live import ADMIN_KEY, SECRET_KEY


def free_port() -> int:
    """A port that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(holds: Callable[[], object], wait_s: float = 30) -> None:
    """Waits until something holds."""
    give_up = time.monotonic() + wait_s
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


class ServerProcess:
    """A server on its embedded database; `start` again after it has died."""

    def __init__(self, data_dir: Path, *options: str, **settings: Any) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        for directory in (data_dir, *data_dir.parents[:3]):
            with contextlib.suppress(PermissionError):
                directory.chmod(directory.stat().st_mode | 0o555)  # as root, PostgreSQL runs as another user
        self.data_dir = data_dir
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir / "serve.log"
        self._options = options
        own = {"admin_key": ADMIN_KEY, "secret_key": SECRET_KEY, "default_prices": "none"} | settings
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
        self._env = inherited | {f"FAREBOX_{name.upper()}": str(value) for name, value in own.items()}
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Starts the process, without waiting."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command(), env=self._env, stdout=log, stderr=log)

    def spawn_on(self, terminal: int) -> None:
        """Starts the process on a terminal of its own."""
        self.process = subprocess.Popen(
            self._command(),
            env=self._env,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(terminal, termios.TIOCSCTTY, 0),  # noqa: PLW1509  # one call, and no lock
        )

    def spawn_without_streams(self) -> None:
        """Starts the process with nothing to read from or write to, as some supervisors do."""
        closing = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"]
        self.process = subprocess.Popen([*closing, *self._command()], env=self._env)

    def _command(self) -> list[str]:
        data_dir = str(self.data_dir)
        command = [sys.executable, "-m", "farebox", "serve", "--port", str(self.port), "--data-dir", data_dir]
        return [*command, *self._options]

    def start(self) -> float:
        """Starts the process and waits until it is ready; how long that took, in seconds."""
        began = time.monotonic()
        self.spawn()
        self.wait_ready()
        return time.monotonic() - began

    def wait_ready(self, wait_s: float = 60) -> None:
        """Waits until it is ready to charge."""
        give_up = time.monotonic() + wait_s
        while not self.is_ready():
            assert time.monotonic() < give_up, self.log.read_text() if self.log.exists() else "it says nothing"
            time.sleep(0.02)

    def is_ready(self) -> bool:
        """What `/ready` says."""
        try:
            return httpx.get(f"{self.url}/ready", timeout=5).is_success
        except httpx.HTTPError:
            return False

    def admin(self) -> httpx.Client:
        """A client with the administrator's key."""
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {ADMIN_KEY}"}, timeout=30)

    def alive(self) -> bool:
        """Whether the server's process lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9 of the server alone."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def postgres(self) -> list[psutil.Process]:
        """PostgreSQL's whole process tree."""
        try:
            number = int((self.data_dir / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
            postmaster = psutil.Process(number)
            if str(self.data_dir / "postgres") not in postmaster.cmdline():
                return []  # a killed one's number, which somebody else has now
            return [postmaster, *postmaster.children(recursive=True)]
        except (OSError, ValueError, psutil.Error):
            return []

    def signal_postgres(self, number: int) -> None:
        """Sends a signal to each of PostgreSQL's processes."""
        for process in self.postgres():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def clean_up(self) -> None:
        """Ends whatever still runs."""
        if self.alive():
            self.kill()
        self.signal_postgres(signal.SIGKILL)
