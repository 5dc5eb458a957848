"""A process that is told things and answers them: a line of JSON each way."""

import json
import select
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PATIENCE_S = 60
"""How long an answer may take before its process is given up; some calls wait for ever by design."""


class Talking:
    """A client of a release, in a process of its own, and what its calls come to."""

    def __init__(self, command: Sequence[str | Path], **given: Any) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **given)

    def tell(self, told: dict[str, Any]) -> None:
        """Says something without waiting for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """What became of what was told first of all that was not answered yet."""
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        if not ready:  # an answer that never comes fails the test and not the whole run
            self._process.kill()
        line = self._process.stdout.readline()
        assert line, "the client's process has ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def returned(found: dict[str, Any]) -> Any:
    """What a call returned; it must not have raised."""
    assert "returned" in found, found
    return found["returned"]


def raised(found: dict[str, Any]) -> dict[str, Any]:
    """What a call raised; it must have."""
    assert "raised" in found, found
    return found
