"""The native charge, end to end."""

from tests.support.live import Live, made, ok


def test_usage_is_priced_and_taken(live: Live) -> None:
    provider = live.provider()
    wallet = live.wallet(10_000)
    live.price("m1", provider.slug, input_token="0.001", output_token="0.002")
    token = provider.grant(wallet)["session_token"]

    done = made(provider.charge(token, model="m1", usage={"input_tokens": 1000, "output_tokens": 500}))

    assert done["amount"] == 2000
    assert live.read_wallet(wallet)["available"] == 8000
    assert ok(provider.api.get(f"/v1/charges/{done['id']}"))["status"] == "approved"
