"""The price book over HTTP: lists that are taken in, names that stand for a model, refusals that help."""

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from farebox.money import decimal_text
from farebox.pricing.book import UnknownModel
from tests.support.live import Live, Provider, made, ok


def name() -> str:
    """A model's name that no other test has."""
    return f"model-{uuid.uuid4().hex}"


def take_in(live: Live, *prices: dict[str, Any], **more: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = ok(live.admin.post("/v1/prices/import", json={"prices": list(prices), **more}))
    return found


def price(model: str, rate: str = "0.000001", **more: Any) -> dict[str, Any]:
    return {"model": model, "asset": "USD", "input_token": rate, **more}


def quote(live: Live, provider: Provider, model: str, **usage: int) -> Any:
    body = {"provider": provider.slug, "model": model, "usage": usage, "asset": "USD"}
    return live.admin.post("/v1/quotes", json=body)


def test_the_same_list_again_changes_nothing(live: Live) -> None:
    one, other = price(name()), price(name(), tiers=[{"above_input_tokens": 1000, "input_token": "0.000002"}])
    models = [one["model"], other["model"]]
    assert take_in(live, one, other, dry_run=True) == {"added": models, "unchanged": [], "kept": []}
    assert take_in(live, one, other) == {"added": models, "unchanged": [], "kept": []}
    assert take_in(live, one, other) == {"added": [], "unchanged": models, "kept": []}
    assert [len(ok(live.admin.get(f"/v1/prices/*/{model}"))) for model in models] == [1, 1]


def test_a_list_for_one_provider_is_that_providers(live: Live) -> None:
    ours, theirs, model = live.provider(), live.provider(), name()
    take_in(live, price(model), provider=ours.slug)
    assert ok(quote(live, ours, model, input_tokens=5))["amount"] == 5
    assert quote(live, theirs, model, input_tokens=5).status_code == 422
    take_in(live, price(model, "0.000003"))
    assert ok(quote(live, ours, model, input_tokens=5))["amount"] == 5
    assert ok(quote(live, theirs, model, input_tokens=5))["amount"] == 15


def test_what_was_set_by_hand_is_kept(live: Live) -> None:
    model = name()
    live.price(model, asset="USD", input_token="0.000009")
    assert take_in(live, price(model))["kept"] == [model]
    assert take_in(live, price(model), replace=True)["added"] == [model]
    newest, before = ok(live.admin.get(f"/v1/prices/*/{model}"))
    assert (newest["source"], before["source"]) == ("import", "api")


BAD: list[dict[str, Any]] = [
    {"prices": []},
    {"prices": [price("m") for _ in range(1001)]},
    {"prices": [{"model": "m", "asset": "USD"}]},
    {"prices": [price("m", "0.0000000000000001")]},
    {"prices": [price("m", "-1")]},
    {"prices": [price("m", "1e400")]},
    {"prices": [price("")]},
    {"prices": [price("m", asset="NONE")]},
    {"prices": [price("m", input_token=0.000001)]},
    {"prices": [price("m", starts_at="2030-01-01")]},
    {"prices": [price("m")], "source": "<script>"},
    {"prices": [price("m")], "more": 1},
]


@pytest.mark.parametrize("body", BAD)
def test_a_list_that_can_not_be_kept_is_refused(live: Live, body: dict[str, Any]) -> None:
    good = name()
    if len(body["prices"]) == 1:
        body = body | {"prices": [price(good), *body["prices"]]}
    answer = live.admin.post("/v1/prices/import", json=body)
    assert answer.status_code in (400, 422), answer.text
    assert live.admin.get(f"/v1/prices/*/{good}").status_code == 404, "all of it or nothing"


@pytest.mark.parametrize("starts_at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_start_that_is_in_no_year_is_refused_and_all_goes_on(live: Live, starts_at: str) -> None:
    odd = price(name(), starts_at=starts_at)
    rest = {field: value for field, value in odd.items() if field != "model"}
    for answer in (
        live.admin.put(f"/v1/prices/*/{odd['model']}", json=rest),
        live.admin.post("/v1/prices/import", json={"prices": [odd]}),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "starts_at")
    assert take_in(live, price(odd["model"]))["added"] == [odd["model"]]
    assert quote(live, live.provider(), odd["model"], input_tokens=1).status_code == 200


def test_tiers_above_the_same_number_of_tokens_are_refused(live: Live) -> None:
    twice = [{"above_input_tokens": 1000, "input_token": rate} for rate in ("0.000002", "0.000003")]
    answer = live.admin.post("/v1/prices/import", json={"prices": [price(name(), tiers=twice)]})
    assert answer.status_code == 422
    assert "two tiers" in answer.json()["detail"]


def test_only_an_administrator_takes_prices_in(live: Live) -> None:
    provider = live.provider()
    body = {"prices": [price(name())], "provider": provider.slug}
    assert provider.api.post("/v1/prices/import", json=body).status_code == 403
    assert live.client(None).post("/v1/prices/import", json=body).status_code == 401
    assert live.admin.post("/v1/prices/import", json=body | {"provider": "nobody-here"}).status_code == 404


def test_an_unknown_model_is_refused_with_names_that_were_meant(live: Live) -> None:
    provider, model = live.provider(), name()
    take_in(live, price(model))
    token = provider.grant(live.wallet(10, "USD"))["session_token"]
    refused = provider.charge(token, model=model[:-1], usage={"input_tokens": 1})
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_model")
    assert refused.json()["nearest"][0] == model
    assert model in refused.json()["detail"]


def test_a_withdrawn_model_is_neither_charged_nor_offered(live: Live) -> None:
    provider, model = live.provider(), name()
    take_in(live, price(model))
    assert live.admin.delete(f"/v1/prices/*/{model}").status_code == 204
    refused = quote(live, provider, model, input_tokens=1)
    assert refused.status_code == 422
    assert model not in refused.json()["nearest"]
    assert [version["withdrawn"] for version in ok(live.admin.get(f"/v1/prices/*/{model}"))] == [True, False]
    assert model not in {found["model"] for found in ok(live.admin.get("/v1/prices?limit=1000"))["data"]}


def test_what_was_planned_for_a_withdrawn_model_does_not_come_about(live: Live) -> None:
    provider, model, soon = live.provider(), name(), datetime.now(UTC) + timedelta(hours=1)
    live.price(model, asset="USD", input_token="0.000001")
    for rate in ("0.000002", "0.000003"):
        live.price(model, asset="USD", input_token=rate, starts_at=soon.isoformat())
    assert live.admin.delete(f"/v1/prices/*/{model}").status_code == 204
    with pytest.raises(UnknownModel):
        live.call(live.services.prices.fresh()).find(0, model, soon + timedelta(hours=1))
    live.price(model, provider.slug, asset="USD", input_token="0.000004")
    assert quote(live, provider, model, input_tokens=1).status_code == 200


def test_a_start_that_is_over_means_now(live: Live) -> None:
    provider, model = live.provider(), name()
    live.price(model, asset="USD", input_token="0.000001")
    live.price(model, asset="USD", input_token="0.000009", starts_at="2020-01-01T00:00:00Z")
    assert ok(quote(live, provider, model, input_tokens=1))["amount"] == 9


def test_a_markup_counts_from_a_providers_first_charge_on(live: Live) -> None:
    model, wallet = name(), live.wallet(10**9, asset="USD")
    live.price(model, asset="USD", input_token="0.000001")
    for markup in ("1.5", "0", "1"):
        provider = live.provider(markup=markup)
        token = provider.grant(wallet)["session_token"]
        charged = made(provider.charge(token, model=model, usage={"input_tokens": 1000}))
        assert charged["amount"] == 1000 * Fraction(markup)


def test_the_explanation_of_any_charge_adds_up(live: Live) -> None:
    chance = random.Random(1)
    provider = live.provider(markup="1.15")
    for asset in ("USD", "TOKEN"):
        token = provider.grant(live.wallet(10**15, asset))["session_token"]
        scale = {found["code"]: found["scale"] for found in ok(live.admin.get("/v1/assets"))}[asset]
        for _ in range(8):
            model = name()
            rates = {kind: decimal_text(chance.randint(0, 10**9), 15) for kind in ("input_token", "output_token")}
            take_in(live, {"model": model, "asset": "USD", "call": "0.001", **rates})
            usage = {
                kind: chance.randint(0, 10**6) for kind in ("input_tokens", "cached_input_tokens", "output_tokens")
            }
            done = made(provider.charge(token, model=model, usage=usage))
            told = ok(provider.api.get(f"/v1/charges/{done['id']}/explanation"))
            lines = sum((Fraction(line["cost"]) for line in told["lines"]), Fraction(0))
            assert lines == Fraction(told["subtotal"])
            assert Fraction(told["markup"]) == Fraction("1.15")
            assert Fraction(told["converted"]) + Fraction(told["rounded_up_by"]) == Fraction(done["amount"], scale)
            assert told["amount"] == done["amount"]


@pytest.fixture
def stocked(make_live: Callable[..., Live]) -> Live:
    """A server that has started with the default book."""
    return make_live(default_prices="genai-prices")


def test_the_default_book_knows_the_names_that_stand_for_its_models(stocked: Live) -> None:
    provider = stocked.provider()
    token = provider.grant(stocked.wallet(10**9, "USD"))["session_token"]
    usage = {"input_tokens": 1_000_000, "output_tokens": 100_000}
    by_name = {
        model: made(provider.charge(token, model=model, usage=usage))
        for model in ("gpt-4o", "openai/gpt-4o", "gpt-4o-2024-11-20", "openai/gpt-4o-2024-11-20")
    }
    assert {done["amount"] for done in by_name.values()} == {3_500_000}
    kept = ok(provider.api.get(f"/v1/charges/{by_name['gpt-4o-2024-11-20']['id']}"))
    assert kept["model"] == "gpt-4o-2024-11-20"

    refused = provider.charge(token, model="gpt-4oh", usage=usage)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_model")
    assert "gpt-4o" in refused.json()["nearest"]

    # A price of the very name comes first; one set by hand for the model holds for what stands for it.
    stocked.price("gpt-4o", asset="USD", call="2")
    assert made(provider.charge(token, model="gpt-4o-2024-11-20", usage={}))["amount"] == 2_000_000
    stocked.price("gpt-4o-2024-11-20", provider.slug, asset="USD", call="3")
    assert made(provider.charge(token, model="gpt-4o-2024-11-20", usage={}))["amount"] == 3_000_000
    stocked.admin.delete("/v1/prices/*/gpt-4o").raise_for_status()
    assert provider.charge(token, model="gpt-4o-2024-08-06", usage=usage).status_code == 422


def test_an_empty_book_knows_no_names(live: Live) -> None:
    provider = live.provider()
    assert quote(live, provider, "gpt-4o-2024-11-20", input_tokens=1).status_code == 422
