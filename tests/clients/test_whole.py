"""The own client has a call for everything that the native API can do, and they do it."""

import inspect
import re
import uuid
from types import ModuleType
from typing import Any

import httpx
import pytest

from farebox import AsyncFarebox, Farebox, Usage
from farebox.client import AppliesTo, Bill, Forbidden
from farebox.client.call import Call, Listing
from farebox.client.calls import charges, directory, limits, people, prices, wallets
from farebox.client.following import Following
from tests.clients.shops import Shop
from tests.support.live import ADMIN_KEY, Live

MODULES: list[ModuleType] = [charges, directory, limits, people, prices, wallets]
NOT_THERE = {("GET", "/openapi.json"), ("GET", "/docs"), ("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics")}
EXAMPLES: dict[str, Any] = {
    "amount": 1,
    "limit": 1,
    "scale": 1,
    "prices": [],
    "bills": [],
    "usage": Usage(input_tokens=1),
    "code": '{"provider_id":"p"}',
}
"""Arguments that are no text."""


def asked() -> set[tuple[str, str]]:
    """The method and the path of every call that the client makes."""
    found = set()
    for module in MODULES:
        for name, make in vars(module).items():
            if name.startswith("_") or not inspect.isfunction(make) or make.__module__ != module.__name__:
                continue
            needed = [one for one in inspect.signature(make).parameters.values() if one.default is one.empty]
            made = make(**{one.name: EXAMPLES.get(one.name, "x") for one in needed})
            if isinstance(made, Call):
                found.add((made.request.method, made.request.path))
            elif isinstance(made, Listing):
                found.add(("GET", made.path))
            elif isinstance(made, Following):
                found.add(("GET", made.request().path))
    return found


def test_there_is_a_call_for_every_operation(live: Live) -> None:
    document = httpx.get(f"{live.url}/openapi.json").json()
    calls = asked()
    missing = []
    for path, methods in document["paths"].items():
        pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path))
        for method in methods:
            told = (method.upper(), path)
            if told not in NOT_THERE and not any(verb == told[0] and pattern.fullmatch(one) for verb, one in calls):
                missing.append(told)
    assert missing == []
    assert len(calls) > 60


@pytest.fixture
def shop(live: Live) -> Any:
    with Farebox(live.url, ADMIN_KEY) as admin:
        found = Shop(admin)
        yield found
        found.client.close()


def test_several_charges_at_once(shop: Shop) -> None:
    bills = [
        Bill(shop.token, amount=1_000, idempotency_key="one"),
        Bill(grant=shop.grant.id, model=shop.model, usage=Usage(input_tokens=10)),
        Bill(shop.token, amount=5_000_000),
    ]
    results = shop.client.charges.batch(bills).results
    assert [result.status for result in results] == [201, 201, 402]
    assert results[1].charge is not None
    assert results[1].charge.amount == 15_000
    assert results[2].problem is not None
    assert results[2].problem["code"] == "insufficient_balance"
    again = shop.client.charges.batch(bills[:1]).results[0]
    assert (again.replayed, again.charge) == (True, results[0].charge)
    assert shop.available() == 984_000
    assert shop.token not in repr(bills[0])


def test_limits_of_a_period(shop: Shop) -> None:
    admin = shop.admin
    scope = AppliesTo("wallet", shop.wallet)
    envelope = admin.envelopes.add("A day", 100_000, "DAILY", counts="money", asset="TOKEN", applies_to=scope)
    assert (envelope.applies_to, envelope.remaining) == (scope, 100_000)
    shop.client.charge(shop.token, amount=60_000)
    assert admin.envelopes.get(envelope.id).used == 60_000
    with pytest.raises(Forbidden):
        shop.client.charge(shop.token, amount=40_001)
    look = admin.limits(shop.grant.id, amount=40_001)
    assert (look.allowed, look.stopped_by, look.available) == (False, envelope.id, 940_000)
    assert [standing.remaining for standing in look.envelopes] == [40_000]
    assert admin.limits(shop.grant.id, model=shop.model, usage=Usage(input_tokens=1)).allowed
    changed = admin.envelopes.change(envelope.id, limit=200_000, reset_day=None)
    assert (changed.limit, changed.remaining) == (200_000, 140_000)
    assert list(admin.envelopes.windows(envelope.id)) == []
    admin.envelopes.end(envelope.id)
    shop.client.charge(shop.token, amount=200_000)


def test_organizations_their_agents_and_envelopes(live: Live, shop: Shop) -> None:
    admin, name = shop.admin, f"org-{uuid.uuid4().hex[:8]}"
    assert admin.organizations.add(name, "Ours", time_zone="Europe/Berlin").time_zone == "Europe/Berlin"
    assert admin.organizations.change(name, name="Mine", time_zone="UTC").name == "Mine"
    with Farebox(live.url, admin.organizations.add_key(name, "ours").key) as ours:
        envelope = ours.envelopes.add("Calls", 5, "MONTHLY", reset_day=1, organization=name)
        done = ours.envelopes.record(envelope.id, 3, metadata={"endpoint": "/ask"}, idempotency_key="once")
        assert ours.envelopes.record(envelope.id, 3, metadata={"endpoint": "/ask"}, idempotency_key="once") == done
        assert [one.metadata for one in ours.envelopes.records(envelope.id)] == [{"endpoint": "/ask"}]
        assert [one.id for one in ours.envelopes.list(name)] == [envelope.id]
        with pytest.raises(Forbidden):
            ours.envelopes.record(envelope.id, 3)
    agent = admin.organizations.add_agent(name, "support-1")
    assert admin.organizations.allow_agent(name, "support-1", limit=7).limit == 7
    assert [one.name for one in admin.organizations.agents(name)] == [agent.name]


def test_people_and_tickets(shop: Shop) -> None:
    email = f"eve-{uuid.uuid4().hex[:8]}@example.org"
    person = shop.admin.people.add(email)
    assert person.password is not None
    assert person.password not in repr(person)
    assert shop.admin.people.credit(person.id, 700, note="hello").available == 700
    assert shop.admin.people.get(person.id).available == 700
    assert [one.id for one in shop.admin.people.list(email=email)] == [person.id]
    ticket = shop.admin.wallets.ticket(shop.wallet)
    assert ticket.ticket not in repr(ticket)
    with httpx.stream("GET", f"{shop.admin.url}/v1/wallets/{shop.wallet}/events?ticket={ticket.ticket}") as answer:
        assert answer.status_code == 200


async def test_the_same_with_asyncio(live: Live, shop: Shop) -> None:
    async with AsyncFarebox(live.url, ADMIN_KEY) as admin:
        assert (await admin.limits(shop.grant.id, amount=1)).allowed
        assert (await admin.charges.batch([Bill(shop.token, amount=1)])).results[0].status == 201
