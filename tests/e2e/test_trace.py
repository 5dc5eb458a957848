"""The whole recorded trace, charged through the CONXA dialect by 64 callers against one wallet."""

import asyncio
import csv
from fractions import Fraction
from pathlib import Path

import pytest

from farebox.ledger.audit import audit
from tests.support.live import Live, ok
from tests.support.rawhttp import Wire

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
FILES = ("azure_llm_trace_2023_code.csv", "azure_llm_trace_2023_conv.csv")
REQUESTS = 28_185
CALLERS = 64
TWICE = 7
"""Each n-th request is sent again under its key."""
INPUT_USD, OUTPUT_USD, TOKEN_USD = Fraction("0.0000025"), Fraction("0.00001"), Fraction("0.00001")
UNITS = 1000


def trace() -> list[tuple[int, int]]:
    """(input, output) tokens of every request, in order."""
    found = []
    for name in FILES:
        with (DATA / name).open(newline="") as file:
            found += [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    return found


def owed(requests: list[tuple[int, int]]) -> int:
    """What it comes to in units of TOKEN, each charge rounded up by itself: no code of the project is used."""
    total = 0
    for tokens_in, tokens_out in requests:
        exact = (tokens_in * INPUT_USD + tokens_out * OUTPUT_USD) / TOKEN_USD * UNITS
        total += -(-exact.numerator // exact.denominator)
    return total


@pytest.mark.skipif(not DATA.exists(), reason="the recorded trace is not beside the checkout")
async def test_the_whole_trace_comes_to_what_it_should(live: Live) -> None:
    requests = trace()
    assert len(requests) == REQUESTS
    provider = live.provider()
    deposit = owed(requests) + 12_345
    wallet = live.wallet(deposit)
    live.price("trace", provider.slug, asset="USD", input_token="0.0000025", output_token="0.00001")
    token = provider.grant(wallet)["session_token"]
    headers = {"x-provider-api-key": provider.key, "x-provider-session": token}
    waiting = iter(enumerate(requests))

    async def caller() -> int:
        sent = 0
        async with Wire(live.port) as wire:
            for number, (tokens_in, tokens_out) in waiting:
                body = {"model_name": "trace", "input_tokens": tokens_in, "output_tokens": tokens_out}
                for _ in range(2 if number % TWICE == 0 else 1):
                    answer = await wire.post(
                        "/conxa/charge/authorize", body, **headers, x_idempotency_key=f"request-{number}"
                    )
                    assert answer.json()["approved"], answer
                sent += 1
        return sent

    assert sum(await asyncio.gather(*(caller() for _ in range(CALLERS)))) == REQUESTS

    assert live.read_wallet(wallet)["available"] == 12_345
    statement = ok(live.admin.get(f"/v1/wallets/{wallet}/statement"))
    assert (statement["entries"], statement["money_out"]) == (REQUESTS + 1, owed(requests))
    assert ok(live.admin.get(f"/v1/providers/{provider.slug}/revenue"))[0]["balance"] == owed(requests)
    usage = live.call(
        live.services.pool.fetchrow(
            "SELECT count(*), sum(input_tokens) AS input, sum(output_tokens) AS output FROM transfers "
            "WHERE wallet_id = $1 AND kind = 'charge' AND refusal IS NULL",
            int(wallet),
        )
    )
    assert tuple(usage) == (REQUESTS, sum(r[0] for r in requests), sum(r[1] for r in requests))
    assert live.call(_clean(live))


async def _clean(live: Live) -> bool:
    async with live.services.pool.acquire() as conn:
        return (await audit(conn)).clean  # type: ignore[arg-type]  # a pooled connection is one
