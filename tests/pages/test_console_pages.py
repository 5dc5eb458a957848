"""The console in a browser: every page, empty and overfull, light and dark, for everybody and at every width."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client
from msgspec import Struct
from playwright.sync_api import Page, expect

from farebox.http.web.assets import assets
from farebox.ingest.types import Kind
from tests.support.browsing import Browser
from tests.support.chromium import Watched
from tests.support.consoles import signed_in
from tests.support.databases import Databases
from tests.support.live import ADMIN_KEY, Live, Provider, fresh_key, live_server, made, settings_for
from tests.support.offices import DEAD, Office
from tests.support.processes import until
from tests.support.redises import RedisProcess, redis_process

PAGES = {
    "overview": "/console?by=model",
    "overview-time": "/console",
    "overview-year": "/console?by=time&over=year",
    "charges": "/console/charges",
    "charge": "/console/charges/{charge}",
    "refused": "/console/charges/{refused}",
    "providers": "/console/providers",
    "provider": "/console/providers/{shop}",
    "organizations": "/console/organizations",
    "organization": "/console/organizations/{organization}",
    "agents": "/console/agents",
    "agent": "/console/agents/1",
    "people": "/console/people",
    "wallet": "/console/wallets/{wallet}",
    "prices": "/console/prices?provider={shop}",
    "price": "/console/prices?provider={shop}&model=answers-large",
    "grants": "/console/grants",
    "holds": "/console/holds",
    "envelopes": "/console/envelopes",
    "envelope": "/console/envelopes/env_1",
    "ingestion": "/console/ingestion",
    "letter": "/console/ingestion/{letter}",
    "books": "/console/books",
    "log": "/console/log",
    "health": "/console/health",
    "keys": "/console/keys",
}
BUTTONS = {
    "confirm-deposit": (
        "/console/wallets/{wallet}",
        "Deposit",
        {"Amount (USD)": "12.5", "Reason": "invoice 7"},
    ),
    "confirm-refund": ("/console/wallets/{wallet}", "Refund", {}),
    "confirm-revoke": ("/console/grants", "Revoke gr_1", {}),
    "confirm-release": ("/console/holds", "Free", {}),
    "confirm-dismiss": ("/console/ingestion", "Dismiss", {}),
    "confirm-resume": ("/console/ingestion", "Take up again", {}),
    "confirm-remove": ("/console/envelopes/env_1", "Remove it", {}),
    "compare": ("/console/prices?provider={shop}&model=answers-large", "Compare", {"output_token": "0.00002"}),
    "new-key": ("/console/providers/{shop}", "Make a key", {"Name of a new key": "ci"}),
}
"""Pages that a form leads to: where it is, its button, and what is filled in."""
MOST_BYTES = 200_000
LONG = "W" * 90 + "i" * 90
BENT = "\u202eevil\u202c <b>bold</b> 小さな店 ﷽"


class Servers(Struct):
    """One with everything, which reads a stream, and one with nothing."""

    full: Live
    empty: Live
    redis: RedisProcess


@pytest.fixture(scope="module", autouse=True)
def servers(postgres: Databases, live: Live) -> Iterator[Servers]:
    """Before the browser: it runs a loop of its own in this thread, and databases are made with another."""
    with ExitStack() as stack:

        def make(**given: Any) -> Live:
            name = postgres.fresh()
            stack.callback(postgres.drop, name)
            return stack.enter_context(live_server(postgres.url(name), settings_for(**given)))

        redis = stack.enter_context(redis_process())
        yield Servers(make(redis_url=redis.url, sweep_interval_s=3600), make(), redis)


def enter(watched: Watched) -> Page:
    """Signs in to the console."""
    page = watched.open("/console/sign-in")
    page.get_by_label("key").fill(ADMIN_KEY)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    return page


def overfull(live: Live, shop: Provider, client: "redis_client.Redis") -> dict[str, str]:
    """Something of everything: long names, bent ones, the largest amounts."""
    office = Office(live, client)
    office.send("r1", model="unknown-model")
    office.send("r2", tokens=-1)
    office.send("r3", model=LONG)
    until(lambda: client.xlen(DEAD))
    office.idle()
    assert live.services.ingest is not None
    assert live.call(live.services.ingest.books.dismiss(Kind("unknown_model", LONG, office.id))) == 1
    live.admin.post(f"/v1/organizations/{office.id}/agents", json={"name": LONG})
    live.admin.patch(f"/v1/providers/{shop.slug}", json={"name": BENT})
    ada = Browser(live).sign_up("25")
    grant = shop.grant(ada.wallet, username=LONG, limit=20_000_000)
    charges = []
    for tokens in (900, 4000, 12_000):
        for model in ("answers-large", "answers-small"):
            usage = {"input_tokens": tokens, "output_tokens": tokens // 5}
            charges.append(made(shop.charge(grant["session_token"], model=model, usage=usage))["id"])
    refused = shop.charge(grant["session_token"], amount=90_000_000).json()["id"]
    hold = {"session_token": grant["session_token"], "amount": 100, "model": LONG}
    shop.api.post("/v1/holds", json=hold, headers=fresh_key())
    rich = live.wallet(2**63 - 1, asset="CREDIT", owner=LONG)
    made(shop.charge(shop.grant(rich)["session_token"], amount=2**62))
    everything = {"name": LONG, "limit": 2**63 - 1, "period": "MONTHLY", "counts": "money", "asset": "USD"}
    made(live.admin.post("/v1/envelopes", json=everything | {"applies_to": {"kind": "all"}}))
    for _ in range(4):
        live.call(live.services.totals.keep())
    letters: Any = client.xrange(DEAD)
    return {
        "shop": shop.slug,
        "wallet": ada.wallet,
        "charge": charges[0],
        "refused": refused,
        "organization": office.id,
        "letter": letters[0][0],
    }


MANY = """
    WITH granted AS (
        INSERT INTO grants (wallet_id, provider_id, provider_username, token_nonce, token_hash)
        SELECT $2, p.id, 'user-' || n, decode(md5(n::text), 'hex'), sha256(n::text::bytea)
        FROM generate_series(1, 250) n JOIN providers p ON p.slug = $1
    )
    INSERT INTO audit_log (actor, action, subject, detail)
    SELECT 'admin/key_1', 'many', n::text, '{"reason": "to fill the page"}' FROM generate_series(1, 200) n
