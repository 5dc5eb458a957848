"""Every recorded exchange, sent to a real server: it answers as it is written in `contracts/`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from farebox.errors import Gone, Problem
from farebox.http.dialects.conxa import answers as conxa
from farebox.http.dialects.knai import answers as knai
from farebox.http.dialects.syftbox import answers as syftbox
from tests.support.contracts import CONTRACTS, arranged, close_database, contracts, matches, placeholders, sent
from tests.support.contracts_people import arranged_people
from tests.support.databases import Databases
from tests.support.live import Live, live_server, settings_for

DIALECTS = ["conxa", "knai", "syftbox", "x402tools"]
ANSWERS = [("conxa", conxa.REFUSALS), ("knai", knai.REFUSALS), ("syftbox", syftbox.REFUSALS)]


def named(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", contracts(), ids=named)
def test_the_server_answers_as_recorded(path: Path, live: Live, postgres: Databases) -> None:
    contract = json.loads(path.read_text("utf-8"))
    given = contract["given"]
    if given.keys().isdisjoint(("settings", "database_away")):
        replay(contract, f"/{path.parent.name}", live, made(live, given))
        return
    name = postgres.fresh()
    with live_server(postgres.url(name), settings_for()) as server:
        known = made(server, given)
    with live_server(postgres.url(name), settings_for(**given.get("settings", {}))) as server:
        if given.get("database_away"):
            close_database(postgres, name)
        replay(contract, f"/{path.parent.name}", server, known)
    postgres.drop(name)


def made(live: Live, given: dict[str, Any]) -> dict[str, str]:
    """What a contract takes as given."""
    return arranged_people(live, given) if "people" in given else arranged(live, given)


def replay(contract: dict[str, Any], prefix: str, live: Live, known: dict[str, str]) -> None:
    with live.client(None) as client:
        for exchange in contract["exchanges"]:
            found = sent(client, prefix, exchange["request"], known)
            assert matches(exchange["response"], found, known), f"recorded: {exchange}\nanswered: {found}"


def recorded(dialect: str) -> list[dict[str, Any]]:
    """All recorded answers of a dialect."""
    found = [json.loads(path.read_text("utf-8")) for path in (CONTRACTS / dialect).glob("*.json")]
    return [exchange["response"] for contract in found for exchange in contract["exchanges"]]


@pytest.mark.parametrize(
    ("dialect", "statuses"),
    [
        ("conxa", {200, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 503}),
        ("knai", {200, 400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429, 503}),
        ("tokenvault", {200, 400, 401, 403, 404, 405, 413, 415, 422, 429, 503}),
        ("x402tools", {200, 201, 204, 400, 401, 402, 403, 404, 405, 413, 415, 422, 429, 503}),
        ("syftbox", {200, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 503}),
    ],
)
def test_every_status_is_recorded(dialect: str, statuses: set[int]) -> None:
    assert {response["status"] for response in recorded(dialect)} == statuses


@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_example_is_of_its_pattern(dialect: str) -> None:
    for name, one in placeholders().items():
        assert re.fullmatch(one["pattern"], one["example"]), name


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_docs_name_every_recorded_status_and_code(dialect: str) -> None:
    text = (CONTRACTS.parent / "docs" / "dialects" / f"{dialect}.md").read_text("utf-8")
    for response in recorded(dialect):
        assert f"| {response['status']} " in text, response
        assert response["status"] < 300 or f"`{response['body']['code']}`" in text, response


@pytest.mark.parametrize(("dialect", "answers"), ANSWERS)
def test_the_docs_name_every_code_that_a_charge_can_be_refused_with(dialect: str, answers: dict[Any, Any]) -> None:
    text = (CONTRACTS.parent / "docs" / "dialects" / f"{dialect}.md").read_text("utf-8")
    charged = {"CREDENTIAL_REVOKED", "KEY_REUSED", "PRICE_CHANGED", "GRANT_UNKNOWN", "GRANT_REVOKED", "GRANT_REPLACED"}
    charged |= {"GRANT_EXPIRED", "CHARGE_LIMIT_EXCEEDED", "GRANT_LIMIT_EXCEEDED", "INSUFFICIENT_BALANCE"}
    charged |= {"AMOUNT_OVERFLOW", "WALLET_UNKNOWN", "ASSET_MISMATCH"}
    for refusal, (status, code, _) in answers.items():
        if refusal.name in charged:
            assert re.search(rf"^\| {status} .*`{code}`", text, re.MULTILINE), (refusal, code)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_docs_name_every_status_that_a_problem_has(dialect: str) -> None:
    text = (CONTRACTS.parent / "docs" / "dialects" / f"{dialect}.md").read_text("utf-8")
    for problem in Problem.__subclasses__():
        if problem is not Gone or dialect == "knai":  # the others have other words for what is over
            assert f"\n| {problem.status} |" in text, problem
