"""Envelopes: limits of a day, a week, a month or a year."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from farebox.client.call import Call, Listing, delete, get, given, move, part, post, units
from farebox.client.core import Request
from farebox.client.limits import AppliesTo, Envelope, Limits, Record, Window
from farebox.client.types import Page, Usage


def add_envelope(
    name: str,
    limit: int,
    period: str,
    *,
    reset_day: int | None = None,
    time_zone: str | None = None,
    counts: str = "usage",
    asset: str | None = None,
    thresholds: Sequence[int] | None = None,
    organization: str | None = None,
    applies_to: AppliesTo | None = None,
) -> Call[Envelope]:
    """Sets a limit for every `period`: DAILY, WEEKLY, MONTHLY or YEARLY.

    `counts` is `usage` (tokens, calls) or `money`, of an `asset`. Without `applies_to` only records on it do.
    """
    body: dict[str, Any] = {
        "name": name,
        "limit": units(limit),
        "period": period,
        "reset_day": reset_day,
        "time_zone": time_zone,
        "counts": counts,
        "asset": asset,
        "thresholds": None if thresholds is None else list(thresholds),
        "organization": organization,
        "applies_to": applies_to,
    }
    return post("/v1/envelopes", body, Envelope)


def get_envelope(envelope_id: str) -> Call[Envelope]:
    """An envelope as it stands."""
    return get(f"/v1/envelopes/{part(envelope_id)}", Envelope)


def list_envelopes(organization: str | None = None) -> Listing[Envelope]:
    """Envelopes, newest first; an organization's, where one is named."""
    return Listing("/v1/envelopes", Page[Envelope], given({"organization": organization}))


def change_envelope(
    envelope_id: str,
    *,
    name: str | UnsetType = UNSET,
    limit: int | UnsetType = UNSET,
    period: str | UnsetType = UNSET,
    reset_day: int | UnsetType | None = UNSET,
    time_zone: str | UnsetType = UNSET,
    thresholds: Sequence[int] | UnsetType = UNSET,
) -> Call[Envelope]:
    """Changes what is given, at once; what was used in its window stays used. `reset_day=None` is the usual day."""
    told = {
        "name": name,
        "limit": limit if limit is UNSET else units(limit),
        "period": period,
        "reset_day": reset_day,
        "time_zone": time_zone,
        "thresholds": thresholds if thresholds is UNSET else list(thresholds),
    }
    body = msgspec.json.encode({member: value for member, value in told.items() if value is not UNSET})
    return Call(Request("PATCH", f"/v1/envelopes/{part(envelope_id)}", body=body, repeatable=True), Envelope)


def end_envelope(envelope_id: str) -> Call[None]:
    """Ends an envelope at once."""
    return delete(f"/v1/envelopes/{part(envelope_id)}")


def windows(envelope_id: str) -> Listing[Window]:
    """What was used in windows that are over, newest first."""
    return Listing(f"/v1/envelopes/{part(envelope_id)}/windows", Page[Window], {})


def record(
    envelope_id: str, amount: int, *, metadata: Mapping[str, Any] | None = None, idempotency_key: str | None = None
) -> Call[Record]:
    """Counts `amount` units on an envelope; Forbidden where more than is left of its window."""
    body = {"amount": units(amount), "metadata": None if metadata is None else dict(metadata)}
    return move(f"/v1/envelopes/{part(envelope_id)}/records", body, Record, idempotency_key)


def records(envelope_id: str) -> Listing[Record]:
    """What was recorded on an envelope, newest first."""
    return Listing(f"/v1/envelopes/{part(envelope_id)}/records", Page[Record], {})


def look(
    grant: str, *, model: str | None = None, amount: int | None = None, usage: Usage | None = None
) -> Call[Limits]:
    """What would become of a charge, by every limit that applies; nothing is charged.

    Of `usage`, input and output tokens are looked at.
    """
    tokens = {} if usage is None else {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return get("/v1/limits", Limits, grant=grant, model=model, amount=units(amount), **tokens)
