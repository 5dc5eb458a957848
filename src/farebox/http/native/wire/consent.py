"""Grants, and the requests that ask for them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field

from farebox.http.native.wire.fields import Body, Moment, Seconds, Slug, Units, Username, WalletId

NO_LIMIT = Raw(b"null")


class NewGrant(Body, frozen=True):
    provider: Slug
    provider_username: Username
    limit: Annotated[Units | None, Meta(description="The most that may be drawn in all.")] = None
    charge_limit: Annotated[Units | None, Meta(description="The most that one charge may draw.")] = None
    expires_in_s: Seconds | None = None


class GrantView(Struct, frozen=True, omit_defaults=True):
    id: str
    wallet: str
    asset: str
    provider: str
    provider_name: str
    provider_username: str
    state: Literal["active", "expired", "revoked", "replaced"]
    limit: int | None
    charge_limit: int | None
    spent: int
    held: int
    remaining: Annotated[int | None, Meta(description="Null without a limit.")]
    expires_at: Moment | None
    ended_at: Moment | None
    created_at: Moment
    session_token: Annotated[
        str | UnsetType, Meta(description="What the provider charges with. Told at the making, and to the provider.")
    ] = UNSET


class QrPayload(Struct, frozen=True):
    """What a CONXA QR code holds."""

    provider_id: Slug
    provider_username: Username
    provider_type: Annotated[str, Meta(max_length=20)] = "api"
    # Raw, because a Decimal is made of `"1_000"` and of digits of every script, too.
    limit: Annotated[
        Raw,
        Meta(
            description="In whole wallet tokens, not finer than their smallest unit.",
            extra_json_schema={"type": ["number", "string", "null"]},
        ),
    ] = field(default_factory=lambda: NO_LIMIT)


class NewRequest(Body, frozen=True):
    """A scanned code, or what it says."""

    wallet: WalletId
    qr: QrPayload
    expires_in_s: Annotated[Seconds | None, Meta(description="How long the grant is to last.")] = None


class RequestView(Struct, frozen=True):
    id: str
    wallet: str
    asset: str
    scale: int
    provider: str
    provider_name: str
    provider_verified: bool
    provider_username: str
    warnings: Annotated[list[str], Meta(description="What to look at twice before approving.")]
    limit: int | None
    expires_in_s: int | None
    state: Literal["pending", "approved", "declined", "expired"]
    terms: Annotated[str, Meta(description="Fingerprint of what is shown here; an approval has to name it.")]
    created_at: Moment
    expires_at: Moment


class Approval(Body, frozen=True):
    terms: Annotated[str, Meta(min_length=64, max_length=64, description="The request's `terms`, as shown.")]
    limit: Annotated[Units | None, Meta(description="At most what was asked for.")] = None
    charge_limit: Units | None = None
    expires_in_s: Seconds | None = None
