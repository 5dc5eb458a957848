"""The pages of the published clients: each block of Python runs as it stands, with our package and with theirs."""

import json
import os
import re
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from farebox import Farebox
from tests.clients import pages_conxa, pages_knai, pages_syftbox, pages_tokenvault, pages_x402tools
from tests.clients.pages import Case
from tests.support import published as releases
from tests.support.live import ADMIN_KEY, Live
from tests.support.people import PASSWORD, Somebody
from tests.support.processes import until
from tests.support.redises import redis_process
from tests.support.seeds import SEEDS, blocks
from tests.support.standin import StandIn
from tests.support.wheels import ROOT, environment
from x402tools import X402Client

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the pages of the published clients are not here")

RUNNER = Path(__file__).with_name("page_runner.py")


def run(page: str, cases: list[Case], python: Path, env: dict[str, str], *, published: bool) -> list[dict[str, Any]]:
    """What each block of a page does."""
    return run_all(blocks(page), cases, python, env, published=published)


def run_all(
    found: list[str], cases: list[Case], python: Path, env: dict[str, str], *, published: bool
) -> list[dict[str, Any]]:
    """What blocks do."""
    assert len(found) == len(cases)
    programs = [
        [case.before, block, case.after]
        for block, case in zip(found, cases, strict=True)
        if case.program and (case.published or not published)
    ]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
    done = subprocess.run(
        [python, RUNNER],
        input=json.dumps(programs),
        env=inherited | env,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


def compare(cases: list[Case], ours: list[dict[str, Any]], published: list[dict[str, Any]]) -> None:
    """The same is printed; what is raised is caught by whoever catches what the published client raises."""
    programs = [case for case in cases if case.program]
    both = [found for case, found in zip(programs, ours, strict=True) if case.published]
    for mine, theirs in zip(both, published, strict=True):
        assert plain(mine["printed"]) == plain(theirs["printed"]), (mine["trace"], theirs["trace"])
        assert theirs["raised"][:1] == [name for name in theirs["raised"][:1] if name in mine["raised"]], mine["trace"]
        assert bool(mine["raised"]) == bool(theirs["raised"]), mine["trace"]


def plain(text: str) -> str:
    """Output without what differs from run to run: pictures, tokens, numbers of wallets and charges."""
    text = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]{40,}", "<picture>", text)
    text = re.sub(r"\b(ps|ch|env|dt|ok_live)_[0-9a-f…*.]+|…[0-9a-f]{4}|\b[0-9]{16}\b", "<id>", text)
    return re.sub(r"\d{4}-\d\d-\d\d[T ][0-9:.+]+", "<time>", text)


def world(live: Live, user: str, model: str) -> dict[str, str]:
    """A provider whom a user has connected to a wallet of 100,000 tokens."""
    provider = live.provider()
    live.price(model, provider.slug, input_token="1", output_token="2")
    wallet = live.wallet(100_000_000)
    token = provider.grant(wallet, user)["session_token"]
    return {"KEY": provider.key, "SLUG": provider.slug, "TOKEN": token, "WALLET": wallet}


def test_conxa(live: Live) -> None:
    pythons = [environment("seeds-conxa", ROOT, ROOT / "clients" / "conxa"), environment("seeds-conxa-published")]
    told = []
    for python, published in zip(pythons, (False, True), strict=True):
        env = world(live, "user@example.com", "gpt-4") | {"URL": f"{live.url}/conxa"}
        env |= {"CONXA_API_KEY": env["KEY"], "CONXA_PROVIDER_ID": env["SLUG"]}
        told.append(run("conxa-sdk", pages_conxa.CASES, python, env, published=published))
    compare(pages_conxa.CASES, *told)
    assert "Charged! New balance: 98000 tokens\n" in told[0][0]["printed"]
    failing = {number: found["raised"][0] for number, found in enumerate(told[0]) if found["raised"]}
    assert failing == {6: "SessionEndedError", 7: "SessionNotFoundError", 8: "TypeError"}


def test_knai(live: Live) -> None:
    pythons = [environment("knai", ROOT, ROOT / "clients" / "knai"), environment("seeds-knai-published")]
    told = []
    for python, published in zip(pythons, (False, True), strict=True):
        env = world(live, "user123", "gpt-4") | {"URL": f"{live.url}/knai"}
        told.append(run("knai-provider", pages_knai.CASES, python, env, published=published))
    compare(pages_knai.CASES, *told)
    assert "Charge successful: {'approved': True, 'charged_tokens': 1500" in told[0][0]["printed"]


