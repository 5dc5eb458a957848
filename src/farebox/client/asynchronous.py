"""The client for asyncio: the same calls as in `sync`, awaited."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from farebox.client.address import address
from farebox.client.call import Call, Listing, program
from farebox.client.calls import charges, connections, directory, limits, people, prices, wallets
from farebox.client.connected import AsyncConnected
from farebox.client.core import Policy
from farebox.client.following import follow_async
from farebox.client.holding import AsyncHoldBlock
from farebox.client.metering import AsyncMeter, Payer
from farebox.client.signatures import as_method
from farebox.client.types import Balance, Session, Usage

P = ParamSpec("P")
T = TypeVar("T")


class _Makes(Protocol):
    async def _make(self, call: Call[T]) -> T: ...


def does(make: Callable[P, Call[T]]) -> Callable[Concatenate[_Makes, P], Awaitable[T]]:
    """A method that makes a call; awaited, it is the answer."""

    def method(self: _Makes, /, *args: P.args, **given: P.kwargs) -> Awaitable[T]:
        return self._make(make(*args, **given))

    return as_method(method, make)


def lists(make: Callable[P, Listing[T]]) -> Callable[Concatenate[_Makes, P], AsyncIterator[T]]:
    """A method that iterates over a list, page after page."""

    def method(self: _Makes, /, *args: P.args, **given: P.kwargs) -> AsyncIterator[T]:
        return _items(self, make(*args, **given))

    return as_method(method, make)


async def _items(maker: _Makes, listing: Listing[T]) -> AsyncIterator[T]:
    cursor: str | None = None
    while True:
        page = await maker._make(listing.call(cursor))
        for item in page.data:
            yield item
        cursor = page.next_cursor
        if cursor is None:
            return


class _Noun:
    """The calls of one noun."""

    def __init__(self, maker: Any) -> None:
        self._make = maker._make
        self._client = maker


class AsyncCharges(_Noun):
    """Draws on grants, as they are kept."""

    get = does(charges.get_charge)
    list = lists(charges.list_charges)
    explain = does(charges.explain)
    batch = does(charges.batch)
    refund = does(charges.refund)
    record = does(charges.record)


class AsyncHolds(_Noun):
    """Reservations, one by one; `hold` of the client keeps one around a block."""

    make = does(charges.hold)
    get = does(charges.get_hold)
    list = lists(wallets.list_holds)
    capture = does(charges.capture)
    release = does(charges.release)


class AsyncWallets(_Noun):
    """What people, teams and agents spend from."""

    open = does(wallets.open_wallet)
    get = does(wallets.get_wallet)
    list = lists(wallets.list_wallets)
    deposit = does(wallets.deposit)
    transfer = does(wallets.transfer)
    history = lists(wallets.history)
    statement = does(wallets.statement)
    entries = lists(wallets.entries)
    ticket = does(wallets.ticket)

    def events(self, wallet_id: str) -> AsyncIterator[Balance]:
        """The wallet's balance now, and after every change, for as long as it is iterated over.

        Goes on after a lost connection; raises Unreachable where the server is away for longer than the deadline.
        """
        return follow_async(self._client._carrier, wallets.events(wallet_id, self._client.policy))


class AsyncGrants(_Noun):
    """Payers' permissions."""

    make = does(wallets.grant)
    get = does(wallets.get_grant)
    list = lists(wallets.list_grants)
    revoke = does(wallets.revoke)


class AsyncRequests(_Noun):
    """Connection requests: what a wallet app does with a scanned code."""

    open = does(wallets.open_request)
    get = does(wallets.get_request)
    approve = does(wallets.approve)
    decline = does(wallets.decline)


class AsyncPrices(_Noun):
    """The price book."""

    put = does(prices.put_price)
    list = lists(prices.list_prices)
    versions = does(prices.price_versions)
    withdraw = does(prices.withdraw_price)
    take_in = does(prices.import_prices)
    quote = does(prices.quote)


class AsyncProviders(_Noun):
    """AI services that charge."""

    add = does(directory.add_provider)
    get = does(directory.get_provider)
    list = lists(directory.list_providers)
    change = does(directory.change_provider)
    revenue = does(directory.revenue)
    add_key = does(directory.add_provider_key)
    keys = does(directory.list_provider_keys)
    revoke_key = does(directory.revoke_provider_key)


