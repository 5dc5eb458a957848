"""The wallet's pages over HTTP: from a code to a connection, its charges, and its end."""

import html
import io
import re
from urllib.parse import urlencode

import segno

from farebox.http.web.assets import assets
from tests.support.browsing import MODEL, PASSWORD, Browser, Fields, approved, code, token_of
from tests.support.consoles import signed_in
from tests.support.live import Live, Provider


def test_from_the_code_to_the_charge_and_its_explanation(browser: Browser, shop: Provider) -> None:
    path = browser.scanned(code(shop, limit=50_000))
    shown = browser.get(path)
    for told in ("Ada’s Answers", shop.slug, "has verified", "0.5 USD", MODEL, "1 USD per million tokens in"):
        assert told in shown.text
    done = browser.submit(shown, f"{path}/approve", limit="0.02", charge_limit="0.015", period="day")
    connection = done.headers["location"]
    assert "Used <b>0</b> of 0.02 USD" in browser.get(connection).text
    paid = shop.charge(token_of(shop), model=MODEL, usage={"input_tokens": 4000, "output_tokens": 4000})
    assert paid.status_code == 201
    assert "Used <b>0.012</b> of 0.02 USD" in browser.get(f"{connection}/live").text
    assert shop.charge(token_of(shop), amount=9_000).status_code == 403
    assert shop.charge(token_of(shop), amount=16_000).status_code == 403
    for word, rows in (("refused", 2), ("money in", 1), ("Charge", 3), ("sent", 0)):
        told = browser.get(f"/wallet/history?q={word}").text
        assert told.count("/wallet/history/tr_") == rows, "a search finds what stands in a row"
    history = browser.get("/wallet/history?q=limit").text
    assert history.count("/wallet/history/tr_") == 2
    over, cap = (browser.get(found).text for found in re.findall(r"/wallet/history/tr_\w+", history))
    assert "more than you allow for one charge" in over
    assert "left of the limit that you set" in cap
    charge = browser.get(f"/wallet/history?q={MODEL}").text
    sums = browser.get(re.findall(r"/wallet/history/tr_\w+", charge)[0]).text
    for told in ("0.012 USD", "4000", "0.000002", "Rounded up"):
        assert told in sums


def test_signing_in_leads_to_the_code_of_a_link(live: Live, shop: Provider) -> None:
    """By an account that is there, and by one that is made on the way."""
    link = f"/wallet/scan?{urlencode({'code': code(shop) + ' ' * 3000})}"
    ada = Browser(live).sign_up()
    ada.http.cookies.clear()
    asked = ada.get(link)
    assert (asked.status_code, asked.headers["content-type"]) == (401, "text/html; charset=utf-8")
    fields = {"email": ada.email, "password": PASSWORD}
    assert ada.submit(asked, "/wallet/sign-in", **fields).headers["location"] == link
    new = Browser(live)
    door = new.get(link).text
    join = html.unescape(re.findall(r'href="(/wallet/sign-up[^"]*)', door)[0])
    entered = new.submit(new.get(join), "/wallet/sign-up", email=new.email, password=PASSWORD)
    assert entered.headers["location"] == link
    assert shop.slug in new.get(link).text


def test_what_was_typed_stays_where_something_is_wrong(browser: Browser, shop: Provider) -> None:
    """How long a connection lasts, too: who has chosen an hour and mends the limit does not allow a month."""
    path = browser.scanned(code(shop, limit=50_000))
    connection = approved(browser, shop, limit="0.4", charge_limit="0.3")
    for page, action, fields in (
        (path, f"{path}/approve", {"limit": "9", "charge_limit": "0.01"}),
        (connection, f"{connection}/change", {"limit": "9", "charge_limit": "0.02"}),
        ("/wallet/send", "/wallet/send", {"recipient": "a@example.org", "amount": "1x", "note": "for lunch"}),
        ("/wallet/ask", "/wallet/ask", {"amount": "1x", "reason": "invoice 7"}),
        ("/wallet/tokens", "/wallet/tokens", {"recipient": "a@example.org", "limit": "2", "charge_limit": "1"}),
        ("/wallet/limits", "/wallet/limits", {"amount": "1x"}),
    ):
        period = {"/wallet/limits": "WEEKLY"}.get(action, "hour")
        again = browser.submit(browser.get(page), action, period=period, **fields)
        assert again.status_code in (404, 422), action
        assert Fields(again.text).forms[action] | fields == Fields(again.text).forms[action]
        told = re.findall(r'role="alert">.*?<span>(.*?)</span>', again.text, re.DOTALL)[0]
        assert re.fullmatch(r"[A-Z][^_]*[.]", told), told
        if "<select" in again.text:
            assert re.findall(r'<option value="(\w+)" selected', again.text) == [period], action


def test_what_was_done_is_told(live: Live) -> None:
    """An answer to a request for money, and another password: nothing else on their pages says so."""
    ada, owner = Browser(live).sign_up(), signed_in(live)
    for answer, told in (("decline", "was declined"), ("deposit", "was answered with money")):
        assert browser_asks(ada) == 303
        assert "has to answer" in ada.get("/wallet/ask").text
        wallet = f"/console/wallets/{ada.wallet}"
        amount = {"amount": "7"} if answer == "deposit" else {}
        assert owner.confirm(owner.get(wallet), f"{wallet}/{answer}", **amount).status_code == 303
        assert told in ada.get("/wallet/ask").text
    changed = ada.submit(
        ada.get("/wallet/account"), "/wallet/account/password", old=PASSWORD, new="another " + PASSWORD
    )
    assert "Your password is changed" in ada.get(changed.headers["location"]).text
    assert "Your password is changed" not in ada.get("/wallet/account").text