def test_x402tools(live: Live) -> None:
    pythons = [environment("x402tools", ROOT, ROOT / "clients" / "x402tools"), environment("seeds-x402tools-published")]
    told = []
    for python, published in zip(pythons, (False, True), strict=True):
        with Farebox(live.url, ADMIN_KEY) as admin:
            name = f"org-{uuid.uuid4().hex[:10]}"
            admin.organizations.add(name, "Ours")
            key = admin.organizations.add_key(name, "ours").key
        url = f"{live.url}/x402tools"
        with X402Client(key, url) as client:
            envelope = client.create_envelope("Theirs", 10_000, "DAILY").id
        env = {"KEY": key, "URL": url, "ENVELOPE": envelope}
        told.append(run("x402tools", pages_x402tools.CASES, python, env, published=published))
    compare(pages_x402tools.CASES, *told)
    assert "Recorded 100 units of usage" in told[0][0]["printed"]
    failing = {number: found["raised"][0] for number, found in enumerate(told[0]) if found["raised"]}
    assert failing == {9: "EnvelopeNotFoundError"}


def test_syftbox(make_live: Callable[..., Live], tmp_path: Path) -> None:
    pythons = [
        environment("syftbox", ROOT, ROOT / "clients" / "syftbox"),
        releases.environment("syft-hub-0.1.32"),
    ]
    found = [place.text() for place, _ in pages_syftbox.BLOCKS]
    cases = [case for _, case in pages_syftbox.BLOCKS]
    told = []
    for python, published in zip(pythons, (False, True), strict=True):
        live = make_live()
        ada = Somebody(live, "10", "ada@example.com")
        for service in ("service@example.com", "ai-service@example.com"):
            Somebody(live, email=service)
        home = tmp_path / str(published)
        home.mkdir()
        url = f"{live.url}/syftbox"
        env = {"URL": url, "EMAIL": ada.email, "PASS": PASSWORD, "HOME": str(home)}
        before = [replace(case, before=pages_syftbox.PUBLISHED + case.before) for case in cases] if published else cases
        told.append(run_all(found, before, python, env, published=published))
    compare(cases, *told)
    shown = [one["printed"] for one in told[0]]
    assert shown[0].startswith("❌")
    assert "Password: secure_password\nBalance: $0.0" in shown[1]
    assert shown[8].splitlines()[1:] == ["Remaining Balance: $8.5", "Transaction Cost: $1.5"]
    assert "[Configured]" in shown[3]
    assert "Balance:     $10.0" in shown[3]
    failing = {number: one["raised"][0] for number, one in enumerate(told[0]) if one["raised"]}
    assert failing == {10: "PaymentError", 11: "AuthenticationError"}


def test_no_line_of_syftboxs_page_is_left_out() -> None:
    lines = (SEEDS / "syftbox-accounting.md").read_text("utf-8").splitlines()
    code = {number for number, line in enumerate(lines, 1) if re.match(pages_syftbox.CODE, line)}
    taken = {number for place, _ in pages_syftbox.BLOCKS for number in range(place.first, place.last + 1)}
    assert code - taken == pages_syftbox.TALK


def test_tokenvault(make_live: Callable[..., Live]) -> None:
    pythons = [
        environment("seeds-tokenvault", ROOT, ROOT / "clients" / "tokenvault_sdk"),
        releases.environment("tokenvault-sdk-1.0.2"),
    ]
    told = []
    for python, published in zip(pythons, (False, True), strict=True):
        with redis_process() as redis, StandIn() as groq:
            groq.answer = {"status": 200, "body": pages_tokenvault.ANSWER}
            live = make_live(redis_url=redis.url)
            live.price(pages_tokenvault.MODEL, asset="CREDIT", input_token="1", output_token="2")
            url = f"{live.url}/tokenvault".replace("://", f"://admin:{ADMIN_KEY}@")
            env = {"TOKENVAULT_API_URL": url, "TOKENVAULT_REDIS_URL": redis.url, "GROQ_BASE_URL": groq.url}
            told.append(run("tokenvault-sdk", pages_tokenvault.CASES, python, env, published=published))
            if not published:
                until_credits(live, "my-company-2025", 5_000 - 1_500)
    compare(pages_tokenvault.CASES, *told)
    printed = [one["printed"] for one in told[0]]
    assert printed[0].startswith("Hello\n")
    assert printed[1:4] == ["15000\n", "2000\n", "Credit balance: 2000.00 credits\nHello\n"]
    failing = {number: one["raised"][0] for number, one in enumerate(told[0]) if one["raised"]}
    assert failing == {6: "TypeError", 7: "TypeError"}


def until_credits(live: Live, organization: str, credits_: int) -> None:
    """Waits until an organization has so many credits."""
    with live.client(ADMIN_KEY, "/tokenvault") as client:
        until(lambda: client.get(f"/v1/balance/organizations/{organization}").json()["balance"] == credits_)
