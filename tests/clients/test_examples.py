"""The examples, run as they stand against a real server, with the packages that they name."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from farebox import Farebox
from farebox.consent import qr
from tests.clients import pages_tokenvault
from tests.clients.test_seeds import RUNNER
from tests.support.live import ADMIN_KEY, Live, made
from tests.support.people import PASSWORD, Somebody
from tests.support.processes import until
from tests.support.redises import redis_process
from tests.support.standin import StandIn
from tests.support.wheels import ROOT, environment

EXAMPLES = ROOT / "examples"
USER = "ada@example.org"
RUN = {"farebox/meter.py", "knai/basic.py", "x402tools/basic.py", "syftbox/payment_flow.py", "tokenvault/groq_agent.py"}
RUN |= {"conxa/basic_integration.py", "conxa/flask_integration.py", "conxa/fastapi_integration.py"}


def test_each_is_run_and_told_of() -> None:
    assert {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.py")} == RUN
    text = (EXAMPLES / "README.md").read_text("utf-8")
    assert {name for name in RUN if f"`{name}`" not in text} == set()


class Shop:
    """A provider with a price, and a wallet of 100,000 tokens that a user has connected."""

    def __init__(self, live: Live) -> None:
        self.provider = live.provider()
        live.price("gpt-4o", self.provider.slug, input_token="1", output_token="2")
        self.wallet = live.wallet(100_000_000)

    def connect(self) -> str:
        token: str = self.provider.grant(self.wallet, USER)["session_token"]
        return token


@pytest.fixture
def shop(live: Live) -> Shop:
    return Shop(live)


def run(python: Path, example: str, *arguments: str, directory: Path, **env: str) -> str:
    """What an example prints."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FAREBOX_", "SYFTBOX_"))}
    done = subprocess.run(
        [python, EXAMPLES / example, *arguments],
        env=inherited | env,
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_meter(live: Live, shop: Shop, tmp_path: Path) -> None:
    python = environment("farebox", ROOT)
    env = {"FAREBOX_URL": live.url, "FAREBOX_KEY": shop.provider.key}
    told = run(python, "farebox/meter.py", shop.connect(), "Hello", directory=tmp_path, **env)
    assert told == "You asked: Hello\n2000000 units were held, 70000 taken\n"


def test_knai(live: Live, shop: Shop, tmp_path: Path) -> None:
    shop.connect()
    env = {"KNAI_API_URL": f"{live.url}/knai", "KNAI_API_KEY": shop.provider.key}
    python = environment("knai", ROOT, ROOT / "clients" / "knai")
    told = run(python, "knai/basic.py", USER, directory=tmp_path, KNAI_PROVIDER_SLUG=shop.provider.slug, **env)
    assert told == "1500 tokens charged, 98500 are left\n"


def test_x402tools(live: Live, tmp_path: Path) -> None:
    with Farebox(live.url, ADMIN_KEY) as admin:
        name = f"org-{uuid.uuid4().hex[:8]}"
        admin.organizations.add(name, "Ours")
        key = admin.organizations.add_key(name, "ours").key
    env = {"X402TOOLS_API_URL": f"{live.url}/x402tools", "X402TOOLS_API_KEY": key}
    python = environment("x402tools", ROOT, ROOT / "clients" / "x402tools")
    told = run(python, "x402tools/basic.py", directory=tmp_path, **env)
    assert told == "/search: 60 recorded\n/ask: 30 recorded\n/draw: only 10 of 100 are left\nused in all: 90\n"


def test_syftbox(live: Live, tmp_path: Path) -> None:
    payer, service = Somebody(live, "10"), Somebody(live)
    env = {
        f"SYFTBOX_ACCOUNTING_{name}": value for name, value in (("URL", f"{live.url}/syftbox"), ("EMAIL", payer.email))
    }
    env |= {"SYFTBOX_ACCOUNTING_PASSWORD": PASSWORD, "SERVICE_EMAIL": service.email, "SERVICE_PASSWORD": PASSWORD}
    python = environment("syftbox", ROOT, ROOT / "clients" / "syftbox")
    told = run(python, "syftbox/payment_flow.py", directory=tmp_path, HOME=str(tmp_path), **env)
    assert told.splitlines()[-2:] == [
        "You asked: How are you?",
        "Paid $0.25, $9.75 are left; spent in all: $0.25",
    ]
    assert service.balance == 0.25


def test_the_groq_agent(make_live: Callable[..., Live], tmp_path: Path) -> None:
    python = environment("seeds-tokenvault", ROOT, ROOT / "clients" / "tokenvault_sdk")
    with redis_process() as redis, StandIn() as groq:
        groq.answer = {"status": 200, "body": pages_tokenvault.ANSWER}
        live = make_live(redis_url=redis.url)
        live.price(pages_tokenvault.MODEL, asset="CREDIT", input_token="1", output_token="2")
        url = f"{live.url}/tokenvault".replace("://", f"://admin:{ADMIN_KEY}@")
        env = {"TOKENVAULT_API_URL": url, "TOKENVAULT_REDIS_URL": redis.url, "GROQ_API_KEY": "x"}
        told = run(python, "tokenvault/groq_agent.py", "acme", "Hi", directory=tmp_path, GROQ_BASE_URL=groq.url, **env)
        assert told.startswith("Hello\ncredits: ")
        with live.client(ADMIN_KEY, "/tokenvault") as client:
            until(lambda: client.get("/v1/balance/organizations/acme").json()["balance"] == 5_000 - 11)


CONXA_ENVIRONMENT = ("seeds-conxa", ROOT, ROOT / "clients" / "conxa")


def conxa(live: Live, shop: Shop) -> dict[str, str]:
    found = {"CONXA_API_KEY": shop.provider.key, "CONXA_PROVIDER_ID": shop.provider.slug}
    return found | {"CONXA_API_URL": f"{live.url}/conxa"}


def test_conxa(live: Live, shop: Shop, tmp_path: Path) -> None:
    python = environment(*CONXA_ENVIRONMENT)
    running = subprocess.Popen(
        [python, EXAMPLES / "conxa" / "basic_integration.py", USER],
        env=os.environ | conxa(live, shop),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    code: dict[str, Any] = {}

    def scanned() -> bool:
        assert running.poll() is None
        try:
            code.update(qr.read(str(tmp_path / "connect.png")))
        except qr.UnreadableCode:
            return False
        return True

    until(scanned)
    request = made(live.admin.post("/v1/connection-requests", json={"wallet": shop.wallet, "qr": code}))
    made(live.admin.post(f"/v1/connection-requests/{request['id']}/approve", json={"terms": request["terms"]}))
    told = running.communicate(timeout=60)[0].splitlines()
    assert told[0] == "Scan connect.png with your wallet."
    assert told[-2:] == ["It will cost 2000000 units of TOKEN", "Charged, 98000 tokens are left."]


FLASK = """
import sys
sys.path.insert(0, DIRECTORY)
import flask_integration
with flask_integration.app.test_client() as browser:
    print(browser.post("/api/chat", json={"message": "Hello"}).status_code)
    page = browser.post("/login", data={"user": USER}, follow_redirects=True).text
    print("data:image/png;base64," in page)
    print(browser.get("/status").json)
    for _ in range(2):
        answer = browser.post("/api/chat", json={"message": "Hello"}, headers={"X-Request-ID": "one"})
        print(answer.status_code, answer.json)
"""
FASTAPI = """
import sys
sys.path.insert(0, DIRECTORY)
import fastapi_integration
from fastapi.testclient import TestClient
with TestClient(fastapi_integration.app) as browser:
    print(browser.post("/connect", params={"user": USER}).json()["qr_base64"][:22])
    with browser.websocket_connect("/ws/" + USER) as websocket:
        print(websocket.receive_json())
    print(browser.post("/chat", params={"user": USER, "message": "Hello"}).json())
    print(browser.post("/chat", params={"user": "nobody", "message": "Hello"}).status_code)
"""


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        (FLASK, "401\nTrue\n{'status': 'active'}\n" + "200 {'answer': 'You said: Hello', 'new_balance': 99780}\n" * 2),
        (
            FASTAPI,
            "data:image/png;base64,\n{'status': 'active'}\n{'answer': 'You said: Hello', 'new_balance': 99780}\n401\n",
        ),
    ],
    ids=["flask", "fastapi"],
)
def test_web(live: Live, shop: Shop, program: str, printed: str) -> None:
    shop.connect()
    known = f"DIRECTORY, USER = {str(EXAMPLES / 'conxa')!r}, {USER!r}"
    done = subprocess.run(
        [environment(*CONXA_ENVIRONMENT), RUNNER],
        input=json.dumps([[known, program]]),
        env=os.environ | conxa(live, shop),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (told,) = json.loads(done.stdout)
    assert told["printed"] == printed, told["trace"]
