"""Bodies, headers and addresses that no honest client sends (lines 15 to 25, 29 and 32)."""

import gzip
import json

import httpx
import pytest

from tests.support.doors import DIALECTS, EVERY, NATIVE, Door, Doors, check_error
from tests.support.live import Live

pytestmark = pytest.mark.usefixtures("unchanged")

DEEP = 100_000


def with_member(door: Door, member: str) -> str:
    """The good body of a call with a further member, at the end."""
    return f"{json.dumps(door.body)[:-1]}, {member}}}"


def with_text(door: Door, text: bytes) -> bytes:
    """The good body with these bytes within the first text that it takes, or in a note."""
    members = (
        door.body if any(isinstance(value, str) for value in door.body.values()) else door.body | {NOTE[door.name]: ""}
    )
    name = NOTE.get(door.name) or next(name for name, value in members.items() if isinstance(value, str))
    return json.dumps(door.body | {name: "@@"}).encode().replace(b"@@", text)


NOTE = {"deposit": "note", "transfer": "note", "refund": "reason", "charge": "model", "hold": "model"}
NOTE |= {"capture": "model", "usage": "model", "conxa": "model_name", "knai": "model"}
"""A member of each call that takes text of any kind."""

EACH = pytest.mark.parametrize("door", EVERY)


@EACH
def test_line_15_a_member_twice(doors: Doors, door: str) -> None:
    found = doors[door]
    for member in found.body:
        check_error(door, found.send(with_member(found, f'"{member}": {json.dumps(found.body[member])}')), 400)
    escaped = "".join(f"\\u{ord(char):04x}" for char in found.amount)
    check_error(door, found.send(with_member(found, f'"{escaped}": 8')), 400)


@EACH
def test_line_15_a_member_twice_within(doors: Doors, door: str) -> None:
    if door in DIALECTS:
        check_error(door, doors[door].send(with_member(doors[door], '"more": {"a": 1, "a": 2}')), 400)
    elif door in ("charge", "hold", "capture", "usage"):
        found = doors[door]
        body = {name: value for name, value in found.body.items() if name != "amount"} | {"model": doors.model}
        text = json.dumps(body)[:-1] + ', "usage": {"input_tokens": 1, "input_tokens": 2}}'
        check_error(door, found.send(text), 400)
        text = json.dumps(body)[:-1] + ', "usage": {"units": {"images": 1, "images": 2}}}'
        check_error(door, found.send(text), 400)


@pytest.mark.parametrize("door", NATIVE)
@pytest.mark.parametrize("member", ['"no_such": 1', '"Amount": 1', '"amount ": 1', '"": 1', '"wallet_id": null'])
def test_line_16_an_unknown_member(doors: Doors, door: str, member: str) -> None:
    check_error(door, doors[door].send(with_member(doors[door], member)), 422)


@EACH
@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_line_17_nested_100_000_deep(doors: Doors, door: str, bracket: str) -> None:
    opening = "[" if bracket == "[]" else '{"a":'
    closing = bracket[1]
    for inner in ("", "1"):
        deep = opening * DEEP + (inner if bracket == "[]" else inner or "1") + closing * DEEP
        for body in (deep, with_member(doors[door], f'"more": {deep}'), doors[door].text(deep)):
            answer = doors[door].send(body)
            assert answer.status_code in (400, 422), answer.text
            if door in DIALECTS and body.startswith('{"m') and '"more"' in body:
                assert answer.status_code == 400, answer.text
            check_error(door, answer, answer.status_code)


@EACH
def test_line_18_over_the_cap(doors: Doors, door: str) -> None:
    most = doors.live.services.settings.max_body_bytes
    check_error(door, doors[door].send(b"{" * (most + 1)), 413)
    check_error(door, doors[door].send(with_member(doors[door], f'"more": "{"x" * most}"')), 413)


@EACH
def test_line_18_at_the_cap_is_read(doors: Doors, door: str) -> None:
    most = doors.live.services.settings.max_body_bytes
    check_error(door, doors[door].send(b"{" + b" " * (most - 1)), 400)


@EACH
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "GZIP", "x-gzip"])
def test_line_19_a_compressed_body(doors: Doors, door: str, encoding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    check_error(door, doors[door].send(bomb, Content_Encoding=encoding), 415)


@EACH
@pytest.mark.parametrize("text", [rb"\ud800", rb"\udc00x", rb"\ud800\ud800", rb"\ud83dx", rb"\udfff\ud800"])
def test_line_20_a_lone_surrogate(doors: Doors, door: str, text: bytes) -> None:
    check_error(door, doors[door].send(with_text(doors[door], text)), 400)
    if door in DIALECTS:
        ignored = f'"more": "{text.decode()}"'
        check_error(door, doors[door].send(with_member(doors[door], ignored)), 400)


@EACH
def test_line_21_a_nul_in_text(doors: Doors, door: str) -> None:
    check_error(door, doors[door].send(with_text(doors[door], rb"a\u0000b")), 422)
    check_error(door, doors[door].send(with_text(doors[door], b"a\x00b")), 400)


@EACH
@pytest.mark.parametrize(
    "text", [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"]
)
def test_line_22_invalid_utf8(doors: Doors, door: str, text: bytes) -> None:
    check_error(door, doors[door].send(with_text(doors[door], text)), 400)
    if door in DIALECTS:
        body = with_member(doors[door], '"more": "@@"').encode()
        check_error(door, doors[door].send(body.replace(b"@@", text)), 400)


@EACH
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7"])
def test_line_22_another_encoding(doors: Doors, door: str, encoding: str) -> None:
    content = json.dumps(doors[door].body).encode(encoding)
    if encoding == "utf-7":
        content = content.replace(b'"', b"+ACI-")
    check_error(door, doors[door].send(content), 400)


@EACH
@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml",
     "application/msgpack", "application/jsonx", "text/json", "*/*", "", ";", "application/json, text/plain"],
)  # fmt: skip
def test_line_23_another_content_type(doors: Doors, door: str, kind: str) -> None:
    check_error(door, doors[door].send(json.dumps(doors[door].body), Content_Type=kind), 415)


