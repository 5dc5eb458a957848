"""The meter: what the answers of AI services tell, taken out of a hold, however the block ends."""

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from farebox import AsyncFarebox, Farebox
from farebox.client import Forbidden, NoUsage, PaymentRequired, Unreachable, Usage
from farebox.client.usages import Seen
from tests.clients.shops import Shop
from tests.support.live import ADMIN_KEY, Live


def an(value: Any) -> Any:
    """The same as an object, as the services' own libraries give it."""
    if isinstance(value, dict):
        return SimpleNamespace(**{name: an(inner) for name, inner in value.items()})
    return value


OPENAI = {
    "id": "chatcmpl-1",
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "total_tokens": 150,
        "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 20, "accepted_prediction_tokens": 0},
    },
}
RESPONSES = {
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 50,
        "output_tokens_details": {"reasoning_tokens": 20},
        "total_tokens": 150,
    }
}
ANTHROPIC = {
    "type": "message",
    "usage": {
        "input_tokens": 40,
        "cache_read_input_tokens": 60,
        "cache_creation_input_tokens": 7,
        "output_tokens": 50,
        "service_tier": "standard",
    },
}
GROQ = {"usage": {"queue_time": 0.02, "prompt_tokens": 100, "completion_tokens": 50, "total_time": 0.5}}
GENAI = {
    "usage_metadata": {
        "prompt_token_count": 100,
        "cached_content_token_count": 60,
        "candidates_token_count": 30,
        "thoughts_token_count": 20,
        "tool_use_prompt_token_count": None,
        "total_token_count": 150,
    }
}
GENAI_JSON = {"usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 30, "thoughtsTokenCount": 20}}
SPLIT = Usage(input_tokens=40, cached_input_tokens=60, output_tokens=30, reasoning_tokens=20)

ANSWERS = [
    (OPENAI, SPLIT),
    (OPENAI["usage"], SPLIT),
    (RESPONSES, SPLIT),
    (ANTHROPIC, Usage(input_tokens=40, cached_input_tokens=60, cache_write_tokens=7, output_tokens=50)),
    (GROQ, Usage(input_tokens=100, output_tokens=50)),
    (GENAI, SPLIT),
    (GENAI_JSON, Usage(input_tokens=100, output_tokens=30, reasoning_tokens=20)),
]
STREAMS: list[tuple[list[dict[str, Any]], Usage]] = [
    ([{"choices": [1], "usage": None}, {"choices": [], **OPENAI}], SPLIT),
    (
        [{"type": "response.created", "response": {"usage": None}}, {"type": "done", "response": RESPONSES}],
        SPLIT,
    ),
    (
        [
            {"type": "message_start", "message": {"usage": {"input_tokens": 40, "output_tokens": 1}}},
            {"type": "content_block_delta", "delta": {"text": "Hi"}},
            {"type": "message_delta", "usage": {"output_tokens": 15}},
            {"type": "message_delta", "usage": {"output_tokens": 50, "cache_read_input_tokens": 60}},
        ],
        Usage(input_tokens=40, cached_input_tokens=60, output_tokens=50),
    ),
    ([{"x_groq": {"id": "r"}}, {"x_groq": GROQ}], Usage(input_tokens=100, output_tokens=50)),
    (
        [{"usage_metadata": {"prompt_token_count": 100, "candidates_token_count": 3}}, GENAI],
        SPLIT,
    ),
]


@pytest.mark.parametrize("as_object", [False, True])
@pytest.mark.parametrize(("answer", "usage"), ANSWERS)
def test_what_an_answer_tells(answer: Any, usage: Usage, as_object: bool) -> None:
    seen = Seen()
    seen.read(an(answer) if as_object else answer)
    assert seen.usage == usage


@pytest.mark.parametrize("as_object", [False, True])
@pytest.mark.parametrize(("parts", "usage"), STREAMS)
def test_what_a_stream_tells(parts: list[Any], usage: Usage, as_object: bool) -> None:
    seen = Seen()
    for part in parts:
        seen.read(an(part) if as_object else part)
    assert seen.usage == usage


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"usage": None},
        {"usage": {"prompt_tokens": -1}},
        {"usage": {"prompt_tokens": 1.0}},
        {"usage": {"prompt_tokens": True}},
        "text",
        None,
    ],
)
def test_what_tells_nothing(answer: Any) -> None:
    seen = Seen()
    seen.read(answer)
    assert seen.usage is None


