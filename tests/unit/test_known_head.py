"""A head that is known is the same but for its key and its body's length; everything else is for the parser to read."""

import pytest

from farebox.http.known_head import KnownHead, known_head

HEADERS = {
    b"host": b"x",
    b"idempotency-key": b"k-1",
    b"content-type": b"application/json",
    b"content-length": b"2",
}


def request(body: bytes = b"{}", **changed: bytes | None) -> bytes:
    given = HEADERS | {b"content-length": b"%d" % len(body)}
    given |= {name.replace("_", "-").encode(): value for name, value in changed.items() if value is not None}
    dropped = {name.replace("_", "-").encode() for name, value in changed.items() if value is None}
    lines = [b"%s: %s\r\n" % (name.title(), value) for name, value in given.items() if name not in dropped]
    return b"POST /v1/charges HTTP/1.1\r\n" + b"".join(lines) + b"\r\n" + body


@pytest.fixture
def known() -> KnownHead:
    found = known_head(request(), HEADERS)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("key", "body"), [(b"k-2", b"{}"), (b"a" * 255, b'{"amount":1}'), (b"!~:,;", b""), (b"k-1", b"\r\n\r\n")]
)
def test_another_key_and_another_body_are_read(known: KnownHead, key: bytes, body: bytes) -> None:
    headers = HEADERS | {b"idempotency-key": key, b"content-length": b"%d" % len(body)}
    assert known.read(request(body, idempotency_key=key)) == (headers, body)
    assert known.headers == HEADERS


@pytest.mark.parametrize(
    "sent",
    [
        request(host=b"y"),
        request(idempotency_key=b""),
        request(idempotency_key=b"a b"),
        request(idempotency_key=b"\x80"),
        request(idempotency_key=b"k\nx-other: 1"),
        request(idempotency_key=b"a" * 256),
        request(idempotency_key=None),
        request(more=b"1"),
        request(content_length=b"1"),
        request(content_length=b"3"),
        request(content_length=b"+2"),
        request(content_length=b"-2"),
        request(content_length=b"two"),
        request(content_length=b""),
        request() + b" ",
        request() + request(),
        request()[:-1],
        request().replace(b"\r\n", b"\n"),
        request().replace(b"Key: ", b"Key:"),
        request().replace(b"POST", b"PUT"),
        b"",
        b"POST",
    ],
)
def test_what_differs_in_more_is_not(known: KnownHead, sent: bytes) -> None:
    assert known.read(sent) is None


@pytest.mark.parametrize(
    ("sent", "headers"),
    [
        (request() + request(), HEADERS),
        (b"\r\n" + request()[:-1], HEADERS),
        (request(content_length=None), {b"host": b"x"}),
        (request().replace(b"Key: ", b"Key:  "), HEADERS),
        (request().replace(b"Length: ", b"Length:\t"), HEADERS),
        (request(idempotency_key=b"k-1 "), HEADERS),
        (request(more=b"a" * 4096), HEADERS | {b"more": b"a" * 4096}),
    ],
)
def test_what_is_written_in_a_way_of_its_own_is_not_remembered(sent: bytes, headers: dict[bytes, bytes]) -> None:
    assert known_head(sent, headers) is None
