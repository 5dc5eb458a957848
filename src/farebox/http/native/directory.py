"""Providers, organizations, their keys, and assets."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from litestar import Controller, delete, get, patch, post, put
from litestar.params import FromPath, JSONBody

from farebox import ids
from farebox.errors import Forbidden, Invalid, NotFound
from farebox.http.depends import TheAuthority, ThePaging, TheServices
from farebox.http.native import views, wire
from farebox.http.native.may import administrators, only
from farebox.identity.service import note
from farebox.identity.types import RECHARGE
from farebox.money import parse_decimal, to_units
from farebox.pricing.types import PPM
from farebox.windows import BadCalendar, Calendar, Period, check


def markup_ppm(text: str) -> int:
    """A markup factor in parts per million; raises Invalid where it is finer or larger than that can be."""
    try:
        ppm = to_units(parse_decimal(text), PPM)
    except ValueError:
        raise Invalid.field("markup", "at most 6 decimals") from None
    if ppm > 1000 * PPM:
        raise Invalid.field("markup", "at most 1000")
    return ppm


def check_zone(name: str) -> None:
    """Raises Invalid for what is no time zone."""
    try:
        check(Calendar(Period.DAILY, None, name))
    except BadCalendar as error:
        raise Invalid.field("time_zone", str(error)) from None


class Providers(Controller):
    """AI services that charge."""

    path = "/v1/providers"
    tags = ("Providers",)

    @post(summary="Register a provider", guards=[only(administrators)])
    async def add(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewProvider]
    ) -> wire.ProviderView:
        made = await services.directory.add_provider(
            authority.actor, data.slug, data.name, verified=data.verified, markup_ppm=markup_ppm(data.markup)
        )
        return views.provider(made)

    @get(summary="List providers", guards=[only(administrators)])
    async def page(
        self,
        services: TheServices,
        paging: ThePaging,
    ) -> wire.Page[wire.ProviderView]:
        found = await services.directory.providers(paging.name("providers"), paging.most)
        return paging.page("providers", found, views.provider, lambda provider: provider.slug)

    @get("/{slug:str}", summary="Get a provider")
    async def one(self, authority: TheAuthority, slug: FromPath[str]) -> wire.ProviderView:
        return views.provider(await authority.provider(slug))

    @patch("/{slug:str}", summary="Change a provider", guards=[only(administrators)])
    async def change(
        self, services: TheServices, authority: TheAuthority, slug: FromPath[str], data: JSONBody[wire.ProviderChange]
    ) -> wire.ProviderView:
        ppm = None if data.markup is None else markup_ppm(data.markup)
        changed = await services.directory.change_provider(
            authority.actor, slug, name=data.name, verified=data.verified, markup_ppm=ppm
        )
        return views.provider(changed)

    @get("/{slug:str}/revenue", summary="What a provider has earned, by asset")
    async def revenue(
        self, services: TheServices, authority: TheAuthority, slug: FromPath[str]
    ) -> list[wire.RevenueView]:
        provider = await authority.provider(slug)
        return [wire.RevenueView(**row) for row in await services.wallets.revenue(provider.id)]

    @post("/{slug:str}/keys", summary="Make an API key for a provider")
    async def add_key(
        self, services: TheServices, authority: TheAuthority, slug: FromPath[str], data: JSONBody[wire.NewKey]
    ) -> wire.MadeKey:
        provider = await authority.provider(slug)
        made, secret = await services.keys.make(
            "provider",
            data.name,
            slug=slug,
            provider_id=provider.id,
            scopes=tuple(data.scopes),
            expires_at=_expiry(data),
        )
        await note(services.pool, authority.actor, "key.add", f"{slug}/{views.key(made).id}", name=data.name)
        return views.made_key(made, secret)

    @get("/{slug:str}/keys", summary="List a provider's API keys")
    async def keys(self, services: TheServices, authority: TheAuthority, slug: FromPath[str]) -> list[wire.KeyView]:
        provider = await authority.provider(slug)
        return [views.key(key) for key in await services.keys.owned("provider", provider_id=provider.id)]

    @delete("/{slug:str}/keys/{key_id:str}", summary="Revoke a provider's API key at once")
    async def revoke_key(
        self, services: TheServices, authority: TheAuthority, slug: FromPath[str], key_id: FromPath[str]
    ) -> None:
        provider = await authority.provider(slug)
        await services.keys.revoke(_key_number(key_id), "provider", provider_id=provider.id)
        await note(services.pool, authority.actor, "key.revoke", f"{slug}/{key_id}")


class Organizations(Controller):
    """Tenants."""

    path = "/v1/organizations"
    tags = ("Organizations",)

    @post(summary="Register an organization; again with the same id gives the same one", guards=[only(administrators)])
    async def add(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewOrganization]
    ) -> wire.OrganizationView:
        check_zone(data.time_zone)
        made = await services.directory.add_organization(authority.actor, data.id, data.name, data.time_zone)
        return views.organization(made)

    @get(summary="List organizations", guards=[only(administrators)])
    async def page(
        self,
        services: TheServices,
        paging: ThePaging,
    ) -> wire.Page[wire.OrganizationView]:
        found = await services.directory.organizations(paging.name("organizations"), paging.most)
        return paging.page("organizations", found, views.organization)

    @get("/{organization_id:str}", summary="Get an organization")
    async def one(
        self, services: TheServices, authority: TheAuthority, organization_id: FromPath[str]
    ) -> wire.OrganizationView:
        authority.organization(organization_id)
        return views.organization(await services.directory.organization(organization_id))

    @patch(
        "/{organization_id:str}", summary="Change an organization's name or time zone", guards=[only(administrators)]
    )
    async def change(
        self,
        services: TheServices,
        authority: TheAuthority,
        organization_id: FromPath[str],
        data: JSONBody[wire.OrganizationChange],
    ) -> wire.OrganizationView:
        found = await services.directory.organization(organization_id)
        if data.time_zone is not None:
            check_zone(data.time_zone)
            await services.envelopes.move(authority.actor, organization_id, found.zone, data.time_zone)
        change = services.directory.change_organization
        return views.organization(await change(authority.actor, organization_id, data.name, data.time_zone))

    @post("/{organization_id:str}/keys", summary="Make an API key for an organization")
    async def add_key(
        self,
        services: TheServices,
        authority: TheAuthority,
        organization_id: FromPath[str],
        data: JSONBody[wire.NewKey],
    ) -> wire.MadeKey:
        authority.organization(organization_id)
        if RECHARGE in data.scopes:
            authority.administrator()
        await services.directory.organization(organization_id)
        made, secret = await services.keys.make(
            "organization",
            data.name,
            organization_id=organization_id,
            scopes=tuple(data.scopes),
            expires_at=_expiry(data),
        )
        await note(services.pool, authority.actor, "key.add", f"{organization_id}/{views.key(made).id}", name=data.name)
        return views.made_key(made, secret)

    @get("/{organization_id:str}/keys", summary="List an organization's API keys")
    async def keys(
        self, services: TheServices, authority: TheAuthority, organization_id: FromPath[str]
    ) -> list[wire.KeyView]:
        authority.organization(organization_id)
        await services.directory.organization(organization_id)
        found = await services.keys.owned("organization", organization_id=organization_id)
        return [views.key(key) for key in found]

    @delete("/{organization_id:str}/keys/{key_id:str}", summary="Revoke an organization's API key at once")
    async def revoke_key(
        self, services: TheServices, authority: TheAuthority, organization_id: FromPath[str], key_id: FromPath[str]
    ) -> None:
        authority.organization(organization_id)
        await services.keys.revoke(_key_number(key_id), "organization", organization_id=organization_id)
        await note(services.pool, authority.actor, "key.revoke", f"{organization_id}/{key_id}")


class AdminKeys(Controller):
    """The administrators' own keys."""

    path = "/v1/keys"
    tags = ("Administrators",)

    @post(summary="Make an administrator's key", guards=[only(administrators)])
    async def add(self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewKey]) -> wire.MadeKey:
        made, secret = await services.keys.make("admin", data.name, scopes=tuple(data.scopes), expires_at=_expiry(data))
        await note(services.pool, authority.actor, "key.add", f"admin/{views.key(made).id}", name=data.name)
        return views.made_key(made, secret)

    @get(summary="List the administrators' keys", guards=[only(administrators)])
    async def page(self, services: TheServices) -> list[wire.KeyView]:
        return [views.key(key) for key in await services.keys.owned("admin")]

    @delete("/{key_id:str}", summary="Revoke an administrator's key at once", guards=[only(administrators)])
    async def revoke(self, services: TheServices, authority: TheAuthority, key_id: FromPath[str]) -> None:
        number = _key_number(key_id)
        if number == authority.principal.credential_id:
            raise Forbidden("a key can't revoke itself: use another one", "own_key")
        await services.keys.revoke(number, "admin")
        await note(services.pool, authority.actor, "key.revoke", f"admin/{key_id}")


