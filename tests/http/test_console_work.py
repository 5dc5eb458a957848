"""What operators do to agents, grants, holds, envelopes and keys: told first, done once, logged with the reason."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from farebox import ids
from farebox.ledger.audits import Audits
from tests.support.browsing import Browser, Fields, approved, token_of
from tests.support.consoles import csrf_of, proved, signed_in
from tests.support.live import Live, Provider, fresh_key, live_server, made, settings_for
from tests.support.people import Somebody
from tests.support.processes import until


@pytest.fixture
def operator(live: Live) -> Browser:
    return signed_in(live)


def log(operator: Browser, words: str) -> str:
    return operator.get(f"/console/log?q={words}").text


def test_a_grant_is_found_and_revoked(live: Live, operator: Browser, shop: Provider) -> None:
    ada = Browser(live).sign_up("5")
    approved(ada, shop, limit="0.04")
    token = token_of(shop)
    assert shop.charge(token, amount=10_000).status_code == 201
    (number,) = set(re.findall(r"gr_\d+", operator.get(f"/console/grants?q={ada.wallet}").text))
    for words in (number, shop.slug, ada.email, "ada", f"{ada.wallet[:4]} {ada.wallet[4:]}", ""):
        assert number in operator.get("/console/grants", q=words).text, words
    assert number not in operator.get("/console/grants?q=nobody@example.org").text
    path, revoke = f"/console/grants?q={number}&valid=yes", f"/console/grants/{number}/revoke"
    asked = operator.submit(operator.get(path), revoke)
    assert f"{shop.slug} can draw nothing more" in asked.text and "0.01 USD were spent" in asked.text
    assert shop.charge(token, amount=1).status_code == 201, "asking ends nothing"
    assert operator.submit(asked, revoke, reason="").status_code == 422
    for _ in range(2):
        assert operator.submit(asked, revoke, reason="the shop was sold").status_code == 303
    assert shop.charge(token, amount=1).status_code == 403
    assert f"<code>{number}<" not in operator.get(path).text
    assert log(operator, "grant.revoke").count("the shop was sold") == 1


def test_a_hold_is_freed(live: Live, operator: Browser, shop: Provider) -> None:
    wallet = live.wallet(1_000_000, asset="USD")
    body = {"session_token": shop.grant(wallet)["session_token"], "amount": 250_000}
    hold = made(shop.api.post("/v1/holds", json=body, headers=fresh_key()))["id"]
    page, release = operator.get("/console/holds", q=hold), f"/console/holds/{hold}/release"
    asked = operator.submit(page, release)
    assert f"0.25 USD that are reserved for {shop.slug} are free again" in asked.text
    assert live.read_wallet(wallet)["held"] == 250_000
    for _ in range(2):
        assert operator.submit(asked, release, reason="it hangs").status_code in (303, 404)
    assert (live.read_wallet(wallet)["held"], live.read_wallet(wallet)["available"]) == (0, 1_000_000)
    capture = shop.api.post(f"/v1/holds/{hold}/capture", json={"amount": 1}, headers=fresh_key())
    assert capture.status_code == 409
    assert "None like that" in operator.get("/console/holds", q=hold).text
    assert log(operator, hold).count("it hangs") == 1
    proved(operator)


def test_a_payment_is_freed_with_what_it_counts_on(live: Live, operator: Browser) -> None:
    ada, bob, eve = Somebody(live, "5"), Somebody(live), Somebody(live)
    part = bob.token(eve, token=ada.token(bob, limit=4), limit=3)  # what is held counts on both
    assert eve.draw(ada, "2", part).status_code == 200
    (hold,) = live.call(
        live.services.pool.fetch(
            "SELECT wallet_id, to_wallet_id, id FROM holds WHERE closed_at IS NULL ORDER BY created_at DESC LIMIT 1"
        )
    )
    number = ids.transfer("hd", hold["wallet_id"], hold["id"])
    release, payee = f"/console/holds/{number}/release", str(hold["to_wallet_id"])
    assert operator.confirm(operator.get("/console/holds", q=payee), release).status_code == 303
    assert live.read_wallet(str(hold["wallet_id"]))["held"] == 0
    (told,) = ada.history()
    assert (told["status"], told["resolvedBy"]) == ("CANCELLED", "SYSTEM")
    proved(operator)


def test_an_agent_is_allowed_paused_and_goes_on(live: Live, operator: Browser) -> None:
    operator.submit(operator.get("/console/organizations"), "/console/organizations", id="work", name="Work")
    path = "/console/organizations/work"
    assert operator.submit(operator.get(path), f"{path}/agents", name="").status_code == 422
    agent = operator.submit(operator.get(path), f"{path}/agents", name="scout").headers["location"]
    for words in ("scout", "WORK", "work/sc", ""):
        assert "scout" in operator.get("/console/agents", q=words).text, words
    assert "scout" not in operator.get("/console/agents?q=nobody").text
    wallet = operator.submit(operator.get(path), f"{path}/credits").headers["location"]
    assert operator.confirm(operator.get(wallet), f"{wallet}/deposit", amount="10").status_code == 303
    page = operator.get(agent)
    for wrong in ({"limit": "0"}, {"limit": "-1"}, {"limit": "1e30"}, {"lasting": "ever"}):
        assert operator.submit(page, f"{agent}/allowance", **({"lasting": "no end"} | wrong)).status_code == 422, wrong
    terms = {"limit": "4", "charge_limit": "1.5", "lasting": "a week"}
    asked = operator.submit(page, f"{agent}/allowance", **terms)
    for told in ("may spend 4 CREDIT", "at most 1.5 CREDIT", "for a week"):
        assert told in asked.text
    assert operator.submit(asked, f"{agent}/allowance", reason="a trial").status_code == 303
    assert operator.submit(asked, f"{agent}/allowance", reason="a trial").status_code == 409, "sent before"
    assert state(live) == ("active", 4_000_000, 1_500_000)
    assert operator.confirm(operator.get(agent), f"{agent}/pause", "it ran wild").status_code == 303
    assert state(live)[0] == "revoked"
    assert "Paused" in operator.get(agent).text and "paused" in operator.get("/console/agents?q=scout").text
    again = terms | {"limit": "", "charge_limit": "", "lasting": "no end"}
    assert operator.confirm(operator.get(agent), f"{agent}/allowance", "it is mended", **again).status_code == 303
    assert state(live) == ("active", None, None)
    for why in ("a trial", "it ran wild", "it is mended"):
        assert why in log(operator, "reason")


def state(live: Live) -> tuple[Any, ...]:
    (found,) = live.admin.get("/v1/organizations/work/agents").json()["data"]
    return found["state"], found["limit"], found["charge_limit"]


def test_an_envelope_is_set_changed_and_removed(live: Live, operator: Browser, shop: Provider) -> None:
    token = shop.grant(live.wallet(10**7, asset="USD"))["session_token"]
    page = operator.get("/console/envelopes")
    new = {"name": "Shop’s day", "asset": "USD", "limit": "1", "period": "daily", "kind": "provider"}
    new |= {"applies_to": shop.slug}
    wrongs: list[dict[str, str]] = [{"name": ""}, {"limit": "x"}, {"limit": "0.0000001"}, {"period": "hourly"}]
    wrongs += [{"kind": "star"}, {"applies_to": "nobody"}, {"applies_to": ""}, {"asset": "XYZ"}, {"reset_day": "x"}]
    wrongs += [{"organization": "nobody"}, {"kind": ""}, {"kind": "", "asset": "", "applies_to": ""}]
    for wrong in wrongs:
        assert operator.submit(page, "/console/envelopes", **(new | wrong)).status_code == 422, wrong
    asked = operator.submit(page, "/console/envelopes", **new)
    assert "lets 1 USD through daily" in asked.text and f"a provider {shop.slug}" in asked.text
    path = operator.submit(asked, "/console/envelopes", reason="until we know them").headers["location"]
    assert operator.submit(asked, "/console/envelopes", reason="until we know them").status_code == 409
    assert shop.charge(token, amount=900_000).status_code == 201
    assert shop.charge(token, amount=200_000).status_code == 403
    assert "<b>0.9</b> of 1 USD" in operator.get(path).text
    change = {"name": "Shop’s week", "limit": "3", "period": "weekly", "reset_day": "1"}
    assert operator.submit(operator.get(path), f"{path}/change", **(change | {"reset_day": "9"})).status_code == 200
    bad = operator.submit(operator.get(path), f"{path}/change", **(change | {"reset_day": "9"}))
    assert operator.submit(bad, f"{path}/change", reason="r").status_code == 422
    done = operator.confirm(operator.get(path), f"{path}/change", "they pay well", **change)
    assert done.status_code == 303
    assert shop.charge(token, amount=200_000).status_code == 201
    assert "<b>1.1</b> of 3 USD" in operator.get(path).text
    assert operator.confirm(operator.get(path), f"{path}/remove", "we know them").status_code == 303
    assert shop.charge(token, amount=5_000_000).status_code == 201
    assert operator.get(path).status_code == 404
    for why in ("until we know them", "they pay well", "we know them"):
        assert why in log(operator, "envelope.")


def test_a_key_is_replaced(live: Live, operator: Browser, shop: Provider) -> None:
    path = f"/console/providers/{shop.slug}"
    wallet = live.wallet(100)
    token = shop.grant(wallet)["session_token"]
    replace = next(action for action in Fields(operator.get(path).text).forms if action.endswith("/replace"))
    page = operator.get(path)
    later = operator.submit(page, replace, ends="in a day")
    (second,) = re.findall(rf"pk_live_{shop.slug}_[0-9a-f]{{48}}", later.text)
    assert operator.submit(page, replace, ends="in a day").status_code == 409, "sent twice, made once"
    assert shop.charge(token, amount=1).status_code == 201, "the old one holds for a day"
    assert operator.submit(operator.get(path), replace, ends="someday").status_code == 422
    before = operator.get(path)
    assert operator.submit(operator.get(path), replace, ends="at once").status_code == 200
    assert shop.charge(token, amount=1).status_code == 401
    assert Provider(live, shop.slug, second).charge(token, amount=1).status_code == 201
    assert operator.submit(before, replace, ends="at once").status_code == 404, "it has ended"
    assert operator.get(path).text.count("ended <time") == 1
    assert "key.replace" in log(operator, shop.slug)


def test_charges_are_pushed_to_who_wants_them(live: Live, operator: Browser, shop: Provider) -> None:
    live.price("push-1", shop.slug, asset="USD", input_token="0.001")
    token = shop.grant(live.wallet(10**7, asset="USD"))["session_token"]
    path = f"/console/charges/events?provider={shop.slug}&model=PUSH&outcome=refused"
    with operator.http.stream("GET", path) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert shop.charge(token, model="push-1", usage={"input_tokens": 1}).status_code == 201
        assert shop.charge(token, amount=90_000_000).status_code == 402
        refused = shop.charge(token, model="push-1", usage={"input_tokens": 10**6})
        line = next(line for line in stream.iter_lines() if line.startswith("data:"))
    rows = json.loads(line[5:])["rows"]
    assert rows.count("<tr") == 1 and refused.json()["id"] in rows and "insufficient balance" in rows
    assert operator.get("/console/charges/events?outcome=maybe").status_code == 422
    shown = operator.get(f"/console/charges?provider={shop.slug}&outcome=charged").text
    assert shown.count('<tr id="ch_') == 1
    charge = operator.get(f"/console/charges/{re.findall(r'ch_[0-9a-z_]+', shown)[0]}").text
    assert "How the amount came about" in charge


def test_a_stream_ends_with_its_session(live: Live, operator: Browser, shop: Provider) -> None:
    staff = signed_in(live, shop.key)
    csrf = csrf_of(staff)
    with staff.http.stream("GET", "/console/charges/events", timeout=60) as stream:
        assert stream.status_code == 200
        assert Browser.post(staff, "/console/sign-out", csrf=csrf).status_code == 303
        assert all(not line.startswith("data:") for line in stream.iter_lines()), "it comes to its end"


def test_an_open_stream_keeps_no_server_from_ending(database: str) -> None:
    opened = threading.Event()

    def read(operator: Browser) -> int:
        with operator.http.stream("GET", "/console/charges/events", timeout=60) as stream:
            opened.set()
            return len(list(stream.iter_lines()))  # raises where it is cut off

    with ThreadPoolExecutor(1) as pool:
        with live_server(database, settings_for()) as live:
            reader = pool.submit(read, signed_in(live))
            assert opened.wait(30)
        assert reader.result() > 0, "it is ended"


def test_the_log_is_searched_and_names_keys(live: Live, operator: Browser) -> None:
    page = operator.get("/console/keys")
    operator.submit(page, "/console/keys", name="Käthe’s key", scopes="read only (viewer)")
    assert operator.submit(page, "/console/keys", name="Käthe’s key", scopes="read only (viewer)").status_code == 409
    found = log(operator, "käthe")
    assert found.count("<td>key.add</td>") == 1 and "environment" in found
    assert "Käthe" not in log(operator, "nothing of the kind")


def test_one_audit_at_a_time(live: Live, operator: Browser) -> None:
    async def at_once() -> list[bool]:
        audits: Audits = live.services.audits
        return [await audits.start("a"), await audits.start("b")]

    until(lambda: live.call(live.services.pool.fetchval("SELECT count(*) FROM audit_runs WHERE ended_at IS NULL")) == 0)
    assert live.call(at_once()) == [True, False]
    proved(operator)
