"""An explanation is a sum: its lines add up to the amount that was taken, to the last digit."""

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from farebox.charging.explain import explain
from farebox.ledger.types import Usage
from farebox.money import Asset, decimal_text
from farebox.pricing.book import Book, Version
from farebox.pricing.compute import compile_rates
from farebox.pricing.types import Price, Rates, Tier
from farebox.wallets.types import TransferRecord

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ASSETS = {
    "USD": Asset("USD", "US dollar", 10**6, Decimal(1)),
    "TOKEN": Asset("TOKEN", "Token", 1000, Decimal("0.00001")),
    "THIRD": Asset("THIRD", "Third", 100, Decimal("3")),
}

rate = st.integers(0, 10**13).map(lambda nano: decimal_text(nano, 15))
some = st.one_of(st.none(), rate)
rates_of_all_kinds = st.builds(
    Rates,
    input_token=rate,
    output_token=rate,
    cached_input_token=some,
    cache_write_token=some,
    reasoning_token=some,
    call=some,
    units=st.fixed_dictionaries({"images": rate}),
    tiers=st.one_of(st.just(()), st.builds(Tier, st.just(1000), some, some, some).map(lambda tier: (tier,))),
)
count = st.one_of(st.integers(0, 2000), st.integers(0, 10**7))
usages = st.builds(
    Usage, count, count, count, count, count, units=st.integers(0, 9).map(lambda images: (("images", images),))
)


def quoted(rates: Rates, usage: Usage, asset: str, markup: int) -> TransferRecord:
    """A charge of this usage as the journal has it."""
    version = Version(1, "USD", NOW, compile_rates(rates, 10**6))
    book = Book(1, NOW, ASSETS, {1: markup}, {(None, "m"): (version,)}, {})
    quote = book.quote(1, "m", usage, asset, NOW)
    nothing = {
        name: None
        for name in TransferRecord.__struct_fields__
        if name not in ("id", "wallet_id", "kind", "refunded", "available_after", "key", "created_at")
    }
    given = {
        "asset": asset,
        "amount": quote.amount,
        "model": "m",
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_input_tokens": usage.cached_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "units": dict(usage.units),
        "price_id": quote.pricing.price_id,
        "markup_ppm": quote.pricing.markup_ppm,
        "conversion": quote.pricing.conversion,
    }
    base = {"id": 1, "wallet_id": 1, "kind": "charge", "refunded": 0, "available_after": 0, "key": "k"}
    return TransferRecord(**base | {"created_at": NOW} | nothing | given)  # type: ignore[arg-type]


@given(rates_of_all_kinds, usages, st.sampled_from(list(ASSETS)), st.sampled_from([1_000_000, 1_250_001, 0, 3]))
def test_the_lines_add_up_to_the_amount(rates: Rates, usage: Usage, asset: str, markup: int) -> None:
    record = quoted(rates, usage, asset, markup)
    price = Price(1, None, "m", "USD", rates, NOW, "test", "test", NOW)
    with localcontext() as context:
        context.prec = 200
        told = explain(record, price, ASSETS)

        assert all(Decimal(line.cost) == line.quantity * Decimal(line.rate) for line in told.lines)
        assert sum(Decimal(line.cost) for line in told.lines) == Decimal(told.subtotal)

    exact = Fraction(told.subtotal) * Fraction(told.markup) * 10**6 * Fraction(record.conversion or 1)
    scale = ASSETS[asset].scale
    if told.converted.endswith("…"):
        assert 0 < exact / scale - Fraction(told.converted[:-1]) < Fraction(1, 10**30)
    else:
        assert Fraction(told.converted) == exact / scale
        assert Fraction(told.converted) + Fraction(told.rounded_up_by) == Fraction(record.amount, scale)
    assert 0 <= record.amount - exact < 1
