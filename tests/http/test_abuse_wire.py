"""What no HTTP library sends (lines 17, 18, 26 to 28), byte by byte over a socket of the test's own."""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from tests.support.doors import DIALECTS, EVERY, Doors, body, head
from tests.support.live import Live
from tests.support.rawhttp import Answer, Wire, chunk, talk

EACH = pytest.mark.parametrize("door", EVERY)


async def refused(port: int, data: bytes, status: int) -> Answer:
    """Sends bytes; the answer is an error of the API asked, with this status, and the connection is closed after it."""
    async with Wire(port) as wire:
        await wire.send(data)
        async with asyncio.timeout(20):
            answer = await wire.answer()
        assert answer.status == status, answer
        assert answer.headers["connection"] == "close"
        found = answer.json()
        if any(b" /%s/" % dialect in data for dialect in (b"conxa", b"knai", b"tokenvault", b"x402tools")):
            assert answer.headers["content-type"] == "application/json"
            assert found["code"].isupper()
            assert "status" not in found or found["status"] == "error"
        else:
            assert answer.headers["content-type"] == "application/problem+json"
            assert (found["status"], answer.headers["x-request-id"]) == (status, found["request_id"])
        assert await wire.closed()
        return answer


@pytest.fixture
def quick(make_live: Callable[..., Live]) -> Iterator[Live]:
    """A server that waits half a second for a head, and for a body."""
    yield make_live(head_timeout_s=0.5, body_timeout_s=0.5)


@EACH
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "lines",
    [
        ("Transfer-Encoding: chunked",),
        ("transfer-encoding: CHUNKED",),
        ("Transfer-Encoding: identity, chunked",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding:\tchunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked, identity",),
    ],
    ids=lambda lines: str(lines[0]),
)
async def test_line_26_a_length_and_chunks(doors: Doors, door: str, lines: tuple[str, ...]) -> None:
    found = doors[door]
    data = head(found, *lines, length=len(body(found))) + chunk(body(found)) + b"0\r\n\r\n"
    await refused(doors.live.port, data, 400)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: 5",),
        ("Content-Length: 23", "Content-Length: 24"),
        ("Content-Length: -1",),
        ("Content-Length: +23",),
        ("Content-Length: 23, 23",),
        ("Content-Length: 0x17",),
        ("Content-Length: 99999999999999999999999999",),
        ("Content-Length: ",),
        ("Transfer-Encoding: gzip",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("X-A: b\rX-C: d",),
        ("X-A: b\0c",),
        ("X A: b",),
        (": b",),
        ("no colon",),
        (" folded: b",),
    ],
    ids=str,
)
async def test_line_26_heads_that_can_be_read_in_two_ways(doors: Doors, lines: tuple[str, ...]) -> None:
    found = doors["deposit"]
    given = head(found, *lines, length=23 if lines == ("Content-Length: 5",) else None)
    await refused(doors.live.port, given + b'{"amount": 7}          ', 400)


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n{}\r\n", b"2;\0\r\n{}\r\n", b"ffffffffffffffffff\r\n{}", b"2\r\n{}xx0\r\n\r\n"],
)
async def test_line_26_chunks_that_are_none(doors: Doors, chunks: bytes) -> None:
    before = doors.standing()
    data = head(doors["deposit"], "Transfer-Encoding: chunked") + chunks
    async with Wire(doors.live.port) as wire:
        await wire.send(data)
        assert (await wire.answer()).status == 400
        assert await wire.closed()
    assert doors.standing() == before


@EACH
async def test_chunks_are_a_body_like_any_other(doors: Doors, door: str) -> None:
    found = doors[door]
    data = b"".join(chunk(body(found)[place : place + 5]) for place in range(0, len(body(found)), 5)) + chunk(b"")
    answer = await talk(doors.live.port, head(found, "Transfer-Encoding: chunked", key=f"chunks-{door}") + data)
    assert answer.status in (200, 201), answer


