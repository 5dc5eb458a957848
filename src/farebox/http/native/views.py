"""Domain objects as the native API shows them."""

from datetime import UTC
from typing import Any

from farebox import ids
from farebox.consent.names import misleading
from farebox.consent.types import ConnectionRequest, Grant
from farebox.envelopes.types import Envelope
from farebox.http.native import wire
from farebox.identity.types import Key, Organization, Provider
from farebox.ledger.envelopes import EnvelopeFacts, Stopped
from farebox.money import Asset, decimal_text
from farebox.pricing.types import Price, Rates
from farebox.wallets.types import Entry, HoldRecord, TransferRecord, Wallet

PREFIXES = {
    "deposit": "dp",
    "charge": "ch",
    "capture": "ch",
    "usage": "ch",
    "hold": "hd",
    "release": "rl",
    "refund": "rf",
    "transfer": "tr",
}
"""The prefix of a journal row's public id, by its kind."""


def markup_text(markup_ppm: int) -> str:
    """A markup as a factor: `1.2`."""
    return decimal_text(markup_ppm, 6)


def provider(found: Provider) -> wire.ProviderView:
    return wire.ProviderView(found.slug, found.name, found.verified, markup_text(found.markup_ppm), found.created_at)


def key(found: Key) -> wire.KeyView:
    return wire.KeyView(
        ids.public("key", found.id),
        found.name,
        found.hint,
        found.scopes,
        found.created_at,
        found.expires_at,
        found.revoked_at,
        found.last_used_at,
    )


def made_key(found: Key, secret: str) -> wire.MadeKey:
    return wire.MadeKey(
        ids.public("key", found.id), secret, found.name, found.scopes, found.created_at, found.expires_at
    )


def organization(found: Organization) -> wire.OrganizationView:
    return wire.OrganizationView(found.id, found.name, found.zone, found.created_at)


def asset(found: Asset) -> wire.AssetView:
    price = None if found.usd_price is None else f"{found.usd_price.normalize():f}"
    return wire.AssetView(found.code, found.name, found.scale, price)


def wallet(found: Wallet) -> wire.WalletView:
    return wire.WalletView(
        id=str(found.id),
        asset=found.asset,
        scale=found.scale,
        balance=found.balance,
        held=found.held,
        available=found.available,
        debt=found.debt,
        owner=found.owner,
        organization=found.organization_id,
        created_at=found.created_at,
    )


def grant(found: Grant, session_token: str | None = None) -> wire.GrantView:
    limit = found.limit_units
    return wire.GrantView(
        id=ids.public("gr", found.id),
        wallet=str(found.wallet_id),
        asset=found.asset,
        provider=found.provider,
        provider_name=found.provider_name,
        provider_username=found.provider_username,
        state=found.state,  # type: ignore[arg-type]  # one of the four by construction
        limit=limit,
        charge_limit=found.charge_limit_units,
        spent=found.spent,
        held=found.held,
        remaining=None if limit is None else limit - found.spent - found.held,
        expires_at=found.expires_at,
        ended_at=found.ended_at,
        created_at=found.created_at,
        **({} if session_token is None else {"session_token": session_token}),
    )


def stopping(found: Stopped) -> wire.StoppingView:
    return wire.StoppingView(
        ids.public("env", found.envelope_id),
        found.counts,
        found.period,
        found.window_start.astimezone(UTC),
        found.window_end.astimezone(UTC),
    )


def envelope(found: Envelope, applies_to: wire.AppliesTo | None) -> wire.EnvelopeView:
    standing = found.standing
    return wire.EnvelopeView(
        id=ids.public("env", found.id),
        name=standing.name,
        organization=standing.organization_id,
        applies_to=applies_to,
        counts=standing.counts.value,
        asset=standing.asset,
        limit=standing.limit_units,
        period=standing.period.value,
        reset_day=standing.reset_day,
        time_zone=standing.zone,
        thresholds=standing.thresholds,
        used=standing.used,
        held=standing.held,
        remaining=standing.remaining,
        window_start=standing.window_start.astimezone(UTC),
        window_end=standing.window_end.astimezone(UTC),
        total=standing.total,
        created_at=found.created_at,
        updated_at=found.updated_at,
    )


def standing(found: EnvelopeFacts, needed: int) -> wire.StandingView:
    return wire.StandingView(
        id=ids.public("env", found.id),
        name=found.name,
        counts=found.counts.value,
        asset=found.asset,
        limit=found.limit_units,
        used=found.used + found.held,
        remaining=found.remaining,
        needed=needed,
        window_start=found.window_start.astimezone(UTC),
        resets_at=found.window_end.astimezone(UTC),
    )


def request(found: ConnectionRequest, scale: int) -> wire.RequestView:
    return wire.RequestView(
        id=ids.public("cr", found.id),
        wallet=str(found.wallet_id),
        asset=found.asset,
        scale=scale,
        provider=found.provider,
        provider_name=found.provider_name,
        provider_verified=found.provider_verified,
        provider_username=found.provider_username,
        warnings=_warnings(found),
        limit=found.limit_units,
        expires_in_s=found.grant_ttl_s,
        state=found.state,  # type: ignore[arg-type]  # one of the four by construction
        terms=found.terms,
        created_at=found.created_at,
        expires_at=found.expires_at,
    )


