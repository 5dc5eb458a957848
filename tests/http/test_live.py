"""Live balances: the first message at once, every change, resuming, tickets, other origins and nodes, slow readers."""

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from farebox.events.hub import QUEUE, Subscriber, Topic
from tests.support.databases import Databases
from tests.support.live import ADMIN_KEY, Live, live_server, made, ok, settings_for
from tests.support.processes import until

MODEL = "live-1"


class Reader:
    """A stream that is read in a thread of its own, until it is closed."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.messages: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.comments = 0
        self.ended = threading.Event()
        self._client = httpx.Client(timeout=30)
        self._stream = self._client.stream("GET", url, headers=headers)
        self.response = self._stream.__enter__()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            for line in self.response.iter_lines():
                name, _, value = line.partition(": ")
                if name == "data":
                    self.messages.append(json.loads(value))
                elif name == "id":
                    self.ids.append(value)
                elif line.startswith(":"):
                    self.comments += 1
        except httpx.HTTPError:
            pass
        self.ended.set()

    def heard(self, field: str) -> list[Any]:
        return [message[field] for message in self.messages]

    def close(self) -> None:
        with contextlib.suppress(OSError):  # it may have ended by itself
            self.response.extensions["network_stream"].get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._client.close()


class Crowd:
    """An organization, its wallet, and readers of their streams."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.readers: list[Reader] = []
        self.id = f"org-{uuid.uuid4().hex[:8]}"
        self.admin = live.client(ADMIN_KEY, "/tokenvault")
        made_ = ok(self.admin.post("/v1/wallet/organizations", json={"id": self.id, "name": "Ours"}))
        self.wallet: str = made_["wallet_id"]
        self.key = made(live.admin.post(f"/v1/organizations/{self.id}/keys", json={"name": "test"}))["key"]
        self.api = live.client(self.key, "/tokenvault")
        live.price(MODEL, asset="CREDIT", input_token="1", output_token="1")
        self.recharge(1)

    def recharge(self, money: float) -> None:
        ok(self.admin.post("/v1/recharge", json={"organization_id": self.id, "money_amount": money}))

    def spend(self, tokens: int, profile: str = "agent-1") -> None:
        body = {"organization_id": self.id, "profile_id": profile, "model": MODEL, "prompt_tokens": tokens}
        body["completion_tokens"] = 0
        ok(self.api.post("/v1/consumption/process", json=body))

    def listen(
        self,
        path: str | None = None,
        live: Live | None = None,
        key: str | None = "own",
        last_seen: str | None = None,
        origin: str | None = None,
    ) -> Reader:
        path = path or f"/tokenvault/v1/balance/organizations/{self.id}/stream"
        headers = {} if key is None else {"Authorization": f"Bearer {self.key if key == 'own' else key}"}
        headers |= {} if last_seen is None else {"Last-Event-ID": last_seen}
        headers |= {} if origin is None else {"Origin": origin}
        reader = Reader((live or self.live).url + path, headers)
        self.readers.append(reader)
        return reader

    def close(self) -> None:
        for reader in self.readers:
            reader.close()


@pytest.fixture
def crowd(live: Live) -> Iterator[Crowd]:
    found = Crowd(live)
    yield found
    found.close()


def test_the_balance_at_once_and_every_change(crowd: Crowd) -> None:
    reader = crowd.listen()
    assert reader.response.headers["content-type"].startswith("text/event-stream")
    until(lambda: reader.heard("credits") == [100])
    first = reader.messages[0]
    assert (first["organization_id"], first["balance"], first["money_equivalent"]) == (crowd.id, 100, 1)
    assert abs(first["last_updated"] - time.time()) < 60
    for spent in (1, 2, 3):
        crowd.spend(spent)
        until(lambda: len(reader.messages) == 1 + spent)  # noqa: B023
    crowd.recharge(1)
    until(lambda: len(reader.messages) == 5)
    assert reader.heard("credits") == [100, 99, 97, 94, 194]
    assert len(set(reader.ids)) == 5


def test_a_wallet_natively(crowd: Crowd) -> None:
    path = f"/v1/wallets/{crowd.wallet}/events"
    reader = crowd.listen(path)
    provider = crowd.live.provider()
    token = provider.grant(crowd.wallet)["session_token"]
    body = {"session_token": token, "amount": 10_000_000}
    hold = made(provider.api.post("/v1/holds", json=body, headers={"Idempotency-Key": uuid.uuid4().hex}))
    until(lambda: len(reader.messages) == 2)
    assert provider.api.post(
        f"/v1/holds/{hold['id']}/release", json={}, headers={"Idempotency-Key": uuid.uuid4().hex}
    ).is_success
    until(lambda: len(reader.messages) == 3)
    assert [(m["available"], m["held"], m["debt"], m["asset"]) for m in reader.messages] == [
        (100_000_000, 0, 0, "CREDIT"),
        (90_000_000, 10_000_000, 0, "CREDIT"),
        (100_000_000, 0, 0, "CREDIT"),
    ]
    assert crowd.live.client(provider.key).get(path).status_code == 404
    assert crowd.live.client(None).get(path).status_code == 401
    assert crowd.live.admin.get("/v1/wallets/1111222233334444/events").status_code == 404
    assert crowd.live.admin.post(path).status_code == 405


