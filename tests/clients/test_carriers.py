"""What the shells make of addresses and keys that are none, and of a process that forks."""

import json
import subprocess
import sys
import time

import pytest

from farebox.client.async_carrier import AsyncCarrier
from farebox.client.carriers import Carrier
from farebox.client.core import Lost, Policy, Reply, Request, Send, exchange, members
from farebox.client.errors import Unreachable
from tests.support.standin import StandIn

PATIENT = Policy(timeout_s=60, deadline_s=90, first_pause_s=60, longest_pause_s=60)
FORKS = """
import os, sys
from farebox import Farebox
from farebox.client import Unauthorized

client = Farebox(sys.argv[1], "key")

def ask():
    try:
        client.session("ada")
    except Unauthorized:
        return
    raise AssertionError("answered by another")

ask()
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
ask()
"""


async def test_no_proxy_is_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request("GET", "/health", repeatable=True)
    monkeypatch.setenv("NO_PROXY", "")
    with StandIn() as server, StandIn() as proxy:
        server.answer = proxy.answer = {"status": 200, "body": {}}
        monkeypatch.setenv("http_proxy", proxy.url)
        for url in (server.url, server.url.replace("127.0.0.1", "localhost"), "http://farebox.example"):
            Carrier(url, {}).run(exchange(request, _status, PATIENT))
            await AsyncCarrier(url, {}).run(exchange(request, _status, PATIENT))
        assert [one["path"] for one in server.asked] == ["/health"] * 4
        assert [one["path"] for one in proxy.asked] == ["http://farebox.example/health"] * 2


@pytest.mark.parametrize(
    ("url", "key", "said"),
    [
        ("127.0.0.1:9", "pk_1", "begins with http:// or https://"),
        ("http://127.0.0.1:nine", "pk_1", "begins with http:// or https://"),
        ("ftp://127.0.0.1", "pk_1", "begins with http:// or https://"),
        ("http://127.0.0.1:PORT", "pk_1\n", "characters that can't be sent"),
        ("http://127.0.0.1:PORT", "pk_…", "characters that can't be sent"),
    ],
)
async def test_what_can_never_be_sent_is_told_at_once_and_without_the_key(url: str, key: str, said: str) -> None:
    request = Request("GET", "/health", repeatable=True)
    with StandIn() as server:
        to = (url.replace("http://127.0.0.1:PORT", server.url), {"X-Provider-API-Key": key})
        began = time.monotonic()
        with pytest.raises(Unreachable, match=said) as threads:
            Carrier(*to).run(exchange(request, _status, PATIENT))
        with pytest.raises(Unreachable, match=said) as tasks:
            await AsyncCarrier(*to).run(exchange(request, _status, PATIENT))
        assert time.monotonic() - began < 50, "not asked again, which is after a minute"
    for raised in (threads.value, tasks.value):
        assert not raised.maybe_done
        assert key not in str(raised)


def test_an_address_without_its_dialect_is_said_to_be_none() -> None:
    """The native API answers there, in words of its own."""
    problem = {"status": 404, "code": "not_found", "detail": "there is nothing at this address"}
    assert members(Reply(404, {}, json.dumps(problem).encode())) == {**problem, "message": problem["detail"]}
    both = {"message": "for people", "detail": "for client 1.3.0"}
    assert members(Reply(404, {}, json.dumps(both).encode())) == both
    assert members(Reply(200, {}, json.dumps(problem).encode())) == problem


AWAY = Reply(503, {}, b'{"code": "database_away", "detail": "ask again"}')
UNKNOWN = Reply(503, {}, b'{"status": "error", "code": "OUTCOME_UNKNOWN"}')


@pytest.mark.parametrize("first", [UNKNOWN, Lost("the connection was lost", sent=True), Reply(504, {}, b"<html>")])
def test_nothing_was_done_is_not_said_of_what_an_earlier_attempt_may_have_done(first: Reply | Lost) -> None:
    with pytest.raises(Unreachable, match="an answer was lost, and the last one is 503") as raised:
        _ended("POST", first, AWAY)
    assert raised.value.maybe_done
    assert _ended("GET", first, AWAY) == 503
    assert _ended("POST", first, UNKNOWN) == 503, "which says so itself"


@pytest.mark.parametrize("first", [AWAY, Reply(429, {}, b""), Lost("no connection came about", sent=False)])
def test_what_surely_was_not_done_is_told_by_the_last_answer(first: Reply | Lost) -> None:
    assert _ended("POST", first, AWAY) == 503
    assert _ended("POST", first, UNKNOWN) == 503
    with pytest.raises(Unreachable) as raised:
        _ended("POST", first, Lost("no connection came about", sent=False))
    assert not raised.value.maybe_done


def test_a_forked_process_has_connections_of_its_own() -> None:
    """On a shared one it would be told another's answer."""
    with StandIn() as server:
        server.answer = {"status": 401, "body": {"code": "invalid_api_key", "detail": "send a valid API key"}}
        subprocess.run([sys.executable, "-c", FORKS, server.url], check=True, timeout=60)
        assert (len(server.asked), server.connections) == (3, 2)


def _ended(method: str, *answers: Reply | Lost) -> int:
    """What an exchange makes of these answers, the last of which ends it."""
    request = Request(method, "/v1/charges", repeatable=True)
    program = exchange(request, _status, Policy(attempts=len(answers), first_pause_s=0))
    coming = iter(answers)
    try:
        step = next(program)
        while True:
            step = program.send(next(coming) if isinstance(step, Send) else None)
    except StopIteration as done:
        status: int = done.value
        return status


def _status(reply: Reply) -> int:
    return reply.status
