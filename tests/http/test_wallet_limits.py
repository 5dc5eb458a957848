"""Limits that people set on their own wallets, on the wallet's pages."""

import asyncio
import re

import httpx
import pytest

from tests.support.browsing import Browser, Fields, approved, token_of
from tests.support.live import Live, Provider, made

LIMITS = "/wallet/limits"


def set_limit(browser: Browser, period: str, amount: str, zone: str = "Europe/Berlin") -> int:
    done = browser.submit(browser.get(LIMITS), LIMITS, period=period, amount=amount, zone=zone)
    return done.status_code


def test_a_limit_is_set_counts_stops_explains_and_goes(browser: Browser, shop: Provider) -> None:
    assert "None: services can draw" in browser.get(LIMITS).text
    assert set_limit(browser, "DAILY", "0.30") == 303
    approved(browser, shop, limit="0.5")
    token = token_of(shop)
    assert shop.charge(token, amount=200_000).status_code == 201
    assert "Used 0.2 of 0.3 USD today" in browser.get("/wallet").text
    refused = shop.charge(token, amount=100_001)
    assert (refused.status_code, refused.json()["code"]) == (403, "envelope_limit_exceeded")
    live_part = browser.get(f"{LIMITS}/live").text
    assert "<b>0.2</b> of 0.3 USD" in live_part
    assert re.search(r"begins again <time datetime", live_part)
    newest = re.findall(r"/wallet/history/tr_\w+", browser.get("/wallet/history").text)[0]
    told = browser.get(newest).text
    assert "Own limit of a day" in told
    assert "used 0.2 of 0.3 USD in its day" in told

    assert set_limit(browser, "DAILY", "0.5") == 303
    assert "<b>0.2</b> of 0.5 USD" in browser.get(LIMITS).text, "changed, and what was used stays"
    assert shop.charge(token, amount=100_001).status_code == 201
    gone = browser.submit(browser.get(LIMITS), f"{LIMITS}/remove", period="DAILY")
    assert gone.status_code == 303
    assert "None: services can draw" in browser.get(LIMITS).text
    assert shop.charge(token, amount=199_999).status_code == 201


def test_one_a_period_beside_each_other(browser: Browser, live: Live) -> None:
    for period, amount in (("YEARLY", "100"), ("WEEKLY", "3"), ("MONTHLY", "10"), ("DAILY", "1")):
        assert set_limit(browser, period, amount, zone="No/Where") == 303
    text = browser.get(f"{LIMITS}/live").text
    assert re.findall(r"In a (\w+)", text) == ["day", "week", "month", "year"]
    assert len(live.call(live.services.own_limits.of(int(browser.wallet)))) == 4


async def test_two_windows_that_set_it_at_once(live: Live) -> None:

    ada = Browser(live).sign_up()
    page = ada.get(LIMITS)

    fields = Fields(page.text).forms[LIMITS] | {"period": "MONTHLY"}
    async with httpx.AsyncClient(base_url=live.url, cookies=ada.http.cookies, headers={"Origin": live.url}) as http:
        done = await asyncio.gather(*(http.post(LIMITS, data=fields | {"amount": str(n)}) for n in range(1, 11)))
    assert {answer.status_code for answer in done} == {303}
    assert len(re.findall("In a month", ada.get(f"{LIMITS}/live").text)) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"period": "HOURLY", "amount": "1"},
        {"period": "", "amount": "1"},
        {"period": "DAILY", "amount": ""},
        {"period": "DAILY", "amount": "0"},
        {"period": "DAILY", "amount": "-1"},
        {"period": "DAILY", "amount": "0.0000001"},
        {"period": "DAILY", "amount": "1e400"},
        {"period": "DAILY", "amount": "١"},
        {"period": "DAILY", "amount": "1", "zone": "x" * 100},
    ],
)
def test_limits_that_are_none(browser: Browser, fields: dict[str, str]) -> None:
    done = browser.submit(browser.get(LIMITS), LIMITS, **fields)
    assert done.status_code == 422
    assert "None: services can draw" in browser.get(LIMITS).text


def test_an_operators_limit_is_seen_and_stays(browser: Browser, shop: Provider, live: Live) -> None:
    applies = {"kind": "wallet", "name": browser.wallet}
    terms = {"name": "House rule", "limit": 100_000, "period": "WEEKLY", "counts": "money", "asset": "USD"}
    made(live.admin.post("/v1/envelopes", json=terms | {"applies_to": applies}))
    assert "set by who runs this place" in browser.get(LIMITS).text
    assert f"{LIMITS}/remove" not in browser.get(LIMITS).text
    page = browser.get(LIMITS)
    mark = Fields(page.text).forms[LIMITS]["csrf"]
    assert browser.post(f"{LIMITS}/remove", period="WEEKLY", csrf=mark).status_code == 404
    approved(browser, shop, limit="0.5")
    assert shop.charge(token_of(shop), amount=100_001).status_code == 403
    newest = re.findall(r"/wallet/history/tr_\w+", browser.get("/wallet/history").text)[0]
    assert "House rule" in browser.get(newest).text


def test_a_limit_of_everybody_is_not_named(browser: Browser, shop: Provider, live: Live) -> None:
    applies = {"kind": "provider", "name": shop.slug}
    terms = {"name": "Their secret cap", "limit": 1000, "period": "DAILY", "counts": "money", "asset": "USD"}
    made(live.admin.post("/v1/envelopes", json=terms | {"applies_to": applies}))
    approved(browser, shop, limit="0.5")
    assert shop.charge(token_of(shop), amount=1001).status_code == 403
    newest = re.findall(r"/wallet/history/tr_\w+", browser.get("/wallet/history").text)[0]
    told = browser.get(newest).text
    assert "a limit of who runs this place, and not of your wallet alone" in told
    assert "secret cap" not in told
    assert "secret cap" not in browser.get(LIMITS).text


def test_line_66_from_another_site(browser: Browser) -> None:
    cross = browser.post(LIMITS, {"Origin": "https://evil.example"}, period="DAILY", amount="1")
    unmarked = browser.post(LIMITS, period="DAILY", amount="1")
    assert (cross.status_code, unmarked.status_code) == (403, 403)
    assert "None: services can draw" in browser.get(LIMITS).text
