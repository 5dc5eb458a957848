"""LiteLLM's format: numbers to their last digit, tiers, units, and a remark for whatever is not kept."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.ledger.types import Usage
from farebox.pricing.compute import compile_rates, total_nano
from farebox.pricing.importers import Found, litellm
from farebox.pricing.types import NANO, NewPrice, Rates, Tier

LIST = b"""{
  "sample_spec": {"input_cost_per_token": 0.01, "output_cost_per_token": 0.02},
  "gpt-x": {
    "max_tokens": 4096, "litellm_provider": "openai", "mode": "chat", "supports_vision": true,
    "input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "cache_read_input_token_cost": 7.5e-8,
    "output_cost_per_token_batches": 3e-07, "deprecation_date": "2026-01-01"
  },
  "claude-y": {
    "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
    "cache_creation_input_token_cost": 3.75e-06, "cache_read_input_token_cost": 3e-07,
    "cache_creation_input_token_cost_above_1hr": 6e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
    "search_context_cost_per_query": {"search_context_size_low": 0.01}
  },
  "gemini-z": {
    "input_cost_per_token": 7.5E-8, "input_cost_per_token_above_128k_tokens": 1.5E-7, "output_cost_per_token": 3e-7,
    "output_cost_per_reasoning_token": 3.5e-06, "input_cost_per_audio_token": 1e-06
  },
  "image-1": {"output_cost_per_image": 0.04, "input_cost_per_pixel": 1.9e-08, "output_cost_per_pixel": 0.0},
  "speech": {"input_cost_per_character": 0.000015, "output_cost_per_second": 0.0001},
  "rerank": {"input_cost_per_query": 0.002, "input_cost_per_token": 0.0},
  "free": {"input_cost_per_token": 0, "output_cost_per_token": 0},
  "nothing": {"mode": "chat"}
}"""


@pytest.fixture(scope="module")
def found() -> Found:
    return litellm.read(LIST)


EXPECTED = {
    "gpt-x": Rates(input_token="0.00000015", output_token="0.0000006", cached_input_token="0.000000075"),
    "claude-y": Rates(
        input_token="0.000003",
        output_token="0.000015",
        cached_input_token="0.0000003",
        cache_write_token="0.00000375",
        units={"cache_write_1h_tokens": "0.000006"},
        tiers=(Tier(200_000, "0.000006", "0.0000225", "0.0000003", "0.00000375"),),
    ),
    "gemini-z": Rates(
        input_token="0.000000075",
        output_token="0.0000003",
        reasoning_token="0.0000035",
        units={"input_audio_tokens": "0.000001"},
        tiers=(Tier(128_000, "0.00000015", "0.0000003", reasoning_token="0.0000035"),),
    ),
    "image-1": Rates(units={"output_images": "0.04", "input_pixels": "0.000000019", "output_pixels": "0"}),
    "speech": Rates(units={"input_characters": "0.000015", "output_seconds": "0.0001"}),
    "rerank": Rates(call="0.002", input_token="0"),
    "free": Rates(input_token="0", output_token="0"),
}


def test_the_sample_comes_out_exactly(found: Found) -> None:
    assert found.prices == [NewPrice(model, "USD", rates) for model, rates in EXPECTED.items()]


def test_whatever_is_not_kept_is_said(found: Found) -> None:
    assert [(remark.model, remark.reason.split(":")[0]) for remark in found.remarks] == [
        ("gpt-x", "output_cost_per_token_batches"),
        ("claude-y", "search_context_cost_per_query"),
        ("nothing", "has no price"),
    ]


def test_a_charge_by_it(found: Found) -> None:
    by_model = {price.model: compile_rates(price.rates, 10**6) for price in found.prices if price.rates}
    usage = Usage(input_tokens=200_001, cached_input_tokens=10, output_tokens=100)
    exact = 200_001 * Fraction("6e-6") + 10 * Fraction("3e-7") + 100 * Fraction("2.25e-5")
    assert Fraction(total_nano(by_model["claude-y"], usage), NANO * 10**6) == exact


ODD: list[tuple[Any, str]] = [
    ("0.0000001", "not a number"),
    (-1e-7, "not a number"),
    (True, "not a number"),
    ([1e-7], "not a number"),
    ({"a": 1}, "not a number"),
    (10**12, "not a number"),
]


@pytest.mark.parametrize(("value", "reason"), ODD)
def test_a_unit_that_has_no_price_is_only_left_out(value: Any, reason: str) -> None:
    text = json.dumps({"m": {"output_cost_per_image": value, "output_cost_per_token": 1e-6}}).encode()
    found = litellm.read(text)
    assert [price.rates for price in found.prices] == [Rates(output_token="0.000001")]
    assert reason in found.remarks[0].reason


@pytest.mark.parametrize(
    "key",
    [
        "input_cost_per_token",
        "cache_read_input_token_cost",
        "output_cost_per_reasoning_token",
        "input_cost_per_token_above_200k_tokens",
        "input_cost_per_request",
    ],
)
@pytest.mark.parametrize(("value", "reason"), ODD)
def test_a_rate_that_is_no_price_leaves_the_model_out(key: str, value: Any, reason: str) -> None:
    found = litellm.read(json.dumps({"m": {"output_cost_per_token": 1e-6, key: value}}).encode())
    assert found.prices == []
    assert [(remark.model, remark.reason.split(":")[0]) for remark in found.remarks] == [("m", key)]
    assert reason in found.remarks[0].reason


@pytest.mark.parametrize("zero", ["-0.0", "0e-999999999999999999", "0E5", "0.000"])
def test_a_zero_is_a_zero_however_it_is_written(zero: str) -> None:
    found = litellm.read(b'{"m": {"input_cost_per_token": %s}}' % zero.encode())
    assert [price.rates for price in found.prices] == [Rates(input_token="0")]


def test_a_mark_of_the_encoding_in_front_is_no_part_of_the_list() -> None:
    assert litellm.read(b"\xef\xbb\xbf" + LIST) == litellm.read(LIST)


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{", b'{"m": 1}', b'{"m": {"input_cost_per_token": NaN}}', b"\xff\xfe{}", b'"x"', b"null", b"{}}"],
)
def test_something_else_is_no_list(text: bytes) -> None:
    with pytest.raises(litellm.BadList):
        litellm.read(text)


@pytest.mark.parametrize("key", ["input_cost_per_token", "cache_read_input_token_cost", "input_cost_per_query"])
def test_a_rate_that_is_too_fine_leaves_the_model_out(key: str) -> None:
    found = litellm.read(b'{"m": {"output_cost_per_token": 1e-6, "%s": 8.333333333333334e-08}}' % key.encode())
    assert found.prices == []
    assert [(remark.model, remark.reason.split(":")[0]) for remark in found.remarks] == [("m", key)]


def test_a_unit_that_is_too_fine_is_only_left_out() -> None:
    found = litellm.read(b'{"m": {"output_cost_per_token": 1e-6, "output_cost_per_second": 3.0833333333333e-05}}')
    assert [price.rates for price in found.prices] == [Rates(output_token="0.000001")]
    assert "output_cost_per_second" in found.remarks[0].reason


@pytest.mark.parametrize("name", ["", "x" * 201, "a\\u0000b"])
def test_names_that_the_book_can_not_have_are_said(name: str) -> None:
    found = litellm.read(b'{"%s": {"input_cost_per_token": 1e-6}}' % name.encode())
    assert (found.prices, len(found.remarks)) == ([], 1)


digits = st.integers(0, 10**12)


@given(digits, st.integers(-15, -3), st.sampled_from(["{}e{}", "{}E{}", "{}.0e{}", "plain"]))
def test_any_way_of_writing_a_number_is_the_same_number(number: int, exponent: int, form: str) -> None:
    value = Decimal(number).scaleb(exponent)
    text = format(value, "f") if form == "plain" else form.format(number, exponent)
    found = litellm.read(b'{"m": {"input_cost_per_token": %s}}' % text.encode())
    if value >= 10**9:
        assert found.prices == []
        return
    assert found.prices[0].rates is not None
    assert Decimal(found.prices[0].rates.input_token or "x") == value


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(max_size=60) | values.map(msgspec.json.encode))
def test_no_bytes_break_it(text: bytes) -> None:
    try:
        litellm.read(text)
    except litellm.BadList as error:
        assert str(error)


def test_no_depth_breaks_it() -> None:
    with pytest.raises(litellm.BadList):
        litellm.read(b'{"m": {"k": ' + b"[" * 100_000)
