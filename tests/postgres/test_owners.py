"""Two workers that share the wallets: asks meet at their owner, and whatever happens to it, they are done once."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Literal

import asyncpg
import pytest
from structlog.testing import capture_logs

from farebox.ledger.batcher import Ledger, OutcomeUnknown, Overloaded
from farebox.ledger.types import Outcome, Refusal, Tidy
from farebox.ledger.wire import MAX_BYTES, Answered, Frames, Handed, framed, read_said
from farebox.services import Services
from tests.support.between import Between, between
from tests.support.ledgers import Books
from tests.support.proxy import Proxy, proxy_to
from tests.support.racing import Payer, handing_over, worker_on

LOST: tuple[Literal["answers", "words", "asks"], ...] = ("answers", "words", "asks")


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="owners-") as found:
        yield Path(found)


@pytest.fixture
async def payer(services: Services) -> Payer:
    """One whose wallet belongs to the second worker."""
    books = await Books.open(services)
    while (found := await Payer.of(books)).wallet % 2 == 0:
        pass
    return found


@pytest.fixture
async def workers(
    database: str, services: Services, directory: Path, payer: Payer
) -> AsyncIterator[tuple[Ledger, Ledger]]:
    """Both of them, of whom the first knows the second."""
    async with (
        worker_on(database, services, directory, 1) as second,
        worker_on(database, services, directory, 0) as first,
    ):
        await handing_over(first, lambda: _nothing(payer))
        yield first, second


@pytest.fixture
async def way(directory: Path) -> AsyncIterator[Between]:
    """The way to the second worker, which listens in another directory then."""
    (directory / "behind").mkdir()
    async with between(directory / "1", directory / "behind" / "1") as found:
        yield found


@pytest.fixture
async def proxy(database: str) -> AsyncIterator[Proxy]:
    async with proxy_to(database) as found:
        yield found


def _nothing(payer: Payer) -> Tidy:
    return Tidy(client="tester", key="", fingerprint=b"", wallet_id=payer.wallet)


async def test_all_asks_on_a_wallet_meet_at_its_owner(workers: tuple[Ledger, Ledger], payer: Payer) -> None:
    first, second = workers
    before = (first.items, first.handed_over, second.items)
    asks = [(ledger, payer.charge(f"{name}{n}")) for n in range(100) for name, ledger in (("a", first), ("b", second))]
    outcomes = await asyncio.gather(*(ledger.submit(ask) for ledger, ask in asks))
    assert sorted(outcome.available for outcome in outcomes) == list(range(800, 1000))
    assert not any(outcome.refusal or outcome.replayed for outcome in outcomes)
    assert (first.items, first.handed_over, second.items) == (before[0], before[1] + 100, before[2] + 200)
    assert first.committed.is_set()

    ask = payer.charge("one key through both")
    outcomes = await asyncio.gather(*(ledger.submit(ask) for _ in range(20) for ledger in workers))
    assert sorted(outcome.replayed for outcome in outcomes) == [False] + [True] * 39
    assert len({outcome.transfer_id for outcome in outcomes}) == 1

    refused = await first.submit(payer.charge("too much", amount=800))
    assert (refused.refusal, refused.available) == (Refusal.INSUFFICIENT_BALANCE, 799)
    here = first.items
    told = (payer.charge("more than can be said", amount=2**70), payer.charge("beside it", amount=2))
    beyond, beside = await asyncio.gather(*map(first.submit, told), return_exceptions=True)
    assert isinstance(beyond, asyncpg.NumericValueOutOfRangeError), "as if it had been asked here: it was"
    assert isinstance(beside, Outcome)
    assert (beside.available, first.items) == (797, here + 1)
    assert (await payer.books.audit()).clean


async def test_a_full_queue_at_the_owner_is_told(
    database: str, services: Services, directory: Path, payer: Payer
) -> None:
    async with (
        worker_on(database, services, directory, 1, queue_items=1),
        worker_on(database, services, directory, 0, queue_items=20) as first,
    ):
        await handing_over(first, lambda: _nothing(payer))
        asks = [first.submit(payer.charge(f"k{n}")) for n in range(20)]
        with pytest.raises(Overloaded):  # its own bound, of what is under way
            first.submit(payer.charge("k20"))
        found = await asyncio.gather(*asks, return_exceptions=True)
    assert [type(each) for each in found] == [Outcome] + [Overloaded] * 19
    assert await payer.balance() == 999


async def test_no_ask_fails_while_the_owner_ends_and_comes_back(
    database: str, services: Services, directory: Path, payer: Payer
) -> None:
    done = 0

    async def caller(first: Ledger, name: int) -> None:
        nonlocal done
        while not stopped.is_set():
            outcome = await first.submit(payer.charge(f"{name}-{done}", amount=0))
            assert (outcome.refusal, outcome.replayed) == (None, False)
            done += 1

    stopped = asyncio.Event()
    with capture_logs() as logs:
        async with worker_on(database, services, directory, 0) as first:
            callers = [asyncio.create_task(caller(first, name)) for name in range(16)]
            for _ in range(3):
                async with worker_on(database, services, directory, 1) as second:
                    await handing_over(first, lambda: _nothing(payer))
                    there = second.items
                    while second.items < there + 50:
                        await asyncio.sleep(0.001)
                here = first.items
                while first.items < here + 50:  # nobody else owns the wallet meanwhile
                    await asyncio.sleep(0.001)
            stopped.set()
            await asyncio.gather(*callers)
    assert not any(each["event"] == "ledger.owner_lost" for each in logs), "it said that it would leave"
    assert (await payer.books.audit()).clean


async def test_what_the_owner_does_not_answer_is_asked_here(
    database: str, services: Services, directory: Path, payer: Payer, way: Between
) -> None:
    """It was done there, or is done here; whichever it was, it is nobody's replay, and it is done once."""
    async with (
        worker_on(database, services, directory / "behind", 1) as second,
        worker_on(database, services, directory, 0) as first,
    ):
        for lose in LOST:
            await handing_over(first, lambda: _nothing(payer))
            earlier = await first.submit(payer.charge(f"earlier {lose}"))
            here, there, way.lose, way.lost = first.items, second.items, lose, 0
            asks = [payer.charge(f"{lose} {n}") for n in range(10)]
            outcomes = await asyncio.gather(*(first.submit(ask) for ask in asks))
            assert way.lost
            assert (first.items, second.items) == (here + 10, there + (0 if lose == "asks" else 10))
            assert [(outcome.refusal, outcome.replayed) for outcome in outcomes] == [(None, False)] * 10
            assert all(outcome.transfer_id > earlier.transfer_id for outcome in outcomes)
            way.lose = ""
            assert [(await first.submit(ask)).replayed for ask in asks] == [True] * 10
    assert await payer.balance() == 1000 - 11 * len(LOST)
    assert (await payer.books.audit()).clean