def browser_asks(browser: Browser) -> int:
    return browser.submit(browser.get("/wallet/ask"), "/wallet/ask", amount="7", reason="invoice 7").status_code


def test_who_is_signed_out_meanwhile_is_told_that_nothing_was_done(live: Live) -> None:
    ada = Browser(live).sign_up("5")
    page = ada.get("/wallet/send")
    ada.http.cookies.clear()
    found = ada.submit(page, "/wallet/send", recipient="bob@example.org", amount="1")
    assert (found.status_code, "was not done" in found.text) == (401, True)
    assert "was not done" not in ada.get("/wallet/send").text


def test_who_can_draw_is_shown_however_many_have_ended_since(browser: Browser, shop: Provider, live: Live) -> None:
    connection = approved(browser, shop, limit="0.4", period="month")
    bob = Browser(live).sign_up()
    terms = {"recipient": bob.email, "limit": "1", "period": "month"}
    assert browser.submit(browser.get("/wallet/tokens"), "/wallet/tokens", **terms).status_code == 200
    live.call(live.services.pool.execute(MANY_ENDED, shop.slug, int(browser.wallet), int(bob.wallet)))
    assert f'href="{connection}"' in browser.get("/wallet").text
    assert f'href="{connection}"' in browser.get("/wallet/connections").text
    assert "/revoke" in browser.get("/wallet/tokens").text


MANY_ENDED = """
    WITH drawn AS (
        INSERT INTO grants (wallet_id, provider_id, provider_username, token_nonce, token_hash, ended_at, end_reason)
        SELECT $2, p.id, 'user-' || n, decode(md5(n::text), 'hex'), sha256(convert_to($1 || n, 'UTF8')),
               now(), 'revoked'
        FROM generate_series(1, 250) n JOIN providers p ON p.slug = $1
    )
    INSERT INTO grants (wallet_id, recipient_wallet_id, token_hash, limit_units, expires_at, ended_at, end_reason)
    SELECT $2, $3, sha256(convert_to($1 || ' token ' || n, 'UTF8')), 1, now(), now(), 'revoked'
    FROM generate_series(1, 150) n
"""


def test_the_first_page_leads_to_the_others(live: Live) -> None:
    page = Browser(live).get("/")
    assert page.status_code == 200
    assert re.findall(r'class="card" href="([^"]+)"', page.text) == ["/wallet", "/console", "/docs"]


def test_a_page_that_comes_after_a_form_says_so(browser: Browser, shop: Provider) -> None:
    """Phones open what they had open; a form's answer has no page of its own."""
    path = browser.scanned(code(shop, limit=50_000))
    found = browser.get(f"{path}/approve")
    assert (found.status_code, "comes after a form" in found.text, "method" in found.text) == (405, True, False)
    assert "There is nothing at this address.<" in browser.get("/wallet/nothing").text


def test_less_is_allowed_at_any_time_and_more_never(browser: Browser, shop: Provider) -> None:
    connection = approved(browser, shop, limit="0.4")
    shop.charge(token_of(shop), amount=100_000)
    page = browser.get(connection)
    assert browser.submit(page, f"{connection}/change", limit="0.2", charge_limit="0.05").status_code == 303
    assert shop.charge(token_of(shop), amount=60_000).json()["code"] == "charge_limit_exceeded"
    for wrong in ({"limit": "0.3"}, {"limit": "0.09"}, {"limit": "x"}, {"limit": "-1"}, {"charge_limit": "0.06"}):
        found = browser.submit(browser.get(connection), f"{connection}/change", **wrong)
        assert found.status_code == 422, wrong
        assert 'role="alert"' in found.text
    assert "of 0.2 USD" in browser.get(connection).text


def test_a_revoked_connection_draws_no_more(browser: Browser, shop: Provider) -> None:
    connection = approved(browser, shop, limit="0.4")
    token = token_of(shop)
    assert shop.charge(token, amount=1).status_code == 201
    assert browser.submit(browser.get(connection), f"{connection}/revoke").status_code == 303
    assert shop.charge(token, amount=1).json()["code"] == "grant_revoked"
    assert "This connection is revoked" in browser.get(connection).text
    page = browser.get(connection)
    assert f"{connection}/change" not in Fields(page.text).forms


def test_a_picture_of_a_code_is_read(browser: Browser, shop: Provider) -> None:
    picture = io.BytesIO()
    segno.make(code(shop, limit=10)).save(picture, kind="png", scale=5)
    csrf = Fields(browser.get("/wallet/scan").text).forms["/wallet/scan"]["csrf"]
    for body, status in ((picture.getvalue(), 303), (b"no picture", 422), (b"", 422)):
        files = {"picture": ("code.png", body, "image/png")}
        assert browser.http.post("/wallet/scan", data={"csrf": csrf}, files=files).status_code == status


def test_assets_are_kept_for_good_and_nothing_else_is(browser: Browser) -> None:
    page = browser.get("/wallet").text
    style = re.findall(r'/web/[^"]+style\.css', page)[0]
    found = browser.get(style)
    assert "immutable" in found.headers["cache-control"]
    assert found.headers["content-type"].startswith("text/css")
    for wrong in (
        style.replace("style.css", "../forms.py"),
        style.replace("style.css", "nothing.css"),
        "/web/0/style.css",
    ):
        assert browser.get(wrong).status_code == 404
    assert browser.get("/wallet/manifest.webmanifest").json()["start_url"] == "/wallet"
    assert browser.get("/wallet/worker.js").text.startswith('const ASSETS = "/web/')


def test_all_assets_together_are_light() -> None:
    """No page takes more than 200 KB: all that any page could load is less, compressed."""
    assert sum(len(asset.zipped) for asset in assets().values()) < 120_000
