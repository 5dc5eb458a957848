"""Entries of the stream, one fact broken at a time, and the reason that is told."""

import json

import pytest

from farebox.ingest.read import read
from farebox.ingest.types import Malformed
from farebox.ledger.types import Usage

NOW = 1_800_000_000.0
YEAR_S = 365 * 86_400
GOOD = {
    b"id": b"r1",
    b"organization_id": b"acme",
    b"profile_id": b"agent-1",
    b"user_id": b"ada",
    b"groq_request_id": b"q1",
    b"model": b"llama-3.3-70b-versatile",
    b"prompt_tokens": b"150",
    b"completion_tokens": b"400",
    b"total_tokens": b"550",
    b"timestamp": b"%d" % NOW,
    b"metadata": json.dumps({"task": "mail"}).encode(),
}


def test_a_record_is_read() -> None:
    found = read(GOOD, NOW)
    assert (found.record_id, found.organization_id, found.agent, found.member) == ("r1", "acme", "agent-1", "ada")
    assert (found.model, found.usage, found.note) == (
        "llama-3.3-70b-versatile",
        Usage(150, 400),
        '{"task": "mail"}',
    )


@pytest.mark.parametrize("name", [b"user_id", b"metadata", b"groq_request_id", b"total_tokens"])
def test_what_may_be_missing(name: bytes) -> None:
    read({field: value for field, value in GOOD.items() if field != name}, NOW)
    read(GOOD | {name: b""}, NOW)


@pytest.mark.parametrize(
    "name", [b"id", b"organization_id", b"profile_id", b"model", b"prompt_tokens", b"completion_tokens", b"timestamp"]
)
def test_what_may_not_be_missing(name: bytes) -> None:
    for fields in ({field: value for field, value in GOOD.items() if field != name}, GOOD | {name: b""}):
        with pytest.raises(Malformed, match=f"^missing_field:{name.decode()}$"):
            read(fields, NOW)


def test_an_entry_without_fields() -> None:
    with pytest.raises(Malformed, match=r"^missing_field:organization_id$"):
        read({}, NOW)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({b"prompt_tokens": b"-1"}, "bad_field:prompt_tokens"),
        ({b"prompt_tokens": b"1.5"}, "bad_field:prompt_tokens"),
        ({b"prompt_tokens": b"1e3"}, "bad_field:prompt_tokens"),
        ({b"prompt_tokens": b" 1"}, "bad_field:prompt_tokens"),
        ({b"prompt_tokens": "١".encode()}, "bad_field:prompt_tokens"),
        ({b"completion_tokens": b"9223372036854775808"}, "bad_field:completion_tokens"),
        ({b"completion_tokens": b"9" * 5000}, "bad_field:completion_tokens"),
        ({b"id": b"\xff"}, "bad_field:id"),
        ({b"id": b"a\0b"}, "bad_field:id"),
        ({b"id": b"x" * 201}, "bad_field:id"),
        ({b"user_id": b"a\nb"}, "bad_field:user_id"),
        ({b"organization_id": b"../x"}, "bad_field:organization_id"),
        ({b"metadata": b"{"}, "bad_field:metadata"),
        ({b"metadata": b"[]"}, "bad_field:metadata"),
        ({b"metadata": b'{"a": "' + b"x" * 20_000 + b'"}'}, "bad_field:metadata"),
        ({b"metadata": b"[" * 100_000}, "bad_field:metadata"),
        ({b"timestamp": b"soon"}, "bad_field:timestamp"),
        ({b"timestamp": b"%d" % (NOW - YEAR_S)}, "too_old"),
        ({b"timestamp": b"%d" % (NOW + 301)}, "in_the_future"),
    ],
)
def test_the_reason_names_what_is_wrong(changed: dict[bytes, bytes], reason: str) -> None:
    with pytest.raises(Malformed) as told:
        read(GOOD | changed, NOW)
    assert str(told.value) == reason


@pytest.mark.parametrize("at", [NOW - YEAR_S + 1, NOW + 300])
def test_the_edges_of_time_are_believed(at: float) -> None:
    read(GOOD | {b"timestamp": b"%d" % at}, NOW)


def test_any_other_value_is_another_record() -> None:
    first = read(GOOD, NOW).fingerprint
    assert read(dict(reversed(GOOD.items())), NOW).fingerprint == first
    for name in GOOD:
        other = GOOD[name] + b"0" if name in (b"prompt_tokens", b"completion_tokens", b"total_tokens") else None
        if other is not None:
            assert read(GOOD | {name: other}, NOW).fingerprint != first
