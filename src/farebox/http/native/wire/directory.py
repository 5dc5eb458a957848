"""Providers, organizations, keys, assets."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from farebox.http.native.wire.fields import Body, DecimalText, Moment, Name, OrganizationId, Seconds, Slug


class NewProvider(Body, frozen=True):
    slug: Slug
    name: Name
    verified: Annotated[bool, Meta(description="Shown on the consent page as checked by the operator.")] = False
    markup: Annotated[DecimalText, Meta(description="Factor on top of the price book, at most 6 decimals.")] = "1"


class ProviderChange(Body, frozen=True):
    name: Name | None = None
    verified: bool | None = None
    markup: DecimalText | None = None


class ProviderView(Struct, frozen=True):
    slug: str
    name: str
    verified: bool
    markup: str
    created_at: Moment


class RevenueView(Struct, frozen=True):
    asset: str
    scale: int
    balance: int


class NewKey(Body, frozen=True):
    name: Name
    scopes: list[Literal["read", "write", "recharge"]] = msgspec.field(default_factory=lambda: ["read", "write"])
    expires_in_s: Seconds | None = None


class KeyView(Struct, frozen=True):
    id: str
    name: str
    hint: Annotated[str, Meta(description="The key's kind and its last four characters.")]
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None
    revoked_at: Moment | None
    last_used_at: Annotated[Moment | None, Meta(description="To within a few seconds.")]


class MadeKey(Struct, frozen=True):
    id: str
    key: Annotated[str, Meta(description="The secret. It is shown this once.")]
    name: str
    scopes: list[str]
    created_at: Moment
    expires_at: Moment | None


TimeZone = Annotated[
    str,
    Meta(min_length=1, max_length=64, description="IANA name, such as Europe/Berlin: windows of limits begin there."),
]


class NewOrganization(Body, frozen=True):
    id: OrganizationId
    name: Name
    time_zone: TimeZone = "UTC"


class OrganizationChange(Body, frozen=True):
    name: Name | None = None
    time_zone: Annotated[TimeZone | None, Meta(description="Envelopes in the old one change with it, at once.")] = None


class OrganizationView(Struct, frozen=True):
    id: str
    name: str
    time_zone: str
    created_at: Moment


class AssetBody(Body, frozen=True):
    name: Name
    scale: Annotated[
        int,
        Meta(
            ge=1,
            le=10**9,
            description="Units per one: a power of ten. It can't change later.",
            extra_json_schema={"enum": [10**power for power in range(10)]},
        ),
    ]
    usd_price: Annotated[
        DecimalText | None, Meta(description="USD for one; without it the asset converts to nothing else.")
    ] = None


class AssetView(Struct, frozen=True):
    code: str
    name: str
    scale: int
    usd_price: str | None
