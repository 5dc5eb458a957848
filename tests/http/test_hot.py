"""The hot routes' own way: it differs from the way of all other requests in nothing that can be seen."""

import asyncio
import base64
import contextlib
import json
from collections.abc import Iterator
from typing import Any

import asyncpg
import httpx
import pytest
from msgspec import Struct

from farebox.http.hot import HotProtocol
from farebox.ledger.batcher import Overloaded
from tests.support.databases import Databases
from tests.support.doors import Door, Doors
from tests.support.live import Live, live_server, made, settings_for
from tests.support.people import Somebody
from tests.support.rawhttp import Answer, Wire, talk

HOT = ("charge", "hold", "transfer", "conxa", "knai", "tokenvault", "x402tools", "syftbox")
ELSEWHERE = ("Origin: http://elsewhere.example",)
"""What sends a request the way of all others."""

VARIES = {"id", "request_id", "charge_id", "available", "balance", "credits", "money_equivalent", "new_balance"} | {
    "created_at",
    "createdAt",
    "timestamp",
    "last_updated",
    "remaining",
}
"""Members that differ from one answer to the next."""


VARYING_HEADERS = {"date", "content-length", "x-request-id"}
SECRETS = ("authorization", "x-provider-api-key")
SESSIONS = ("x-provider-session", "x-session-token")
AS_IT_IS = ""


class Change(Struct, frozen=True):
    """What is other than in a good request; None: not there. Of the members, `amount` is the door's own."""

    key: str | None = AS_IT_IS
    secret: str | None = AS_IT_IS
    session: str | None = AS_IT_IS
    headers: dict[str, str] = {}
    members: dict[str, Any] = {}


CHANGES = {
    "good": Change(),
    "again": Change(key="{door}-the-same"),
    "the key of another request": Change(key="{door}-the-same", members={"amount": 1}),
    "no key": Change(key=None),
    "a key that is none": Change(key="auto:1"),
    "a wrong secret": Change(secret="Bearer nobody"),
    "no secret": Change(secret=None),
    "another session": Change(session="ps_none", members={"session_token": "ps_none"}),
    "a type that is none": Change(headers={"content-type": "text/plain"}),
    "compressed": Change(headers={"content-encoding": "gzip"}),
    "a member missing": Change(members={"amount": None}),
    "a negative amount": Change(members={"amount": -1}),
    "more than there is": Change(members={"amount": 10**17}),
    "a model without a price": Change(members={"model": "none", "model_name": "none"}),
    "a large body": Change(members={"padding": "x" * 2_000_000}),
}


@pytest.fixture(scope="module")
def hot(live: Live, doors: Doors) -> dict[str, Door]:
    """The calls with a hot route."""
    payer, payee = Somebody(live, "5"), Somebody(live)
    payment = {"senderEmail": payer.email, "recipientEmail": payee.email, "amount": 0.01}
    payer.api.headers["authorization"] = _basic(payer)
    syftbox = Door("syftbox", payer.api, "/transaction/create", payment, "amount")
    return {name: doors[name] for name in HOT if name != "syftbox"} | {"syftbox": syftbox}


def _basic(somebody: Somebody) -> str:
    return "Basic " + base64.b64encode(f"{somebody.email}:{somebody.password}".encode()).decode()


@pytest.fixture
def own_way(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The paths of the requests that were answered the hot routes' own way."""
    found: list[str] = []
    answer = HotProtocol._answer

    def noted(self: HotProtocol, path: str, route: Any) -> None:
        found.append(path)
        answer(self, path, route)

    monkeypatch.setattr(HotProtocol, "_answer", noted)
    yield found


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bool]]:
    """Whether the head of each request was known, where its connection knew any."""
    found: list[bool] = []
    as_before = HotProtocol._answered_as_before

    def noted(self: HotProtocol, data: bytes) -> bool:
        found.append(as_before(self, data))
        return found[-1]

    monkeypatch.setattr(HotProtocol, "_answered_as_before", noted)
    yield found


def request(door: Door, key: str, *lines: str, change: Change = CHANGES["good"]) -> bytes:
    """A whole request through a door."""
    known = door.client.headers
    headers: dict[str, str | None] = {
        "host": "farebox",
        "content-type": "application/json",
        door.key_header: f"{door.name}-{key}",
    }
    headers |= {name: known[name] for name in (*SECRETS, *SESSIONS, "x-provider-slug") if name in known}
    for names, value in (
        ((door.key_header,), change.key and change.key.format(door=door.name)),
        (SECRETS, change.secret),
        (SESSIONS, change.session),
    ):
        headers |= {name: value for name in names if name in headers and value != AS_IT_IS}
    headers |= change.headers
    members = {door.amount if name == "amount" else name: value for name, value in change.members.items()}
    sent = json.dumps({name: value for name, value in (door.body | members).items() if value is not None}).encode()
    named = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    path = httpx.URL(door.client.base_url).path.rstrip("/") + door.path
    return (
        "\r\n".join([f"POST {path} HTTP/1.1", *named, f"content-length: {len(sent)}", *lines, "", ""]).encode() + sent
    )


