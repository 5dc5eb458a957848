"""Fixtures of the HTTP tests."""

from collections.abc import Iterator

import pytest

from tests.support.doors import Doors
from tests.support.live import Live


@pytest.fixture(scope="module")
def doors(live: Live) -> Doors:
    """Every call that moves money, on wallets of the module's own."""
    return Doors(live)


@pytest.fixture
def unchanged(doors: Doors) -> Iterator[None]:
    """Holds a test to it that nothing changed."""
    before = doors.standing()
    yield
    assert doors.standing() == before


@pytest.fixture
def unmoved(doors: Doors) -> Iterator[None]:
    """Holds a test to it that no money moved; refusals may be kept."""
    before = doors.money()
    yield
    assert doors.money() == before
