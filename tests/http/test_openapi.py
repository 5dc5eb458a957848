"""The OpenAPI document: whole, readable, and the server's own word."""

import ast
from pathlib import Path
from typing import Any

import httpx
import pytest

from farebox.http.openapi.answers import OWN
from farebox.http.openapi.codes import CODES
from farebox.http.openapi.document import TAGS
from farebox.ledger.types import Refusal
from tests.support.live import Live, ok

SOURCE = Path(__file__).resolve().parents[2] / "src" / "farebox"
ELSEWHERE = {"session_unknown", "foreign_session"} | {
    "chain_too_deep",
    "invalid_credentials",
    "not_creator",
    "not_recipient",
    "not_sender",
    "password_changed",
    "signed_out",
    "service_not_allowed",
    "token_expired",
    "token_unknown",
    "trial_too_large",
    "wider_than_parent",
    "wrong_password",
}
"""Codes of the dialects alone."""


@pytest.fixture(scope="module")
def document(live: Live) -> dict[str, Any]:
    found: dict[str, Any] = ok(httpx.get(f"{live.url}/openapi.json"))
    return found


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def test_it_needs_no_key_and_is_not_sent_twice(live: Live) -> None:
    first = httpx.get(f"{live.url}/openapi.json")
    again = httpx.get(f"{live.url}/openapi.json", headers={"If-None-Match": first.headers["etag"]})
    other = httpx.get(f"{live.url}/openapi.json", headers={"If-None-Match": '"another"'})

    assert first.headers["content-type"] == "application/json"
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


def test_every_operation_is_named_summed_up_and_filed(document: dict[str, Any]) -> None:
    found = operations(document)
    names = [operation["operationId"] for operation in found]
    assert len(set(names)) == len(names) > 50
    for operation in found:
        assert operation["summary"]
        assert set(operation["tags"]) <= set(TAGS)
    assert {tag for operation in found for tag in operation["tags"]} == set(TAGS)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def look(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(reference := part.get("$ref"), str):
                place = document
                for name in reference.removeprefix("#/").split("/"):
                    place = place[name]
            for inner in part.values():
                look(inner)
        elif isinstance(part, list):
            for inner in part:
                look(inner)

    look(document)


def test_every_object_of_a_request_is_closed_but_what_others_define(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    bodies = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        for operation in operations(document)
        if "requestBody" in operation
    }
    assert {name for name in bodies if schemas[name].get("additionalProperties") is not False} == set()
    assert "additionalProperties" not in schemas["QrPayload"]


def test_the_errors_of_every_operation_are_told() -> None:
    told = {code for codes in OWN.values() for code in codes}
    assert told <= set(CODES)


def codes_in_the_source() -> set[str]:
    """What is raised with a code of its own, anywhere in the server."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        if {"cli", "demo", "web"} & set(path.parts):  # pages tell in words
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                found |= _code_of(node)
    return found


KINDS = {"BadRequest", "Unauthorized", "Forbidden", "NotFound", "Conflict", "Gone", "Invalid", "TooMany", "Busy"}
KINDS |= {"Internal", "TooLarge", "UnsupportedMediaType", "MethodNotAllowed"}


def _code_of(call: ast.Call) -> set[str]:
    called = call.func
    place = 1
    if isinstance(called, ast.Attribute) and called.attr == "field":
        called, place = called.value, 2
    if not isinstance(called, ast.Name) or called.id not in KINDS or len(call.args) <= place:
        return set()
    given = call.args[place]
    assert isinstance(given, ast.Constant), ast.unparse(call)
    return {str(given.value)}


def test_every_code_is_in_the_table() -> None:
    found = codes_in_the_source()
    assert {"slug_taken", "bad_cursor", "overloaded"} <= found
    assert found - ELSEWHERE <= set(CODES)
    assert {refusal.value for refusal in Refusal} - {"credential_revoked"} <= set(CODES)