class AsyncOrganizations(_Noun):
    """Tenants."""

    add = does(directory.add_organization)
    change = does(directory.change_organization)
    get = does(directory.get_organization)
    list = lists(directory.list_organizations)
    add_key = does(directory.add_organization_key)
    keys = does(directory.list_organization_keys)
    revoke_key = does(directory.revoke_organization_key)
    add_agent = does(people.add_agent)
    agents = lists(people.list_agents)
    allow_agent = does(people.allow_agent)


class AsyncPeople(_Noun):
    """People with accounts."""

    add = does(people.add_person)
    get = does(people.get_person)
    list = lists(people.list_people)
    credit = does(people.credit)


class AsyncEnvelopes(_Noun):
    """Limits of a day, a week, a month or a year."""

    add = does(limits.add_envelope)
    get = does(limits.get_envelope)
    list = lists(limits.list_envelopes)
    change = does(limits.change_envelope)
    end = does(limits.end_envelope)
    windows = lists(limits.windows)
    record = does(limits.record)
    records = lists(limits.records)


class AsyncKeys(_Noun):
    """The administrators' own keys."""

    add = does(directory.add_admin_key)
    list = does(directory.list_admin_keys)
    revoke = does(directory.revoke_admin_key)


class AsyncAssets(_Noun):
    """What is counted."""

    list = does(directory.list_assets)
    put = does(directory.put_asset)


class AsyncFarebox(AsyncConnected):
    """A server, spoken to with one key. Tasks of one loop may share it; `async with` closes its connections.

    `url` and `key` come from the environment (`FAREBOX_URL`, `FAREBOX_KEY`) where they are not given. Every call raises
    FareboxError (see `farebox.client.errors`). `policy` says how patient it is.
    """

    def __init__(self, url: str | None = None, key: str | None = None, *, policy: Policy | None = None) -> None:
        self.url, self._key, headers = address(url, key)
        self.policy = policy or Policy()
        self._connect(self.url, headers)
        self.charges = AsyncCharges(self)
        self.holds = AsyncHolds(self)
        self.wallets = AsyncWallets(self)
        self.grants = AsyncGrants(self)
        self.requests = AsyncRequests(self)
        self.prices = AsyncPrices(self)
        self.providers = AsyncProviders(self)
        self.organizations = AsyncOrganizations(self)
        self.people = AsyncPeople(self)
        self.envelopes = AsyncEnvelopes(self)
        self.keys = AsyncKeys(self)
        self.assets = AsyncAssets(self)

    async def _make(self, call: Call[T]) -> T:
        return await self._carrier.run(program(call, self.policy))

    charge = does(charges.charge)
    limits = does(limits.look)

    def hold(
        self, session_token: str | None = None, *, model: str | None = None, usage: Usage | None = None, **more: Any
    ) -> AsyncHoldBlock:
        """Reserves what a block of work costs at most; told as for `holds.make`. See AsyncHoldBlock."""
        return AsyncHoldBlock(self, charges.hold(session_token, model=model, usage=usage, **more), model)

    def meter(
        self,
        payer: Payer,
        *,
        model: str,
        worst: Usage | None = None,
        amount: int | None = None,
        expires_in_s: int | None = None,
    ) -> AsyncMeter:
        """Measures calls of an AI service and charges what they used; see AsyncMeter.

        Holds what `worst` usage of `model` costs (by default 16,384 tokens in and 4,096 out), or an `amount` in units,
        for `expires_in_s` seconds. `payer` is a session token, a grant or its id, or a session.
        """
        return AsyncMeter(self._carrier, payer, model, worst, amount, expires_in_s, self.policy)

    async def session(self, provider_username: str) -> Session:
        """How far one of the provider's users has connected. Takes a provider's key."""
        return await self._make(connections.session(self._key, provider_username))

    async def wait_for_session(self, provider_username: str, wait_s: float = 120.0) -> Session:
        """Waits until one of the provider's users has connected; raises NotConnected after `wait_s` seconds."""
        return await self._carrier.run(connections.wait(self._key, provider_username, self.policy, wait_s))