def told(answer: Answer) -> tuple[Any, ...]:
    """An answer, but for what differs from one to the next."""
    headers = {name: value for name, value in answer.headers.items() if name not in VARYING_HEADERS}
    return answer.status, headers, answer.headers.keys(), _blanked(answer.json())


def _blanked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: None if name in VARIES else _blanked(inner) for name, inner in value.items()}
    return value


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", HOT)
async def test_both_ways_answer_the_same(
    doors: Doors, hot: dict[str, Door], own_way: list[str], name: str, change: str
) -> None:
    port, door, changed = doors.live.port, hot[name], CHANGES[change]
    await talk(port, request(door, "the-same", *ELSEWHERE))
    theirs = await talk(port, request(door, f"{change}-1", *ELSEWHERE, change=changed))
    assert not own_way
    ours = await talk(port, request(door, f"{change}-2", change=changed))
    assert len(own_way) == (change != "a large body")  # which does not come in one piece
    assert told(ours) == told(theirs)
    if change in ("good", "again"):
        assert ours.status in (200, 201), ours


@pytest.mark.parametrize("name", HOT)
async def test_what_comes_with_a_known_head_is_answered_as_what_is_read_anew(
    doors: Doors, hot: dict[str, Door], known: list[bool], name: str
) -> None:
    """On one connection: what differs from the request before in its key and body only, and what differs in more."""
    port, door = doors.live.port, hot[name]
    await talk(port, request(door, "the-same", *ELSEWHERE))
    for number, (what, change) in enumerate(CHANGES.items()):
        theirs = await talk(port, request(door, f"{number}-theirs", *ELSEWHERE, change=change))
        async with Wire(port) as wire:
            for before in ("first", "second"):
                await wire.send(request(door, f"{number}-{before}"))
                assert (await wire.answer()).status in (200, 201)
            assert known.pop(), what
            await wire.send(request(door, f"{number}-ours", change=change))
            assert told(await wire.answer()) == told(theirs), what
            assert known.pop() or what not in ("good", "again", "a key that is none", "a negative amount"), what
            known.clear()


async def test_a_key_that_is_revoked_ends_on_a_connection_that_knows_it(live: Live, known: list[bool]) -> None:
    """Alone, in a batch, and in a batch of which nothing reaches the ledger."""
    provider = live.provider()
    token = provider.grant(live.wallet(1000))["session_token"]
    key = made(live.admin.post(f"/v1/providers/{provider.slug}/keys", json={"name": "another"}))
    headers = {"authorization": f"Bearer {key['key']}"}
    doors = [
        ("/v1/charges", {"session_token": token, "amount": 1}, 201),
        ("/v1/charges/batch", {"charges": [{"idempotency_key": "b-1", "session_token": token, "amount": 1}]}, 200),
        ("/v1/charges/batch", {"charges": [{"idempotency_key": "b-2", "session_token": "none", "amount": 1}]}, 200),
    ]
    async with contextlib.AsyncExitStack() as opened:
        wires = [await opened.enter_async_context(Wire(live.port)) for _ in doors]
        for number in range(3):
            for wire, (path, body, status) in zip(wires, doors, strict=True):
                assert (await wire.post(path, body, idempotency_key=f"r-{number}", **headers)).status == status
        assert sum(known) == 6
        assert live.admin.delete(f"/v1/providers/{provider.slug}/keys/{key['id']}").status_code in (200, 204)
        for wire, (path, body, _) in zip(wires, doors, strict=True):
            answer = await wire.post(path, body, idempotency_key="r-last", **headers)
            told = answer.json()
            assert 401 in (answer.status, *(result["status"] for result in told.get("results", ()))), path
        assert sum(known) == 9


@pytest.mark.parametrize("name", HOT)
async def test_a_stored_outcome_is_told_in_the_same_bytes(doors: Doors, hot: dict[str, Door], name: str) -> None:
    port, door = doors.live.port, hot[name]
    first = await talk(port, request(door, "bytes"))
    ours, theirs = await talk(port, request(door, "bytes")), await talk(port, request(door, "bytes", *ELSEWHERE))
    assert (ours.status, ours.body) == (theirs.status, theirs.body)
    assert ours.headers | {"date": ""} == theirs.headers | {"date": ""}
    assert ours.status == first.status