@EACH
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_line_24_another_method(doors: Doors, door: str, method: str) -> None:
    if door in ("charge", "x402tools") and method in ("GET", "HEAD"):
        return  # lists charges, and records
    answer = doors[door].send(json.dumps(doors[door].body), method)
    if method == "OPTIONS":
        assert answer.status_code in (204, 405)
        return
    assert answer.status_code == 405, answer.text
    assert "POST" in answer.headers["allow"]
    if method != "HEAD":
        check_error(door, answer, 405)


@EACH
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_line_25_a_method_override_is_ignored(doors: Doors, door: str, header: str) -> None:
    override = {header.replace("-", "_"): "POST"}
    allowed = doors[door].send(json.dumps(doors[door].body), "PUT", **override)
    check_error(door, allowed, 405)
    path = f"/v1/wallets/{doors.wallet}"
    assert doors.live.admin.get(path, headers={header: "DELETE"}).status_code == 200


REPEATED = [
    "limit=1&limit=2",
    "limit=1&limit=1",
    "cursor=a&limit=1&cursor=b",
    "provider_username=a&provider_username=b",
]
READ = ["/v1/wallets", "/v1/charges", "/v1/providers", "/v1/assets", "/v1/prices"]


@pytest.mark.parametrize("query", [*REPEATED, "limit=1&%6cimit=2", "limit=1&li%6Dit=2"])
@pytest.mark.parametrize("path", READ)
def test_line_29_a_query_parameter_twice(live: Live, path: str, query: str) -> None:
    check_error("native", live.admin.get(f"{path}?{query}"), 400, code="repeated_parameter")


@pytest.mark.parametrize("door", DIALECTS)
@pytest.mark.parametrize("name", ["provider_username", "provider%5Fusername"])
def test_line_29_a_user_twice(doors: Doors, door: str, name: str) -> None:
    path = f"/providers/session/status?provider_username=a&{name}=b"
    check_error(door, doors[door].client.get(path), 400)


@EACH
def test_line_29_twice_on_a_call_that_takes_none(doors: Doors, door: str) -> None:
    found = doors[door]
    answer = found.client.post(f"{found.path}?a=1&a=2", json=found.body, headers={found.key_header: "twice"})
    check_error(door, answer, 400)


@EACH
@pytest.mark.parametrize("body", ["null", "[]", '"x"', "1", "true", "[{}]", '[{"amount": 1}]', "{}"])
def test_line_32_another_kind_of_body(doors: Doors, door: str, body: str) -> None:
    if body == "{}" and door in ("capture", "refund"):
        return  # all of it
    check_error(door, doors[door].send(body), 422)


@EACH
@pytest.mark.parametrize(
    "body", ["", " ", "{", '{"amount": 1', "{'amount': 1}", '{"amount": 1,}', "{}{}", "{} x", "\0"]
)
def test_what_is_no_json(doors: Doors, door: str, body: str) -> None:
    if door in ("conxa", "knai", "charge", "hold") or body not in ("{}{}", "{} x"):
        answer = doors[door].send(body)
        assert answer.status_code in (400, 422), answer.text
        check_error(door, answer, answer.status_code)


def test_the_members_that_dialects_ignore_set_nothing(doors: Doors) -> None:
    """Line 16 for dialects: a member of the native API, or of the other dialect, means nothing there."""
    for door in DIALECTS:
        body = doors[door].body | {"amount": 999_999, "wallet": doors.payee, "grant": "gr_1", "approved": True}
        asked = doors[door].send(json.dumps(body | {doors[door].amount: -1}))
        check_error(door, asked, 422)


SECRETS = ["pk_live_x_abcdefgh", "pk_test_x_abcdefgh", "fbx_admin_abcdefgh", "ok_live_abcdefgh", f"ps_{'ab' * 24}"]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("query", ["key={}", "a=1&key={}", "{}", "key=Bearer%20{}", "api_key={}&limit=1"])
def test_line_56_a_secret_in_an_address(live: Live, secret: str, query: str) -> None:
    for name, path in (("native", "/v1/wallets"), ("conxa", "/conxa/health"), ("knai", "/knai/health")):
        with live.client(None) as client:
            answer = client.get(f"{path}?{query.format(secret)}")
        check_error(name, answer, 400, secret=secret)


@EACH
def test_line_56_a_secret_in_the_address_of_a_call_that_moves_money(doors: Doors, door: str) -> None:
    found = doors[door]
    answer = found.client.post(
        f"{found.path}?key={doors.provider.key}", json=found.body, headers={found.key_header: "q"}
    )
    check_error(door, answer, 400, secret=doors.provider.key)


def test_every_error_has_a_request_id_of_its_own(doors: Doors) -> None:
    answers: list[httpx.Response] = [doors["charge"].send("[]") for _ in range(3)]
    answers += [doors["deposit"].send("[]") for _ in range(3)]
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