@EACH
@pytest.mark.usefixtures("unchanged")
async def test_line_18_chunks_over_the_cap(doors: Doors, door: str) -> None:
    """Refused while it still comes, without a length to tell beforehand."""
    most = doors.live.services.settings.max_body_bytes
    async with Wire(doors.live.port) as wire:
        await wire.send(head(doors[door], "Transfer-Encoding: chunked"))
        for _ in range(most // 65536 + 1):
            await wire.send(chunk(b" " * 65536))
        async with asyncio.timeout(20):
            assert (await wire.answer()).status == 413


@EACH
@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("length", [2**20 + 1, 2**31, 2**63 - 1])
async def test_line_18_a_length_over_the_cap(doors: Doors, door: str, length: int) -> None:
    """Refused by its announcement, before any of it was sent."""
    answer = await talk(doors.live.port, head(doors[door], length=length))
    assert answer.status == 413, answer


@pytest.mark.parametrize(
    "sent", [b"", b"P", b"POST /v1/charges HTTP/1.1\r\n", b"POST /v1/charges HTTP/1.1\r\nhost: x\r\nx-a: "]
)
async def test_line_27_a_head_that_does_not_end(quick: Live, sent: bytes) -> None:
    await refused(quick.port, sent, 408)


async def test_line_27_a_head_that_drips(quick: Live) -> None:
    """Bytes now and then do not buy more time."""
    async with Wire(quick.port) as wire:
        await wire.send(b"POST /v1/charges HTTP/1.1\r\nhost: x\r\nx-a: ")
        dripped = 0
        with pytest.raises(OSError):
            while dripped < 200:
                await wire.send(b"a")
                await asyncio.sleep(0.05)
                dripped += 1
        assert dripped < 200


async def test_line_27_a_body_that_does_not_come(quick: Live) -> None:
    doors = Doors(quick)
    before = doors.standing()
    for door in EVERY:
        found = doors[door]
        for sent in (b"", body(found)[:-1]):
            await refused(quick.port, head(found, length=len(body(found))) + sent, 408)
        await refused(quick.port, head(found, "Transfer-Encoding: chunked") + chunk(body(found)), 408)
    assert doors.standing() == before


@pytest.fixture
def impatient(make_live: Callable[..., Live]) -> Iterator[Live]:
    """A server that keeps idle connections for a second."""
    yield make_live(idle_timeout_s=1, head_timeout_s=30)


async def test_line_27_an_idle_connection_is_closed(impatient: Live) -> None:
    async with Wire(impatient.port) as wire, Wire(impatient.port) as other:
        await wire.send(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
        assert (await wire.answer()).status == 200
        await other.send(b"POST /v1/charges HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        assert (await other.answer()).status == 401
        await asyncio.sleep(0.6)  # used again while it was idle: the time begins anew
        await other.send(b"POST /v1/charges HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
        assert (await other.answer()).status == 401
        assert await wire.closed()
        assert await other.closed()


async def test_line_27_slow_requests_do_not_hold_up_others(quick: Live) -> None:
    wires = [Wire(quick.port) for _ in range(200)]
    for wire in wires:
        await wire.send(b"POST /v1/charges HTTP/1.1\r\nhost: x\r\n")
    answer = await talk(quick.port, b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")
    assert answer.status == 200
    for wire in wires:
        assert (await wire.answer()).status == 408
        wire.close()


@EACH
@pytest.mark.usefixtures("unchanged")
async def test_line_28_a_head_of_100_kb(doors: Doors, door: str) -> None:
    found, size = doors[door], 100_000
    for lines in ([f"X-A: {'a' * size}"], [f"X-{number}: {'a' * 90}" for number in range(size // 100)]):
        await refused(doors.live.port, head(found, *lines, length=len(body(found))) + body(found), 431)
    await refused(doors.live.port, head(found).replace(b" HTTP", b"?a=" + b"a" * size + b" HTTP"), 431)


async def test_line_28_a_head_that_comes_bit_by_bit(doors: Doors) -> None:
    async with Wire(doors.live.port) as wire:
        await wire.send(b"GET /health HTTP/1.1\r\nhost: x\r\n")
        for number in range(400):
            await wire.send(f"x-{number}: {'a' * 90}\r\n".encode())
        assert (await wire.answer()).status == 431


@pytest.mark.usefixtures("unchanged")
async def test_line_28_trailers_of_100_kb(doors: Doors) -> None:
    """What follows the chunks may not grow without end either."""
    data = head(doors["deposit"], "Transfer-Encoding: chunked") + chunk(b"{}") + b"0\r\n"
    data += b"".join(b"x-%d: %s\r\n" % (number, b"a" * 90) for number in range(1000))
    await refused(doors.live.port, data, 431)


@pytest.mark.usefixtures("unchanged")
async def test_a_trailer_is_no_header(doors: Doors) -> None:
    found = doors["deposit"]
    without = head(found, "Transfer-Encoding: chunked").replace(b"Idempotency-Key: raw\r\n", b"")
    data = without + chunk(body(found)) + b"0\r\nIdempotency-Key: behind\r\n\r\n"
    answer = await talk(doors.live.port, data)
    assert (answer.status, answer.json()["code"]) == (400, "idempotency_key_missing")


async def test_requests_on_one_connection_are_answered_in_order(doors: Doors) -> None:
    """Pipelined: 50 deposits sent at once are 50 answers, each of its own request."""
    found = doors["deposit"]
    start = doors.live.read_wallet(doors.wallet)["balance"]
    data = b"".join(head(found, length=len(body(found)), key=f"piped-{number}") + body(found) for number in range(50))
    async with Wire(doors.live.port) as wire:
        await wire.send(data)
        answers = [await wire.answer() for _ in range(50)]
    assert [answer.status for answer in answers] == [201] * 50
    balances = [answer.json()["available"] for answer in answers]
    assert balances == sorted(balances)
    assert doors.live.read_wallet(doors.wallet)["balance"] == start + 50 * 7


async def test_what_follows_a_good_request_does_not_take_its_answer(doors: Doors) -> None:
    """Pipelined behind a deposit, bytes that are no HTTP are not answered in its place."""
    found = doors["deposit"]
    good = head(found, length=len(body(found)), key="before-rubbish") + body(found)
    for rubbish in (b"\0\0\0\0\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n"):
        async with Wire(doors.live.port) as wire:
            await wire.send(good + rubbish)
            answer = await wire.answer()
            assert answer.status == 201, answer
            assert await wire.closed()


async def test_a_request_within_a_body_is_no_request(doors: Doors) -> None:
    """Line 26: the length is the length; what is smuggled behind a shorter one is a request of its own."""
    found = doors["deposit"]
    inner = head(found, length=len(body(found)), key="smuggled") + body(found)
    start = doors.live.read_wallet(doors.wallet)["balance"]
    answer = await talk(doors.live.port, head(found, length=len(inner)) + inner)
    assert answer.status == 400
    assert doors.live.read_wallet(doors.wallet)["balance"] == start


@pytest.mark.parametrize(
    "line",
    [
        b"GET http://elsewhere.example/v1/wallets HTTP/1.1",
        b"GET //elsewhere.example/v1/wallets HTTP/1.1",
        b"GET /v1/../v1/wallets HTTP/1.1",
        b"GET /v1/%2e%2e/wallets HTTP/1.1",
        b"GET /v1%2fwallets HTTP/1.1",
        b"GET /v1/wallets/ HTTP/1.1",
        b"GET /v1/wallets%00 HTTP/1.1",
        b"GET /v1/wallets%ff HTTP/1.1",
        b"GET /v1/wallets% HTTP/1.1",
        b"GET /v1/wallets%zz HTTP/1.1",
        b"GET /v1/wallets;a=b HTTP/1.1",
        b"GET /v1/wallets#a HTTP/1.1",
        b"GET /v1/wallets?%ff=%00&=&&==&%=% HTTP/1.1",
        b"GET /v1/wallets\xff HTTP/1.1",
        b"GET * HTTP/1.1",
        b"OPTIONS * HTTP/1.1",
        b"CONNECT elsewhere.example:443 HTTP/1.1",
        b"CONNECT / HTTP/1.1",
        b"GET  /v1/wallets HTTP/1.1",
        b"GET /v1/wallets HTTP/1.0",
        b"GET /v1/wallets HTTP/0.9",
        b"GET /v1/wallets HTTP/2.0",
        b"GET /v1/wallets HTTP/9.9",
        b"GET /v1/wallets",
        b"PRI * HTTP/2.0",
        b"GET /v1/wallets\tHTTP/1.1",
        b"TRACE /v1/wallets HTTP/1.1",
        b"HEAD /health HTTP/1.1",
        b"FOO /v1/wallets HTTP/1.1",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=repr,
)
async def test_lines_that_ask_for_strange_things(doors: Doors, line: bytes) -> None:
    """Without a key: nothing is shown, nothing breaks, and the server goes on."""
    async with Wire(doors.live.port) as wire:
        await wire.send(line + b"\r\nhost: x\r\nconnection: close\r\n\r\n")
        found = await first_line(wire)
        status = int(found.split(b" ")[1]) if found else 0
        assert status < 500, found
        assert status not in (201, 202) and (status != 200 or b"health" in line or b"OPTIONS" in line), found
    assert (await talk(doors.live.port, b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n")).status == 200


async def first_line(wire: Wire) -> bytes:
    """The first line of what comes back; empty where nothing does."""
    assert wire._reader is not None
    async with asyncio.timeout(10):
        return await wire._reader.readline()


@EACH
@pytest.mark.usefixtures("unchanged")
async def test_line_26_a_header_that_may_stand_once_stands_twice(doors: Doors, door: str) -> None:
    """The same or another value: two readers could take another one."""
    found = doors[door]
    names = [found.key_header, "Host", "Content-Type", "X-Provider-API-Key" if door in DIALECTS else "Authorization"]
    for name in names:
        line = next(line for line in head(found).decode().split("\r\n") if line.lower().startswith(f"{name.lower()}:"))
        for more in (line, f"{name}: other", f"{name.upper()}:"):
            await refused(doors.live.port, head(found, more, length=len(body(found))) + body(found), 400)


@pytest.mark.usefixtures("unchanged")
async def test_line_26_no_host(doors: Doors) -> None:
    found = doors["deposit"]
    given = head(found, length=len(body(found))) + body(found)
    await refused(doors.live.port, given.replace(b"host: farebox\r\n", b""), 400)


@pytest.mark.parametrize(
    "lines",
    [
        ("Host: ",),
        ("Host: x\x7f",),
        ("Host: x", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: a", "Sec-WebSocket-Version: 13"),
        ("Host: x", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
        ("Host: x", "Expect: 100-continue"),
        ("Host: x", "Expect: 200-ok"),
        ("Host: x", "Range: bytes=0-1,0-1,0-1"),
        ("Host: x", "Authorization: "),
        ("Host: x", "Authorization: Bearer"),
        ("Host: x", "Authorization: Bearer \xff\xfe"),
        ("Host: x", "Authorization: Basic Og=="),
        ("Host: x", f"Authorization: Bearer {'a' * 20000}"),
        ("Host: x", "Accept: text/html, nonsense;;;q=2", "Accept-Encoding: zstd;q=banana", "Accept-Language: \xff"),
        ("Host: x", "Cookie: " + "; ".join(f"a{number}=b" for number in range(1000))),
        ("Host: x", 'Forwarded: for="[::1]";by=x', "X-Forwarded-For: 'or 1=1", "X-Forwarded-Proto: javascript"),
        ("Host: x", "Content-Type: application/json; charset=\xff"),
        ("Host: x", "Content-Type: multipart/form-data"),
        ("Host: x", "X-Request-Id: a\tb"),
        ("Host: x", "Connection: close, keep-alive, upgrade, banana"),
    ],
    ids=lambda lines: " ".join(lines)[:40],
)
@pytest.mark.parametrize(
    "path", ["/v1/charges", "/v1/wallets", "/conxa/charge/authorize", "/knai/charge/authorize", "/x"]
)
async def test_headers_of_every_kind(doors: Doors, path: str, lines: tuple[str, ...]) -> None:
    sent = "\r\n".join((f"POST {path} HTTP/1.1", *lines, "Content-Length: 2", "", "{}")).encode("latin-1")
    async with Wire(doors.live.port) as wire:
        await wire.send(sent)
        answer = await wire.answer()
        if answer.status == 100:
            answer = await wire.answer()
    assert answer.status in (400, 401, 404, 405), answer


async def test_line_41_a_caller_that_leaves_before_its_body_is_whole(doors: Doors) -> None:
    before = doors.standing()
    for door in EVERY:
        found = doors[door]
        async with Wire(doors.live.port) as wire:
            await wire.send(head(found, length=len(body(found))) + body(found)[:-1])
    assert doors.standing() == before


@pytest.fixture
def narrow(make_live: Callable[..., Live]) -> Iterator[Live]:
    """A server that takes five connections."""
    yield make_live(max_connections=5)


async def test_line_96_too_many_connections_are_told_when_to_come_back(narrow: Live) -> None:
    request = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"
    wires = [Wire(narrow.port) for _ in range(5)]
    for wire in wires:
        await wire.send(request)
        assert (await wire.answer()).status == 200
    answer = await refused(narrow.port, request, 503)
    assert (answer.headers["retry-after"], answer.json()["code"]) == ("1", "overloaded")
    for wire in wires:
        wire.close()
    give_up = time.monotonic() + 10
    while (await talk(narrow.port, request)).status != 200:
        assert time.monotonic() < give_up
