"""The published `x402tools` 1.0.0, unchanged: every method, every example of its page, every error."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.interpreter import Interpreter
from tests.support.live import Live
from tests.support.organizations import Organization
from tests.support.seeds import SEEDS, blocks

RELEASE = "x402tools-1.0.0"
PRELUDE = """
import dataclasses, functools, json, threading
import x402tools

def told(value):
    if isinstance(value, list):
        return [told(item) for item in value]
    return json.loads(json.dumps(dataclasses.asdict(value), default=str))

client = x402tools.X402Client(api_key=key, base_url=url)
"""


@pytest.fixture(scope="module")
def office(live: Live) -> Organization:
    return Organization(live)


@pytest.fixture(scope="module")
def client(office: Organization, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interpreter]:
    """The client, for the organization."""
    found = Interpreter(RELEASE, tmp_path_factory.mktemp("home"))
    found(PRELUDE, key=office.key, url=f"{office.live.url}/x402tools")
    yield found
    found.close()


def test_envelopes(client: Interpreter, office: Organization) -> None:
    made = client('e = client.create_envelope("API Calls", 10000, "MONTHLY", reset_day=31); answer = told(e)')
    assert (made["name"], made["limit"], made["period"], made["reset_day"]) == ("API Calls", 10000, "MONTHLY", 31)
    assert made["organization_id"] == office.id
    assert client("answer = told(client.get_envelope(e.id))") == made
    assert client("answer = told(client.get_envelopes())")[0] == made
    changed = client('answer = told(client.update_envelope(e.id, name="Calls", limit=5, period="WEEKLY", reset_day=7))')
    assert (changed["name"], changed["limit"], changed["period"], changed["reset_day"]) == ("Calls", 5, "WEEKLY", 7)
    assert changed["updated_at"] > made["updated_at"]
    assert client("answer = client.delete_envelope(e.id)") is None
    found = client.raised("client.get_envelope(e.id)")
    assert found["is"] == ["EnvelopeNotFoundError", "X402Error"]


@pytest.mark.parametrize("period", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
def test_every_period(client: Interpreter, period: str) -> None:
    made = client('answer = told(client.create_envelope("p", 3, period))', period=period)
    assert (made["period"], made["reset_day"]) == (period, None)


def test_usage(client: Interpreter) -> None:
    client('e = client.create_envelope("u", 100, "DAILY")')
    first = client('answer = told(client.record_usage(e.id, 60, {"user": "ada", "n": [1, 2]}))')
    assert (first["amount"], first["metadata"]) == (60, {"user": "ada", "n": [1, 2]})
    second = client("answer = told(client.record_usage(envelope_id=e.id, amount=40))")
    assert second["metadata"] is None
    assert client("answer = told(client.get_usage(e.id))") == [second, first]
    assert client("answer = told(client.get_usage())")[:2] == [second, first]
    refused = client.raised("client.record_usage(e.id, 1)")
    assert (refused["raised"], refused["fields"]["status_code"]) == ("APIError", 402)
    body = refused["fields"]["response"]
    assert body["error"] == refused["text"]
    assert (body["code"], body["limit"], body["used"], body["remaining"]) == ("USAGE_LIMIT_EXCEEDED", 100, 100, 0)


def test_statistics(client: Interpreter) -> None:
    before = client("answer = told(client.get_usage_stats())")
    client('e = client.create_envelope("s", 100, "YEARLY"); client.record_usage(e.id, 7)')
    after = client("answer = told(client.get_usage_stats())")
    assert after["total_usage"] == before["total_usage"] + 7
    assert after["envelope_count"] == before["envelope_count"] + 1
    assert after["active_envelopes"] == before["active_envelopes"] + 1
    assert after["period_usage"][0]["used"] == 7


def test_keys(client: Interpreter, office: Organization) -> None:
    made = client('k = client.create_api_key("Production Key"); answer = told(k)')
    assert re.fullmatch(r"ok_live_[0-9a-f]{48}", made["key"])
    assert (made["organization_id"], made["last_used"], made["expires_at"]) == (office.id, None, None)
    listed = client("answer = told(client.get_api_keys())")[0]
    assert listed == made | {"key": f"ok_live_…{made['key'][-4:]}"}
    client("second = x402tools.X402Client(k.key, url); second.get_envelopes()")
    assert client("answer = told(client.get_api_keys())")[0]["last_used"] is not None
    assert client("answer = client.delete_api_key(k.id)") is None
    assert client.raised("second.get_envelopes()")["raised"] == "AuthenticationError"
    assert client.raised("client.delete_api_key(k.id)")["raised"] == "EnvelopeNotFoundError", "so it calls every 404"


@pytest.mark.parametrize(
    ("program", "status", "code"),
    [
        ('client.create_envelope("x", 5, "HOURLY")', 422, "VALIDATION_ERROR"),
        ('client.create_envelope("x", 5, "MONTHLY", 32)', 422, "VALIDATION_ERROR"),
        ('client.create_envelope("", 5, "MONTHLY")', 422, "VALIDATION_ERROR"),
        ('client.create_envelope("x", 0, "MONTHLY")', 422, "VALIDATION_ERROR"),
        ('client.record_usage(client.create_envelope("x", 5, "DAILY").id, -1)', 422, "VALIDATION_ERROR"),
        ('client.record_usage(client.create_envelope("x", 5, "DAILY").id, 1.5)', 422, "VALIDATION_ERROR"),
        ('client.create_api_key("")', 422, "VALIDATION_ERROR"),
    ],
)
def test_bad_input(client: Interpreter, program: str, status: int, code: str) -> None:
    found = client.raised(program)
    assert found["is"] == ["APIError", "X402Error"]
    assert (found["fields"]["status_code"], found["fields"]["response"]["code"]) == (status, code)
    assert found["text"] == found["fields"]["response"]["error"]


def test_a_wrong_key(client: Interpreter) -> None:
    found = client.raised('x402tools.X402Client("ok_live_0", url).get_usage_stats()')
    assert found["is"] == ["AuthenticationError", "X402Error"]


def test_too_often(make_live: Any, tmp_path: Any) -> None:
    office = Organization(make_live(requests_per_key_s=1))
    client = Interpreter(RELEASE, tmp_path)
    client(PRELUDE, key=office.key, url=f"{office.live.url}/x402tools")
    found = client.raised("while True: client.get_envelopes()")
    client.close()
    assert found["is"] == ["RateLimitError", "X402Error"]


def test_one_of_two_gets_the_last_unit(client: Interpreter) -> None:
    """Twice at once, from two connections: exactly one succeeds."""
    race = """
