"""Providers, organizations, keys, assets. Most take an administrator's key."""

from decimal import Decimal
from typing import Any

from farebox.client.call import Call, Listing, decimal, delete, encoded, get, part, post, put
from farebox.client.core import Request
from farebox.client.types import Asset, Key, MadeKey, Organization, Page, Provider, Revenue


def add_provider(slug: str, name: str, *, verified: bool = False, markup: str | Decimal | int = "1") -> Call[Provider]:
    """Registers a provider. `markup` is an exact factor on top of the price book."""
    return post(
        "/v1/providers", {"slug": slug, "name": name, "verified": verified, "markup": decimal(markup)}, Provider
    )


def get_provider(slug: str) -> Call[Provider]:
    """A provider."""
    return get(f"/v1/providers/{part(slug)}", Provider)


def list_providers() -> Listing[Provider]:
    """All providers."""
    return Listing("/v1/providers", Page[Provider], {})


def change_provider(
    slug: str, *, name: str | None = None, verified: bool | None = None, markup: str | Decimal | int | None = None
) -> Call[Provider]:
    """Changes what is given."""
    body = encoded({"name": name, "verified": verified, "markup": decimal(markup)})
    return Call(Request("PATCH", f"/v1/providers/{part(slug)}", body=body, repeatable=True), Provider)


def revenue(slug: str) -> Call[list[Revenue]]:
    """What a provider has earned, by asset."""
    return get(f"/v1/providers/{part(slug)}/revenue", list[Revenue])


def add_provider_key(
    slug: str, name: str, *, scopes: tuple[str, ...] = ("read", "write"), expires_in_s: int | None = None
) -> Call[MadeKey]:
    """Makes an API key for a provider; its secret is shown this once."""
    return post(f"/v1/providers/{part(slug)}/keys", _key(name, scopes, expires_in_s), MadeKey)


def list_provider_keys(slug: str) -> Call[list[Key]]:
    """A provider's keys, without their secrets."""
    return get(f"/v1/providers/{part(slug)}/keys", list[Key])


def revoke_provider_key(slug: str, key_id: str) -> Call[None]:
    """Ends a provider's key at once."""
    return delete(f"/v1/providers/{part(slug)}/keys/{part(key_id)}")


def add_organization(organization_id: str, name: str, *, time_zone: str = "UTC") -> Call[Organization]:
    """Registers an organization; again with the same id gives the same one."""
    body = {"id": organization_id, "name": name, "time_zone": time_zone}
    return post("/v1/organizations", body, Organization, repeatable=True)


def change_organization(
    organization_id: str, *, name: str | None = None, time_zone: str | None = None
) -> Call[Organization]:
    """Changes what is given; envelopes in the old time zone change with it, at once."""
    body = encoded({"name": name, "time_zone": time_zone})
    return Call(
        Request("PATCH", f"/v1/organizations/{part(organization_id)}", body=body, repeatable=True), Organization
    )


def get_organization(organization_id: str) -> Call[Organization]:
    """An organization."""
    return get(f"/v1/organizations/{part(organization_id)}", Organization)


def list_organizations() -> Listing[Organization]:
    """All organizations."""
    return Listing("/v1/organizations", Page[Organization], {})


def add_organization_key(
    organization_id: str, name: str, *, scopes: tuple[str, ...] = ("read", "write"), expires_in_s: int | None = None
) -> Call[MadeKey]:
    """Makes an API key for an organization; its secret is shown this once."""
    return post(f"/v1/organizations/{part(organization_id)}/keys", _key(name, scopes, expires_in_s), MadeKey)


def list_organization_keys(organization_id: str) -> Call[list[Key]]:
    """An organization's keys, without their secrets."""
    return get(f"/v1/organizations/{part(organization_id)}/keys", list[Key])


def revoke_organization_key(organization_id: str, key_id: str) -> Call[None]:
    """Ends an organization's key at once."""
    return delete(f"/v1/organizations/{part(organization_id)}/keys/{part(key_id)}")


def add_admin_key(
    name: str, *, scopes: tuple[str, ...] = ("read", "write"), expires_in_s: int | None = None
) -> Call[MadeKey]:
    """Makes an administrator's key; its secret is shown this once."""
    return post("/v1/keys", _key(name, scopes, expires_in_s), MadeKey)


def list_admin_keys() -> Call[list[Key]]:
    """The administrators' keys, without their secrets."""
    return get("/v1/keys", list[Key])


def revoke_admin_key(key_id: str) -> Call[None]:
    """Ends an administrator's key at once. A key can't end itself."""
    return delete(f"/v1/keys/{part(key_id)}")


def list_assets() -> Call[list[Asset]]:
    """What can be counted."""
    return get("/v1/assets", list[Asset])


def put_asset(code: str, name: str, scale: int, *, usd_price: str | Decimal | int | None = None) -> Call[Asset]:
    """Adds an asset with `scale` units to one (a power of ten, for ever), or changes its name and price."""
    return put(f"/v1/assets/{part(code)}", {"name": name, "scale": scale, "usd_price": decimal(usd_price)}, Asset)


def _key(name: str, scopes: tuple[str, ...], expires_in_s: int | None) -> dict[str, Any]:
    return {"name": name, "scopes": list(scopes), "expires_in_s": expires_in_s}
