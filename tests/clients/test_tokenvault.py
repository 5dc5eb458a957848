"""Our `tokenvault_sdk` against a real server and a real Redis: in common with the published one, and better."""

import asyncio
import io
import logging
import math
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from farebox import Farebox, Policy
from farebox.testing import HANG, Fault, Hostile
from tests.clients.test_hostile import KINDS
from tests.support.databases import Databases
from tests.support.live import ADMIN_KEY, Live, live_server, settings_for
from tests.support.offices import MODEL, Office
from tests.support.redises import RedisProcess, redis_process
from tokenvault_sdk import (
    InsufficientBalanceError,
    SDKConfig,
    SDKConfigurationError,
    TrackingError,
    UsageTracker,
    calls,
    configure_logging,
    get_logger,
    quickstart,
)

ANSWER = {"id": "chatcmpl-1", "model": MODEL, "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
COST = 20
"""Credits: one a token in, two a token out."""


@pytest.fixture(scope="module")
def redis() -> Iterator[RedisProcess]:
    with redis_process() as found:
        yield found


@pytest.fixture(scope="module")
def server(postgres: Databases, redis: RedisProcess) -> Iterator[Live]:
    """A server that reads the stream."""
    with live_server(postgres.url(postgres.fresh()), settings_for(redis_url=redis.url)) as found:
        yield found


@pytest.fixture
def office(server: Live, redis: RedisProcess) -> Iterator[Office]:
    """An organization with 10,000 credits."""
    with redis.client() as client:
        yield Office(server, client)


@pytest.fixture
def url(office: Office) -> str:
    """The dialect's address with the organization's key in it."""
    with Farebox(office.live.url, ADMIN_KEY) as admin:
        key = admin.organizations.add_key(office.id, "ours").key
    return f"{office.live.url}/tokenvault".replace("://", f"://{office.id}:{key}@")


def tracker(url: str, redis: RedisProcess, **more: Any) -> UsageTracker:
    return UsageTracker(redis.url, url, **more)


async def test_a_balance_is_asked_and_remembered(office: Office, redis: RedisProcess, url: str) -> None:
    found = tracker(url, redis)
    assert await found.check_credit_balance(office.id) == 10_000
    assert office.client.get(f"credit_balance:{office.id}") == "10000.0"
    office.client.set(f"credit_balance:{office.id}", "5")
    assert await found.check_credit_balance(office.id) == 5
    assert await found.check_credit_balance(office.id, force_refresh=True) == 10_000
    await found.close()
    strict = tracker(url, redis, balance_threshold=10_001, cache_ttl=0)
    with pytest.raises(InsufficientBalanceError, match="10000"):
        await strict.check_credit_balance(office.id, force_refresh=True)
    await strict.close()
    assert url not in repr(strict)


async def test_usage_is_told_in_both_shapes(office: Office, redis: RedisProcess, url: str) -> None:
    found = tracker(url, redis, fail_open=False)
    await found.track_usage(ANSWER, office.id, "agent-1", "ada", {"purpose": "test"})
    await asyncio.create_task(found.track_usage(groq_response=ANSWER, organization_id=office.id, profile_id="agent-1"))
    named: dict[str, Any] = {"organization_id": office.id, "profile_id": "agent-1", "model": MODEL}
    async with found.track_usage(**named, prompt_tokens=10, completion_tokens=5):
        pass
    async with found.track_usage(**named) as tracked:
        assert tracked.take(ANSWER) is ANSWER
    with pytest.raises(ZeroDivisionError):
        async with found.track_usage(**named, prompt_tokens=10, completion_tokens=5):
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        async with found.track_usage(**named) as tracked:
            tracked.take(ANSWER)
            raise ZeroDivisionError
    office.idle()
    assert office.balance() == 10_000 - 5 * COST
    await found.close()


async def test_a_block_is_entered_with_credits_only(office: Office, redis: RedisProcess, url: str) -> None:
    found = tracker(url, redis, balance_threshold=10_001)
    with pytest.raises(InsufficientBalanceError):
        async with found.track_usage(organization_id=office.id, profile_id="a", model=MODEL, prompt_tokens=1):
            pytest.fail("the block was entered")
    await found.close()


@pytest.mark.parametrize("answer", [{}, {"usage": {}}, {"model": MODEL, "usage": {"prompt_tokens": -1}}])
async def test_an_answer_without_usage_is_not_free_in_silence(
    office: Office, redis: RedisProcess, url: str, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "tokenvault_sdk"):
        logging.getLogger("tokenvault_sdk").propagate = True
        await tracker(url, redis).track_usage(answer, office.id, "agent-1")
    assert "tells no usage" in caplog.text
    with pytest.raises(TrackingError):
        await tracker(url, redis, fail_open=False).track_usage(answer, office.id, "agent-1")


async def test_images(office: Office, redis: RedisProcess, url: str) -> None:
    found = tracker(url, redis)
    for _ in range(2):
        await found.track_bfl_consumption(office.id, "agent-1", "flux-2-pro", 4.5, "image-1")
    assert office.balance() == 10_000 - 4.5
    with pytest.raises(InsufficientBalanceError):
        await found.track_bfl_consumption(office.id, "agent-1", "flux-2-pro", 1_000_000, "image-2")
    with pytest.raises(TrackingError):
        await found.track_bfl_consumption(office.id, "agent-1", "flux-2-pro", -1, "image-3")
    await found.close()


async def test_services_that_are_away(office: Office, redis: RedisProcess, url: str) -> None:
    away = "redis://127.0.0.1:9", "http://127.0.0.1:9"
    nowhere = UsageTracker(*away, max_retries=1)
    strict = UsageTracker(*away, fail_open=False, max_retries=2, retry_backoff_ms=1)
    patience, calls.PATIENCE = calls.PATIENCE, Policy(timeout_s=0.2, deadline_s=0.2)
    try:
        assert await nowhere.check_credit_balance(office.id) == math.inf
        await nowhere.track_usage(ANSWER, office.id, "agent-1")
        await nowhere.track_bfl_consumption(office.id, "agent-1", "m", 1, "r")
        with pytest.raises(InsufficientBalanceError, match="Cannot verify"):
            await strict.check_credit_balance(office.id)
        with pytest.raises(TrackingError, match="publish"):
            await strict.track_usage(ANSWER, office.id, "agent-1")
        with pytest.raises(TrackingError):
            await strict.track_bfl_consumption(office.id, "agent-1", "m", 1, "r")
        with Hostile(url.replace(url.split("@")[0], "http://").replace("http://@", "http://")) as hostile:
            knowing = tracker(url.split("@")[0] + "@" + hostile.url.removeprefix("http://"), redis, cache_ttl=0)
            assert await knowing.check_credit_balance(office.id) == 10_000
            hostile.plan(*[HANG] * 3)
            assert await knowing.check_credit_balance(office.id) == 10_000, "the last that is known"
            await knowing.close()
    finally:
        calls.PATIENCE = patience


@pytest.mark.parametrize("fault", KINDS, ids=repr)
async def test_whatever_happens_an_image_is_charged_once(
    office: Office, redis: RedisProcess, url: str, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PATIENCE", Policy(timeout_s=0.5, deadline_s=10))
    credentials, _, host = url.partition("@")
    with Hostile(f"http://{host}") as hostile:
        found = tracker(f"{credentials}@{hostile.url.removeprefix('http://')}", redis, fail_open=False)
        hostile.plan(fault)
        await found.track_bfl_consumption(office.id, "agent-1", "flux-2-pro", 4.5, "image-1")
        hostile.plan(fault)
        assert await found.check_credit_balance(office.id, force_refresh=True) == 10_000 - 4.5
        await found.close()


async def test_the_quick_start(server: Live, redis: RedisProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"org-{uuid.uuid4().hex[:8]}"
    with Farebox(server.url, ADMIN_KEY) as admin:
        admin.organizations.add(name, "Ours")
        key = admin.organizations.add_key(name, "ours").key
    monkeypatch.setenv("TOKENVAULT_API_URL", f"{server.url}/tokenvault".replace("://", f"://{name}:{key}@"))
    monkeypatch.setenv("TOKENVAULT_REDIS_URL", redis.url)
    server.price(MODEL, asset="CREDIT", input_token="1", output_token="2")
    found, agent = await quickstart(name, "support")
    assert await found.check_credit_balance(name, force_refresh=True) == 5_000
    async with found.track_usage(
        organization_id=name, profile_id=agent, model=MODEL, prompt_tokens=300, completion_tokens=600
    ):
        pass
    again, other = await quickstart(name, "support")
    assert agent != other
    assert await again.check_credit_balance(name, force_refresh=True) <= 5_000, "a trial is given once"
    await found.close()
    await again.close()
    monkeypatch.setenv("TOKENVAULT_FREE_TRIAL_MONEY", "1e9")
    other_name = f"org-{uuid.uuid4().hex[:8]}"
    with pytest.raises(TrackingError):
        await quickstart(other_name)


def test_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "API_URL"):
        monkeypatch.delenv(f"TOKENVAULT_{name}", raising=False)
    with pytest.raises(SDKConfigurationError, match="API_URL"):
        SDKConfig.from_env()
    monkeypatch.setenv("TOKENVAULT_API_URL", "http://a")
    with pytest.raises(SDKConfigurationError, match="REDIS_URL"):
        SDKConfig.from_env()
    monkeypatch.setenv("TOKENVAULT_REDIS_URL", "redis://b")
    monkeypatch.setenv("TOKENVAULT_FREE_TRIAL_MONEY", "12.5")
    found = SDKConfig.from_env()
    assert (found.wallet_api_url, found.free_trial_money, found.cache_ttl) == ("http://a", Decimal("12.5"), 60)
    assert SDKConfig("redis://b", wallet_api_url="http://a", free_trial_money=Decimal("12.5")) == found
    assert UsageTracker("redis://b", wallet_api_url="http://a/").tokenvault_api_url == "http://a"
    for name, value in (
        ("BALANCE_THRESHOLD", "nan"),
        ("CACHE_TTL", "-1"),
        ("MAX_RETRIES", "x"),
        ("RETRY_BACKOFF_MS", "1.5"),
        ("FREE_TRIAL_MONEY", "much"),
    ):
        with monkeypatch.context() as patch, pytest.raises(SDKConfigurationError, match=name):
            patch.setenv(f"TOKENVAULT_{name}", value)
            SDKConfig.from_env()
    with pytest.raises(SDKConfigurationError, match="stream_name"):
        SDKConfig("redis://b", "http://a", stream_name="").validate()
    given: Any = ...
    for missing in (SDKConfig, UsageTracker):
        with pytest.raises(TypeError):
            missing(given, fail_open=True)


def test_logs() -> None:
    stream = io.StringIO()
    configure_logging("DEBUG", stream=stream)
    get_logger("part").info("told\nin one line", extra={"organization_id": "acme", "latency_ms": 1.5})
    assert stream.getvalue().endswith("[tokenvault_sdk.part] told\\nin one line [org_id=acme, latency_ms=1.5]\n")
    configure_logging("WARNING", "simple", stream)
    get_logger("part").info("not told")
    assert "not told" not in stream.getvalue()
    logging.getLogger("tokenvault_sdk").handlers.clear()
