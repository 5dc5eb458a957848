"""The console over HTTP: an operator runs the place, a viewer looks on, a provider's staff sees its own."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from farebox.services import Services
from tests.support.browsing import Browser, Fields, approved, token_of
from tests.support.consoles import csrf_of, proved, signed_in, viewer_of
from tests.support.live import ADMIN_KEY, Live, Provider, fresh_key, ok


@pytest.fixture
def operator(live: Live) -> Browser:
    return signed_in(live)


PAGES = ["", "?by=provider", "?by=model", "?by=agent", "/live", "/providers", "/organizations", "/people", "/prices"]
PAGES += ["/holds", "/envelopes", "/books", "/books/live", "/log", "/log?q=key", "/keys", "/agents", "/agents?q=x"]
PAGES += ["/grants", "/grants?q=ada&valid=yes", "/ingestion", "/health", "?over=year"]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_for_an_operator_and_for_nobody_else(live: Live, operator: Browser, path: str) -> None:
    assert operator.get(f"/console{path}").status_code == 200
    assert Browser(live).get(f"/console{path}").status_code == 401
    staff = signed_in(live, live.provider().key)
    assert staff.get(f"/console{path}").status_code == 403
    person = Browser(live).sign_up()
    assert person.get(f"/console{path}").status_code == 401


def test_from_nothing_to_a_charge_and_back(live: Live, operator: Browser) -> None:
    slug = f"shop-{time.time_ns()}"
    page = operator.get("/console/providers")
    assert operator.submit(page, "/console/providers", slug=slug, name="Shop", markup="1.5").status_code == 303
    assert operator.submit(page, "/console/providers", slug=slug, name="Shop").status_code == 409
    assert operator.submit(page, "/console/providers", slug="Bad Slug", name="Shop").status_code == 422
    path = f"/console/providers/{slug}"
    made = operator.submit(operator.get(path), f"{path}/keys", name="first", scopes="read and write")
    key = re.findall(rf"pk_live_{slug}_[0-9a-f]{{48}}", made.text)[0]
    assert key not in operator.get(path).text, "it is shown once"
    shop = Provider(live, slug, key)
    asked = operator.submit(operator.get(path), f"{path}/change", name="Shop & Sons", verified="yes", markup="1")
    for told in ("Shop &amp; Sons", "you have verified who this is", "are 1 times its prices from now on, on every"):
        assert told in asked.text
    assert operator.submit(asked, f"{path}/change", reason="they moved").status_code == 303
    assert "Shop &amp; Sons" in operator.get(path).text

    ada = Browser(live).sign_up()
    wallet = f"/console/wallets/{ada.wallet}"
    page = operator.get(wallet)
    for wrong in ({"amount": "0"}, {"amount": "1"}, {"amount": "x", "reason": "r"}, {"reason": "r"}):
        assert operator.submit(page, f"{wallet}/deposit", **wrong).status_code == 422
    asked = operator.submit(page, f"{wallet}/deposit", amount="5", reason="paid in cash")
    for told in (
        "5 USD from outside come into wallet",
        f"of {ada.email}",
        "0 USD are available there now, 5 USD will be",
    ):
        assert told in asked.text
    assert "0 USD" in ada.get("/wallet").text, "asking moves nothing"
    assert operator.submit(asked, f"{wallet}/deposit", reason=" ").status_code == 422
    for _ in range(2):
        assert operator.submit(asked, f"{wallet}/deposit").status_code == 303
    assert "5 USD" in ada.get("/wallet").text, "sent twice, done once"
    approved(ada, shop, limit="0.4")
    assert shop.charge(token_of(shop), amount=300_000).status_code == 201
    page = operator.get(wallet)
    (refund,) = [action for action in Fields(page.text).forms if "/refund/" in action]
    asked = operator.submit(page, refund, amount="0.31", reason="too much")
    assert operator.submit(asked, refund).status_code == 422
    assert operator.submit(page, refund, amount="0.1", reason="").status_code == 422
    asked = operator.submit(operator.get(wallet), refund, amount="0.1", reason="bad answer")
    assert f"0.1 USD go back from {slug}" in asked.text
    for _ in range(2):
        assert operator.submit(asked, refund).status_code == 303
    assert "4.8 USD" in ada.get("/wallet").text
    log = operator.get("/console/log").text
    for told in ("paid in cash", "bad answer", "provider.change", "wallet.deposit", "charge.refund"):
        assert told in log
    proved(operator)
    revoke = next(action for action in Fields(operator.get(path).text).forms if action.endswith("/revoke"))
    assert operator.confirm(operator.get(path), revoke, "it leaked").status_code == 303
    assert "it leaked" in operator.get("/console/log?q=key.revoke").text
    assert shop.charge(token_of_revoked(shop), amount=1).status_code == 401


def token_of_revoked(shop: Provider) -> str:
    answer = shop.conxa().get("/providers/session/status", params={"provider_username": "ada"})
    assert answer.status_code == 401
    return "ps_" + "0" * 48


def test_a_price_is_compared_before_it_is_saved(live: Live, operator: Browser, shop: Provider) -> None:
    path = f"/console/prices?provider={shop.slug}&model=pages-1"
    page = operator.get(path)
    changed = {"asset": "USD", "input_token": "0.000004", "output_token": ""}
    shown = operator.submit(page, "/console/prices/compare", **changed)
    for told in ("<del>0.000001</del>", "<ins>0.000004</ins>", "<del>0.000002</del>", "Nothing is saved yet"):
        assert told in shown.text
    assert operator.get(path).text.count('<th scope="row">') == 1
    assert operator.submit(shown, "/console/prices/save").status_code == 422, "a reason is wanted"
    assert operator.submit(shown, "/console/prices/save", reason="the provider raised it").status_code == 303
    assert operator.get(path).text.count('<th scope="row">') == 2
    assert operator.submit(shown, "/console/prices/save", reason="again").status_code == 409, (
        "compared with what holds no more"
    )
    for wrong in ({"input_token": "-1"}, {"input_token": "1e400"}, {"input_token": ""}, {"asset": "NONE"}):
        assert operator.submit(page, "/console/prices/compare", **(changed | wrong)).status_code == 422


def test_a_price_is_compared_with_what_holds_now_and_stays_when_a_list_comes(
    live: Live, operator: Browser, shop: Provider
) -> None:
    live.price("pages-1", shop.slug, asset="USD", input_token="0.000007", starts_at="2090-01-01T00:00:00Z")
    page = operator.get(f"/console/prices?provider={shop.slug}&model=pages-1")
    shown = operator.submit(page, "/console/prices/compare", asset="USD", input_token="0.000004", output_token="")
    assert "<del>0.000001</del>" in shown.text
    assert operator.submit(shown, "/console/prices/save", reason="the provider raised it").status_code == 303
    listed = [{"model": "pages-1", "asset": "USD", "input_token": "0.000005"}]
    body = {"prices": listed, "provider": shop.slug}
    assert ok(live.admin.post("/v1/prices/import", json=body))["kept"] == ["pages-1"]


def test_a_viewer_looks_on(live: Live, operator: Browser) -> None:
    viewer = viewer_of(operator)
    csrf, slug, wallet = csrf_of(viewer), live.provider().slug, live.wallet(5)
    for path in (
        "providers", f"providers/{slug}/change", f"providers/{slug}/keys", "organizations", "keys", "prices/compare",
        "prices/save", f"wallets/{wallet}/deposit",
    ):  # fmt: skip
        found = viewer.post(f"/console/{path}", csrf=csrf, amount="1", reason="r", slug="x", name="x")
        assert found.status_code == 403, path
    assert viewer.get(f"/console/wallets/{wallet}").status_code == 200
    assert live.read_wallet(wallet)["balance"] == 5


def test_an_operator_works_but_makes_no_keys(live: Live, operator: Browser) -> None:
    name = "work in the console (operator)"
    made = operator.submit(operator.get("/console/keys"), "/console/keys", name="desk", scopes=name)
    key = re.findall(r"fbx_admin_[0-9a-f]{48}", made.text)[0]
    worker, wallet = signed_in(live, key), live.wallet(5)
    csrf = csrf_of(worker)
    page = worker.get(f"/console/wallets/{wallet}")
    assert worker.confirm(page, f"/console/wallets/{wallet}/deposit", amount="0.007", reason="r").status_code == 303
    assert live.read_wallet(wallet)["balance"] == 12
    assert worker.post("/console/keys", csrf=csrf, name="x", scopes="everything (owner)").status_code == 403
    assert worker.post("/console/keys/key_1/revoke", csrf=csrf).status_code == 403
    assert live.client(key).post("/v1/wallets", json={"asset": "USD"}).status_code == 403, "the API is not for it"


def test_staff_sees_its_own_provider_only(live: Live, shop: Provider) -> None:
    staff, other = signed_in(live, shop.key), live.provider()
    assert staff.get(f"/console/providers/{shop.slug}").status_code == 200
    for slug in (other.slug, "nobody"):
        found = staff.get(f"/console/providers/{slug}")
        assert (found.status_code, "no such provider" in found.text) == (404, True)
    csrf = Fields(staff.get(f"/console/providers/{shop.slug}").text).forms["/console/sign-out"]["csrf"]
    assert (
        staff.post(f"/console/providers/{other.slug}/keys", csrf=csrf, name="x", scopes="read only").status_code == 404
    )
    assert staff.post(f"/console/providers/{shop.slug}/change", csrf=csrf, verified="yes").status_code == 403
    made = staff.post(f"/console/providers/{shop.slug}/keys", csrf=csrf, key="page:1", name="ci", scopes="read only")
    assert made.status_code == 200 and f"pk_live_{shop.slug}_" in made.text


def test_a_session_ends_with_its_key_and_by_signing_out(live: Live, operator: Browser) -> None:
    shop = live.provider()
    staff = signed_in(live, shop.key)
    key = live.admin.get(f"/v1/providers/{shop.slug}/keys").json()[0]["id"]
    live.admin.delete(f"/v1/providers/{shop.slug}/keys/{key}")
    assert staff.get(f"/console/providers/{shop.slug}").status_code == 401
    cookies = operator.cookies
    assert operator.post("/console/sign-out", csrf=csrf_of(operator)).status_code == 303
    assert httpx.get(f"{live.url}/console", cookies=cookies).status_code == 401


@pytest.mark.parametrize("key", ["", "fbx_admin_nothing", "x" * 5000, "ä"])
def test_keys_that_are_none(live: Live, key: str) -> None:
    found = Browser(live).post("/console/sign-in", key=key)
    assert found.status_code == 401
    assert "no valid key" in found.text


def test_an_organizations_key_opens_nothing(live: Live) -> None:
    live.admin.post("/v1/organizations", json={"id": "acme", "name": "Acme"})
    key = live.admin.post("/v1/organizations/acme/keys", json={"name": "x"}).json()["key"]
    assert Browser(live).post("/console/sign-in", key=key).status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}], ids=str)
def test_line_66_a_post_from_another_site(live: Live, operator: Browser, headers: dict[str, str]) -> None:
    wallet, csrf = live.wallet(5), csrf_of(operator)
    for path in (f"wallets/{wallet}/deposit", "providers", "keys", "sign-in", "sign-out", "prices/save"):
        found = operator.post(f"/console/{path}", headers, csrf=csrf, key=ADMIN_KEY, amount="1", reason="r")
        assert found.status_code == 403, path
    for wrong in ("", "0" * 64):
        assert (
            operator.post(f"/console/wallets/{wallet}/deposit", csrf=wrong, amount="1", reason="r").status_code == 403
        )
    assert live.read_wallet(wallet)["balance"] == 5


def test_what_was_spent_is_counted_beside_the_journal(make_live: Callable[..., Live]) -> None:
    live = make_live(sweep_interval_s=3600)
    shop = live.provider()
    live.price("m1", shop.slug, input_token="1")
    token = shop.grant(live.wallet(10_000_000), limit=10_000_000)["session_token"]
    watcher = signed_in(live)

    def settled() -> None:
        for _ in range(3):  # noted, then counted, then nothing more
            while live.call(live.services.totals.keep()):
                pass

    def counted(by: str = "model", over: str = "30") -> list[Any]:
        """Name, net, charged, given back, charges, refused."""
        settled()
        row = (
            r'<tr><th scope="row"><bdi>([^<]+)</bdi></th>(?:<td><svg.*?</svg></td>)?'
            + r'<td class="figure">(.*?)</td>' * 5
        )
        return re.findall(row, watcher.get(f"/console?by={by}&over={over}").text)

    assert counted() == []
    charge = ""
    for _ in range(3):
        charge = shop.charge(token, model="m1", usage={"input_tokens": 2}).json()["id"]
    shop.charge(token, amount=1_000)
    shop.charge(token, amount=100_000_000)
    assert counted() == [("m1", "6", "6", "0", "3", "0"), ("none", "1", "1", "0", "1", "1")]
    shop.charge(token, model="m1", usage={"input_tokens": 2})
    assert counted()[0] == ("m1", "8", "8", "0", "4", "0")
    back = shop.api.post(f"/v1/charges/{charge}/refunds", json={"amount": 1500}, headers=fresh_key())
    assert back.status_code == 201, back.text
    assert counted()[0] == ("m1", "6.5", "8", "1.5", "4", "0")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for by, name in (("provider", shop.slug), ("time", today), ("agent", "none")):
        assert counted(by) == [(name, "7.5", "9", "1.5", "5", "1")], by
    assert counted("time", "year") == [(f"{today[:7]}-01", "7.5", "9", "1.5", "5", "1")]
    assert counted("model", "year") == counted("model", "7")
    proved(watcher)
    for wrong in ("by=wallet", "over=8", "over=0"):
        assert watcher.get(f"/console?{wrong}").status_code == 422


async def test_whole_months_and_the_days_before_them_add_up(services: Services) -> None:
    """However a period begins: it is read by the month where months are whole, and by the day before."""
    provider = await services.directory.add_provider("test", "shop", "Shop")
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=number) for number in range(100)]
    await services.pool.executemany(
        "INSERT INTO spend_totals VALUES ($1, $2, $3, 'USD', $4, '', 0, 1, 0, 0, 1, 0, 0, 0) "
        "ON CONFLICT (kind, provider_id, grain, starts_on, asset, model, agent_id) DO UPDATE "
        "SET charges = spend_totals.charges + 1, amount = spend_totals.amount + 1",
        [
            (kind, grain, day if grain == "day" else day.replace(day=1), owner)
            for day in days
            for grain in ("day", "month")
            for kind, owner in (("provider", provider.id), ("model", 0), ("agent", 0), ("provider_model", provider.id))
        ],
    )
    for number in range(95):
        for by, owner in (("provider", None), ("model", None), ("agent", None), ("model", provider.id)):
            (found,) = await services.reports.spend(by, days[number], owner)
            assert (found.charges, found.net) == (number + 1, number + 1), (by, days[number])
