"""Baselines in environments of their own: what they need would not go with what Farebox needs."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct
from tests.support.published import installed

from bench.figures import Run
from bench.histogram import Histogram
from bench.rounds import Variant

FOLDER = Path(__file__).parent / "baselines" / "apart"


class Answer(Struct):
    """What a program says of so many seconds."""

    done: int
    took_s: float
    latencies: list[float] = []


def missing(package: str) -> list[str]:
    """Why a package can't be measured here, if it can't; makes its environment where there is none yet."""
    try:
        installed(FOLDER / f"{package}.txt")
    except subprocess.CalledProcessError:
        return [f"{package}: could not be installed here; see {FOLDER.name}/{package}.txt."]
    return []


@contextlib.contextmanager
def apart(name: str, package: str, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[Variant]:
    """A program of `baselines/apart/`, ready to be measured; its environment is made when it is first needed."""
    command = [str(installed(FOLDER / f"{package}.txt")), str(FOLDER / f"run_{package}.py"), *arguments]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **(env or {})})
    told, answers = child.stdin, child.stdout
    assert told is not None
    assert answers is not None

    def run(seconds: float) -> Run:
        told.write(f"{seconds}\n".encode())
        told.flush()
        answer = msgspec.json.decode(answers.readline(), type=Answer)
        return Run(answer.done / answer.took_s, Histogram().note(answer.latencies))

    try:
        if answers.readline() != b"ready\n":
            raise RuntimeError(f"{package} did not start")
        yield Variant(name, run)
    finally:
        told.close()
        child.wait(timeout=60)