@pytest.fixture
def admin(live: Live) -> Iterator[Farebox]:
    with Farebox(live.url, ADMIN_KEY) as found:
        yield found


@pytest.fixture
def shop(admin: Farebox) -> Iterator[Shop]:
    """TOKEN: 1 a token in, 0.5 a token out, times 1.5; in units of a thousandth."""
    found = Shop(admin)
    yield found
    found.client.close()


WORST = Usage(input_tokens=200, output_tokens=100)
USED = {"usage": {"prompt_tokens": 100, "completion_tokens": 50}}
COST = 187_500


def test_it_takes_what_was_used(shop: Shop) -> None:
    with shop.client.meter(shop.token, model=shop.model, worst=WORST) as m:
        assert shop.admin.wallets.get(shop.wallet).held == 375_000
        assert m.take(USED) is USED
        assert list(m.stream([{"usage": None}, USED])) == [{"usage": None}, USED]
        assert m.amount == 0
    assert m.usage == Usage(input_tokens=200, output_tokens=100)
    assert (m.amount, shop.available()) == (2 * COST, 1_000_000 - 2 * COST)
    assert [(charge.kind, charge.usage) for charge in shop.client.charges.list()] == [("capture", m.usage)]


@pytest.mark.parametrize("which", ["token", "grant id", "grant", "session"])
def test_who_pays(shop: Shop, which: str) -> None:
    payers: dict[str, Any] = {
        "token": shop.token,
        "grant id": shop.grant.id,
        "grant": shop.grant,
        "session": shop.client.session(shop.user),
    }
    with shop.client.meter(payers[which], model=shop.model, worst=WORST) as m:
        m.take(USED)
    assert m.amount == COST


def test_a_session_that_is_not_there(shop: Shop) -> None:
    with pytest.raises(ValueError, match="not active"):
        shop.client.meter(shop.client.session("nobody"), model=shop.model)


def test_without_a_word_it_holds_a_usual_worst_case(shop: Shop) -> None:
    shop.admin.wallets.deposit(shop.wallet, 50_000_000)
    with shop.client.meter(shop.token, model=shop.model) as m:
        assert m.hold.amount == (16_384 + 2_048) * 1_500
    assert (m.charges, shop.available()) == ([], 51_000_000)


def test_nothing_used_is_nothing_taken(shop: Shop) -> None:
    with shop.client.meter(shop.token, model=shop.model, amount=5_000) as m:
        assert m.hold.amount == 5_000
    assert (m.charges, m.amount, shop.available()) == ([], 0, 1_000_000)
    assert shop.client.holds.get(m.hold.id).state == "released"


def test_a_failure_inside_takes_what_was_used_before_it(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError), shop.client.meter(shop.token, model=shop.model, worst=WORST) as m:
        m.take(USED)
        raise ZeroDivisionError
    assert (m.amount, shop.available()) == (COST, 1_000_000 - COST)


def test_a_failure_before_any_use_frees_the_hold(shop: Shop) -> None:
    with pytest.raises(KeyboardInterrupt), shop.client.meter(shop.token, model=shop.model, worst=WORST):
        raise KeyboardInterrupt
    assert shop.available() == 1_000_000


def test_a_stream_that_breaks_off_counts_as_far_as_it_told(shop: Shop) -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield {"type": "message_start", "message": {"usage": {"input_tokens": 100, "output_tokens": 1}}}
        yield {"type": "message_delta", "usage": {"output_tokens": 50}}
        raise ConnectionError

    with pytest.raises(ConnectionError), shop.client.meter(shop.token, model=shop.model, worst=WORST) as m:
        for _ in m.stream(broken()):
            pass
    assert m.amount == COST


