"""Whole requests, ready to be sent: one for each dialect's charge, and for what else is measured."""

import base64
import json
import random
from collections.abc import Iterable
from typing import Any

from bench.sender import FOUND, KEY, Then
from bench.world import ADMIN_KEY, MODEL, Payer, World

INPUT_TOKENS, OUTPUT_TOKENS = 374, 44
AMOUNT = 462
"""What they cost, in units of a thousandth of a token."""
_JSON = "Host: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"


def post(path: str, headers: str, body: Any) -> bytes:
    """A request with a body; headers end with a line break."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"POST {path} HTTP/1.1\r\n{_JSON}{headers}Content-Length: {len(content)}\r\n\r\n".encode() + content


def get(path: str, key: str = ADMIN_KEY) -> bytes:
    """A request without one."""
    return f"GET {path} HTTP/1.1\r\n{_JSON}Authorization: Bearer {key}\r\n\r\n".encode()


def conxa(
    world: World, payers: Iterable[Payer], used: tuple[int, int] = (INPUT_TOKENS, OUTPUT_TOKENS), *, keyed: bool = True
) -> list[bytes]:
    """CONXA's charge of each payer."""
    body = {"model_name": MODEL, "input_tokens": used[0], "output_tokens": used[1]}
    key = f"X-Idempotency-Key: {KEY.decode()}\r\n" if keyed else ""
    return [
        post(
            "/conxa/charge/authorize",
            f"X-Provider-API-Key: {world.api_key}\r\nX-Provider-Session: {payer.token}\r\n{key}",
            body,
        )
        for payer in payers
    ]


def knai(world: World, payers: Iterable[Payer]) -> list[bytes]:
    """KNAI's charge of each payer."""
    body = {"amount_tokens": INPUT_TOKENS + OUTPUT_TOKENS, "model": MODEL}
    return [
        post(
            "/knai/charge/authorize",
            f"X-Provider-API-Key: {world.api_key}\r\nX-Provider-Slug: bench\r\nX-Session-Token: {payer.token}\r\n"
            f"Idempotency-Key: {KEY.decode()}\r\n",
            body,
        )
        for payer in payers
    ]


def native(world: World, payers: Iterable[Payer]) -> list[bytes]:
    """Our own charge of each payer."""
    return [post("/v1/charges", _as_provider(world), _usage(payer)) for payer in payers]


def native_batch(world: World, payers: Iterable[Payer], count: int) -> list[bytes]:
    """So many charges of each payer in one request."""
    return [
        post(
            "/v1/charges/batch",
            _as_provider(world, keyed=False),
            {"charges": [_usage(payer) | {"idempotency_key": f"{KEY.decode()}-{n}"} for n in range(count)]},
        )
        for payer in payers
    ]


def hold_and_capture(world: World, payers: Iterable[Payer]) -> tuple[list[bytes], Then]:
    """A hold of each payer, and its capture."""
    asks = [
        post("/v1/holds", _as_provider(world), {"session_token": payer.token, "amount": AMOUNT}) for payer in payers
    ]
    head = f"POST /v1/holds/{FOUND.decode()}/capture HTTP/1.1\r\n{_JSON}{_as_provider(world)}"
    return asks, Then(b'"id":"', b'"', [head.encode()], b'{"amount":%d}' % (AMOUNT // 2))


def transfers(payers: list[Payer], source: random.Random) -> list[bytes]:
    """From each of these wallets to another of them."""
    return [
        post(
            "/v1/transfers",
            f"Authorization: Bearer {ADMIN_KEY}\r\nIdempotency-Key: {KEY.decode()}\r\n",
            {"from_wallet": str(payer.wallet_id), "to_wallet": str(source.choice(others).wallet_id), "amount": 7},
        )
        for number, payer in enumerate(payers)
        if (others := payers[:number][-50:] + payers[number + 1 :][:50])
    ]


def usage_record(key: str, envelope: str) -> bytes:
    """x402tools: a use counted on an envelope."""
    return post(
        "/x402tools/usage",
        f"Authorization: Bearer {key}\r\nIdempotency-Key: {KEY.decode()}\r\n",
        {"envelopeId": envelope, "amount": 1},
    )


def consumption(organization: str, profile: str) -> bytes:
    """TokenVault: a use paid out of an organization's credits."""
    body = {"organization_id": organization, "profile_id": profile, "model": MODEL, "record_id": KEY.decode()}
    tokens = {"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS}
    return post("/tokenvault/v1/consumption/process", f"Authorization: Bearer {ADMIN_KEY}\r\n", body | tokens)


def basic(email: str, password: str) -> str:
    """A person's credentials as a header line."""
    return f"Authorization: Basic {base64.b64encode(f'{email}:{password}'.encode()).decode()}\r\n"


def payment(sender: str, recipient: str, credentials: str) -> bytes:
    """SyftBox: a payment from one person to another, pending until it is confirmed."""
    body = {"senderEmail": sender, "recipientEmail": recipient, "amount": 0.001, "appName": "bench"}
    return post("/syftbox/transaction/create", f"{credentials}Idempotency-Key: {KEY.decode()}\r\n", body)


def confirmation(credentials: Iterable[str]) -> Then:
    """SyftBox: what confirms a payment."""
    heads = [f"POST /syftbox/transaction/confirm HTTP/1.1\r\n{_JSON}{one}".encode() for one in credentials]
    return Then(b'"id":"', b'"', heads, b'{"transactionId":"%b"}' % FOUND)


def _as_provider(world: World, *, keyed: bool = True) -> str:
    key = f"Idempotency-Key: {KEY.decode()}\r\n" if keyed else ""
    return f"Authorization: Bearer {world.api_key}\r\n{key}"


def _usage(payer: Payer) -> dict[str, Any]:
    usage = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    return {"session_token": payer.token, "model": MODEL, "usage": usage}
