"""Fixtures of the HTTP tests."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from farebox.http import limits
from tests.support.browsing import MODEL, Browser
from tests.support.doors import Doors
from tests.support.live import Live, Provider


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


@pytest.fixture
def browser(live: Live) -> Browser:
    """Somebody with five dollars, signed in to the wallet."""
    return Browser(live).sign_up("5")


@pytest.fixture
def shop(live: Live) -> Provider:
    """A verified provider with a price."""
    found = live.provider(name="Ada’s Answers", verified=True)
    live.price(MODEL, found.slug, asset="USD", input_token="0.000001", output_token="0.000002")
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time that rate limits see: it stands, however slow the machine is, until a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now