"""


def test_every_page_is_for_everybody(
    servers: Servers,
    make_shop: Callable[[Live], Provider],
    make_watched: Callable[[Live], Watched],
    folder: Path | None,
) -> None:
    live = servers.full
    watched = make_watched(live)
    with servers.redis.client() as client:
        given = overfull(live, make_shop(live), client)
    watched.open("/console/sign-in")
    watched.check("console-sign-in", folder, dark=True)
    page = enter(watched)
    for name, path in PAGES.items():
        watched.open(path.format(**given))
        watched.check(f"console-full-{name}", folder, dark=True)
    for name, (path, button, fields) in BUTTONS.items():
        watched.open(path.format(**given))
        for summary in page.locator("main details > summary").all():
            summary.click()
        for label, text in fields.items():
            page.get_by_label(label).first.fill(text)
        if name == "confirm-refund":
            page.locator("details[open] [name=reason]").first.fill("a bad answer")
        page.get_by_role("button", name=button).first.click()
        expect(page.locator("main")).to_contain_text(SHOWN[name])
        watched.check(f"console-full-{name}", folder, dark=True)
    for path in ("/console/wallets/1", "/console?by=star", "/console/nothing"):
        watched.open(path)
        watched.wrong.clear()  # a browser tells what is not 2xx as an error
        watched.check("console-problem", folder, dark=True)
    check_letters_and_weight(live, given)


SHOWN = {
    "confirm-deposit": "12.5 USD from outside come into wallet",
    "confirm-refund": "The charge of",
    "confirm-revoke": "can draw nothing more",
    "confirm-release": "are free again",
    "confirm-dismiss": "1 record of model “unknown-model”",
    "confirm-resume": "wait again",
    "confirm-remove": "limits nothing any more",
    "compare": "What changes for answers-large",
    "new-key": "This is shown once",
}


def check_letters_and_weight(live: Live, given: dict[str, str]) -> None:
    """Letters that turn the direction are numbers. No page is heavy, with all its style, scripts and icons, as they
    cross the wire, and with as many rows as it shows.
    """
    live.call(live.services.pool.execute(MANY, given["shop"], int(given["wallet"])))
    viewer = signed_in(live)
    assert "[U+202E]evil[U+202C] &lt;b&gt;bold" in viewer.get("/console/providers").text
    with_it = sum(len(assets()[path].zipped) for path in ("style.css", "app.js", "console.js", "icon.svg"))
    for name, path in PAGES.items():
        with viewer.http.stream("GET", path.format(**given)) as answer:
            size = sum(len(part) for part in answer.iter_raw())
        assert size + with_it < MOST_BYTES, f"{name} takes {size + with_it} bytes"


def test_empty_pages_say_so(servers: Servers, make_watched: Callable[[Live], Watched], folder: Path | None) -> None:
    watched = make_watched(servers.empty)
    page = enter(watched)
    expect(page.get_by_role("link", name="Register a provider")).to_be_visible()
    watched.check("console-first-steps", folder, dark=True)
    for name, path in PAGES.items():
        if "{" not in path and not path.endswith("1"):
            watched.open(path)
            watched.check(f"console-empty-{name}", folder)


def test_a_month_of_trade(
    servers: Servers,
    make_shop: Callable[[Live], Provider],
    make_watched: Callable[[Live], Watched],
    folder: Path | None,
) -> None:
    """The charts, as an operator sees them; and pictures of them."""
    live = servers.empty
    shop, ada = make_shop(live), Browser(live).sign_up("25")
    token = shop.grant(ada.wallet, username="ada", limit=20_000_000)["session_token"]
    for tokens in (900, 4000, 12_000):
        for model in ("answers-large", "answers-small"):
            shop.charge(token, model=model, usage={"input_tokens": tokens, "output_tokens": tokens // 5})
    live.call(live.services.pool.execute(A_MONTH, shop.slug))
    watched = make_watched(live)
    page = enter(watched)
    expect(page.locator("figure svg rect")).to_have_count(30)
    expect(page.locator("figcaption")).to_contain_text("USD in all")
    watched.check("console-overview-time", folder, dark=True)
    page.get_by_text("The figures").click()
    expect(page.locator("figure tbody tr")).to_have_count(30)
    page.get_by_role("link", name="by model").click()
    expect(page.locator(".chart tbody tr")).to_have_count(3)
    watched.check("console-overview", folder)
    page.goto(f"{live.url}/console/wallets/{ada.wallet}")
    watched.check("console-wallet", folder)
    page.get_by_label("Amount (USD)").fill("12.5")
    page.get_by_label("Reason").first.fill("invoice 7")
    page.get_by_role("button", name="Deposit").click()
    watched.check("console-confirm-deposit", folder)


A_MONTH = """
    INSERT INTO spend_totals
    SELECT kind, grain, date_trunc(grain, day)::date, 'USD', CASE kind WHEN 'provider' THEN p.id ELSE 0 END,
           CASE kind WHEN 'model' THEN model ELSE '' END, 0, sum(n % 90 + 40), sum(n % 3), 0,
           sum((n * 7919 % 400 + 200 + n * 9) * 10000), sum(CASE n % 9 WHEN 4 THEN 450000 ELSE 0 END), 0, 0
    FROM generate_series(0, 29) n CROSS JOIN LATERAL (SELECT now() - (29 - n) * interval '1 day' AS day) d
    JOIN providers p ON p.slug = $1
    CROSS JOIN unnest(ARRAY['answers-large', 'answers-small', 'pictures']) AS model
    CROSS JOIN unnest(ARRAY['provider', 'model']) AS kind CROSS JOIN unnest(ARRAY['day', 'month']) AS grain
    GROUP BY 1, 2, 3, 4, 5, 6 ON CONFLICT DO NOTHING