def test_what_was_missed_is_told_when_the_reader_comes_back(crowd: Crowd) -> None:
    reader = crowd.listen()
    until(lambda: len(reader.ids) == 1)
    reader.close()
    for spent in (1, 2, 3):
        crowd.spend(spent)
    again = crowd.listen(last_seen=reader.ids[0])
    until(lambda: len(again.messages) == 3)
    assert again.heard("credits") == [99, 97, 94]
    newest = crowd.listen(last_seen=again.ids[-1])
    until(lambda: newest.heard("credits") == [94])


@pytest.mark.parametrize("last_seen", ["nonsense", "-", "1-1", "zz-zz", "9" * 500, "../..", "1-ffffffffffffffff"])
def test_a_foreign_last_event_id_is_a_fresh_start(crowd: Crowd, last_seen: str) -> None:
    reader = crowd.listen(last_seen=last_seen)
    until(lambda: reader.heard("credits") == [100])


def test_the_last_event_id_of_another_organization_tells_nothing_of_it(crowd: Crowd) -> None:
    other = Crowd(crowd.live)
    theirs = other.listen()
    until(lambda: len(theirs.ids) == 1)
    other.spend(50)
    reader = crowd.listen(last_seen=theirs.ids[0])
    until(lambda: len(reader.messages) == 1)
    time.sleep(0.2)
    assert reader.heard("organization_id") == [crowd.id]
    assert reader.heard("credits") == [100]
    other.close()


def test_a_profile_hears_what_it_may_spend(crowd: Crowd) -> None:
    crowd.spend(10)
    reader = crowd.listen("/tokenvault/v1/balance/profiles/agent-1/stream")
    until(lambda: len(reader.messages) == 1)
    crowd.spend(5)
    until(lambda: len(reader.messages) == 2)
    crowd.spend(7, profile="agent-2")
    until(lambda: len(reader.messages) == 3)
    assert list(zip(reader.heard("credits"), reader.heard("spent"), strict=True)) == [(90, 10), (85, 15), (78, 15)]
    assert crowd.api.get("/v1/balance/profiles/nobody/stream").status_code == 404


def test_who_may_listen(crowd: Crowd) -> None:
    other = Crowd(crowd.live)
    path = f"/v1/balance/organizations/{crowd.id}/stream"
    absent = other.api.get("/v1/balance/organizations/never-was/stream")
    assert (absent.status_code, other.api.get(path).content) == (404, absent.content)
    assert crowd.live.client(None, "/tokenvault").get(path).status_code == 401
    assert crowd.live.client("wrong", "/tokenvault").get(path).status_code == 401
    assert crowd.api.post(path).status_code == 405
    assert crowd.api.get(path, params={"key": crowd.key}).status_code == 400


def test_a_ticket_opens_one_stream_for_a_while(crowd: Crowd) -> None:
    body = {"organization_id": crowd.id}
    ticket = ok(crowd.api.post("/v1/tickets", json=body))
    assert ticket["expires_in"] == crowd.live.services.settings.ticket_ttl_s
    path = f"/tokenvault/v1/balance/organizations/{crowd.id}/stream"
    reader = crowd.listen(f"{path}?ticket={ticket['ticket']}", key=None)
    until(lambda: reader.heard("credits") == [100])
    crowd.spend(1)
    profile = ok(crowd.api.post("/v1/tickets", json=body | {"profile_id": "agent-1"}))["ticket"]
    own = crowd.listen(f"/tokenvault/v1/balance/profiles/agent-1/stream?ticket={profile}", key=None)
    until(lambda: own.heard("spent") == [1])
    native = made(crowd.live.client(crowd.key).post(f"/v1/wallets/{crowd.wallet}/tickets", json={}))["ticket"]
    wallet = crowd.listen(f"/v1/wallets/{crowd.wallet}/events?ticket={native}", key=None)
    until(lambda: wallet.heard("available") == [99_000_000])
    stranger = crowd.live.client(None)
    for wrong in (profile, native, ticket["ticket"][:-2] + "AA", "st_", "st_%00", "x" * 5000):
        assert stranger.get(f"{path}?ticket={wrong}").status_code in (401, 422), wrong
    assert Crowd(crowd.live).api.post("/v1/tickets", json=body).status_code == 404
    keys = f"/v1/organizations/{crowd.id}/keys"
    (key,) = ok(crowd.live.admin.get(keys))
    assert crowd.live.admin.delete(f"{keys}/{key['id']}").status_code == 204
    assert stranger.get(f"{path}?ticket={ticket['ticket']}").status_code == 401
    assert reader.ended.wait(15), "a revoked key's streams end"
    assert own.ended.wait(15)


