"""A payer, and a ledger with a connection of its own that knows the payer already."""

from collections.abc import AsyncIterator

import pytest

from farebox.ledger.batcher import Ledger
from farebox.services import Services
from tests.support.ledgers import Books
from tests.support.racing import Payer, ledger_on


@pytest.fixture
async def payer(services: Services) -> Payer:
    return await Payer.of(await Books.open(services))


@pytest.fixture
async def ledger(database: str, services: Services, payer: Payer) -> AsyncIterator[Ledger]:
    """One that knows the payer, who has 999 left. At its end the books have to be right."""
    async with ledger_on(database, services, deadline_s=60) as found:  # a disk that stalls is no failure
        await found.submit(payer.charge("first"))
        yield found
        assert (await payer.books.audit()).clean