class Assets(Controller):
    """What is counted."""

    path = "/v1/assets"
    tags = ("Assets",)

    @get(summary="List assets")
    async def page(self, services: TheServices, authority: TheAuthority) -> list[wire.AssetView]:
        return [views.asset(asset) for asset in (await services.prices.fresh()).assets.values()]

    @put("/{code:str}", summary="Add an asset, or change its name and price", guards=[only(administrators)])
    async def put(
        self, services: TheServices, authority: TheAuthority, code: FromPath[str], data: JSONBody[wire.AssetBody]
    ) -> wire.AssetView:
        if not (code.isascii() and code.isalnum() and code.isupper() and 2 <= len(code) <= 12 and code[0].isalpha()):
            raise Invalid.field("code", "2 to 12 capital letters and digits, a letter first")
        if str(data.scale).strip("0") != "1":
            raise Invalid.field("scale", "a power of ten")
        usd = None if data.usd_price is None else parse_decimal(data.usd_price)
        if usd is not None and not Decimal("1e-15") <= usd < Decimal("1e15"):
            raise Invalid.field("usd_price", "from 10^-15 to 10^15")
        return views.asset(await services.prices.put_asset(authority.actor, code, data.name, data.scale, usd))


def _expiry(data: wire.NewKey) -> datetime | None:
    return None if data.expires_in_s is None else datetime.now(UTC) + timedelta(seconds=data.expires_in_s)


def _key_number(key_id: str) -> int:
    number = ids.parse("key", key_id)
    if number is None:
        raise NotFound("there is no such valid key")
    return number
