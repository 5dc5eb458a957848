"""More server processes on the same port: each listens by itself (SO_REUSEPORT), the kernel spreads connections."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading

import msgspec
import structlog

from farebox.settings import PREFIX, Settings, from_env

log = structlog.get_logger()


class Workers:
    """Child processes that are started again when they end."""

    def __init__(self, database_url: str, settings: Settings, port: int, count: int) -> None:
        given = {"database_url": database_url, "port": port}
        fields = msgspec.to_builtins(settings) | given
        self._env = os.environ | {PREFIX + name.upper(): _text(value) for name, value in fields.items()}
        self._count = count
        self._children: list[subprocess.Popen[bytes]] = []
        self._stopped = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="workers", daemon=True)

    def start(self) -> None:
        """Starts them; does nothing where there are to be none."""
        self._children = [self._spawn() for _ in range(self._count)]
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

    def _spawn(self) -> "subprocess.Popen[bytes]":
        # Its parent's number is told: asked for late, it could already be somebody else's.
        return subprocess.Popen([sys.executable, "-m", "farebox.workers", str(os.getpid())], env=self._env)  # noqa: S603

    def _watch(self) -> None:
        while not self._stopped.wait(0.5):
            for place, child in enumerate(self._children):
                if child.poll() is not None and not self._stopped.is_set():
                    log.warning("worker.ended", pid=child.pid, status=child.returncode, action="starting another")
                    self._children[place] = self._spawn()


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
    with contextlib.closing(server.listen(settings)) as sock:
        found = serve.Database(lambda: settings.database_url)
        serve.run_worker(found, settings, sock, lambda ended: _until_orphaned(parent, ended))


if __name__ == "__main__":
    main()
