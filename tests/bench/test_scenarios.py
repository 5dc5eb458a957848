"""Every scenario of the bench runs, at a tiny size, and finds something; how fast anything is decides nothing here."""

import contextlib
import math
from collections.abc import Iterator

import pytest
from bench.figures import Result
from bench.ground import Effort, Ground
from bench.rounds import measure
from bench.scenarios import ALL

QUICK = {"dialects", "trace"}
"""The others start many servers, or install what they measure; they are run with the long rounds."""
TINY = Effort(rounds=1, seconds=0.1, warm_up_s=0, memory_s=2, streams=20, records=1_000)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    with contextlib.ExitStack() as within:
        yield Ground(within, TINY, lambda _: None, 20)


@pytest.mark.parametrize("name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in ALL])
def test_scenario_finds_something(name: str, ground: Ground) -> None:
    result = measure(ALL[name], ground, lambda _: None)
    if not result.figures:
        pytest.skip(str(result.skipped))
    check(result)


def check(result: Result) -> None:
    """Everything was done, without an error, and every claim has a number."""
    for figure in result.figures:
        assert figure.per_s > 0, figure.name
        assert figure.errors == 0, figure.name
        assert all(spent >= 0 for values in figure.measures.values() for spent in values), figure.name
    for claim in result.claims:
        assert math.isfinite(claim.found), claim.what
        assert claim.lowest <= claim.found <= claim.highest, claim.what
