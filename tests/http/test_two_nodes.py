"""Two servers on one database: what one adds, the other knows when it is asked."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.consoles import signed_in
from tests.support.databases import Databases
from tests.support.live import Live, Provider, fresh_key, live_server, made, ok, settings_for


@pytest.fixture
def nodes(postgres: Databases) -> Iterator[tuple[Live, Live]]:
    name = postgres.fresh()
    with (
        live_server(postgres.url(name), settings_for()) as here,
        live_server(postgres.url(name), settings_for()) as there,
    ):
        yield here, there
    postgres.drop(name)


def test_a_wallet_in_an_asset_that_another_node_has_added(nodes: tuple[Live, Live]) -> None:
    here, there = nodes
    here.price("m", asset="USD", input_token="0.000001")
    provider = here.provider()
    elsewhere = Provider(there, provider.slug, provider.key)

    def paid_in(code: str) -> tuple[str, str]:
        ok(here.admin.put(f"/v1/assets/{code}", json={"name": code, "scale": 100, "usd_price": "0.5"}))
        wallet = here.wallet(10**6, asset=code)
        return wallet, provider.grant(wallet)["session_token"]

    charge: Any = {"model": "m", "usage": {"input_tokens": 1_000_000}}
    assert made(elsewhere.charge(paid_in("ONE")[1], **charge))["amount"] == 200
    each = {"session_token": paid_in("TWO")[1], "idempotency_key": fresh_key()["Idempotency-Key"], **charge}
    (done,) = ok(elsewhere.api.post("/v1/charges/batch", json={"charges": [each]}))["results"]
    assert (done["status"], done["charge"]["amount"]) == (201, 200)
    assert ok(elsewhere.conxa().get(f"/wallet/{paid_in('FOUR')[0]}"))["tokens"] == 500_000_000
    operator = signed_in(there)
    assert operator.get(f"/console/wallets/{paid_in('THREE')[0]}").status_code == 200
