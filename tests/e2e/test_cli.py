"""The command line against a real server."""

import json
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image, ImageFilter
from typer.testing import CliRunner, Result

from farebox.cli.root import app
from tests.support.databases import Databases
from tests.support.live import ADMIN_KEY, Live
from tests.support.processes import ServerProcess, free_port, until

RUNNER = CliRunner()


class Shell:
    """Commands for one server."""

    def __init__(self, live: Live) -> None:
        self.live = live

    def run(self, *words: str, key: str = ADMIN_KEY, given: str | None = None) -> Result:
        """A command's outcome."""
        return RUNNER.invoke(app, [*words], env={"FAREBOX_URL": self.live.url, "FAREBOX_KEY": key}, input=given)

    def text(self, *words: str) -> str:
        """What a command that succeeds prints for people."""
        result = self.run(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str) -> Any:
        """What a command that succeeds prints for programs; nothing else is on stdout."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def fails(self, *words: str, key: str = ADMIN_KEY) -> str:
        """What a command that fails says on stderr, on one line."""
        result = self.run(*words, key=key)
        assert result.exit_code == 1, result.output
        assert result.stdout == ""
        return " ".join(result.stderr.split())


@pytest.fixture
def shell(live: Live) -> Shell:
    return Shell(live)


def a_slug() -> str:
    return f"p{uuid.uuid4().hex[:10]}"


def test_what_an_agent_may_spend(shell: Shell) -> None:
    name = f"org-{uuid.uuid4().hex[:8]}"
    shell.json("org", "add", name)
    made = shell.live.admin.post(f"/v1/organizations/{name}/agents", json={"name": "mail-agent"})
    assert made.status_code == 201
    assert "no limit" in shell.text("org", "agents", name)
    allowed = shell.json("org", "allow", name, "mail-agent", "--limit", "12.5", "--expires-in", "30d")
    assert (allowed["limit"], allowed["charge_limit"]) == (12_500_000, None)
    assert "12.5 CREDIT" in shell.text("org", "agents", name)
    assert "finer" in shell.fails("org", "allow", name, "mail-agent", "--limit", "0.0000001")
    assert "no such profile" in shell.fails("org", "allow", name, "nobody")


def test_a_wallet_from_opening_to_statement(shell: Shell) -> None:
    owner = uuid.uuid4().hex
    wallet = shell.json("wallet", "open", "--asset", "USD", "--owner", owner, "--deposit", "12.50")
    assert (wallet["asset"], wallet["available"]) == ("USD", 12_500_000)
    deposited = shell.json("wallet", "deposit", wallet["id"], "0.000001", "--reference", uuid.uuid4().hex)
    assert deposited["available"] == 12_500_001
    assert "12.500001 USD" in shell.text("wallet", "show", wallet["id"])
    assert [found["id"] for found in shell.json("wallet", "list", "--owner", owner)] == [wallet["id"]]
    assert [item["amount"] for item in shell.json("wallet", "history", wallet["id"])] == [1, 12_500_000]
    statement = shell.json("wallet", "statement", wallet["id"])
    assert (statement["money_in"], statement["closing_balance"], len(statement["data"])) == (12_500_001, 12_500_001, 2)
    assert "12.500001 USD" in shell.text("wallet", "statement", wallet["id"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--url", "127.0.0.1:8080"], "starts with http:// or https://"),
        (["--url", "http://127.0.0.1:eighty"], "Invalid port"),
        (["--key", "pk_live_…"], "no API key"),
        (["--key", "pk_live_1\r"], "no API key"),
    ],
)
def test_what_is_no_address_and_no_key_is_said(shell: Shell, words: list[str], said: str) -> None:
    assert said in shell.fails("wallet", "list", *words)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("1.0000001", "finer than USD can be"),
        ("0", "above zero"),
        ("-1", "No such option"),
        ("1e999", "not an amount"),
        ("ten", "not an amount"),
        ("99999999999999999999", "more than a wallet can hold"),
        ("1,500", "two ways"),
    ],
)
def test_amounts_are_exact_or_refused(shell: Shell, amount: str, said: str) -> None:
    wallet = shell.json("wallet", "open", "--asset", "USD")["id"]
    result = shell.run("wallet", "deposit", wallet, amount)
    assert result.exit_code != 0
    assert said in " ".join(result.stderr.split())
    assert shell.json("wallet", "show", wallet)["balance"] == 0


def test_the_same_deposit_again_comes_in_once(shell: Shell) -> None:
    wallet = shell.json("wallet", "open", "--asset", "USD")["id"]
    first, again = (
        shell.json("wallet", "deposit", wallet, "5", "--idempotency-key", f"k-{wallet}")["id"] for _ in range(2)
    )
    assert first == again
    assert shell.json("wallet", "show", wallet)["balance"] == 5_000_000


def test_a_provider_and_its_keys(shell: Shell) -> None:
    slug = a_slug()
    made = shell.json("provider", "add", slug, "--name", "Acme", "--verified", "--markup", "1.2")
    assert (made["verified"], made["markup"]) == (True, "1.2")
    assert made["key"].startswith(f"pk_live_{slug}_")
    assert shell.json("provider", "change", slug, "--unverified")["verified"] is False
    extra = shell.json("provider", "key", "add", slug, "--name", "ci", "--expires-in", "30d", "--read-only")
    assert extra["scopes"] == ["read"]
    shell.text("provider", "key", "revoke", slug, extra["id"])
    keys = {key["id"]: key for key in shell.json("provider", "key", "list", slug)}
    assert keys[extra["id"]]["revoked_at"] is not None
    assert made["key"] not in shell.text("provider", "key", "list", slug)
    assert slug in shell.text("provider", "list")
    assert "Acme" in shell.text("provider", "show", slug)


def test_people_and_their_money(shell: Shell) -> None:
    email = f"{uuid.uuid4().hex}@example.org"
    made = shell.json("people", "add", email, "--organization", "Team", "--credit", "2.50")
    assert (made["email"], made["available"]) == (email, 2_500_000)
    assert len(made["password"]) >= 20
    shell.json("people", "credit", email.upper(), "0.000001", "--note", "a gift")
    assert "2.500001 USD" in shell.text("people", "show", email)
    assert made["wallet"] in shell.text("people", "list", "--limit", "100000")
    assert "Nobody has an account" in shell.fails("people", "show", "nobody@example.org")
    assert "exists" in shell.fails("people", "add", email)
    typed = shell.run("people", "add", f"2{email}", "--ask-password", "--json", given="a password\na password\n")
    assert typed.exit_code == 0, typed.output
    assert '"password": null' in typed.stdout
    history = shell.json("wallet", "history", made["wallet"])
    assert [item["amount"] for item in history] == [1, 2_500_000]


def test_an_organization_and_its_keys(shell: Shell) -> None:
    name = a_slug()
    shell.json("org", "add", name, "--name", "Team")
    key = shell.json("org", "key", "add", name)["key"]
    wallet = json.loads(shell.run("wallet", "open", "--json", key=key).stdout)
    assert wallet["organization"] == name
    assert name in shell.text("org", "list")


def test_prices_are_set_shown_quoted_and_withdrawn(shell: Shell) -> None:
    slug, model = a_slug(), f"m/{uuid.uuid4().hex}"
    shell.json("provider", "add", slug)
    shell.json(
        "prices", "set", model, "--input-token", "0.000002", "--output-token", "0.00001", "--unit", "images=0.04"
    )
    assert shell.json("prices", "show", model)[0]["units"] == {"images": "0.04"}
    assert model in shell.text("prices", "list", model)
    given = ("--provider", slug, "--input-tokens", "1000", "--output-tokens", "100")
    assert shell.json("prices", "quote", model, *given)["amount"] == 3000
    shell.text("prices", "withdraw", model)
    assert "no price" in shell.fails("prices", "quote", model, *given)


def test_a_price_list_is_taken_in_once(shell: Shell, tmp_path: Path) -> None:
    model = uuid.uuid4().hex
    text = f'{{"{model}": {{"input_cost_per_token": 1.5e-07, "output_cost_per_token": 6e-07, "mode": "chat"}}}}'
    file = tmp_path / "prices.json"
    file.write_text(text)
    assert shell.json("prices", "import", str(file), "--dry-run")["added"] == [model]
    assert shell.json("prices", "import", str(file))["added"] == [model]
    assert shell.json("prices", "import", str(file))["unchanged"] == [model]
    assert shell.json("prices", "show", model)[0]["input_token"] == "0.00000015"
    file.write_text("[]")
    assert "no price list" in shell.fails("prices", "import", str(file))


def test_a_charge_is_shown_explained_and_given_back(shell: Shell) -> None:
    provider = shell.live.provider()
    wallet = shell.live.wallet(10_000_000, asset="USD")
    shell.live.price("cli", provider.slug, asset="USD", input_token="0.0000015")
    token = provider.grant(wallet)["session_token"]
    charge = provider.charge(token, model="cli", usage={"input_tokens": 1001}).json()
    assert "0.001502 USD" in shell.text("charge", "show", charge["id"])
    explained = shell.text("charge", "explain", charge["id"])
    assert re.search(r"input_token\s+1,001\s+0\.0000015\s+0\.0015015", explained)
    assert shell.json("charge", "refund", charge["id"], "--amount", "0.001")["amount"] == 1000
    assert shell.json("charge", "refund", charge["id"])["amount"] == 502


def code(tmp_path: Path, slug: str, **more: Any) -> Path:
    """An image of a provider's QR code."""
    payload = {"provider_id": slug, "provider_type": "api", "provider_username": "ada", **more}
    path = tmp_path / "code.png"
    segno.make(json.dumps(payload), error="m").save(str(path), scale=6)
    return path


