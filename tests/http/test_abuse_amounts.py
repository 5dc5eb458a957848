"""Amounts that are none (lines 1 to 14): refused, repeated to nobody, and nothing moves."""

import json

import pytest

from farebox.ledger.audit import Report, audit
from farebox.ledger.sweeper import sweep
from farebox.ledger.types import MAX_UNITS
from tests.support.doors import EVERY, Doors, check_error
from tests.support.live import Live, fresh_key, made, ok

HUGE = "7" * 5000
BAD: list[tuple[str, str, set[int]]] = [
    ("line_1_negative", "-1", {422}),
    ("line_1_negative_zero", "-0", {422}),
    ("line_1_negative_bigint", "-9223372036854775808", {422}),
    ("line_2_zero", "0", {422}),
    ("line_3_fraction", "1.5", {422}),
    ("line_3_whole_fraction", "1.0", {422}),
    ("line_4_exponent", "1e3", {422}),
    ("line_4_capital_exponent", "1E3", {422}),
    ("line_5_beyond_floats", "1e400", {400, 422}),
    ("line_6_nan", "NaN", {400}),
    ("line_6_infinity", "Infinity", {400}),
    ("line_6_negative_infinity", "-Infinity", {400}),
    ("line_7_text", '"100"', {422}),
    ("line_8_true", "true", {422}),
    ("line_8_false", "false", {422}),
    ("line_9_beyond_bigint", "9223372036854775808", {422}),
    ("line_9_beyond_unsigned", "18446744073709551616", {422}),
    ("line_11_5000_digits", HUGE, {400}),
    ("line_11_5000_digits_negative", f"-{HUGE}", {400}),
    ("line_11_5000_decimals", f"0.{HUGE}", {400, 422}),
    ("line_11_5000_digit_exponent", f"1e{HUGE}", {400, 422}),
    ("line_14_arabic_indic_digits", '"١٠٠"', {422}),
    ("line_14_arabic_indic_bare", "١٠٠", {400}),
    ("list", "[7]", {422}),
    ("object", '{"amount": 7}', {422}),
    ("leading_zero", "007", {400}),
    ("plus", "+7", {400}),
    ("hexadecimal", "0x7", {400, 422}),
    ("underscore", "1_000", {400}),
]
OPTIONAL = {"capture", "refund"}
"""Where no amount means all of it."""

COUNTED = {"line_1_negative_zero", "line_2_zero"}
"""CONXA and TokenVault count tokens, as usage does: none of them is a count."""

CASES = [
    pytest.param(door, amount, statuses, id=f"{case}-{door}")
    for case, amount, statuses in BAD
    for door in EVERY
    if not (door in ("conxa", "tokenvault") and case in COUNTED)
]
COUNTS = [
    pytest.param(member, amount, statuses, id=f"{case}-{member}")
    for case, amount, statuses in BAD
    for member in ("input_tokens", "reasoning_tokens", "calls")
    if case not in COUNTED
]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("door", "amount", "statuses"), CASES)
def test_an_amount_that_is_none(doors: Doors, door: str, amount: str, statuses: set[int]) -> None:
    for member in (doors[door].amount, *doors[door].other_amounts):
        answer = doors[door].send(doors[door].text(amount, member))
        assert answer.status_code in statuses, (member, answer.text)
        check_error(door, answer, answer.status_code, secret=amount.strip('"-') if len(amount) > 5 else "")


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("door", [door for door in EVERY if door not in OPTIONAL])
def test_an_amount_that_is_null_or_missing(doors: Doors, door: str) -> None:
    check_error(door, doors[door].send(doors[door].text("null")), 422)
    left = {name: value for name, value in doors[door].body.items() if name != doors[door].amount}
    check_error(door, doors[door].send(json.dumps(left)), 422)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(("member", "amount", "statuses"), COUNTS)
def test_usage_that_is_none(doors: Doors, member: str, amount: str, statuses: set[int]) -> None:
    text = f'{{"session_token": "{doors.token}", "model": "{doors.model}", "usage": {{"{member}": {amount}}}}}'
    answer = doors["charge"].send(text)
    assert answer.status_code in statuses, answer.text
    check_error("charge", answer, answer.status_code)


