"""Baseline: a bare ASGI app that makes the same ledger call, and one that only echoes. Served as Farebox is.

`python -m bench.baselines.bare_asgi WORLD.json ledger|echo` prints its port and serves until its input ends.
"""

import hashlib
import itertools
import sys
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from bench.baselines.answering import answering
from bench.world import SECRET_KEY, World, settings
from farebox import app
from farebox.http.edge import App
from farebox.ledger.types import Charge, Pricing, Usage
from farebox.services import Services


class Body(Struct):
    """What a charge says."""

    model_name: str
    input_tokens: int
    output_tokens: int


def ledger_app(services: Services, world: World) -> App:
    """Decodes, asks the ledger, answers: no authentication, no price book, no checks."""
    decode = msgspec.json.Decoder(Body).decode
    payers = {payer.token.encode(): payer for payer in world.payers}
    numbers = itertools.count()
    revision = services.prices.book.revision

    async def call(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        body = decode((await receive())["body"])
        payer = payers[headers[b"x-provider-session"]]
        key = headers.get(b"x-idempotency-key", b"").decode() or f"bare{next(numbers)}"
        ask = Charge(
            client="bare",
            key=key,
            fingerprint=hashlib.blake2b(key.encode(), digest_size=16).digest(),
            wallet_id=payer.wallet_id,
            grant_id=payer.grant_id,
            provider_id=world.provider_id,
            revenue_account=world.revenue,
            amount=body.input_tokens + 2 * body.output_tokens,
            model=body.model_name,
            usage=Usage(body.input_tokens, body.output_tokens),
            pricing=Pricing(None, 1_000_000, revision, None),
        )
        outcome = await services.ledger.submit(ask)
        assert outcome.refusal is None
        await answer(send, b'{"approved":true,"new_balance":%d}' % (outcome.available // 1000))

    return call


async def echo_app(scope: Any, receive: Any, send: Any) -> None:
    """Answers what it is sent."""
    await answer(send, (await receive())["body"])


async def answer(send: Any, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def main() -> None:
    world = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=World)
    found = settings()
    async with app.open_services(lambda: world.url, found, bytes.fromhex(SECRET_KEY)) as services:
        await answering(ledger_app(services, world) if sys.argv[2] == "ledger" else echo_app, found)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
