"""The native charge: one implementation, called by the hot route and by the framework's."""

from collections.abc import Coroutine
from typing import Any

import msgspec

from farebox import ids
from farebox.charging.service import Bill, fingerprint
from farebox.consent.types import GrantRef
from farebox.errors import Invalid, NotFound
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.native import calls, wire
from farebox.http.native.may import who_charges
from farebox.http.native.outcomes import charged, refused
from farebox.http.strict import Reader
from farebox.identity.types import Principal
from farebox.ledger.types import Outcome, Usage
from farebox.services import Services

_reader = Reader(wire.NewCharge)
_encode = msgspec.json.Encoder().encode


async def charge(services: Services, principal: Principal, key: str, data: wire.NewCharge) -> tuple[wire.Charged, bool]:
    """Charges; the answer, and whether it is a replay. Raises Problem."""
    grant = await drawn_grant(services, principal, data)
    outcome = await outcome_of(services, principal, key, data, grant)
    return charged(outcome, "ch", grant), outcome.replayed


def outcome_of(
    services: Services, principal: Principal, key: str, data: wire.NewCharge, grant: GrantRef
) -> Coroutine[Any, Any, Outcome]:
    """Charges a grant. Raises Invalid at once, and Problem when it is awaited."""
    bill = bill_of(data, grant.asset)
    return services.charging.charge(principal, grant.provider_id, grant, key, mark_of(data, grant), bill)


def mark_of(data: wire.NewCharge, grant: GrantRef) -> bytes:
    """What makes two charges under one key the same."""
    return fingerprint("charge", grant.grant_id, data.model, data.usage, data.amount)


async def drawn_grant(services: Services, principal: Principal, data: wire.NewCharge) -> GrantRef:
    """The grant that a charge or hold draws on: the caller's own, or any for an administrator."""
    who_charges(principal)
    return remembered_grant(services, principal, data) or await _grant_looked_up(services, principal, data)


def remembered_grant(services: Services, principal: Principal, data: wire.NewCharge) -> GrantRef | None:
    """The grant, where its session was used here before; for who may charge."""
    if (data.session_token is None) == (data.grant is None):
        raise Invalid.field("session_token", "give either session_token or grant")
    found = None if data.session_token is None else services.consent.remembered(data.session_token)
    return None if found is None else _drawn_by(principal, found)


async def _grant_looked_up(services: Services, principal: Principal, data: wire.NewCharge) -> GrantRef:
    if data.session_token is not None:
        return _drawn_by(principal, await services.consent.resolve(data.session_token))
    number = ids.parse("gr", data.grant or "")
    return _drawn_by(principal, None if number is None else await services.consent.ref(number))


def _drawn_by(principal: Principal, found: GrantRef | None) -> GrantRef:
    if found is None or (not principal.is_admin and found.provider_id != principal.provider_id):
        raise NotFound("there is no such grant", "grant_unknown")
    return found


def bill_of(data: wire.NewCharge | wire.NewCapture | wire.NewUsageRecord, asset: str) -> Bill:
    """What is to be paid for; raises Invalid unless it is either usage of a model or an amount."""
    if (data.usage is None) == (data.amount is None):
        raise Invalid.field("usage", "give either usage (with model) or amount")
    if data.usage is None:
        named = getattr(data, "asset", None)
        if named is not None and named != asset:
            raise Invalid.field("asset", "the wallet holds another asset", "asset_mismatch")
        return Bill(data.model, amount=data.amount)
    if data.model is None:
        raise Invalid.field("model", "needed to price usage")
    return Bill(data.model, usage_of(data.usage))


def usage_of(data: wire.UsageBody) -> Usage:
    """Usage as the domain knows it."""
    return Usage(
        data.input_tokens,
        data.output_tokens,
        data.cached_input_tokens,
        data.cache_write_tokens,
        data.reasoning_tokens,
        data.calls,
        tuple(data.units.items()),
    )


def route(services: Services, access: Access) -> edge.Route:
    """`POST /v1/charges`, answered before the framework."""

    async def act(principal: Principal, key: str, data: wire.NewCharge, _: str) -> edge.Answer:
        grant = remembered_grant(services, principal, data) or await _grant_looked_up(services, principal, data)
        outcome = await outcome_of(services, principal, key, data, grant)
        if outcome.refusal is not None:  # by the ledger, which has looked at the key itself
            return calls.answered_problem(refused(outcome, "ch", grant.wallet_id, grant.asset))
        return edge.Answer(201, _encode(charged(outcome, "ch", grant)), calls.REPLAYED if outcome.replayed else ())

    return calls.route(access, services.settings.max_body_bytes, _reader, act, who_charges)
