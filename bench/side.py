"""One side of a comparison: sets scenarios up and runs their variants as it is told, in a process of its own.

`python -m bench.side WALLETS` reads commands from its input, a line of JSON each, and answers each with a line.
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.figures import Run
from bench.ground import Effort, Ground
from bench.scenarios import ALL
from farebox.serve import spare_the_collector


class Command(Struct):
    """Either a scenario to be set up (the one before is cleared away), or a variant of it to be run."""

    scenario: str = ""
    variant: str = ""
    seconds: float = 0


class Side:
    """A process that measures what is under a source folder."""

    def __init__(self, name: str, process: "subprocess.Popen[bytes]") -> None:
        self.name = name
        self._process = process

    def set_up(self, scenario: str) -> list[str]:
        """Sets a scenario up; its variants' names."""
        return msgspec.json.decode(self._asked(Command(scenario=scenario)), type=list[str])

    def run(self, variant: str, seconds: float) -> Run:
        """One round of a variant."""
        return msgspec.json.decode(self._asked(Command(variant=variant, seconds=seconds)), type=Run)

    def _asked(self, command: Command) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(command) + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.name}: what the bench asks for can't be measured there (see above)")
        return answer


@contextlib.contextmanager
def side(name: str, source: Path, env: dict[str, str], wallets: int) -> Iterator[Side]:
    """A process whose `farebox` is the one under `source`; the bench is this one, on both sides."""
    here = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, "-m", "bench.side", str(wallets)]
    paths = {"PYTHONPATH": f"{source}:{here}"}
    process = subprocess.Popen(command, env=env | paths, cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Side(name, process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=120)


def main() -> None:
    spare_the_collector()
    with contextlib.ExitStack() as within:
        ground = Ground(within, Effort(), lambda _: None, int(sys.argv[1]))
        stages = within.enter_context(contextlib.ExitStack())
        runs = {}
        for line in sys.stdin:
            command = msgspec.json.decode(line, type=Command)
            if command.scenario:
                stages.close()
                stage = stages.enter_context(ALL[command.scenario](ground))
                runs = {one.name: one.run for one in stage.variants if one.once_s is None}
                print(msgspec.json.encode(list(runs)).decode(), flush=True)
            else:
                print(msgspec.json.encode(runs[command.variant](command.seconds)).decode(), flush=True)


if __name__ == "__main__":
    main()
