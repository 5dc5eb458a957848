"""Fixtures of what is looked at in a browser."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.support.chromium import PROGRAM, Watched, chromium
from tests.support.live import Live, Provider

SCREENSHOTS = "FAREBOX_TEST_SCREENSHOTS"
"""Where screenshots go, if anywhere."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if PROGRAM is None:
        skip = pytest.mark.skip(reason="there is no Chromium: apt install chromium")
        for item in items:
            if "tests/pages/" in str(item.path):
                item.add_marker(skip)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module's tests."""
    with chromium() as found:
        yield found


@pytest.fixture
def make_watched(browser: Browser) -> Iterator[Callable[[Live], Watched]]:
    """Makes pages in fresh profiles, on a server each."""
    with ExitStack() as stack:

        def make(live: Live) -> Watched:
            context = browser.new_context()
            stack.callback(context.close)
            return Watched(live, context)

        yield make


@pytest.fixture
def watched(live: Live, make_watched: Callable[[Live], Watched]) -> Watched:
    """A page in a fresh profile."""
    return make_watched(live)


@pytest.fixture
def folder() -> Path | None:
    """Where screenshots go."""
    found = os.environ.get(SCREENSHOTS)
    return None if found is None else Path(found)


@pytest.fixture
def make_shop() -> Callable[[Live], Provider]:
    """Makes verified providers with prices."""

    def make(live: Live) -> Provider:
        found = live.provider(name="Ada’s Answers", verified=True)
        live.price("answers-large", found.slug, asset="USD", input_token="0.000003", output_token="0.000015")
        live.price("answers-small", found.slug, asset="USD", input_token="0.0000005", output_token="0.000002")
        return found

    return make


@pytest.fixture
def shop(live: Live, make_shop: Callable[[Live], Provider]) -> Provider:
    """A verified provider with prices."""
    return make_shop(live)
