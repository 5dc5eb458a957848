"""What connections ask for and can't have, and those that are kept open for nothing."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from farebox.http import server
from farebox.http.web.assets import address
from farebox.settings import Settings
from tests.support.doors import Door, Doors, body, head
from tests.support.live import ADMIN_KEY, Live
from tests.support.rawhttp import Wire, chunk, talk

UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
"""What some clients send with every first request of a connection, Java's for one."""
HEALTH = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
SENT = pytest.mark.parametrize("sent", ["whole", "in two", "byte by byte", "in chunks"])
MOST_WAIT_S = 10


@contextlib.asynccontextmanager
async def wired(port: int) -> AsyncIterator[Wire]:
    """A connection; what would wait for good on it fails."""
    async with asyncio.timeout(MOST_WAIT_S), Wire(port) as wire:
        yield wire


def pieces(door: Door, sent: str, key: str) -> list[bytes]:
    """A good request that asks for another protocol besides."""
    content = body(door)
    if sent == "in chunks":
        return [head(door, *UPGRADE, "Transfer-Encoding: chunked", key=key) + chunk(content) + b"0\r\n\r\n"]
    begin = head(door, *UPGRADE, key=key, length=len(content))
    if sent == "byte by byte":
        return [bytes((one,)) for one in begin + content]
    return [begin, content] if sent == "in two" else [begin + content]


@SENT
@pytest.mark.parametrize("name", ["charge", "usage", "conxa"])
async def test_another_protocol_is_not_begun_and_the_request_done(doors: Doors, name: str, sent: str) -> None:
    """As it is read without the wish, and so are those behind it (RFC 9110, 7.8)."""
    door = doors[name]
    async with wired(doors.live.port) as wire:
        for number in range(2):
            for piece in pieces(door, sent, f"upgrade-{name}-{sent}-{number}"):
                await wire.send(piece)
                if sent == "in two":
                    await asyncio.sleep(0.02)
            answer = await wire.answer()
            assert answer.status in (200, 201), answer
            assert "connection" not in answer.headers
        await wire.send(HEALTH)
        assert (await wire.answer()).json() == {"status": "ok"}


async def test_what_follows_a_wish_for_another_protocol_is_answered(doors: Doors) -> None:
    """A thousand in one piece, with bodies that would be requests where nobody read them as bodies."""
    content = b"POST /v1/charges HTTP/1.1\r\nhost: x\r\n\r\n"
    lines = "\r\n".join(["host: x", *UPGRADE, f"content-length: {len(content)}"])
    asked = f"POST /v1/wallets HTTP/1.1\r\n{lines}\r\n\r\n".encode() + content
    async with wired(doors.live.port) as wire:
        await wire.send((asked + HEALTH) * 500)
        for _ in range(500):
            assert (await wire.answer()).status == 401
            assert (await wire.answer()).status == 200


@pytest.mark.parametrize(
    "line", ["CONNECT x:80", "CONNECT /", "GET http://x:99999/", "GET http://x", "GET http:///health", "POST http://:/"]
)
@pytest.mark.parametrize("before", [b"", HEALTH], ids=["first", "second"])
async def test_a_target_that_is_none(doors: Doors, before: bytes, line: str) -> None:
    async with wired(doors.live.port) as wire:
        if before:
            await wire.send(before)
            assert (await wire.answer()).status == 200
        await wire.send(f"{line} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode() + HEALTH)
        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert answer.json()["code"] == "malformed_http"
        assert await wire.closed()


@pytest.mark.parametrize(
    "path", ["/health", "/ready", "/docs", "/v1/assets", "/wallet/sign-in", "/v1/wallets/1", "/no"]
)
async def test_the_head_of_what_there_is(live: Live, path: str) -> None:
    """As monitors ask; the next request on the connection is answered as itself."""
    heads = []
    async with wired(live.port) as wire:
        for method in ("HEAD", "GET"):
            asked = f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n\r\n"
            await wire.send(asked.encode())
            answer = await wire.answer(body=method != "HEAD")
            varying = ("date", "x-request-id")
            heads.append((answer.status, {name: answer.headers[name] for name in answer.headers.keys() - varying}))
    assert heads[0] == heads[1]


@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/wallets/1000000000000008/events", "/conxa/charge/authorize"])
async def test_no_head_where_nothing_is_to_be_got(live: Live, path: str) -> None:
    async with wired(live.port) as wire:
        await wire.send(f"HEAD {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_KEY}\r\n\r\n".encode())
        assert (await wire.answer(body=False)).status == 405


@pytest.fixture
def impatient(make_live: Callable[..., Live]) -> Iterator[Live]:
    """A server that waits a second for what does not come, and for what is not taken."""
    yield make_live(idle_timeout_s=1, head_timeout_s=1)


async def test_a_head_that_does_not_end_behind_an_answer(impatient: Live) -> None:
    """It came with a request that was answered at once: the time for it begins all the same."""
    answered_at_once = b"POST /v1/charges HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n"
    async with wired(impatient.port) as wire:
        await wire.send(answered_at_once + b"POST /v1/ch")
        assert (await wire.answer()).status == 401
        assert (await wire.answer()).status == 408
        assert await wire.closed()


REFUSED = {
    "two hosts": b"GET /health HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    "no host": b"GET /health HTTP/1.1\r\n\r\n",
    "a large head": b"GET /health HTTP/1.1\r\nhost: x\r\nx-a: %s\r\n\r\n" % (b"a" * 40_000),
    "another server": b"CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
}


@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.parametrize("name", ["charge", "usage", "conxa"])
@pytest.mark.usefixtures("unchanged")
async def test_what_stands_behind_a_refused_request_is_not_done(doors: Doors, name: str, refused: str) -> None:
    """Nobody would hear of it."""
    door = doors[name]
    good = head(door, key=f"behind-{name}-{refused}", length=len(body(door))) + body(door)
    async with wired(doors.live.port) as wire:
        await wire.send(REFUSED[refused] + good)
        assert (await wire.answer()).status in (400, 431)
        assert await wire.closed()


@pytest.fixture
def narrow(make_live: Callable[..., Live], monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """A server for one connection, which waits a second for what is not taken; its sockets hold next to nothing."""

    def listen(settings: Settings) -> socket.socket:
        found = listened(settings)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return found

    listened = server.listen
    monkeypatch.setattr(server, "listen", listen)
    yield make_live(idle_timeout_s=1, max_connections=1)


@pytest.mark.parametrize("path", ["/docs", address("vendor/qr/index.js")])
@pytest.mark.parametrize("line", ["", "connection: close\r\n"], ids=["kept", "closed"])
async def test_a_client_that_takes_nothing_is_let_go(narrow: Live, path: str, line: str) -> None:
    """Of more than is buffered, and of less; in the middle of an answer, and at the end of a connection."""
    with socket.socket() as sleeper:
        sleeper.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sleeper.connect(("127.0.0.1", narrow.port))
        sleeper.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\n{line}\r\n".encode())
        await asyncio.sleep(0.1)
        assert (await talk(narrow.port, HEALTH)).status == 503
        async with asyncio.timeout(MOST_WAIT_S):
            while (await talk(narrow.port, HEALTH)).status == 503:
                await asyncio.sleep(0.1)