@pytest.mark.parametrize("name", HOT)
async def test_requests_on_one_connection_are_answered_in_order(doors: Doors, hot: dict[str, Door], name: str) -> None:
    """Pipelined, through a hot door and others by turns."""
    health = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
    sent = b"".join(request(hot[name], f"piped-{number}") + health for number in range(5))
    async with Wire(doors.live.port) as wire:
        await wire.send(sent)
        for _ in range(5):
            answer = await wire.answer()
            assert answer.status in (200, 201)
            assert answer.json() != {"status": "ok"}
            assert (await wire.answer()).json() == {"status": "ok"}
        await wire.send(request(hot[name], "piped-after"))
        assert (await wire.answer()).status in (200, 201)


async def test_what_follows_a_charge_does_not_take_its_answer(doors: Doors, hot: dict[str, Door]) -> None:
    for number, rubbish in enumerate((b"\0\0\0\0\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n")):
        async with Wire(doors.live.port) as wire:
            await wire.send(request(hot["charge"], f"rubbish-{number}") + rubbish)
            answer = await wire.answer()
            assert (answer.status, answer.headers["connection"]) == (201, "close")
            assert await wire.closed()


@pytest.mark.parametrize("name", HOT)
async def test_a_connection_is_closed_where_the_client_asks_for_it(
    doors: Doors, hot: dict[str, Door], own_way: list[str], name: str
) -> None:
    async with Wire(doors.live.port) as wire:
        await wire.send(request(hot[name], "closing", "Connection: close"))
        answer = await wire.answer()
        assert (answer.status in (200, 201), answer.headers["connection"]) == (True, "close")
        assert await wire.closed()
    assert len(own_way) == 1


async def test_a_caller_that_leaves_has_asked_all_the_same(doors: Doors, hot: dict[str, Door]) -> None:
    door = hot["charge"]
    before = doors.live.read_wallet(doors.wallet)["balance"]
    async with Wire(doors.live.port) as wire:
        await wire.send(request(door, "leaving"))
    assert (await talk(doors.live.port, request(door, "leaving"))).status == 201
    assert doors.live.read_wallet(doors.wallet)["balance"] == before - 7


async def test_a_body_in_pieces_waits_for_its_end(doors: Doors, hot: dict[str, Door], own_way: list[str]) -> None:
    sent = request(hot["charge"], "pieces")
    async with Wire(doors.live.port) as wire:
        for place in range(0, len(sent), 50):
            await wire.send(sent[place : place + 50])
            await asyncio.sleep(0.002)
        assert (await wire.answer()).status == 201


@pytest.fixture
def ending(postgres: Databases) -> Iterator[tuple[Live, str]]:
    """A server that a test ends, and its database."""
    name = postgres.fresh()
    with live_server(postgres.url(name), settings_for()) as live:
        yield live, postgres.url(name)
    postgres.drop(name)


async def test_a_server_that_ends_answers_who_was_there(ending: tuple[Live, str]) -> None:
    """A charge that waits for its wallet when the server is told to end is answered, and then the connection closed."""
    live, url = ending
    doors = await asyncio.to_thread(Doors, live)
    door, ledger = doors["charge"], live.services.ledger
    await talk(live.port, request(door, "before"))
    async with Wire(live.port) as wire:
        rival = await asyncpg.connect(url)
        async with rival.transaction():
            await rival.execute("SELECT 1 FROM accounts WHERE id = $1 FOR UPDATE", int(doors.wallet))
            asked = ledger.items
            await wire.send(request(door, "waiting"))
            while ledger.items == asked:
                await asyncio.sleep(0.01)
            live.end()
            while await _listens(live.port):
                await asyncio.sleep(0.01)
        await rival.close()
        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (201, "close")
        assert await wire.closed()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except (ConnectionRefusedError, ConnectionResetError):  # reset: it stopped listening before it took this one
        return False
    writer.close()
    return True


async def test_the_first_to_need_the_database_connects(doors: Doors, hot: dict[str, Door], own_way: list[str]) -> None:
    """Connecting has a limit on time, which there is in a task only."""
    live = doors.live
    await asyncio.to_thread(live.call, live.services.pool.expire_connections())
    answer = await talk(live.port, request(hot["charge"], "connects", change=CHANGES["a wrong secret"]))
    assert (answer.status, len(own_way)) == (401, 1)


async def test_what_the_ledger_refuses_to_take_is_told(
    doors: Doors, hot: dict[str, Door], monkeypatch: pytest.MonkeyPatch, own_way: list[str]
) -> None:
    def full(ask: Any) -> Any:
        raise Overloaded

    monkeypatch.setattr(doors.live.services.ledger, "submit", full)
    answer = await talk(doors.live.port, request(hot["charge"], "full"))
    assert (answer.status, answer.headers["retry-after"], answer.json()["code"]) == (503, "1", "overloaded")
    assert len(own_way) == 1