async def test_who_may_still_be_charged_by_a_silent_owner_is_not_told_that_nothing_was_done(
    database: str, services: Services, directory: Path, payer: Payer, way: Between, proxy: Proxy
) -> None:
    ask = payer.charge("k")
    async with (
        worker_on(database, services, directory / "behind", 1),
        worker_on(proxy.url, services, directory, 0, deadline_s=1.6) as first,
    ):
        await handing_over(first, lambda: _nothing(payer))
        way.lose = "words"
        proxy.up.clear()
        with pytest.raises(OutcomeUnknown):
            await first.submit(ask)
        proxy.up.set()
        way.lose = ""
        assert (await first.submit(ask)).replayed
    assert await payer.balance() == 999


async def test_what_is_late_or_no_message_is_not_done(
    workers: tuple[Ledger, Ledger], directory: Path, payer: Payer
) -> None:
    """A worker that was frozen reads what has been given up long ago; a stranger talks at random."""
    reader, writer = await asyncio.open_unix_connection(str(directory / "1"))
    writer.write(framed([Handed(5, time.monotonic() - 1, payer.charge("late"))]))
    frames = Frames()
    answers: list[Answered] = []
    while not answers:
        for message in frames.cut(await reader.read(65_536)):
            answers += read_said(message).answers
    writer.close()
    assert [(answer.number, answer.error) for answer in answers] == [(5, "Overloaded")]

    for said in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x02{]", (MAX_BYTES + 1).to_bytes(4, "big")):
        reader, writer = await asyncio.open_unix_connection(str(directory / "1"))
        writer.write(said)
        async with asyncio.timeout(10):
            with pytest.raises((EOFError, ConnectionError)):
                while await reader.readexactly(1):
                    pass
        writer.close()
    assert (await workers[0].submit(payer.charge("k"))).available == 999


async def test_where_it_can_not_listen_it_works_alone(
    database: str, services: Services, directory: Path, payer: Payer
) -> None:
    """A path that is too long for a socket, for instance."""
    async with AsyncExitStack() as stack:
        nowhere = directory / ("x" * 120)
        first = await stack.enter_async_context(worker_on(database, services, nowhere, 0))
        assert (await first.submit(payer.charge("k"))).refusal is None
        assert first.handed_over == 0
