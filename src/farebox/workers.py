"""More server processes on the same port: each listens by itself (SO_REUSEPORT), the kernel spreads connections.

Each has a place among them, which is taken again by the one that is started for it, and owns a share of the wallets.
"""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading

import msgspec
import structlog

from farebox.ledger.owners import Seat
from farebox.settings import PREFIX, Settings, from_env

log = structlog.get_logger()


class Workers:
    """Child processes that are started again when they end. This one has the first place among them."""

    def __init__(self, database_url: str, settings: Settings, port: int, count: int) -> None:
        given = {"database_url": database_url, "port": port}
        fields = msgspec.to_builtins(settings) | given
        self._env = os.environ | {PREFIX + name.upper(): _text(value) for name, value in fields.items()}
        self._count = count
        self._directory = tempfile.mkdtemp(prefix="farebox-") if count else ""
        self._children: list[subprocess.Popen[bytes]] = []
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="workers", daemon=True)

    @property
    def seat(self) -> Seat | None:
        """This process's own; none where it is alone."""
        return Seat(0, self._count + 1, self._directory) if self._count else None

    def start(self) -> None:
        """Starts them; does nothing where there are to be none."""
        self._children = [self._spawn(place) for place in range(1, self._count + 1)]
        if self._children:
            self._watcher.start()

    def stop(self) -> None:
        """Ends them, with what they have queued written."""
        self._stopped.set()
        if self._watcher.is_alive():
            self._watcher.join()  # it may be starting one right now
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        for child in self._children:
            child.wait()
        if self._directory:
            shutil.rmtree(self._directory, ignore_errors=True)

    def _spawn(self, place: int) -> "subprocess.Popen[bytes]":
        # Its parent's number is told: asked for late, it could already be somebody else's.
        told = [str(os.getpid()), str(place), str(self._count + 1), self._directory]
        return subprocess.Popen([sys.executable, "-m", "farebox.workers", *told], env=self._env)  # noqa: S603

    def _watch(self) -> None:
        while not self._stopped.wait(0.5):
            for place, child in enumerate(self._children, 1):
                if child.poll() is not None and not self._stopped.is_set():
                    log.warning("worker.ended", pid=child.pid, status=child.returncode, action="starting another")
                    self._children[place - 1] = self._spawn(place)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _until_orphaned(parent: int, ended: asyncio.Event) -> None:
    while os.getppid() == parent:
        await asyncio.sleep(1)
    ended.set()


def main() -> None:
    """One worker: serves until it is told to end, or until its parent is gone."""
    from farebox import serve
    from farebox.http import server
    from farebox.logs import configure

    settings = from_env(os.environ)
    configure(settings)
    parent = int(sys.argv[1])
    seat = Seat(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
    try:
        with contextlib.closing(server.listen(settings)) as sock:
            found = serve.Database(lambda: settings.database_url)
            serve.run_worker(found, settings, sock, seat, lambda ended: _until_orphaned(parent, ended))
    finally:
        if os.getppid() != parent:  # who made it can't remove it any more
            shutil.rmtree(seat.directory, ignore_errors=True)


if __name__ == "__main__":
    main()
