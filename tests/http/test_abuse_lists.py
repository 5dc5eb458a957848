"""Many at once in one body (lines 30 and 31), prices and names that are none: all of it is refused, or nothing."""

import json
from typing import Any

import pytest

from tests.support.doors import check_error
from tests.support.live import Live, fresh_key, made, ok

PRICE = {"model": "m-list", "asset": "TOKEN", "input_token": "1"}


def prices_of(live: Live, model: str) -> list[Any]:
    return [price for price in ok(live.admin.get("/v1/prices?limit=1000"))["data"] if price["model"] == model]


def test_line_30_a_list_of_a_million(live: Live) -> None:
    """Larger than a body may be: refused before any of it is read."""
    text = json.dumps({"prices": [PRICE] * 1_000_000})
    check_error("native", live.admin.post("/v1/prices/import", content=text, headers=JSON), 413)
    check_error("native", live.admin.post("/v1/prices/import", json={"prices": [PRICE] * 1001}), 422)
    assert prices_of(live, "m-list") == []


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize("prices", [[], None, {}, "x", [None], [[]], [{}], [PRICE, {}], [PRICE | {"more": 1}]])
def test_line_31_a_list_of_nothing(live: Live, prices: Any) -> None:
    check_error("native", live.admin.post("/v1/prices/import", json={"prices": prices}), 422)
    assert prices_of(live, "m-list") == []


RATES: list[Any] = [
    "-1",
    "1e3",
    "1e400",
    "NaN",
    "Infinity",
    "",
    " 1",
    "1 ",
    "01",
    "1.",
    ".5",
    "+1",
    "1_0",
    "0x1",
    "\u0661",
    "1,5",
]
RATES += ["1" * 31, f"0.{'1' * 31}", "7" * 5000, 1, 1.5, True, [], {}, "1\n"]


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: repr(rate)[:20])
def test_a_rate_that_is_none(live: Live, rate: Any) -> None:
    """Decimals are text, exact, and of one spelling."""
    for path, body in (
        ("/v1/prices/*/m-rate", {"asset": "TOKEN", "input_token": rate}),
        ("/v1/prices/*/m-rate", {"asset": "TOKEN", "output_token": rate, "input_token": "1"}),
        ("/v1/assets/RATED", {"name": "n", "scale": 100, "usd_price": rate}),
    ):
        answer = live.admin.put(path, json=body)
        check_error("native", answer, 422, secret=str(rate) if len(str(rate)) > 8 else "")
    markup = live.admin.post("/v1/providers", json={"slug": "rated", "name": "n", "markup": rate})
    check_error("native", markup, 422)
    assert prices_of(live, "m-rate") == []
    assert live.admin.get("/v1/providers/rated").status_code == 404


@pytest.mark.parametrize("markup", ["0.0000001", "1000.000001", "999999999999999999999999999999"])
def test_a_markup_that_is_finer_or_larger_than_it_can_be(live: Live, markup: str) -> None:
    check_error("native", live.admin.post("/v1/providers", json={"slug": "marked", "name": "n", "markup": markup}), 422)
    assert live.admin.get("/v1/providers/marked").status_code == 404


SCALES: list[Any] = [0, -1, 3, 999, 10**10, 2**63, 1.0, "100", True, None]


@pytest.mark.parametrize("scale", SCALES, ids=repr)
def test_a_scale_that_is_none(live: Live, scale: Any) -> None:
    check_error("native", live.admin.put("/v1/assets/SCALED", json={"name": "n", "scale": scale}), 422)
    assert "SCALED" not in [asset["code"] for asset in ok(live.admin.get("/v1/assets"))]


SLUGS: list[Any] = ["", "A", "a_b", "a b", "a/b", "-a", "a" * 40, "a\n", "\u0430", "..", "a\x00", None, 1, ["a"]]


@pytest.mark.parametrize("slug", SLUGS, ids=repr)
def test_a_slug_that_is_none(live: Live, slug: Any) -> None:
    check_error("native", live.admin.post("/v1/providers", json={"slug": slug, "name": "n"}), 422)


TEXTS: list[Any] = ["", "a" * 501, "a\x00", None, 1, True, []]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text)[:20])
def test_names_and_notes_that_are_none(live: Live, text: Any) -> None:
    wallet = live.wallet(10)
    before = live.read_wallet(wallet)
    for path, body in (
        ("/v1/providers", {"slug": "named", "name": text}),
        ("/v1/organizations", {"id": "named", "name": text}),
        ("/v1/keys", {"name": text}),
        ("/v1/wallets", {"asset": "TOKEN", "owner": text}),
        (f"/v1/wallets/{wallet}/deposits", {"amount": 1, "note": text}),
        (f"/v1/wallets/{wallet}/deposits", {"amount": 1, "reference": text}),
        (f"/v1/wallets/{wallet}/deposits", {"amount": 1, "source": text}),
    ):
        if text is None and path.startswith("/v1/wallets") and "source" not in body:
            continue  # null is not given
        check_error("native", live.admin.post(path, json=body, headers=fresh_key()), 422)
    assert live.read_wallet(wallet) == before


TEXT = [
    "\U0001f600" * 50,
    "a\u0301\u0302\u0303" * 20,
    "\u202eabc",
    "'; DROP TABLE wallets; --",
    "%s %d {0} ${x}",
    "<b>\r\n\t\x1b[31m",
]


@pytest.mark.parametrize("text", [*TEXT, "\\", "\ufeff", "\uffff", "null"], ids=lambda text: repr(text)[:20])
def test_any_text_comes_back_as_it_was(live: Live, text: str) -> None:
    wallet = live.wallet(owner=text)
    assert live.read_wallet(wallet)["owner"] == text
    assert [found["id"] for found in ok(live.admin.get("/v1/wallets", params={"owner": text}))["data"]][-1:] == [wallet]
    made(live.admin.post(f"/v1/wallets/{wallet}/deposits", json={"amount": 1, "note": text}, headers=fresh_key()))
    assert ok(live.admin.get(f"/v1/wallets/{wallet}/statement"))["data"][0]["note"] == text


def test_a_reference_comes_in_once(live: Live) -> None:
    """The same again: the same deposit. Another amount or wallet under it: refused, and nothing moves."""
    wallet, other = live.wallet(), live.wallet()
    body = {"amount": 5, "source": "bank", "reference": f"line-{wallet}"}
    first = made(live.admin.post(f"/v1/wallets/{wallet}/deposits", json=body))
    for key in ({}, fresh_key()):
        again = live.admin.post(f"/v1/wallets/{wallet}/deposits", json=body | {"note": "told again"}, headers=key)
        assert made(again) == first
        assert again.headers["Idempotent-Replayed"] == "true"
    for path, given in ((wallet, body | {"amount": 6}), (other, body)):
        for key in ({}, fresh_key()):
            answer = live.admin.post(f"/v1/wallets/{path}/deposits", json=given, headers=key)
            check_error("native", answer, 409, code="reference_reused")
    assert (live.read_wallet(wallet)["balance"], live.read_wallet(other)["balance"]) == (5, 0)
