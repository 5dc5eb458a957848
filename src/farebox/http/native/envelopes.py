"""Envelopes, what is recorded on them, and what would stop a charge."""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import UNSET

from farebox import ids
from farebox.charging.service import Bill, fingerprint
from farebox.envelopes.metadata import kept
from farebox.envelopes.types import Envelope, EnvelopeChange, NewEnvelope, UsageRecord, WindowRecord
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheAuthority, ThePaging, TheServices
from farebox.http.native import views, wire
from farebox.http.native.authority import Authority
from farebox.http.native.context import IdempotencyKey, required_key
from farebox.http.native.cursors import bad_cursor
from farebox.http.native.outcomes import answer
from farebox.http.native.refusals import Refused
from farebox.http.native.scopes import applies_to, scope_of
from farebox.ids import NEWEST
from farebox.ledger import limits
from farebox.ledger.envelopes import Counts
from farebox.ledger.types import MAX_UNITS, UNSTORED, Charge, Facts, Outcome, Usage
from farebox.windows import Period

Units = Annotated[int | None, QueryParameter(ge=1, le=MAX_UNITS, description="What the charge would take.")]
Tokens = Annotated[int | None, QueryParameter(ge=0, le=MAX_UNITS, description="What the charge would be for.")]


class Envelopes(Controller):
    """Limits of a day, a week, a month or a year."""

    path = "/v1/envelopes"
    tags = ("Limits",)

    @post(summary="Set a limit for every day, week, month or year")
    async def add(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewEnvelope]
    ) -> wire.EnvelopeView:
        organization_id = _owner(authority, data.organization)
        if (data.counts == "money") != (data.asset is not None):
            raise Invalid.field("asset", "needed to count money, and not given to count usage")
        if data.counts == "money" and data.applies_to is None:
            raise Invalid.field("applies_to", "needed to count money: nothing records it but charges")
        new = NewEnvelope(
            name=data.name,
            limit_units=data.limit,
            period=Period(data.period),
            reset_day=data.reset_day,
            zone=data.time_zone,
            counts=Counts(data.counts),
            asset=data.asset,
            thresholds=tuple(data.thresholds),
            organization_id=organization_id,
            scope=await scope_of(services, authority, organization_id, data.applies_to),
        )
        return _view(await services.envelopes.add(authority.actor, new))

    @get(summary="List envelopes")
    async def page(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        organization: Annotated[str | None, QueryParameter(description="Only this organization's.")] = None,
    ) -> wire.Page[wire.EnvelopeView]:
        owner = _owner(authority, organization)
        scope = f"envelopes:{owner}"
        before = paging.number(scope, NEWEST)
        if owner is None:
            found = await services.envelopes.page_of_all(before, paging.most)
        else:
            found = await services.envelopes.page(owner, before, paging.most)
        return paging.page(scope, found, _view)

    @get("/{envelope_id:str}", summary="Get an envelope, as it stands in the window of now")
    async def one(self, authority: TheAuthority, envelope_id: FromPath[str]) -> wire.EnvelopeView:
        return _view(await authority.envelope(envelope_id))

    @patch("/{envelope_id:str}", summary="Change an envelope at once; what was used in its window stays used")
    async def change(
        self,
        services: TheServices,
        authority: TheAuthority,
        envelope_id: FromPath[str],
        data: JSONBody[wire.EnvelopeChange],
    ) -> wire.EnvelopeView:
        found = await authority.envelope(envelope_id)
        change = EnvelopeChange(
            name=data.name,
            limit_units=data.limit,
            period=UNSET if data.period is UNSET else Period(data.period),
            reset_day=data.reset_day,
            zone=data.time_zone,
            thresholds=UNSET if data.thresholds is UNSET else tuple(data.thresholds),
        )
        return _view(await services.envelopes.change(authority.actor, found.id, change))

    @delete("/{envelope_id:str}", summary="End an envelope at once")
    async def delete(self, services: TheServices, authority: TheAuthority, envelope_id: FromPath[str]) -> None:
        found = await authority.envelope(envelope_id)
        await services.envelopes.delete(authority.actor, found.id)

    @get("/{envelope_id:str}/windows", summary="What was used in windows that are over")
    async def windows(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        envelope_id: FromPath[str],
    ) -> wire.Page[wire.WindowView]:
        number = (await authority.envelope(envelope_id)).id
        scope = f"windows:{number}"
        found = await services.envelopes.windows(number, _moment(paging.place(scope, None)), paging.most)
        return paging.page(scope, found, _window, lambda window: window.starts_at.isoformat())

    @post("/{envelope_id:str}/records", summary="Count usage on an envelope of an organization")
    async def record(
        self,
        services: TheServices,
        authority: TheAuthority,
        envelope_id: FromPath[str],
        data: JSONBody[wire.NewRecord],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.RecordView]:
        key = required_key(idempotency_key)
        found = await authority.envelope(envelope_id)
        organization_id, metadata = found.standing.organization_id, kept(data.metadata)
        if organization_id is None or found.standing.counts is not Counts.USAGE:
            raise NotFound("nothing is recorded on this envelope: charges count on it", "envelope_unknown")
        mark = fingerprint("record", found.id, data.amount, metadata)
        outcome = await services.usage_records.add(
            authority.principal, organization_id, found.id, key, mark, data.amount, metadata
        )
        number = await services.usage_records.number(organization_id)
        return answer(_recorded(outcome, number, envelope_id, metadata), replayed=outcome.replayed)

    @get("/{envelope_id:str}/records", summary="What was recorded on an envelope, newest first")
    async def records(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        envelope_id: FromPath[str],
    ) -> wire.Page[wire.RecordView]:
        found = await authority.envelope(envelope_id)
        organization_id = found.standing.organization_id
        scope = f"records:{found.id}"
        before = paging.number(scope, NEWEST)
        if organization_id is None:
            return wire.Page([], None)
        number = await services.usage_records.number(organization_id)
        records = await services.usage_records.page(organization_id, found.id, before, paging.most)
        return paging.page(scope, records, lambda record: _record(record, number, envelope_id))


