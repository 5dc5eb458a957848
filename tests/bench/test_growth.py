"""What is measured on ledgers of several sizes runs at tiny ones, and finds something."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.ground import Ground
from bench.growth.__main__ import OF
from bench.growth.crowd import Size
from bench.growth.grown import Grown, grown
from bench.rounds import measure

from tests.bench.test_scenarios import TINY, check


@pytest.fixture(scope="module")
def ledgers() -> Iterator[list[Grown]]:
    with tempfile.TemporaryDirectory(prefix="farebox-test-") as name:
        Path(name).chmod(0o755)  # as root, PostgreSQL runs as another user
        with grown(Path(name), [Size(100, 1_000), Size(200, 4_000)], lambda _: None) as found:
            yield found


@pytest.mark.slow
@pytest.mark.parametrize("name", OF)
def test_growth_finds_something(name: str, ledgers: list[Grown]) -> None:
    with contextlib.ExitStack() as within:
        check(measure(OF[name](ledgers), Ground(within, TINY, lambda _: None, 0), lambda _: None))
