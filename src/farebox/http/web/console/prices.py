"""The price book: what holds, its versions, and a new version that is compared before it is saved."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromQuery
from msgspec import Struct

from farebox.errors import Conflict, Invalid, NotFound
from farebox.http.depends import TheServices
from farebox.http.web.console.acts import reason_of
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.console.paging import cut
from farebox.http.web.forms import Form
from farebox.http.web.render import Typed, page, to
from farebox.pricing.types import NewPrice, Price, Rates
from farebox.services import Services

_SHOWN = 500
EVERYBODY = "*"
KINDS = ("input_token", "output_token", "cached_input_token", "cache_write_token", "reasoning_token", "call")


class Change(Struct, frozen=True):
    """One rate, before and after."""

    what: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@get("/console/prices")
async def prices(
    services: TheServices,
    desk: TheDesk,
    provider: FromQuery[str] = EVERYBODY,
    model: FromQuery[str] = "",
    after: FromQuery[str] = "",
) -> Response[bytes]:
    owner = await _owner(desk, provider)
    if not model:
        found = await services.prices.page(owner, after, _SHOWN + 1)
        shown, more = cut(found, _SHOWN, lambda one: one.model, "/console/prices", provider=provider)
        slugs = [one.slug for one in await services.directory.providers("", _SHOWN)]
        return page("console/prices.html", desk=desk, prices=shown, more=more, provider=provider, slugs=slugs)
    return await _model(services, desk, provider, model[:200])


@post("/console/prices/compare")
async def compare(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    """What would change. Nothing is saved."""
    form = await desk.form(request)
    provider, model = form.text("provider", 39), form.text("model", 200)
    owner = await _owner(desk, provider)
    try:
        if not model:
            raise Invalid.field("model", "say which")
        new = _new(form, owner, model)
        await services.prices.check([new])
    except Invalid as problem:
        return await _model(services, desk, provider, model or "new-model", problem.detail, 422, typed=form.fields)
    held = await services.prices.held(owner, model)
    return page(
        "console/price_change.html",
        desk=desk,
        provider=provider,
        model=model,
        new=new,
        held=held,
        changes=_changes(held, new),
        kinds=KINDS,
    )


@post("/console/prices/save")
async def save(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    """Adds the version that was compared, where what it was compared with still holds."""
    form = await desk.form(request)
    provider, model = form.text("provider", 39), form.text("model", 200)
    owner = await _owner(desk, provider)
    held = await services.prices.held(owner, model)
    if form.text("held") != ("" if held is None else str(held.id)):
        raise Conflict("the price was changed meanwhile: compare again")
    told = {"model": model, "provider": provider, "reason": reason_of(form)}
    await services.prices.add(desk.actor, "console", [_new(form, owner, model)], **told)
    return to(f"/console/prices?{urlencode({'provider': provider, 'model': model})}")


def _new(form: Form, owner: int | None, model: str) -> NewPrice:
    given = {kind: form.text(kind, 60) or None for kind in KINDS}
    if not any(given.values()):
        raise Invalid.field("input_token", "a price needs at least one rate")
    rates = msgspec.convert({kind: text for kind, text in given.items() if text is not None}, Rates)
    return NewPrice(model, form.text("asset", 12), rates, owner)


def _changes(held: Price | None, new: NewPrice) -> list[Change]:
    before, after = (held.rates if held else None) or Rates(), new.rates or Rates()
    changes = [Change("asset", "" if held is None else held.asset, new.asset)]
    changes += [Change(kind, getattr(before, kind) or "", getattr(after, kind) or "") for kind in KINDS]
    lost = [f"units.{name}" for name in before.units] + ["tiers"] * bool(before.tiers)
    return changes + [Change(name, "set", "") for name in lost]


async def _owner(desk: Desk, provider: str) -> int | None:
    return None if provider == EVERYBODY else (await desk.authority.provider(provider)).id


async def _model(
    services: Services,
    desk: Desk,
    provider: str,
    model: str,
    error: str | None = None,
    status: int = 200,
    typed: Typed | None = None,
) -> Response[bytes]:
    owner = await _owner(desk, provider)
    try:
        versions = await services.prices.versions(owner, model)
    except NotFound:
        versions = []
    held = await services.prices.held(owner, model)
    return page(
        "console/price.html",
        status,
        desk=desk,
        provider=provider,
        model=model,
        versions=versions,
        rates=(held.rates if held else None) or Rates(),
        asset=held.asset if held else "USD",
        assets=sorted(services.prices.book.assets),
        kinds=KINDS,
        error=error,
        typed=typed,
    )