def test_a_stream_that_is_left_counts_as_far_as_it_told(shop: Shop) -> None:
    with shop.client.meter(shop.token, model=shop.model, worst=WORST) as m:
        for _ in m.stream([USED, {}, {}]):
            break
    assert m.amount == COST


def test_more_than_the_hold_is_taken_in_full(shop: Shop) -> None:
    worst = Usage(input_tokens=10)
    with shop.client.meter(shop.token, model=shop.model, worst=worst) as m:
        m.take(USED)
    assert [charge.amount for charge in m.charges] == [15_000, COST - 15_000]
    assert (m.amount, shop.available()) == (COST, 1_000_000 - COST)
    m.settle()
    assert shop.available() == 1_000_000 - COST


def test_more_than_the_wallet_has_takes_the_hold_and_says_so(admin: Farebox) -> None:
    shop = Shop(admin, 20_000)
    with pytest.raises(PaymentRequired), shop.client.meter(shop.token, model=shop.model, amount=15_000) as m:
        m.take(USED)
    assert shop.available() == 5_000
    admin.wallets.deposit(shop.wallet, 1_000_000)
    with pytest.raises(PaymentRequired):
        m.settle()  # a refusal is an answer: the same ask has the same
    assert shop.available() == 1_005_000
    shop.client.close()


def test_work_that_outlasts_its_hold_is_charged(shop: Shop) -> None:
    with shop.client.meter(shop.token, model=shop.model, worst=WORST, expires_in_s=1) as m:
        m.take(USED)
        while shop.client.holds.get(m.hold.id).state == "pending":
            pass
    assert (m.amount, shop.available()) == (COST, 1_000_000 - COST)
    kept = [(charge.kind, charge.refusal) for charge in shop.client.charges.list()]
    assert kept == [("charge", None), ("capture", "hold_expired")]


def test_a_hold_that_is_refused_lets_nobody_in(admin: Farebox) -> None:
    shop = Shop(admin, 1_000, limit=500)
    with pytest.raises(Forbidden), shop.client.meter(shop.token, model=shop.model, amount=600):
        pytest.fail("the block was entered")
    shop.client.close()


def test_an_answer_without_usage_is_an_error_and_not_free(shop: Shop) -> None:
    with shop.client.meter(shop.token, model=shop.model, worst=WORST) as m:
        with pytest.raises(NoUsage, match="include_usage"):
            m.take({"choices": []})
        with pytest.raises(NoUsage):
            list(m.stream([{"choices": []}]))
        m.used(Usage(input_tokens=100, output_tokens=50))
    assert m.amount == COST


def test_a_server_that_is_away_does_not_hide_the_failure_inside(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError) as failed, shop.client.meter(shop.token, model=shop.model, worst=WORST) as m:
        m.take(USED)
        m._carrier = _Away()
        raise ZeroDivisionError
    assert "could not be settled" in failed.value.__notes__[0]
    m._carrier = shop.client._carrier
    m.settle()
    m.settle()
    assert (m.amount, shop.available()) == (COST, 1_000_000 - COST)


class _Away:
    def run(self, program: Any) -> None:
        raise Unreachable("no connection came about", maybe_done=False)


async def test_the_same_with_asyncio(live: Live, shop: Shop) -> None:
    async def parts(*found: Any) -> AsyncIterator[Any]:
        for part in found:
            yield part

    async with AsyncFarebox(live.url, shop.key) as client:
        async with client.meter(shop.token, model=shop.model, worst=WORST) as m:
            m.take(USED)
            assert [part async for part in m.stream(parts({"usage": None}, USED))] == [{"usage": None}, USED]
        assert m.amount == 2 * COST
        with pytest.raises(ZeroDivisionError):
            async with client.meter(shop.grant, model=shop.model, worst=WORST) as m:
                async for _ in m.stream(parts(USED)):
                    raise ZeroDivisionError
        assert m.amount == COST
        with pytest.raises(NoUsage):
            async with client.meter(shop.grant, model=shop.model, worst=WORST) as m:
                async for _ in m.stream(parts({})):
                    pass
    assert shop.available() == 1_000_000 - 3 * COST