def test_an_old_ticket_opens_nothing(make_live: Callable[..., Live]) -> None:
    live = make_live(ticket_ttl_s=1)
    crowd = Crowd(live)
    ticket = ok(crowd.api.post("/v1/tickets", json={"organization_id": crowd.id}))["ticket"]
    time.sleep(1.1)
    path = f"/tokenvault/v1/balance/organizations/{crowd.id}/stream"
    assert live.client(None).get(f"{path}?ticket={ticket}").status_code == 401


def test_pages_on_named_origins_may_call(make_live: Callable[..., Live]) -> None:
    live = make_live(cors_origins="https://app.example.org, http://localhost:4200/", heartbeat_s=0.1)
    crowd = Crowd(live)
    path = f"/tokenvault/v1/balance/organizations/{crowd.id}"
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    for origin in ("https://app.example.org", "http://localhost:4200"):
        allowed = httpx.options(live.url + path, headers=asks | {"Origin": origin})
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, origin)
        assert "authorization" in allowed.headers["access-control-allow-headers"].lower()
        answer = crowd.api.get(f"/v1/balance/organizations/{crowd.id}", headers={"Origin": origin})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, origin)
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
    reader = crowd.listen(origin="http://localhost:4200")
    assert reader.response.headers["access-control-allow-origin"] == "http://localhost:4200"
    until(lambda: reader.comments >= 2, 10)
    for hostile in ("https://evil.example.org", "null", "https://app.example.org.evil.org"):
        refused = httpx.options(live.url + path, headers=asks | {"Origin": hostile})
        assert "access-control-allow-origin" not in refused.headers
        answer = crowd.api.get(f"/v1/balance/organizations/{crowd.id}", headers={"Origin": hostile})
        assert "access-control-allow-origin" not in answer.headers
    health = httpx.get(live.url + "/health", headers={"Origin": "http://localhost:4200"})
    assert "access-control-allow-origin" not in health.headers
    crowd.close()


def test_too_many_streams(make_live: Callable[..., Live]) -> None:
    crowd = Crowd(make_live(max_streams=2))
    path = f"/v1/balance/organizations/{crowd.id}/stream"
    readers = [crowd.listen(), crowd.listen()]
    until(lambda: all(reader.messages for reader in readers))
    full = crowd.api.get(path)
    assert (full.status_code, "retry-after" in full.headers) == (503, True)
    metrics = httpx.get(f"{crowd.live.url}/metrics").text
    assert "farebox_streams 2.0" in metrics
    readers[0].close()
    until(lambda: crowd.live.services.live.streams == 1)
    until(lambda: crowd.listen().messages)
    crowd.close()


def test_a_change_on_one_node_is_heard_on_the_other(postgres: Databases) -> None:
    url = postgres.url(postgres.fresh())
    with live_server(url, settings_for()) as one, live_server(url, settings_for()) as other:
        crowd = Crowd(one)
        here, there = crowd.listen(), crowd.listen(live=other)
        until(lambda: here.messages and there.messages)
        for number in range(10):
            crowd.spend(1)
            until(lambda: there.heard("credits")[-1] == 99 - number)  # noqa: B023
        until(lambda: here.heard("credits") == there.heard("credits") == list(range(100, 89, -1)))
        other.call(broken_listener(other))
        crowd.spend(5)
        until(lambda: there.heard("credits")[-1] == 85)
        crowd.close()


async def broken_listener(live: Live) -> None:
    """Ends every connection that listens."""
    row = await live.services.pool.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    assert row


def test_a_reader_that_does_not_read_holds_nobody_up(make_live: Callable[..., Live]) -> None:
    crowd = Crowd(make_live())
    crowd.recharge(1000)
    with socket.create_connection(("127.0.0.1", crowd.live.port)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        path = f"/tokenvault/v1/balance/organizations/{crowd.id}/stream"
        deaf.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {crowd.key}\r\n\r\n".encode())
        reader = crowd.listen()
        until(lambda: reader.messages)
        for _ in range(300):
            crowd.spend(1)
        until(lambda: reader.heard("credits")[-1] == 100_100 - 300)
    until(lambda: crowd.live.services.live.streams == 1)
    crowd.close()


async def test_a_slow_subscriber_gets_the_newest() -> None:
    topic = Topic("t", 1, lambda balance: b"")
    slow = Subscriber(topic, None)
    topic.subscribers.add(slow)
    for version in range(1, 10 * QUEUE + 6):
        topic.publish(version, version, lambda version=version: b"%d" % version)  # type: ignore[misc]
    found = await slow.next(0.01)
    assert len(found) <= QUEUE
    assert found[-1] == b"%d" % (10 * QUEUE + 5)
    assert await slow.next(0.01) == []
    topic.publish(3, "old", lambda: b"old")
    topic.publish(10**6, 10 * QUEUE + 5, lambda: b"the same figures")
    assert await slow.next(0.01) == []


def test_a_server_that_ends_lets_its_readers_go(postgres: Databases) -> None:
    url = postgres.url(postgres.fresh())
    with live_server(url, settings_for()) as live:
        crowd = Crowd(live)
        reader = crowd.listen()
        until(lambda: reader.messages)
        began = time.monotonic()
    assert reader.ended.wait(10)
    assert time.monotonic() - began < 14, "it did not wait for the stream to end by itself"