def _warnings(found: ConnectionRequest) -> list[str]:
    warned = [] if found.provider_verified else ["The operator has not verified this provider."]
    if found.limit_units is None:
        warned.append("No limit is asked for: set one.")
    for what, text in (("name", found.provider_name), ("user name", found.provider_username)):
        if misleading(text):
            warned.append(f"The provider's {what} has characters that can mislead.")
    return warned


def entry(wallet_id: int, found: Entry) -> wire.EntryView:
    return wire.EntryView(
        id=ids.transfer(PREFIXES[found.kind], wallet_id, found.transfer_id),
        kind=found.kind,
        amount=found.amount,
        balance_after=found.balance_after,
        counterpart=found.counterpart,
        model=found.model,
        note=found.note,
        reference=found.reference,
        created_at=found.created_at,
    )


def usage(found: TransferRecord) -> wire.UsageBody | None:
    if found.input_tokens is None:
        return None
    return wire.UsageBody(
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens or 0,
        cached_input_tokens=found.cached_input_tokens or 0,
        cache_write_tokens=found.cache_write_tokens or 0,
        reasoning_tokens=found.reasoning_tokens or 0,
        calls=found.calls or 0,
        units=found.units or {},
    )


def _grant_id(found: TransferRecord) -> str | None:
    return None if found.grant_id is None else ids.public("gr", found.grant_id)


def charge(found: TransferRecord) -> wire.ChargeView:
    return wire.ChargeView(
        id=ids.transfer("ch", found.wallet_id, found.id),
        wallet=str(found.wallet_id),
        grant=_grant_id(found),
        provider=found.provider,
        provider_username=found.provider_username,
        kind=found.kind,  # type: ignore[arg-type]  # only charges are shown as such
        status="approved" if found.refusal is None else "declined",
        refusal=found.refusal,
        amount=found.amount,
        refunded=found.refunded,
        asset=found.asset,
        model=found.model,
        usage=usage(found),
        available_after=found.available_after,
        remaining_after=found.remaining_after,
        idempotency_key=None if found.key.startswith("auto:") else found.key,
        created_at=found.created_at,
    )


def history_item(found: TransferRecord) -> wire.HistoryItem:
    return wire.HistoryItem(
        id=ids.transfer(PREFIXES[found.kind], found.wallet_id, found.id),
        kind=found.kind,
        status="approved" if found.refusal is None else "declined",
        refusal=found.refusal,
        amount=found.amount,
        available_after=found.available_after,
        grant=_grant_id(found),
        provider=found.provider,
        provider_username=found.provider_username,
        model=found.model,
        reference=found.reference,
        note=found.note,
        created_at=found.created_at,
    )


def hold(found: HoldRecord) -> wire.HoldView:
    state = {"posted": "captured", "voided": found.void_reason, "pending": "pending"}[found.state]
    if state == "pending" and found.now >= found.expires_at:
        state = "expired"
    return wire.HoldView(
        id=ids.transfer("hd", found.wallet_id, found.id),
        wallet=str(found.wallet_id),
        grant=_grant_of(found),
        provider=found.provider,
        to_wallet=None if found.to_wallet_id is None else str(found.to_wallet_id),
        amount=found.amount,
        captured=found.captured,
        asset=found.asset,
        state=state,  # type: ignore[arg-type]  # one of the four by construction
        model=found.model,
        expires_at=found.expires_at,
        created_at=found.created_at,
        closed_at=found.closed_at,
    )


def _grant_of(found: HoldRecord) -> str | None:
    if found.grant_id is None:
        return None
    return ids.public("gr" if found.provider is not None else "dg", found.grant_id)


def price(found: Price, slug: str) -> wire.PriceView:
    rates = found.rates or Rates()
    tiers: list[Any] = [
        wire.TierBody(
            above_input_tokens=tier.above_input_tokens,
            input_token=tier.input_token,
            output_token=tier.output_token,
            cached_input_token=tier.cached_input_token,
            cache_write_token=tier.cache_write_token,
            reasoning_token=tier.reasoning_token,
        )
        for tier in rates.tiers
    ]
    return wire.PriceView(
        id=ids.public("pr", found.id),
        provider=slug,
        model=found.model,
        asset=found.asset,
        input_token=rates.input_token,
        output_token=rates.output_token,
        cached_input_token=rates.cached_input_token,
        cache_write_token=rates.cache_write_token,
        reasoning_token=rates.reasoning_token,
        call=rates.call,
        units=rates.units,
        tiers=tiers,
        withdrawn=found.rates is None,
        starts_at=found.starts_at,
        source=found.source,
        created_by=found.created_by,
        created_at=found.created_at,
    )
