"""Our `x402tools` against a real server: what it has in common with the published client, and what it does better."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from farebox import Farebox, Policy
from farebox.testing import ALL, DUPLICATED_REQUEST, LOST_ANSWER, TOO_MANY_SECONDS, Fault, Hostile, too_many
from tests.clients.test_hostile import KINDS
from tests.support.live import ADMIN_KEY, Live
from x402tools import (
    APIError,
    AsyncX402Client,
    AuthenticationError,
    EnvelopeNotFoundError,
    RateLimitError,
    UsageLimitExceededError,
    ValidationError,
    X402Client,
    X402Error,
    calls,
)


@pytest.fixture
def key(live: Live) -> str:
    """A key of a new organization."""
    with Farebox(live.url, ADMIN_KEY) as admin:
        name = f"org-{uuid.uuid4().hex[:10]}"
        admin.organizations.add(name, "An organization")
        return admin.organizations.add_key(name, "ours").key


@pytest.fixture
def url(live: Live) -> str:
    return f"{live.url}/x402tools"


@pytest.fixture
def client(url: str, key: str) -> Iterator[X402Client]:
    with X402Client(key, url) as found:
        yield found


def test_an_envelope_and_its_usage(client: X402Client) -> None:
    envelope = client.create_envelope("API calls", 100, "MONTHLY", reset_day=1)
    assert (envelope.name, envelope.limit, envelope.period, envelope.reset_day) == ("API calls", 100, "MONTHLY", 1)
    assert (envelope.used, envelope.remaining) == (0, 100)
    assert envelope.window_start is not None
    assert envelope.window_end is not None
    assert envelope.window_start <= datetime.now(UTC) < envelope.window_end
    usage = client.record_usage(envelope.id, 60, {"endpoint": "/ask"})
    assert (usage.envelope_id, usage.amount, usage.metadata) == (envelope.id, 60, {"endpoint": "/ask"})
    with pytest.raises(UsageLimitExceededError) as over:
        client.record_usage(envelope.id, 41)
    found = over.value
    assert (found.limit, found.used, found.remaining, found.window_end) == (100, 60, 40, envelope.window_end)
    assert (isinstance(found, APIError), found.status_code) == (True, 402)
    assert client.update_envelope(envelope.id, limit=200, name="More").remaining == 140
    assert client.get_envelope(envelope.id).name == "More"
    assert [one.id for one in client.get_usage(envelope.id)] == [usage.id]
    assert client.get_usage_stats().total_usage == 60
    assert client.get_usage_stats().period_usage[0]["used"] == 60
    client.delete_envelope(envelope.id)
    assert client.get_envelopes() == []
    with pytest.raises(EnvelopeNotFoundError):
        client.get_envelope(envelope.id)


def test_lists_go_on(client: X402Client) -> None:
    made = [client.create_envelope(f"e{number}", 100, "DAILY").id for number in range(3)]
    used = [client.record_usage(made[0], 1).id for _ in range(5)]
    pages = [client._run(calls.page("/usage", lambda one: one["id"], {"limit": "2"}))]
    while pages[-1][1] is not None:
        pages.append(client._run(calls.page("/usage", lambda one: one["id"], pages[-1][1])))
    assert [len(found) for found, _ in pages] == [2, 2, 1]
    assert [one for found, _ in pages for one in found] == used[::-1]
    assert [one.id for one in client.iter_usage(made[0])] == used[::-1]
    assert [one.id for one in client.iter_envelopes()] == made[::-1]


def test_keys(client: X402Client, url: str) -> None:
    made = client.create_api_key("second")
    assert made.key not in repr(made)
    assert {one.name for one in client.get_api_keys()} == {"ours", "second"}
    with X402Client(made.key, url) as other:
        assert other.get_envelopes() == []
        client.delete_api_key(made.id)
        with pytest.raises(AuthenticationError):
            other.get_envelopes()
    with pytest.raises(EnvelopeNotFoundError):
        client.delete_api_key(made.id)
    assert client.api_key not in repr(client)


def test_what_is_not_acceptable(client: X402Client) -> None:
    given: Any = 1.5
    with pytest.raises(ValidationError):
        client.create_envelope("e", given, "DAILY")
    with pytest.raises(ValidationError) as refused:
        client.create_envelope("e", 1, "DAILY", reset_day=3)
    assert (isinstance(refused.value, APIError), refused.value.status_code) == (True, 422)
    with pytest.raises(ValidationError):
        client.record_usage("env_1", given)
    with pytest.raises(EnvelopeNotFoundError):
        client.record_usage("env_1", 1)
    with pytest.raises(ValueError, match="empty"):
        client.get_envelope("..")


def test_the_address_is_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert X402Client("k").base_url == calls.DEFAULT_BASE_URL
    monkeypatch.setenv("X402TOOLS_API_URL", "http://127.0.0.1:8080/x402tools/")
    assert X402Client("k").base_url == "http://127.0.0.1:8080/x402tools"


@pytest.mark.parametrize("fault", KINDS, ids=repr)
def test_whatever_happens_it_is_recorded_once(
    url: str, key: str, client: X402Client, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PATIENCE", Policy(timeout_s=0.5, deadline_s=10))
    envelope = client.create_envelope("e", 100, "DAILY")
    with Hostile(url) as hostile, X402Client(key, hostile.url) as other:
        hostile.plan(fault)
        other.record_usage(envelope.id, 3)
        if fault is not DUPLICATED_REQUEST:  # of two at once, one finds nothing: that is the answer
            hostile.plan(fault)
        other.delete_envelope(envelope.id)
    assert [one.amount for one in client.get_usage()] == [3]
    assert client.get_envelopes() == []


def test_what_has_no_key_is_not_made_twice(url: str, key: str) -> None:
    with Hostile(url) as hostile, X402Client(key, hostile.url) as client:
        hostile.plan(LOST_ANSWER)
        with pytest.raises(APIError) as lost:
            client.create_envelope("e", 100, "DAILY")
        assert lost.value.status_code is None
        hostile.plan(TOO_MANY_SECONDS)
        client.create_envelope("e", 100, "DAILY")
        assert len(client.get_envelopes()) == 2
        hostile.plan(too_many(lambda: "3600", "AN_HOUR"))
        with pytest.raises(RateLimitError) as limited:
            client.get_envelopes()
        assert limited.value.retry_after == 3600


def test_only_documented_errors(url: str, key: str, client: X402Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PATIENCE", Policy(timeout_s=0.2, deadline_s=0.2))
    envelope = client.create_envelope("e", 100, "DAILY")
    with Hostile(url) as hostile, X402Client(key, hostile.url) as other:
        hostile.chance(1.0, seed=31, faults=ALL)
        for number in range(20):
            try:
                other.record_usage(envelope.id, 1, idempotency_key=f"try-{number}")
            except X402Error as error:
                assert type(error) in (APIError, RateLimitError)
        hostile.calm()
        monkeypatch.setattr(calls, "PATIENCE", Policy(timeout_s=10, deadline_s=10))
        for number in range(20):
            other.record_usage(envelope.id, 1, idempotency_key=f"try-{number}")
    assert client.get_envelope(envelope.id).used == 20


async def test_the_same_with_asyncio(url: str, key: str) -> None:
    with Hostile(url) as hostile:
        async with AsyncX402Client(key, hostile.url) as client:
            envelope = await client.create_envelope("e", 5, "WEEKLY", 1)
            hostile.plan(LOST_ANSWER)
            usage = await client.record_usage(envelope.id, 5)
            with pytest.raises(UsageLimitExceededError):
                await client.record_usage(envelope.id, 1)
            assert [one.id async for one in client.iter_usage()] == [usage.id]
            assert [one.id async for one in client.iter_envelopes()] == [envelope.id]
            assert (await client.get_usage_stats()).active_envelopes == 1
