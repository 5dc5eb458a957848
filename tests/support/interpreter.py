"""Programs that use published clients, run in the clients' own environment."""

import json
import os
import select
import subprocess
from pathlib import Path
from typing import Any

from tests.support.published import CLIENTS, PATIENCE_S, environment


class Interpreter:
    """A process in the environment of a release, at home in a directory of its own."""

    def __init__(self, release: str, home: Path) -> None:
        self.home = home
        self.bin = environment(release).parent
        self._process = subprocess.Popen(
            [self.bin / "python", CLIENTS / "interpreter.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=home,
            env=self.environ(),
        )

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of programs that live there."""
        return os.environ | {"HOME": str(self.home)} | more

    def run(self, program: str, **given: Any) -> dict[str, Any]:
        """What a program left in `answer` (`returned`), or what it raised (`raised`); and what it `printed`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"run": program, "with": given}) + "\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], PATIENCE_S)
        if not ready:  # an answer that never comes fails the test and not the whole run
            self._process.kill()
        line = self._process.stdout.readline()
        assert line, "the client's process has ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def __call__(self, program: str, **given: Any) -> Any:
        """What a program left in `answer`; it must not raise."""
        found = self.run(program, **given)
        assert "returned" in found, found
        return found["returned"]

    def raised(self, program: str, **given: Any) -> dict[str, Any]:
        """What a program raised; it must."""
        found = self.run(program, **given)
        assert "raised" in found, found
        return found

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)
