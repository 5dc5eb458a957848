"""Fixtures: real databases, services on them, real servers. There is no fake database here."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from farebox.services import Services
from tests.support.databases import Databases, databases
from tests.support.ledgers import services_on
from tests.support.live import Live, live_server, settings_for


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """One PostgreSQL for the session."""
    with databases() as found:
        yield found


@pytest.fixture
def database(postgres: Databases) -> Iterator[str]:
    """A fresh database; its URL for the application's role."""
    name = postgres.fresh()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def services(database: str) -> AsyncIterator[Services]:
    """A server's parts on a fresh database, without HTTP."""
    async with services_on(database) as found:
        yield found


@pytest.fixture(scope="session")
def live(postgres: Databases) -> Iterator[Live]:
    """A server that tests share: each makes providers and wallets of its own on it."""
    name = postgres.fresh()
    with live_server(postgres.url(name), settings_for()) as found:
        yield found


@pytest.fixture
def make_live(postgres: Databases) -> Iterator[Callable[..., Live]]:
    """Makes servers with settings of their own, each on a fresh database."""
    with ExitStack() as stack:

        def make(**given: Any) -> Live:
            name = postgres.fresh()
            stack.callback(postgres.drop, name)
            return stack.enter_context(live_server(postgres.url(name), settings_for(**given)))

        yield make