done = []
def go():
    own = x402tools.X402Client(api_key=key, base_url=url)
    barrier.wait()
    try:
        own.record_usage(e.id, 1); done.append("recorded")
    except x402tools.APIError as error:
        done.append(error.response["code"])

e = client.create_envelope("race", 1, "DAILY")
barrier = threading.Barrier(2)
threads = [threading.Thread(target=go) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
answer = done
"""
    for _ in range(5):
        assert Counter(client(race)) == {"recorded": 1, "USAGE_LIMIT_EXCEEDED": 1}


FRAGMENTS = 3
"""Blocks at the page's end that show signatures; all others run."""


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the pages of the published clients are not here")
def test_every_example_of_its_page(client: Interpreter, office: Organization) -> None:
    made = office.envelope(10_000)
    known = {"your_api_key_here": office.key, "your_api_key": office.key, "your_envelope_id": made["id"]}
    client("x402tools.X402Client = functools.partial(x402tools.X402Client, base_url=url)")
    printed = []
    examples = blocks("x402tools")[:-FRAGMENTS]
    assert len(examples) == 10
    for block in examples:
        for name, value in known.items():
            block = block.replace(f'"{name}"', f'"{value}"')
        found = client.run(block)
        printed.append(found["printed"])
        # The last one names an envelope that there is not, and does not catch what its client makes of a 404.
        assert found.get("raised") == ("EnvelopeNotFoundError" if "invalid_id" in block else None), found
    assert printed[0] == "Recorded 100 units of usage\n"
    assert re.fullmatch(r"Created envelope: API Calls \(ID: env_\d+\)\n", printed[1])
    assert "API Calls: 10000 (MONTHLY)\n" in printed[3]
    assert "100 units\n" in printed[5]
    assert printed[6:8] == ["Updated limit to 20000\n", "Envelope deleted\n"]
    assert re.search(r"New API key: ok_live_[0-9a-f]{48}\n.*Production Key: ok_live_….{4}\n", printed[8], re.DOTALL)
