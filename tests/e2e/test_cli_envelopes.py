"""`farebox envelopes` against a real server."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.test_cli import Shell
from tests.support.live import Live, made
from tests.support.organizations import Organization


@pytest.fixture
def shell(live: Live) -> Shell:
    return Shell(live)


@pytest.fixture
def office(live: Live) -> Organization:
    return Organization(live)


def test_a_limit_from_beginning_to_end(shell: Shell, office: Organization) -> None:
    words = (
        "add",
        "Tokens",
        "1,000",
        "--org",
        office.id,
        "--period",
        "weekly",
        "--reset-day",
        "7",
        "--threshold",
        "90",
    )
    found = shell.json("envelopes", *words)
    assert (found["limit"], found["period"], found["reset_day"], found["thresholds"]) == (1000, "WEEKLY", 7, [90])
    number = found["id"]
    assert shell.json("envelopes", "record", number, "250")["amount"] == 250
    shown = shell.text("envelopes", "show", number)
    assert "250" in shown
    assert "750" in shown
    assert shell.json("envelopes", "change", number, "--limit", "2000")["remaining"] == 1750
    listed = shell.json("envelopes", "list", "--org", office.id)
    assert [item["id"] for item in listed] == [number]
    assert "records" in shell.text("envelopes", "list", "--org", office.id)
    assert shell.json("envelopes", "windows", number) == []
    assert shell.json("envelopes", "delete", number) == {"deleted": number}
    assert "no such envelope" in shell.fails("envelopes", "show", number)


def test_money_and_what_would_stop_a_charge(shell: Shell, office: Organization, live: Live) -> None:
    provider, wallet = live.provider(), office.wallet(50_000_000, "USD")
    grant = provider.grant(wallet)
    on = ("--asset", "USD", "--org", office.id, "--on", f"wallet:{wallet}")
    found = shell.json("envelopes", "add", "Marketing", "12.50", *on)
    assert (found["limit"], found["counts"]) == (12_500_000, "money")
    assert "12.5 USD" in shell.text("envelopes", "show", found["id"])
    assert f"wallet:{wallet}" in shell.text("envelopes", "list", "--org", office.id)
    looked = shell.run("envelopes", "look", grant["id"], "--amount", "12500001")
    assert looked.exit_code == 0
    assert f"envelope_limit_exceeded {found['id']}" in looked.stderr
    made(provider.charge(grant["session_token"], amount=12_500_000))
    answer = shell.json("envelopes", "look", grant["id"], "--amount", "1")
    assert (answer["allowed"], answer["envelopes"][0]["remaining"]) == (False, 0)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("add", "x", "many"), "not a number of units"),
        (("add", "x", "1.5", "--asset", "TOKEN", "--on", "planet:mars"), "applies_to.kind"),
        (("add", "x", "5", "--period", "hourly"), "period"),
        (("add", "x", "5", "--zone", "Mars/Olympus"), "no such time zone"),
        (("record", "env_999999999", "5"), "no such envelope"),
    ],
)
def test_what_goes_wrong_is_said(shell: Shell, words: tuple[str, ...], told: str) -> None:
    assert told in shell.fails("envelopes", *words)


def test_an_organizations_clock(shell: Shell, make_live: Callable[..., Live]) -> None:
    changed: Any = Shell(make_live())
    changed.json("org", "add", "acme", "--zone", "Asia/Tokyo")
    assert "Europe/Berlin" in changed.text("org", "change", "acme", "--zone", "Europe/Berlin")
    assert changed.json("envelopes", "add", "x", "5", "--org", "acme")["time_zone"] == "Europe/Berlin"