class Limits(Controller):
    """What would stop a charge."""

    path = "/v1/limits"
    tags = ("Limits",)

    @get(summary="What would become of a charge, and what its limits leave; nothing is charged")
    async def look(
        self,
        services: TheServices,
        authority: TheAuthority,
        grant: Annotated[str, QueryParameter(min_length=3, max_length=64, description="The grant it would draw on.")],
        model: Annotated[str | None, QueryParameter(min_length=1, max_length=200)] = None,
        amount: Units = None,
        input_tokens: Tokens = None,
        output_tokens: Tokens = None,
    ) -> wire.LimitsView:
        found = await authority.grant(grant)
        ref = await services.consent.ref(found.id)
        if ref is None:
            raise NotFound("there is no such grant")
        bill = _bill(model, amount, input_tokens, output_tokens)
        outcome, facts = await services.charging.look(authority.principal, ref.provider_id, ref, bill)
        ask = Charge(
            client="",
            key="",
            fingerprint=b"",
            wallet_id=ref.wallet_id,
            grant_id=ref.grant_id,
            provider_id=ref.provider_id,
            revenue_account=0,
            amount=outcome.amount,
            model=bill.model,
            usage=bill.usage,
        )
        shown = [] if authority.principal.provider_id is not None else _standings(ask, facts)
        return _told(outcome, facts, ref.asset, ask, shown)


def _owner(authority: Authority, named: str | None) -> str | None:
    """Whose envelopes: the organization that is named, or the caller's own; None for the operator's."""
    if named is None:
        if not authority.principal.is_admin and authority.principal.organization_id is None:
            raise NotFound("there are no envelopes of this caller")
        return authority.principal.organization_id
    authority.organization(named)
    return named


def _view(found: Envelope) -> wire.EnvelopeView:
    return views.envelope(found, applies_to(found))


def _window(window: WindowRecord) -> wire.WindowView:
    return wire.WindowView(window.starts_at, window.ends_at, window.limit_units, window.used)


def _record(record: UsageRecord, number: int, envelope_id: str) -> wire.RecordView:
    return wire.RecordView(
        ids.transfer("ur", number, record.id),
        envelope_id,
        record.amount,
        None if record.metadata is None else msgspec.Raw(record.metadata.encode()),  # type: ignore[arg-type]
        record.created_at,
    )


def _moment(place: Any) -> datetime:
    if place is None:
        return datetime.max.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(place)
    except (TypeError, ValueError):
        raise bad_cursor() from None


def _recorded(outcome: Outcome, number: int, envelope_id: str, metadata: bytes | None) -> wire.RecordView:
    if outcome.refusal is not None:
        extra: dict[str, Any] = {}
        if outcome.refusal not in UNSTORED:
            extra = {"id": ids.transfer("ur", number, outcome.transfer_id), "amount": outcome.amount}
        if outcome.stopped is not None:
            extra["envelope"] = views.stopping(outcome.stopped)
        raise Refused(outcome.refusal, extra)
    return wire.RecordView(
        ids.transfer("ur", number, outcome.transfer_id),
        envelope_id,
        outcome.amount,
        None if metadata is None else msgspec.Raw(metadata),  # type: ignore[arg-type]  # a dict, once it is read
        outcome.created_at,
    )


def _bill(model: str | None, amount: int | None, input_tokens: int | None, output_tokens: int | None) -> Bill:
    if input_tokens is None and output_tokens is None:
        return Bill(model, amount=0 if amount is None else amount)
    if amount is not None:
        raise Invalid.field("amount", "give either an amount or tokens (with model)")
    if model is None:
        raise Invalid.field("model", "needed to price usage")
    return Bill(model, Usage(input_tokens or 0, output_tokens or 0))


def _standings(ask: Charge, facts: Facts) -> list[wire.StandingView]:
    found = sorted(limits.shares(ask, facts), key=lambda share: (share[0].remaining, share[0].id))
    return [views.standing(envelope, needed) for envelope, needed in found]


def _told(outcome: Outcome, facts: Facts, asset: str, ask: Charge, shown: list[wire.StandingView]) -> wire.LimitsView:
    grant = facts.grants[ask.grant_id or 0]
    return wire.LimitsView(
        allowed=outcome.refusal is None,
        refusal=None if outcome.refusal is None else outcome.refusal.value,
        stopped_by=None if outcome.stopped is None else ids.public("env", outcome.stopped.envelope_id),
        amount=outcome.amount,
        asset=asset,
        available=facts.wallets[ask.wallet_id].available,
        grant_remaining=grant.remaining,
        charge_limit=grant.charge_limit,
        envelopes=shown,
    )
