"""The console in a browser: every page, filled, for everybody and at every width."""

from pathlib import Path

from playwright.sync_api import expect

from tests.support.browsing import Browser
from tests.support.chromium import Watched
from tests.support.live import ADMIN_KEY, Live, Provider, fresh_key

PAGES = {
    "overview": "/console?by=model",
    "providers": "/console/providers",
    "organizations": "/console/organizations",
    "people": "/console/people",
    "prices": "/console/prices?provider={shop}",
    "price": "/console/prices?provider={shop}&model=answers-large",
    "provider": "/console/providers/{shop}",
    "wallet": "/console/wallets/{wallet}",
    "holds": "/console/holds",
    "envelopes": "/console/envelopes",
    "books": "/console/books",
    "log": "/console/log",
    "keys": "/console/keys",
}


def test_every_page_is_for_everybody(live: Live, shop: Provider, watched: Watched, folder: Path | None) -> None:
    ada = Browser(live).sign_up("25")
    token = shop.grant(ada.wallet, limit=2_000_000)["session_token"]
    for tokens in (900, 4000, 12_000):
        for model in ("answers-large", "answers-small"):
            shop.charge(token, model=model, usage={"input_tokens": tokens, "output_tokens": tokens // 5})
    shop.charge(token, amount=9_000_000)
    shop.api.post("/v1/holds", json={"session_token": token, "amount": 100}, headers=fresh_key())
    live.admin.post("/v1/organizations", json={"id": "acme", "name": "Acme"})
    for _ in range(4):
        live.call(live.services.totals.keep())
    page = watched.open("/console/sign-in")
    watched.check("console-sign-in", folder)
    page.get_by_label("key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    for name, path in PAGES.items():
        watched.open(path.format(shop=shop.slug, wallet=ada.wallet))
        watched.check(f"console-{name}", folder)


def test_charges_come_in_live(live: Live, shop: Provider, watched: Watched) -> None:
    token = shop.grant(live.wallet(10**6, asset="USD"))["session_token"]
    page = watched.open("/console/sign-in")
    page.get_by_label("key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert shop.charge(token, amount=123_457).status_code == 201
    expect(page.get_by_text("0.123457 USD")).to_be_visible()
    assert not watched.wrong
