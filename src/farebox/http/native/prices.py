"""The price book over HTTP."""

from typing import Annotated

from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody, QueryParameter

from farebox.errors import Invalid
from farebox.http.depends import TheAuthority, ThePaging, TheServices
from farebox.http.native import views, wire
from farebox.http.native.authority import Authority
from farebox.http.native.may import administrators, only
from farebox.pricing.types import NewPrice, Rates, Tier
from farebox.services import Services

EVERYBODY = "*"
OfProvider = Annotated[
    str, QueryParameter(description="A provider's slug, or `*` for the book for all.", max_length=39)
]


class Prices(Controller):
    """Versioned prices: a change adds a version, nothing is ever overwritten."""

    path = "/v1/prices"
    tags = ("Prices",)

    @get(summary="List the prices that hold now")
    async def page(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        provider: OfProvider = EVERYBODY,
    ) -> wire.Page[wire.PriceView]:
        owner = await _owner(services, authority, provider)
        scope = f"prices:{provider}"
        found = await services.prices.page(owner, paging.name(scope), paging.most)
        return paging.page(scope, found, lambda price: views.price(price, provider), lambda price: price.model)

    @post(
        "/import",
        summary="Take in a price list: what differs becomes a new version",
        status_code=200,
        guards=[only(administrators)],
    )
    async def take_in(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.PriceImport]
    ) -> wire.PriceImported:
        done = await services.prices.take_in(
            authority.actor,
            data.source,
            [NewPrice(price.model, price.asset, _rates(price), None, price.starts_at) for price in data.prices],
            await _owner(services, authority, data.provider),
            replace=data.replace,
            only_compare=data.dry_run,
        )
        return wire.PriceImported(done.added, done.unchanged, done.kept)

    @get("/{provider:str}/{model:path}", summary="The versions of a model's price, newest first")
    async def versions(
        self, services: TheServices, authority: TheAuthority, provider: FromPath[str], model: FromPath[str]
    ) -> list[wire.PriceView]:
        owner = await _owner(services, authority, provider)
        return [views.price(price, provider) for price in await services.prices.versions(owner, _model(model))]

    @put(
        "/{provider:str}/{model:path}",
        summary="Add a version of a model's price",
        status_code=201,
        guards=[only(administrators)],
    )
    async def put(
        self,
        services: TheServices,
        authority: TheAuthority,
        provider: FromPath[str],
        model: FromPath[str],
        data: JSONBody[wire.PriceBody],
    ) -> wire.PriceView:
        owner = await _owner(services, authority, provider)
        new = NewPrice(_model(model), data.asset, _rates(data), owner, data.starts_at)
        (number,) = await services.prices.add(authority.actor, "api", [new])
        return views.price(await services.prices.price(number), provider)

    @delete(
        "/{provider:str}/{model:path}",
        summary="Withdraw a model's price from now on, and what was planned for it",
        guards=[only(administrators)],
    )
    async def withdraw(
        self, services: TheServices, authority: TheAuthority, provider: FromPath[str], model: FromPath[str]
    ) -> None:
        owner = await _owner(services, authority, provider)
        await services.prices.withdraw(authority.actor, "api", owner, _model(model))


async def _owner(services: Services, authority: Authority, provider: str) -> int | None:
    return None if provider == EVERYBODY else (await authority.provider(provider)).id


def _model(path: str) -> str:
    model = path.lstrip("/")
    if not 1 <= len(model) <= 200 or "\0" in model:
        raise Invalid.field("model", "1 to 200 characters")
    return model


def _rates(data: wire.PriceBody) -> Rates:
    kinds = ("input_token", "output_token", "cached_input_token", "cache_write_token", "reasoning_token")
    if not data.units and data.call is None and all(getattr(data, kind) is None for kind in kinds):
        raise Invalid.field("input_token", "a price needs at least one rate")
    return Rates(
        **{kind: getattr(data, kind) for kind in kinds},
        call=data.call,
        units=data.units,
        tiers=tuple(
            Tier(tier.above_input_tokens, **{kind: getattr(tier, kind) for kind in kinds}) for tier in data.tiers
        ),
    )
