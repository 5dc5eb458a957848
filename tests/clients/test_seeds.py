"""The pages of the published clients: each block of Python runs as it stands, with our package and with theirs."""

import json
import os
import re
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest

from farebox import Farebox
from tests.clients import pages_conxa, pages_knai, pages_x402tools
from tests.clients.pages import Case
from tests.support.live import ADMIN_KEY, Live
from tests.support.seeds import SEEDS, blocks
from tests.support.wheels import ROOT, environment
from x402tools import X402Client

pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the pages of the published clients are not here")

RUNNER = Path(__file__).with_name("page_runner.py")


def run(page: str, cases: list[Case], python: Path, env: dict[str, str], *, published: bool) -> list[dict[str, Any]]:
    """What each block does."""
    found = blocks(page)
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
    text = re.sub(r"\b(ps|ch|env|ok_live)_[0-9a-f…*.]+|…[0-9a-f]{4}|\b[0-9]{16}\b", "<id>", text)
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
