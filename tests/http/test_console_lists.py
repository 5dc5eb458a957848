"""The console's lists: what is longer than a page goes on, what is cut says so, and what was typed stays."""

import html
import re
import uuid

import pytest

from farebox.http.web.console import agents, envelopes, grants, holds, organizations, prices, providers, wallets
from tests.support.browsing import Browser, Fields
from tests.support.consoles import signed_in
from tests.support.live import ADMIN_KEY, Live, fresh_key, made, ok


@pytest.fixture
def operator(live: Live) -> Browser:
    return signed_in(live)


def followed(operator: Browser, path: str, row: str) -> list[str]:
    """What stands on all pages of a list, a page of two rows at a time."""
    found: list[str] = []
    while True:
        page = operator.get(path)
        assert page.status_code == 200, page.text
        rows = re.findall(row, page.text)
        assert len(rows) <= 2
        found += rows
        more = re.findall(r'class="button" href="([^"]+)">(?:More|Older)<', page.text)
        if not more:
            return found
        path = html.unescape(more[0])


def test_what_is_longer_than_a_page_goes_on(live: Live, operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = live.provider()
    ada, bob = Browser(live).sign_up("5"), Browser(live).sign_up()
    token = shop.grant(ada.wallet)["session_token"]
    for number in range(5):
        live.price(f"model {number} & more", shop.slug, call="1")
        made(live.admin.post("/v1/organizations", json={"id": f"{shop.slug}-{number}", "name": "Ours"}))
        live.provider(f"{shop.slug}-{number}")
        given = {"name": f"{shop.slug} {number}", "limit": 1, "period": "DAILY", "counts": "money", "asset": "USD"}
        given["applies_to"] = {"kind": "wallet", "name": bob.wallet}
        made(live.admin.post("/v1/envelopes", json=given))
        made(shop.charge(token, amount=1))
    for module in (envelopes, organizations, prices, providers, wallets):
        monkeypatch.setattr(module, "_SHOWN", 2)
    monkeypatch.setattr(wallets, "_LATEST", 2)
    slug = re.escape(shop.slug)
    for path, row, rows in (
        ("/console/organizations", rf'/console/organizations/{slug}-\d"', 5),
        ("/console/providers", rf'/console/providers/{slug}-\d"', 5),
        (f"/console/prices?provider={shop.slug}", r"<bdi>model \d &amp; more", 5),
        ("/console/envelopes", rf"<bdi>{slug} \d", 5),
        ("/console/people", rf"<bdi>(?:{ada.email}|{bob.email})", 2),
        (f"/console/wallets/{ada.wallet}", r"<td><time", 6),
    ):
        found = followed(operator, path, row)
        assert (len(found), len(set(found)) in (1, rows)) == (rows, True), (path, found)


def test_holds_are_found_by_what_is_known_of_them(
    live: Live, operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, wallet, payer = live.provider(), live.wallet(1_000), Browser(live).sign_up("5")
    user = f"user of {shop.slug}"
    tokens = [shop.grant(wallet)["session_token"], shop.grant(payer.wallet, user)["session_token"]]
    given = [{"session_token": tokens[n == 0], "amount": 1, "expires_in_s": 60} for n in range(5)]
    held = [made(shop.api.post("/v1/holds", json=one, headers=fresh_key()))["id"] for one in given]
    numbers = r'<tr id="(hd_[^"]+)"'
    monkeypatch.setattr(holds, "_SHOWN", 2)
    for words, found in (
        (shop.slug, held),
        (wallet, held[1:]),
        (f" {payer.wallet} ", held[:1]),
        (payer.email, held[:1]),
        (user, held[:1]),
        (held[3], held[3:4]),
        (f"{shop.slug}x", []),
    ):
        assert followed(operator, f"/console/holds?q={words}", numbers) == found, words
    first = operator.get("/console/holds", q=shop.slug)
    released = operator.confirm(first, f"/console/holds/{held[1]}/release")
    assert released.status_code == 303
    behind = operator.get("/console/holds", q=shop.slug, after=held[1])  # one that is no longer open
    assert re.findall(numbers, behind.text) == held[2:4]
    assert f'href="/console/holds?q={wallet}"' in operator.get(f"/console/wallets/{wallet}").text
    assert operator.get("/console/holds", after="hd_1").status_code == 422


def test_what_an_organization_has_goes_on(live: Live, operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    team = made(live.admin.post("/v1/organizations", json={"id": f"o{uuid.uuid4().hex[:10]}", "name": "Ours"}))["id"]
    path, wallets = f"/console/organizations/{team}", r'<th scope="row"><a href="/console/wallets/(\d+)"'
    key = made(live.admin.post(f"/v1/organizations/{team}/keys", json={"name": "test"}))["key"]
    for number in range(3):
        made(live.client(key).post("/v1/wallets", json={"asset": "USD"}))
        operator.submit(operator.get(path), f"{path}/agents", name=f"scout {number}")
        member = {"id": f"member {number}", "organization_id": team}
        ok(live.client(ADMIN_KEY, "/tokenvault").post("/v1/wallet/users", json=member))
    whole = operator.get(path).text
    assert "are shown" not in whole and "and others" not in whole
    monkeypatch.setattr(organizations, "_SHOWN", 2)
    assert followed(operator, path, wallets) == re.findall(wallets, whole)
    cut = operator.get(path).text
    assert ("scout 1" in cut, "scout 2" in cut, "The first 2 are shown" in cut) == (True, False, True)
    assert ("member 1 and others" in re.sub("<[^>]*>", "", cut), "member 2" in cut) == (True, False)
    assert "scout 2" in operator.get("/console/agents", q=f"{team}/").text


def test_what_is_cut_says_so(live: Live, operator: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, wallet = live.provider(), live.wallet(10)
    for _ in range(2):
        shop.grant(wallet)
    path = f"/console/grants?q={wallet}"
    assert "are shown" not in operator.get(path).text
    for module in (agents, grants):
        monkeypatch.setattr(module, "_SHOWN", 1)
    assert "The newest 1 are shown" in operator.get(path).text


def test_a_charge_is_found_that_is_not_among_the_newest(live: Live, operator: Browser) -> None:
    shop = live.provider()
    token = shop.grant(live.wallet(10_000))["session_token"]
    live.price("needle-1", shop.slug, call="1")
    made(shop.charge(token, model="needle-1", usage={"calls": 1}))
    assert shop.charge(token, amount=2_000_000).status_code == 402
    for _ in range(60):
        made(shop.charge(token, amount=1))
    path = f"/console/charges?provider={shop.slug}"
    assert "needle-1" not in operator.get(path).text
    for asked, rows in (("&model=NEEDLE", 1), ("&outcome=refused", 1), ("&outcome=charged", 50), ("&model=hay", 0)):
        page = operator.get(path + asked).text
        assert page.count('<tr id="ch_') == rows, asked
        assert ("None like that" in page) == (rows == 0)


def test_what_was_typed_stays(operator: Browser, live: Live) -> None:
    wallet = f"/console/wallets/{live.wallet(10)}"
    for page, action, fields in (
        (wallet, f"{wallet}/deposit", {"amount": "1x", "reason": "invoice 7"}),
        ("/console/providers", "/console/providers", {"slug": "No Slug", "name": "Shop", "markup": "2"}),
        ("/console/organizations", "/console/organizations", {"id": "no id", "name": "Ours"}),
        ("/console/envelopes", "/console/envelopes", {"name": "Ours", "limit": "1x", "applies_to": "x", "zone": "UTC"}),
    ):
        chosen = {"asset": "USD", "period": "weekly", "kind": "person"} if "limit" in fields else {}
        again = operator.submit(operator.get(page), action, **fields, **chosen)
        assert again.status_code == 422, again.text
        assert Fields(again.text).forms[action] | fields == Fields(again.text).forms[action]
        for value in chosen.values():
            assert re.search(rf"<option[^>]* selected>[^<]*|{value}", again.text)


@pytest.mark.parametrize("number", ["-1", "-" + "9" * 30, str(2**63), "9" * 30, "9" * 5000])
def test_a_number_that_none_can_have_breaks_nothing(operator: Browser, number: str) -> None:
    for path in ("/console/log?before=", "/console/people?after=", "/console/envelopes?after="):
        assert operator.get(path + number).status_code == 422, path
    assert operator.get(f"/console/agents/{number}").status_code in (404, 422)