def test_connecting_reads_a_real_picture_and_shows_what_is_asked(shell: Shell, tmp_path: Path) -> None:
    slug = shell.live.provider().slug
    wallet = shell.live.wallet(10_000)
    picture = code(tmp_path, slug, limit=50.0)
    result = shell.run(
        "wallet", "connect", str(picture), "--wallet", wallet, "--limit", "20", "--expires-in", "7d", "--yes"
    )
    assert result.exit_code == 0, result.output
    for said in (slug, "ada", "50 TOKEN", "7 days", "not verified", "20 TOKEN"):
        assert said in result.stderr
    (grant,) = shell.json("wallet", "grants", wallet)
    assert (grant["remaining"], grant["state"]) == (20_000, "active")
    shell.text("wallet", "revoke", grant["id"])
    assert shell.json("wallet", "grants", wallet)[0]["state"] == "revoked"


def test_a_photograph_of_the_code_will_do(shell: Shell, tmp_path: Path) -> None:
    wallet = shell.live.wallet(10_000)
    picture = code(tmp_path, shell.live.provider().slug)
    with Image.open(picture) as image:
        image.convert("L").rotate(7, expand=True, fillcolor=200).filter(ImageFilter.GaussianBlur(1.5)).resize(
            (500, 500)
        ).save(picture, "JPEG", quality=40)
    assert shell.run("wallet", "connect", str(picture), "--wallet", wallet, "--yes").exit_code == 0