"""


def test_charges_are_pushed_and_held_back(live: Live, shop: Provider, watched: Watched) -> None:
    token = shop.grant(live.wallet(10**6, asset="USD"))["session_token"]
    page = enter(watched)
    page.goto(f"{live.url}/console/charges?provider={shop.slug}")
    page.evaluate("window.sameDocument = true")
    assert shop.charge(token, amount=123_457).status_code == 201
    expect(page.get_by_text("0.123457 USD")).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    for amount in (1111, 2222):
        assert shop.charge(token, amount=amount).status_code == 201
    expect(page.get_by_role("button", name="Go on (2 wait)")).to_be_visible()
    expect(page.get_by_text("0.002222 USD")).to_have_count(0)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("tbody tr").first).to_contain_text("0.002222 USD")
    expect(page.locator("tbody tr")).to_have_count(3)
    assert page.evaluate("window.sameDocument"), "without a reload"
    assert not watched.wrong


def test_an_audit_is_followed(live: Live, watched: Watched) -> None:
    page = enter(watched)
    page.goto(f"{live.url}/console/books")
    page.get_by_role("button", name="Prove the books now").click()
    expect(page.get_by_text("The books are right")).to_be_visible()
    assert not watched.wrong


def test_a_form_is_sent_once_however_often_its_button_is_pressed(live: Live, watched: Watched) -> None:
    """A key is shown once: it must not stand in an answer that a second press has thrown away."""
    page = enter(watched)
    page.goto(f"{live.url}/console/keys")
    sent: list[str] = []
    page.route("**/console/keys", lambda route: sent.append(route.request.method))  # no answer comes
    page.get_by_label("Name of a new key").fill("pressed often")
    place = page.get_by_role("button", name="Make a key").bounding_box()
    assert place is not None
    for _ in range(3):
        page.mouse.click(place["x"] + 5, place["y"] + 5)
        page.wait_for_timeout(100)
    assert sent == ["POST"]