@pytest.mark.parametrize("member", ["limit", "charge_limit", "expires_in_s"])
@pytest.mark.parametrize(("case", "amount", "statuses"), BAD, ids=[case for case, _, _ in BAD])
def test_a_limit_that_is_none(doors: Doors, member: str, case: str, amount: str, statuses: set[int]) -> None:
    """Lines 1 to 14 for what a grant allows: no grant comes of it."""
    text = f'{{"provider": "{doors.provider.slug}", "provider_username": "nobody", "{member}": {amount}}}'
    path = f"/v1/wallets/{doors.payee}/grants"
    answer = doors.live.admin.post(path, content=text, headers={"Content-Type": "application/json"})
    assert answer.status_code in statuses, answer.text
    check_error(case, answer, answer.status_code)
    assert ok(doors.live.admin.get(path))["data"] == []


@pytest.mark.parametrize("exact", [2**53 + 1, 2**53 + 3, 9_999_999_999_999_999, MAX_UNITS - 1])
def test_line_10_beyond_what_a_float_holds_exactly(live: Live, exact: int) -> None:
    provider, wallet, other = live.provider(), live.wallet(), live.wallet()
    made(live.admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": exact}, headers=fresh_key()))
    assert live.read_wallet(wallet)["balance"] == exact
    token = provider.grant(wallet, limit=exact)["session_token"]
    done = made(provider.charge(token, amount=exact))
    assert (done["amount"], done["remaining"], done["available"]) == (exact, 0, 0)
    made(provider.api.post(f"/v1/charges/{done['id']}/refunds", json={"amount": exact}, headers=fresh_key()))
    moved = {"from_wallet": wallet, "to_wallet": other, "amount": exact}
    made(live.admin.post("/v1/transfers", json=moved, headers=fresh_key()))
    assert live.read_wallet(other)["balance"] == exact


@pytest.mark.usefixtures("unmoved")
def test_line_12_balance_and_amount_overflow(doors: Doors) -> None:
    most = MAX_UNITS - doors.live.read_wallet(doors.wallet)["balance"]
    refused = doors["deposit"].send(doors["deposit"].text(str(most + 1)))
    check_error("deposit", refused, 422, code="amount_overflow")


def test_line_12_the_payee_of_a_transfer_overflows(live: Live) -> None:
    full, payer = live.wallet(MAX_UNITS), live.wallet(10)
    body = {"from_wallet": payer, "to_wallet": full, "amount": 1}
    check_error("", live.admin.post("/v1/transfers", json=body, headers=fresh_key()), 422, code="amount_overflow")
    assert (live.read_wallet(full)["balance"], live.read_wallet(payer)["balance"]) == (MAX_UNITS, 10)


def test_line_12_tokens_that_come_to_more_than_any_wallet_holds(doors: Doors) -> None:
    before = doors.standing()
    for door in ("conxa", "knai"):
        refused = doors[door].send(doors[door].text(str(MAX_UNITS)))
        check_error(door, refused, 422)
    assert doors.standing() == before


@pytest.mark.usefixtures("unmoved")
@pytest.mark.parametrize("door", ["deposit", "charge", "hold", "transfer"])
@pytest.mark.parametrize("asset", ["USD", "EUR", "NOSUCH"])
def test_line_13_another_asset(doors: Doors, door: str, asset: str) -> None:
    answer = doors[door].send(json.dumps(doors[door].body | {"asset": asset}))
    check_error(door, answer, 422, code="asset_mismatch", secret=asset)


def test_line_13_a_transfer_between_assets(live: Live) -> None:
    payer, payee = live.wallet(10), live.wallet(10, "USD")
    body = {"from_wallet": payer, "to_wallet": payee, "amount": 5}
    check_error("", live.admin.post("/v1/transfers", json=body, headers=fresh_key()), 422, code="asset_mismatch")
    assert (live.read_wallet(payer)["balance"], live.read_wallet(payee)["balance"]) == (10, 10)


DECIMALS = [
    ("negative", "-0.5", {422}),
    ("zero", "0", {422}),
    ("zero_with_decimals", "0.000", {422}),
    ("finer_than_any_unit", "0.0000000000001", {422}),
    ("finer_than_one_unit", "0.0001", {422}),
    ("more_than_any_wallet", "1e16", {422}),
    ("exponent_beyond_reason", "1e999999999999", {400, 422}),
    ("exponent_below_reason", "1e-999999999999", {400, 422}),
    ("5000_digits", HUGE, {400, 422}),
    ("5000_decimals", f"0.{HUGE}", {400, 422}),
    ("nan", "NaN", {400}),
    ("infinity", "Infinity", {400}),
    ("text_nan", '"NaN"', {422}),
    ("text_infinity", '"Infinity"', {422}),
    ("signalling_nan", '"sNaN"', {422}),
    ("arabic_indic", '"١٠٠"', {422}),
    ("underscores", '"1_000"', {422}),
    ("true", "true", {422}),
    ("words", '"lots"', {422}),
    ("list", "[1]", {422}),
]


@pytest.mark.parametrize(("case", "limit", "statuses"), DECIMALS, ids=[case for case, _, _ in DECIMALS])
def test_a_decimal_limit_that_is_none(doors: Doors, case: str, limit: str, statuses: set[int]) -> None:
    """The limit in a QR code is in whole tokens, as a decimal: exact to the wallet's unit."""
    qr = f'{{"provider_id": "{doors.provider.slug}", "provider_username": "u", "limit": {limit}}}'
    text = f'{{"wallet": "{doors.wallet}", "qr": {qr}}}'
    answer = doors.live.admin.post(
        "/v1/connection-requests", content=text, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in statuses, answer.text
    check_error(case, answer, answer.status_code, secret=limit.strip('"') if len(limit) > 10 else "")


def test_a_decimal_limit_is_exact(doors: Doors) -> None:
    scale = doors.live.read_wallet(doors.wallet)["scale"]
    for limit, units in (("12.5", 125 * scale // 10), ('"0.1"', scale // 10), ("9007199254740.993", 2**53 + 1)):
        qr = f'{{"provider_id": "{doors.provider.slug}", "provider_username": "u", "limit": {limit}}}'
        answer = doors.live.admin.post(
            "/v1/connection-requests",
            content=f'{{"wallet": "{doors.wallet}", "qr": {qr}}}',
            headers={"Content-Type": "application/json"},
        )
        assert made(answer)["limit"] == units


async def _books(live: Live) -> Report:
    async with live.services.pool.acquire() as conn:
        return await audit(conn)


def test_line_12_sums_over_wallets_have_no_bound(live: Live) -> None:
    """Each wallet's balance fits 64 bits; what came in from outside, what went through, what was earned need not."""
    provider, first = live.provider(), live.wallet(MAX_UNITS)
    for _ in range(3):
        second = live.wallet()
        body = {"from_wallet": first, "to_wallet": second, "amount": MAX_UNITS}
        made(live.admin.post("/v1/transfers", json=body, headers=fresh_key()))
        token = provider.grant(second, limit=MAX_UNITS)["session_token"]
        made(provider.charge(token, amount=MAX_UNITS))
        made(live.admin.post(f"/v1/wallets/{first}/deposits", json={"amount": MAX_UNITS}, headers=fresh_key()))
    told = ok(live.admin.get(f"/v1/wallets/{first}/statement"))
    assert (told["money_in"], told["money_out"], told["closing_balance"]) == (4 * MAX_UNITS, 3 * MAX_UNITS, MAX_UNITS)
    for folded in (False, True):
        if folded:
            live.call(sweep(live.services.pool, live.services.ledger, 60))
        assert ok(live.admin.get(f"/v1/providers/{provider.slug}/revenue"))[0]["balance"] == 3 * MAX_UNITS
        assert live.call(_books(live)).clean
