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
"""Each n-th request is sent by two callers at once, under one key."""
INPUT_USD, OUTPUT_USD = "0.000000037", "0.000000149"
"""A unit is 0.00000001 USD: these leave a fraction of one in nine charges of ten, so that rounding shows."""
TOKEN_USD = Fraction("0.00001")
UNITS = 1000


def trace() -> list[tuple[int, int]]:
    """(input, output) tokens of every request, in order."""
    found = []
    for name in FILES:
        with (DATA / name).open(newline="") as file:
            found += [(int(row["ContextTokens"]), int(row["GeneratedTokens"])) for row in csv.DictReader(file)]
    return found


def owed(request: tuple[int, int]) -> int:
    """What a request comes to in units of TOKEN, rounded up: no code of the project is used."""
    exact = (request[0] * Fraction(INPUT_USD) + request[1] * Fraction(OUTPUT_USD)) / TOKEN_USD * UNITS
    return -(-exact.numerator // exact.denominator)


@pytest.mark.skipif(not DATA.exists(), reason="the recorded trace is not beside the checkout")
async def test_the_whole_trace_comes_to_what_it_should(live: Live) -> None:
    requests = trace()
    assert len(requests) == REQUESTS
    total = sum(owed(request) for request in requests)
    provider = live.provider()
    wallet = live.wallet(total + 12_345)
    live.price("trace", provider.slug, asset="USD", input_token=INPUT_USD, output_token=OUTPUT_USD)
    token = provider.grant(wallet)["session_token"]
    await charge_all(live.port, {"x-provider-api-key": provider.key, "x-provider-session": token}, requests)

    assert live.read_wallet(wallet)["available"] == 12_345
    statement = ok(live.admin.get(f"/v1/wallets/{wallet}/statement"))
    assert (statement["entries"], statement["money_out"]) == (REQUESTS + 1, total)
    assert ok(live.admin.get(f"/v1/providers/{provider.slug}/revenue"))[0]["balance"] == total
    journal = live.call(
        live.services.pool.fetch(
            "SELECT key, input_tokens, output_tokens, amount FROM transfers WHERE wallet_id = $1 AND kind = 'charge'",
            int(wallet),
        )
    )
    expected = [(f"request-{number}", *request, owed(request)) for number, request in enumerate(requests)]
    assert sorted(map(tuple, journal)) == sorted(expected)
    assert live.call(_clean(live))


async def charge_all(port: int, headers: dict[str, str], requests: list[tuple[int, int]]) -> None:
    """Charges them by 64 callers, some twice; the two answers to one key have to be one."""
    waiting = iter(enumerate(requests))

    async def charge(wire: Wire, number: int, request: tuple[int, int]) -> bytes:
        body = {"model_name": "trace", "input_tokens": request[0], "output_tokens": request[1]}
        answer = await wire.post("/conxa/charge/authorize", body, **headers, x_idempotency_key=f"request-{number}")
        assert answer.json()["approved"], answer
        return answer.body

    async def caller() -> None:
        async with Wire(port) as wire, Wire(port) as other:
            for number, request in waiting:
                first = charge(wire, number, request)
                if number % TWICE:
                    await first
                else:
                    answers = await asyncio.gather(first, charge(other, number, request))
                    assert answers[0] == answers[1]

    await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def _clean(live: Live) -> bool:
    async with live.services.pool.acquire() as conn:
        return (await audit(conn)).clean
