"""The price book on a real database: imports that change nothing twice, and prices that change under a charge."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from farebox.charging.service import Bill, own_key
from farebox.consent.types import GrantRef
from farebox.errors import Invalid
from farebox.identity.types import Principal
from farebox.ledger.types import Outcome, Usage
from farebox.pricing.defaults import load_default_book
from farebox.pricing.service import Prices
from farebox.pricing.types import NewPrice, Rates
from farebox.services import Services
from tests.support.ledgers import Books, mark, owner


def price(model: str, text: str | None, starts_at: datetime | None = None) -> NewPrice:
    return NewPrice(model, "USD", None if text is None else Rates(input_token=text), starts_at=starts_at)


async def rows(services: Services) -> list[tuple[str, str]]:
    """Every version in the order in which they were added: its model and where it is from."""
    found = await services.pool.fetch("SELECT model, source FROM prices ORDER BY id")
    return [(row["model"], row["source"]) for row in found]


async def cost(services: Services, model: str, count: int = 1_000_000) -> int:
    """Units of USD for so many input tokens now."""
    bill = Bill(model=model, usage=Usage(input_tokens=count))
    return (await services.charging.preview(0, "USD", bill)).amount


async def test_the_default_book_is_taken_in_once(services: Services) -> None:
    assert not await services.prices.any()
    count = await load_default_book(services.prices)
    assert count > 2000
    before = await services.prices.fresh()
    assert await load_default_book(services.prices) == 0
    assert (await services.prices.fresh()).revision == before.revision
    assert await cost(services, "gpt-4o") == 2_500_000


async def test_only_what_differs_becomes_a_version(services: Services) -> None:
    prices = services.prices
    first = await prices.take_in("test", "list", [price("a", "0.000001"), price("b", "0.000002")])
    again = await prices.take_in("test", "list", [price("a", "0.000001"), price("b", "0.000003"), price("c", "0")])
    assert (first.added, first.unchanged) == (["a", "b"], [])
    assert (again.added, again.unchanged, again.kept) == (["b", "c"], ["a"], [])
    assert await rows(services) == [(model, "list") for model in ("a", "b", "b", "c")]
    assert [await cost(services, model) for model in "abc"] == [1_000_000, 3_000_000, 0]


async def test_a_comparison_changes_nothing(services: Services) -> None:
    revision = (await services.prices.fresh()).revision
    done = await services.prices.take_in("test", "list", [price("a", "0.000001")], only_compare=True)
    assert done.added == ["a"]
    assert await rows(services) == []
    assert (await services.prices.fresh()).revision == revision


async def test_two_imports_at_once_add_each_price_once(services: Services) -> None:
    listed = [price(f"m{number}", "0.000001") for number in range(200)]
    other = Prices(services.pool)
    done = await asyncio.gather(
        *(prices.take_in("test", "list", listed) for prices in (services.prices, other) for _ in range(3))
    )
    assert sorted(len(taken.added) for taken in done) == [0, 0, 0, 0, 0, 200]
    assert len(await rows(services)) == 200


async def test_one_bad_rate_and_nothing_is_taken_in(services: Services) -> None:
    for bad in (price("b", "0.0000000000000001"), NewPrice("b", "NONE", Rates(call="1"))):
        with pytest.raises(Invalid):
            await services.prices.take_in("test", "list", [price("a", "0.000001"), bad])
    assert await rows(services) == []


async def test_a_price_set_by_hand_outlives_an_import_unless_it_is_to_be_replaced(services: Services) -> None:
    prices, listed = services.prices, [price("a", "0.000001"), price("b", "0.000001")]
    await prices.take_in("test", "list", listed)
    await prices.add("test", "api", [price("a", "0.000009"), price("b", None)])

    assert (await prices.take_in("test", "list", listed)).kept == ["a", "b"]
    assert await cost(services, "a") == 9_000_000
    with pytest.raises(Invalid, match="no price"):
        await cost(services, "b")

    assert (await prices.take_in("test", "list", listed, replace=True)).added == ["a", "b"]
    assert [await cost(services, model) for model in "ab"] == [1_000_000, 1_000_000]


async def test_owners_are_compared_apart(services: Services) -> None:
    books = await Books.open(services)
    listed = [price("a", "0.000001")]
    await services.prices.take_in("test", "list", listed)
    assert (await services.prices.take_in("test", "list", listed, books.provider_id)).added == ["a"]
    assert (await services.prices.take_in("test", "list", listed, books.provider_id)).unchanged == ["a"]


async def test_a_planned_change_that_left_the_list_does_not_come_about(services: Services) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    await services.prices.take_in("test", "list", [price("a", "0.000001"), price("a", "0.000005", soon)])
    await services.prices.take_in("test", "list", [price("a", "0.000001")])
    version, _, until = (await services.prices.fresh()).find(0, "a", soon + timedelta(hours=1))
    assert (version.rates and version.rates.levels[0].input, until) == (10**9, None)


class Caller:
    """Charges a wallet for a million tokens of model `m`."""

    def __init__(self, books: Books, grant: GrantRef, principal: Principal) -> None:
        self.books = books
        self.grant = grant
        self.principal = principal

    @classmethod
    async def open(cls, services: Services) -> "Caller":
        books = await Books.open(services)
        grant = await books.grant(await books.wallet(10**12))
        _, secret = await services.keys.make("provider", "k", provider_id=books.provider_id)
        principal, ref = await services.keys.authenticate(secret), await services.consent.ref(grant)
        assert principal is not None
        assert ref is not None
        return cls(books, ref, principal)

    async def charge(self) -> Outcome:
        bill = Bill(model="m", usage=Usage(input_tokens=1_000_000))
        return await self.books.services.charging.charge(
            self.principal, self.books.provider_id, self.grant, own_key(), mark(), bill
        )


async def charged(services: Services) -> list[tuple[datetime, int, int]]:
    """Every charge in the order of its booking: when, how much, by which version."""
    found = await services.pool.fetch(
        "SELECT created_at, amount, price_id FROM transfers WHERE kind = 'charge' AND refusal IS NULL ORDER BY id"
    )
    return [(row["created_at"], row["amount"], row["price_id"]) for row in found]


async def test_a_price_that_another_process_has_changed_is_the_one_that_is_charged(services: Services) -> None:
    caller = await Caller.open(services)
    elsewhere = Prices(services.pool)
    (first,) = await elsewhere.add("test", "api", [price("m", "0.000001")])
    assert (await caller.charge()).amount == 1_000_000
    (second,) = await elsewhere.add("test", "api", [price("m", "0.000003")])
    (own,) = await elsewhere.add("test", "api", [NewPrice("m", "USD", Rates(call="7"), caller.books.provider_id)])

    assert services.prices.book.find(0, "m", datetime.now(UTC))[0].id == first, "the book at hand is the old one"
    bill = Bill(model="m", usage=Usage())
    done = await services.charging.charge(
        caller.principal, caller.books.provider_id, caller.grant, own_key(), mark(), bill
    )

    assert (done.refusal, done.amount) == (None, 7_000_000)
    assert [by for _, _, by in await charged(services)] == [first, own]
    assert second not in [by for _, _, by in await charged(services)]


async def test_a_database_that_has_lost_the_last_change_is_charged_by_what_it_has(
    services: Services, database: str
) -> None:
    caller = await Caller.open(services)
    await services.prices.add("test", "api", [price("m", "0.000001")])
    conn = await owner(database)
    await conn.execute("UPDATE price_book SET revision = revision - 1")
    await conn.close()
    async with asyncio.timeout(10):
        assert (await caller.charge()).amount == 1_000_000


async def test_a_model_that_another_process_has_withdrawn_is_not_charged(services: Services) -> None:
    caller = await Caller.open(services)
    elsewhere = Prices(services.pool)
    await elsewhere.add("test", "api", [price("m", "0.000001")])
    await caller.charge()
    await elsewhere.add("test", "api", [price("m", None)])
    with pytest.raises(Invalid, match="no price"):
        await caller.charge()
    assert len(await charged(services)) == 1


async def test_while_prices_change_every_charge_is_by_one_of_them_and_never_by_an_older(services: Services) -> None:
    caller = await Caller.open(services)
    elsewhere = Prices(services.pool)
    amounts: dict[int, int] = {}

    async def change(count: int) -> None:
        for micro in range(1, count + 1):
            (number,) = await elsewhere.add("test", "api", [price("m", f"0.0000{micro:02}")])
            amounts[number] = micro * 1_000_000
            await asyncio.sleep(0.005)

    await change(1)
    changing = asyncio.create_task(change(20))
    while not changing.done():
        await asyncio.gather(*(caller.charge() for _ in range(10)))
    await changing
    await caller.charge()

    booked = await charged(services)
    assert [amount for _, amount, _ in booked] == [amounts[by] for _, _, by in booked]
    versions = [by for _, _, by in booked]
    assert versions == sorted(versions)
    assert versions[-1] == max(amounts)
    assert len(set(versions)) > 2
    assert (await caller.books.audit()).clean


async def test_a_planned_price_counts_from_its_first_moment(services: Services) -> None:
    caller = await Caller.open(services)
    start = await services.pool.fetchval("SELECT clock_timestamp() + interval '300 milliseconds'")
    await services.prices.add("test", "api", [price("m", "0.000001"), price("m", "0.000002", start)])
    for _ in range(10_000):
        if (await caller.charge()).amount == 2_000_000:
            break
    booked = await charged(services)
    assert {amount for at, amount, _ in booked if at < start} <= {1_000_000}
    assert {amount for at, amount, _ in booked if at >= start} == {2_000_000}


async def test_a_clock_that_is_ahead_begins_no_price_too_soon(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = await Caller.open(services)
    start: datetime = await services.pool.fetchval("SELECT clock_timestamp() + interval '1 hour'")
    own = NewPrice("m", "USD", Rates(input_token="0.000007"), caller.books.provider_id)
    gone = NewPrice("m", "USD", None, caller.books.provider_id, starts_at=start)
    await services.prices.add("test", "api", [price("m", "0.000001"), own, gone])
    monkeypatch.setattr("farebox.charging.service.now", lambda: datetime.now(UTC) + timedelta(hours=2))
    assert [(await caller.charge()).amount for _ in range(3)] == [7_000_000] * 3
    await services.prices.add("test", "api", [NewPrice("m", "USD", Rates(input_token="9"), own.provider_id, start)])
    assert [(await caller.charge()).amount for _ in range(3)] == [7_000_000] * 3
