"""The wallet's pages that move money between people, hand out tokens, and tell a month."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from farebox.http.web.wallet import statement
from tests.support.browsing import Browser, Fields, approved, token_of
from tests.support.live import ADMIN_KEY, Live, Provider, fresh_key, made
from tests.support.people import Somebody


def sent(browser: Browser, to: str, amount: str, **more: str) -> str:
    """The path of a new payment."""
    done = browser.submit(browser.get("/wallet/send"), "/wallet/send", recipient=to, amount=amount, **more)
    assert done.status_code == 303, done.text
    return str(done.headers["location"])


def test_money_moves_when_it_is_confirmed(browser: Browser, live: Live) -> None:
    bob = Browser(live).sign_up()
    path = sent(browser, bob.email, "1.25", note="lunch")
    assert "3.75 USD" in browser.get("/wallet").text
    assert "0 USD" in bob.get("/wallet").text
    assert browser.get(f"{path}/confirm").status_code == 405
    assert f"{path}/confirm" not in Fields(bob.get(path).text).forms, "only who created it confirms it"
    assert browser.submit(browser.get(path), f"{path}/confirm").status_code == 303
    assert "completed" in browser.get(path).text
    assert "1.25 USD" in bob.get("/wallet").text
    page = bob.get("/wallet/statement").text
    assert "1.25" in page


def test_the_same_form_twice_is_one_payment(browser: Browser, live: Live) -> None:
    bob, page = Browser(live).sign_up(), browser.get("/wallet/send")
    answers = [browser.submit(page, "/wallet/send", recipient=bob.email, amount="1") for _ in range(3)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    other = browser.submit(page, "/wallet/send", recipient=bob.email, amount="2")
    assert other.status_code == 422
    assert "4 USD" in browser.get("/wallet").text


def test_a_payment_can_be_cancelled(browser: Browser, live: Live) -> None:
    bob = Browser(live).sign_up()
    path = sent(browser, bob.email, "1.25")
    page = browser.get(path)
    assert bob.submit(bob.get(path), f"{path}/cancel").status_code == 303
    assert "cancelled by recipient" in browser.get(path).text
    late = browser.submit(page, f"{path}/confirm")
    assert late.status_code == 409
    assert "5 USD" in browser.get("/wallet").text


@pytest.mark.parametrize("amount", ["", "0", "-1", "1e3x", "6", "0.0000001", "1,5,x"])
def test_payments_that_are_none(browser: Browser, live: Live, amount: str) -> None:
    bob = Browser(live).sign_up()
    page = browser.get("/wallet/send")
    found = browser.submit(page, "/wallet/send", recipient=bob.email, amount=amount)
    assert found.status_code == 422
    assert 'role="alert"' in found.text
    for nobody, status in (("nobody@example.org", 404), (browser.email, 422)):
        assert browser.submit(page, "/wallet/send", recipient=nobody, amount="1").status_code == status
    assert "5 USD" in browser.get("/wallet").text


def test_somebody_elses_payment_is_not_there(browser: Browser, live: Live) -> None:
    path = sent(browser, Browser(live).sign_up().email, "1")
    eve = Browser(live).sign_up()
    assert eve.get(path).status_code == 404
    csrf = Fields(eve.get("/wallet/account").text).forms["/wallet/sign-out"]["csrf"]
    assert eve.post(f"{path}/cancel", csrf=csrf).status_code == 404
    assert eve.post(f"{path}/confirm", csrf=csrf).status_code == 404


def test_a_token_draws_up_to_its_limit_until_it_is_revoked(browser: Browser, live: Live) -> None:
    bob = Somebody(live)
    ada = Somebody.__new__(Somebody)
    ada.email = browser.email
    page = browser.get("/wallet/tokens")
    terms = {"recipient": bob.email, "limit": "2", "charge_limit": "1", "period": "day"}
    made = browser.submit(page, "/wallet/tokens", **terms)
    token = re.findall(r"dt_[0-9a-f]{48}", made.text)[0]
    assert token not in browser.get("/wallet/tokens").text, "it is shown once"
    again = browser.submit(page, "/wallet/tokens", **terms)
    assert (again.status_code, "sent before" in again.text) == (409, True), "as a reload sends it"
    assert again.text.count("/revoke") == 1
    assert bob.draw(ada, "1.5", token).status_code == 403
    assert bob.draw(ada, "1", token).status_code == 200
    assert "Used <b>1</b> of 2 USD" in browser.get("/wallet/tokens").text
    action = next(name for name in Fields(browser.get("/wallet/tokens").text).forms if name.endswith("/revoke"))
    assert browser.submit(browser.get("/wallet/tokens"), action).status_code == 303
    assert bob.draw(ada, "1", token).status_code == 403
    for wrong in ({"limit": ""}, {"limit": "0"}, {"recipient": "nobody@example.org"}, {"period": "open"}):
        assert browser.submit(page, "/wallet/tokens", **(terms | wrong)).status_code in (404, 422), wrong


def test_line_95_no_cell_is_a_formula(browser: Browser, shop: Provider, live: Live) -> None:
    approved(browser, shop, limit="0.4")
    for model in ("=cmd|' /C calc'!A0", "+1", "-1", "@sum", " =1", 'a"b,c', "plain"):
        live.price(model.replace("/", "%2F"), shop.slug, asset="USD", call="0.01")
        paid = shop.charge(token_of(shop), model=model, usage={"calls": 1})
        assert paid.status_code == 201, paid.text
    found = browser.get("/wallet/statement.csv")
    assert found.headers["content-type"].startswith("text/csv")
    assert "attachment" in found.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(found.text)))
    assert [row["model"] for row in rows][:-1] == [
        "plain", 'a"b,c', "' =1", "'@sum", "'-1", "'+1", "'=cmd|' /C calc'!A0",
    ]  # fmt: skip
    assert [row["amount_USD"] for row in rows] == ["-0.01"] * 7 + ["5"]
    assert rows[0]["balance_USD"] == "4.93"


PASSING = ["plain", "ünïcode Ж αβ", "שלום", "中文", "a\u202eb\u0007c", "<b>&amp;", "x" * 190, "👍"]


def test_a_statement_on_paper_is_the_ledgers(browser: Browser, shop: Provider, live: Live) -> None:
    approved(browser, shop, limit="0.4")
    live.price("call-1", shop.slug, asset="USD", call="0.000123")
    for _ in range(60):
        assert shop.charge(token_of(shop), model="call-1", usage={"calls": 1}).status_code == 201
    path = f"/v1/wallets/{browser.wallet}/deposits"
    for note in PASSING:
        made(live.admin.post(path, json={"amount": 2**53 + 1, "note": note}, headers=fresh_key()))
    found = browser.get("/wallet/statement.pdf")
    assert (found.headers["content-type"], found.content[:5]) == ("application/pdf", b"%PDF-")
    pages = PdfReader(io.BytesIO(found.content)).pages
    text = "\n".join(page.extract_text() for page in pages)
    rows = list(csv.DictReader(io.StringIO(browser.get("/wallet/statement.csv").text)))
    amounts = [(row["amount_USD"], row["balance_USD"]) for row in rows]
    assert len(pages) == 2
    assert re.findall(r"^(-?\d[\d.]*)\n(-?\d[\d.]*)$", text, re.MULTILINE) == amounts
    assert f"At the end\n{int(amounts[0][1].partition('.')[0]):,}.{amounts[0][1].partition('.')[2]} USD" in text
    for word in ("ünïcode Ж αβ", "שלום", "[U+4E2D][U+6587]", "a[U+202E]b[U+0007]c", "<b>&amp;", "[U+1F44D]"):
        assert word in text, word


def test_a_month_of_too_many_movements_is_none_for_paper(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, live: Live
) -> None:
    monkeypatch.setattr(statement, "PDF_MOST", 1)
    assert browser.get("/wallet/statement.pdf").status_code == 200
    browser.credit("1")
    answer = browser.get("/wallet/statement.pdf")
    assert answer.status_code == 422
    assert "the CSV has them all" in answer.text
    assert browser.get("/wallet/statement.pdf?month=2020-01").status_code == 200, "nothing moved: one page"


def test_who_asks_for_money_is_answered(live: Live) -> None:
    ada, operator = Browser(live).sign_up(), Browser(live)
    operator.post("/console/sign-in", key=ADMIN_KEY)
    for wrong in ({"amount": ""}, {"amount": "0"}, {"amount": "1", "reason": "x" * 201}):
        assert ada.submit(ada.get("/wallet/ask"), "/wallet/ask", **wrong).status_code == 422
    page = ada.get("/wallet/ask")
    assert ada.submit(page, "/wallet/ask", amount="12.5", reason="<b>rent</b>").status_code == 303
    assert ada.submit(page, "/wallet/ask", amount="13").status_code == 409
    assert "You have asked for 12.5 USD" in ada.get("/wallet/ask").text
    listed = operator.get("/console/people").text
    assert "12.5 USD" in listed and "&lt;b&gt;rent" in listed
    wallet = f"/console/wallets/{ada.wallet}"
    assert operator.confirm(operator.get(wallet), f"{wallet}/decline").status_code == 303
    ada.submit(ada.get("/wallet/ask"), "/wallet/ask", amount="3")
    asked = operator.submit(operator.get(wallet), f"{wallet}/deposit", amount="3", reason="paid")
    assert operator.submit(asked, f"{wallet}/deposit", confirmed="yes").status_code == 303
    assert "You have asked" not in ada.get("/wallet/ask").text
    assert "3 USD" in ada.get("/wallet").text


def test_a_month_adds_up(browser: Browser, shop: Provider) -> None:
    approved(browser, shop, limit="0.4")
    shop.charge(token_of(shop), amount=250_000)
    page = browser.get(f"/wallet/statement?month={datetime.now(UTC):%Y-%m}").text
    for told in ("Came in</dt><dd>5 USD", "Went out</dt><dd>0.25 USD", "<b>4.75 USD</b>"):
        assert told in page
    for wrong in ("2026-13", "x", "2026-1", "２０２６-11"):
        assert browser.http.get("/wallet/statement", params={"month": wrong}).status_code == 422
