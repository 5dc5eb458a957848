"""Providers: who they are, their keys (shown once), what they earn and charge."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec.structs import replace

from farebox.errors import Conflict, Invalid
from farebox.http.depends import TheServices
from farebox.http.native.directory import markup_ppm
from farebox.http.native.views import markup_text
from farebox.http.web.console import key_forms
from farebox.http.web.console.acts import Act, reason_of, unconfirmed
from farebox.http.web.console.charts import OF_PROVIDER, PERIODS, charts
from farebox.http.web.console.given import Desk, TheDesk
from farebox.http.web.console.key_forms import KeyOwner
from farebox.http.web.console.paging import cut
from farebox.http.web.render import Typed, page, to
from farebox.identity.types import READ, WRITE, Provider
from farebox.services import Services

_SHOWN = 500
_NEWEST = 30
SCOPES: dict[str, tuple[str, ...]] = {"read and write": (READ, WRITE), "read only": (READ,)}


@get("/console/providers")
async def providers(services: TheServices, desk: TheDesk, after: FromQuery[str] = "") -> Response[bytes]:
    return await _list(services, desk, after=after)


@post("/console/providers")
async def add_provider(request: Request[Any, Any, Any], services: TheServices, desk: TheDesk) -> Response[Any]:
    form = await desk.form(request)
    try:
        name = form.text("name", 200)
        if not name:
            raise Invalid.field("name", "say what it is called")
        slug = form.text("slug", 39)
        await services.directory.add_provider(desk.actor, slug, name, markup_ppm=markup_ppm(form.text("markup") or "1"))
    except (Invalid, Conflict) as problem:
        return await _list(services, desk, problem.detail, problem.status, typed=form.fields)
    return to(f"/console/providers/{slug}")


@get("/console/providers/{slug:str}")
async def provider(
    services: TheServices, desk: TheDesk, slug: FromPath[str], by: FromQuery[str] = "time", over: FromQuery[str] = "30"
) -> Response[bytes]:
    return await _shown(services, desk, slug, by=by, over=over)


@post("/console/providers/{slug:str}/change")
async def change_provider(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, slug: FromPath[str]
) -> Response[Any]:
    form = await desk.form(request)
    found = await desk.authority.provider(slug)
    try:
        new = replace(
            found,
            name=form.text("name", 200) or found.name,
            verified=form.text("verified") == "yes",
            markup_ppm=markup_ppm(form.text("markup") or "1"),
        )
    except Invalid as problem:
        return await _shown(services, desk, slug, problem.detail, status=422)
    asked = unconfirmed(request, desk, form, _changing(found, new))
    if asked is None:
        told = {"name": new.name, "verified": new.verified, "markup_ppm": new.markup_ppm}
        await services.directory.change_provider(desk.actor, slug, **told, reason=reason_of(form))  # type: ignore[arg-type]  # as they are
    return asked or to(f"/console/providers/{slug}")


def _changing(found: Provider, new: Provider) -> Act:
    effects = []
    if new.name != found.name:
        effects.append(f"Payers read “{new.name}” where they read “{found.name}”.")
    if new.verified != found.verified:
        trusted = "that you have verified who this is" if new.verified else "that nobody has verified who this is"
        effects.append(f"Payers are told {trusted}.")
    if new.markup_ppm != found.markup_ppm:
        before, after = markup_text(found.markup_ppm), markup_text(new.markup_ppm)
        effects.append(
            f"Charges by the price book are {after} times its prices from now on, on every node; now {before}."
        )
    path = f"/console/providers/{found.slug}"
    return Act("Change a provider", effects or ["Nothing changes: it is so already."], "Change it", path, grave=False)


@post("/console/providers/{slug:str}/keys")
async def add_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, slug: FromPath[str]
) -> Response[Any]:
    owner = _keys_of(await desk.authority.provider(slug))
    form = await desk.form(request)
    try:
        secret = await key_forms.make(services, desk, form, owner, SCOPES)
    except Invalid as problem:
        return await _shown(services, desk, slug, problem.detail, status=422)
    return await _shown(services, desk, slug, secret=secret)


@post("/console/providers/{slug:str}/keys/{key_id:str}/replace")
async def replace_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, slug: FromPath[str], key_id: FromPath[str]
) -> Response[Any]:
    owner = _keys_of(await desk.authority.provider(slug))
    secret = await key_forms.replace(services, desk, await desk.form(request), owner, key_id)
    return await _shown(services, desk, slug, secret=secret)


@post("/console/providers/{slug:str}/keys/{key_id:str}/revoke")
async def revoke_key(
    request: Request[Any, Any, Any], services: TheServices, desk: TheDesk, slug: FromPath[str], key_id: FromPath[str]
) -> Response[Any]:
    owner = _keys_of(await desk.authority.provider(slug))
    asked = await key_forms.revoke(request, services, desk, await desk.form(request), owner, key_id)
    return asked or to(owner.page)


def _keys_of(found: Provider) -> KeyOwner:
    return KeyOwner("provider", found.slug, f"/console/providers/{found.slug}", provider_id=found.id)


async def _list(
    services: Services,
    desk: Desk,
    error: str | None = None,
    status: int = 200,
    after: str = "",
    typed: Typed | None = None,
) -> Response[bytes]:
    found = await services.directory.providers(after, _SHOWN + 1)
    shown, more = cut(found, _SHOWN, lambda one: one.slug, "/console/providers")
    told = {"providers": shown, "more": more, "markup_text": markup_text, "error": error}
    return page("console/providers.html", status, desk=desk, **told, typed=typed)


async def _shown(
    services: Services,
    desk: Desk,
    slug: str,
    error: str | None = None,
    secret: str | None = None,
    status: int = 200,
    by: str = "time",
    over: str = "30",
) -> Response[bytes]:
    found = await desk.authority.provider(slug)
    return page(
        "console/provider.html",
        status,
        desk=desk,
        provider=found,
        markup=markup_text(found.markup_ppm),
        keys=await services.keys.owned("provider", provider_id=found.id),
        revenue=await services.wallets.revenue(found.id),
        assets=services.prices.book.assets,
        newest=await services.reports.newest_charges(_NEWEST, found.id),
        charts=await charts(services, by, over, found.id),
        ways=OF_PROVIDER,
        periods=PERIODS,
        scopes=SCOPES,
        ends=key_forms.ENDS,
        secret=secret,
        error=error,
    )
