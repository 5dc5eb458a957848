"""Amounts as people type them: a comma never makes an amount a hundred times what was meant."""

from decimal import Decimal

import pytest

from farebox.cli.amounts import units
from farebox.cli.output import Failure
from farebox.errors import Invalid
from farebox.http.web.forms import Form
from farebox.money import Asset, TwoReadings, typed_decimal

USD = Asset("USD", "US dollar", 1_000_000, Decimal(1))
TOKENS = Asset("unit", "", 1, None)

READ = {
    "12.50": "12.5",
    "1,50": "1.5",
    "0,5": "0.5",
    "0,500": "0.5",
    "1234,567": "1234.567",
    "1,234.50": "1234.5",
    "1,234,567": "1234567",
    "1000": "1000",
    "1e3": "1000",
}


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_what_can_be_read_in_one_way_is(text: str, value: str) -> None:
    assert typed_decimal(text) == Decimal(value)


def test_thousands_or_a_fraction_is_asked_and_not_guessed() -> None:
    with pytest.raises(TwoReadings):
        typed_decimal("1,500")
    assert typed_decimal("1,500", whole=True) == 1500


@pytest.mark.parametrize(
    "text", ["1,5,x", "1,2,3", "1.000,50", "1.000.000,00", ",5", "5,", "12,34,567", "1,234,5", "00,5"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a plain"):
        typed_decimal(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,500", "two ways"),
        ("0", "above zero"),
        ("-1", "above zero"),
        ("9223372036854.775808", "more than a wallet can hold"),
    ],
)
def test_the_command_line_and_the_pages_say_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(Failure, match=said):
        units(text, USD.scale, USD.code)
    with pytest.raises(Invalid, match=said):
        Form({"amount": text}).amount("amount", USD)


def test_a_decimal_comma_is_a_fraction_everywhere() -> None:
    assert units("1,50", USD.scale, USD.code) == Form({"amount": "1,50"}).amount("amount", USD) == 1_500_000
    assert Form({"limit": "2,000"}).amount("limit", TOKENS) == 2000