def test_saying_no_grants_nothing(shell: Shell, tmp_path: Path) -> None:
    wallet = shell.live.wallet(10_000)
    picture = code(tmp_path, shell.live.provider().slug)
    result = shell.run("wallet", "connect", str(picture), "--wallet", wallet, given="n\n")
    assert result.exit_code == 1
    assert "Declined" in result.stderr
    assert shell.json("wallet", "grants", wallet) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [("{}", "provider_id"), ("README.md", "no image"), ("nothing.png", "no file"), ('{"a":', "no connection request")],
)
def test_what_is_no_code_is_said_to_be_none(shell: Shell, content: str, said: str) -> None:
    assert said in shell.fails("wallet", "connect", content, "--wallet", shell.live.wallet())


def test_an_image_without_a_code(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "white.png"
    Image.new("RGB", (100, 100), "white").save(path)
    assert "no QR code" in shell.fails("wallet", "connect", str(path), "--wallet", shell.live.wallet())


def test_errors_say_what_to_do_next(shell: Shell) -> None:
    assert "there is no such wallet" in shell.fails("wallet", "show", "1234567890123456")
    assert "keys recover" in shell.fails("keys", "list", key="wrong")
    unreachable = RUNNER.invoke(app, ["keys", "list", "--url", f"http://127.0.0.1:{free_port()}"])
    assert unreachable.exit_code == 1
    assert "farebox serve" in unreachable.stderr
    as_json = shell.run("wallet", "show", "1234567890123456", "--json")
    assert json.loads(as_json.stderr)["code"] == "not_found"
    wallet = shell.json("wallet", "open", "--asset", "USD")["id"]
    assert "such as 2026-01-31T12:00:00Z" in shell.fails("wallet", "statement", wallet, "--since", "2026-01-31")


def test_every_command_explains_itself() -> None:
    def walk(words: list[str]) -> None:
        result = RUNNER.invoke(app, [*words, "--help"])
        assert result.exit_code == 0
        commands = re.findall(r"^│ ([a-z]+) ", result.stdout.partition("Commands")[2] or result.stdout, re.MULTILINE)
        for command in commands:
            if len(words) < 3 and "Commands" in result.stdout:
                walk([*words, command])

    for noun in ("serve", "demo", "audit", "wallet", "charge", "prices", "provider", "org", "people", "keys"):
        walk([noun])


def run(*words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """The installed command in a process of its own, its output piped."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREBOX_")}
    command = [sys.executable, "-m", "farebox", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=inherited | env, timeout=120)


def test_piped_output_has_no_control_characters(live: Live) -> None:
    """Neither colours of ours nor what somebody has put into a name."""
    live.wallet(owner="\x1b[31mada\u202e\r")
    done = run("wallet", "list", "--owner", "\x1b[31mada\u202e\r", FAREBOX_URL=live.url, FAREBOX_KEY=ADMIN_KEY)
    assert done.returncode == 0
    assert not {"\x1b", "\u202e", "\r"} & {*done.stdout, *done.stderr}
    assert "\\x1b[31mada\\u202e\\r" in done.stdout


def test_no_proxy_is_asked_for_what_is_on_this_machine(live: Live) -> None:
    env = {"FAREBOX_KEY": ADMIN_KEY, "HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    assert run("wallet", "list", FAREBOX_URL=live.url, **env).returncode == 0
    socks = run("wallet", "list", FAREBOX_URL="http://farebox.example", **env | {"HTTP_PROXY": "socks5://127.0.0.1:9"})
    assert (socks.returncode, "The proxy that the environment names" in socks.stderr) == (1, True), socks.stderr


def test_a_locale_without_the_letters_is_no_failure(live: Live) -> None:
    """Else a deposit that was made would seem not to have been."""
    env = {"FAREBOX_URL": live.url, "FAREBOX_KEY": ADMIN_KEY, "PYTHONIOENCODING": "latin-1"}
    opened = run("wallet", "open", "--asset", "USD", "--owner", "Łucja 😀", "--deposit", "5", "--json", **env)
    assert json.loads(opened.stdout)["owner"] == "Łucja 😀"
    shown = run("wallet", "show", json.loads(opened.stdout)["id"], **env)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "?ucja ?" in shown.stdout
    assert run("wallet", "history", json.loads(opened.stdout)["id"], **env).returncode == 0


def test_the_audit_of_a_database_by_its_address(live: Live, postgres: Databases, database: str) -> None:
    clean = run("audit", "--json", FAREBOX_DATABASE_URL=database)
    assert clean.returncode == 0, clean.stderr
    assert json.loads(clean.stdout)["clean"] is True
    import asyncio

    import asyncpg

    async def forge() -> None:
        conn = await asyncpg.connect(database.replace("//farebox@", "//postgres@"))
        await conn.execute(
            "INSERT INTO accounts (id, kind, asset, balance, held) VALUES (4000000000000000, 'wallet', 'USD', 7, 0)"
        )
        await conn.close()

    asyncio.run(forge())
    forged = run("audit", FAREBOX_DATABASE_URL=database)
    assert forged.returncode == 2
    assert "The books differ" in forged.stdout


def test_what_keeps_a_server_from_starting_is_said_plainly(tmp_path: Path, live: Live) -> None:
    away = {"FAREBOX_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x", "FAREBOX_DATABASE_WAIT_S": "0.5"}
    for words, env, said in (
        (["serve", "--port", str(live.port), "--data-dir", str(tmp_path / "a")], {}, "is taken"),
        (["serve", "--port", "70000"], {}, "port"),
        (["serve"], {"FAREBOX_NONSENSE": "1"}, "FAREBOX_NONSENSE is not a setting"),
        (["serve"], away, "can't be reached"),
        (["audit", "--data-dir", str(tmp_path / "none")], {}, "no embedded database"),
    ):
        tmp_path.chmod(0o755)
        done = run(*words, **env)
        assert done.returncode == 1, done
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_a_lost_administrators_key_is_replaced(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", admin_key="")
    try:
        server.start()
        told = re.compile(r"^    fbx_admin_[0-9a-f]{48}$", re.MULTILINE)
        until(lambda: told.search(server.log.read_text()))
        done = run("keys", "recover", "--data-dir", str(server.data_dir), "--json")
        made = json.loads(done.stdout)
        listed = run("keys", "list", "--json", FAREBOX_URL=server.url, FAREBOX_KEY=made["key"])
        assert made["id"] in {key["id"] for key in json.loads(listed.stdout)}
    finally:
        server.clean_up()
