"""Programs that use published clients, run in the clients' own environment."""

import os
from pathlib import Path
from typing import Any

from tests.support.published import CLIENTS, environment
from tests.support.talking import Talking, raised, returned


class Interpreter(Talking):
    """A process in the environment of a release, at home in a directory of its own."""

    def __init__(self, release: str, home: Path) -> None:
        self.home = home
        self.bin = environment(release).parent
        super().__init__([self.bin / "python", CLIENTS / "interpreter.py"], cwd=home, env=self.environ())

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of programs that live there."""
        return os.environ | {"HOME": str(self.home)} | more

    def run(self, program: str, **given: Any) -> dict[str, Any]:
        """What a program left in `answer` (`returned`), or what it raised (`raised`); and what it `printed`."""
        self.tell({"run": program, "with": given})
        return self.answer()

    def __call__(self, program: str, **given: Any) -> Any:
        """What a program left in `answer`; it must not raise."""
        return returned(self.run(program, **given))

    def raised(self, program: str, **given: Any) -> dict[str, Any]:
        """What a program raised; it must."""
        return raised(self.run(program, **given))
