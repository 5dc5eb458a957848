"""The wallet's pages over HTTP: from a code to a connection, its charges, and its end."""

import io
import re

import segno

from farebox.http.web.assets import assets
from tests.support.browsing import MODEL, Browser, Fields, approved, code, token_of
from tests.support.live import Provider


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
    history = browser.get("/wallet/history?q=refused").text
    assert history.count("/wallet/history/tr_") == 0, "a search finds what it names"
    history = browser.get("/wallet/history?q=limit").text
    assert history.count("/wallet/history/tr_") == 2
    over, cap = (browser.get(found).text for found in re.findall(r"/wallet/history/tr_\w+", history))
    assert "more than you allow for one charge" in over
    assert "left of the limit that you set" in cap
    charge = browser.get(f"/wallet/history?q={MODEL}").text
    sums = browser.get(re.findall(r"/wallet/history/tr_\w+", charge)[0]).text
    for told in ("0.012 USD", "4000", "0.000002", "Rounded up"):
        assert told in sums


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
