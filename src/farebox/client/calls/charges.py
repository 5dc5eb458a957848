"""Charges, holds, usage records, refunds."""

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from farebox.client.call import Call, Listing, get, given, move, part, post, units, visible
from farebox.client.types import BatchResults, Bill, Charge, Charged, Explanation, Hold, Moved, Page, Usage


def charge(
    session_token: str | None = None,
    *,
    grant: str | None = None,
    model: str | None = None,
    usage: Usage | None = None,
    amount: int | None = None,
    asset: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Charged]:
    """Charges a grant: `usage` of a `model` at its price, or an `amount` in units of the wallet's asset.

    Name the payer by `session_token` or by `grant`. `asset` is checked against the wallet's. The retries of this call
    share one key; pass an `idempotency_key` of your own (a request's id) to ask again after your process has died.

    Raises PaymentRequired where the wallet does not hold enough, Forbidden where the grant's limit or end is reached.
    """
    return move("/v1/charges", _bill(session_token, grant, model, usage, amount, asset), Charged, idempotency_key)


def batch(bills: Sequence[Bill]) -> Call[BatchResults]:
    """Asks for up to 100 charges at once. Each stands by itself: what is refused does not stop the others."""
    asked = []
    for bill in bills:
        units(bill.amount)
        key = str(uuid.uuid4()) if bill.idempotency_key is None else visible(bill.idempotency_key)
        asked.append(msgspec.structs.replace(bill, idempotency_key=key))
    return post("/v1/charges/batch", {"charges": asked}, BatchResults, repeatable=True)


def get_charge(charge_id: str) -> Call[Charge]:
    """A charge as it is kept, a refused one too."""
    return get(f"/v1/charges/{part(charge_id)}", Charge)


def list_charges(provider: str | None = None) -> Listing[Charge]:
    """A provider's charges, newest first. A provider's own key need not name it."""
    return Listing("/v1/charges", Page[Charge], given({"provider": provider}))


def explain(charge_id: str) -> Call[Explanation]:
    """How a charge's amount came about, or why it was refused."""
    return get(f"/v1/charges/{part(charge_id)}/explanation", Explanation)


def refund(
    charge_id: str, amount: int | None = None, *, reason: str | None = None, idempotency_key: str | None = None
) -> Call[Moved]:
    """Gives back `amount` units of a charge; without an amount all that is left of it."""
    body = {"amount": units(amount), "reason": reason}
    return move(f"/v1/charges/{part(charge_id)}/refunds", body, Moved, idempotency_key)


def hold(
    session_token: str | None = None,
    *,
    grant: str | None = None,
    model: str | None = None,
    usage: Usage | None = None,
    amount: int | None = None,
    asset: str | None = None,
    expires_in_s: int | None = None,
    idempotency_key: str | None = None,
) -> Call[Charged]:
    """Reserves what something would cost at most, for `expires_in_s` seconds. Told as for a charge."""
    body = _bill(session_token, grant, model, usage, amount, asset) | {"expires_in_s": expires_in_s}
    return move("/v1/holds", body, Charged, idempotency_key)


def get_hold(hold_id: str) -> Call[Hold]:
    """A hold as it stands."""
    return get(f"/v1/holds/{part(hold_id)}", Hold)


def capture(
    hold_id: str,
    *,
    model: str | None = None,
    usage: Usage | None = None,
    amount: int | None = None,
    idempotency_key: str | None = None,
) -> Call[Charged]:
    """Takes what was used of a hold and frees the rest; nothing given takes the whole hold."""
    body = {"model": model, "usage": usage, "amount": units(amount)}
    return move(f"/v1/holds/{part(hold_id)}/capture", body, Charged, idempotency_key)


def release(hold_id: str, *, idempotency_key: str | None = None) -> Call[Hold]:
    """Frees a hold: nothing is taken."""
    return move(f"/v1/holds/{part(hold_id)}/release", {}, Hold, idempotency_key)


def record(
    wallet: str,
    provider: str,
    *,
    model: str | None = None,
    usage: Usage | None = None,
    amount: int | None = None,
    idempotency_key: str | None = None,
) -> Call[Moved]:
    """Books usage that has already happened, whatever the balance. Takes an administrator's key."""
    body = {"wallet": wallet, "provider": provider, "model": model, "usage": usage, "amount": units(amount)}
    return move("/v1/usage-records", body, Moved, idempotency_key)


def _bill(
    session_token: str | None,
    grant: str | None,
    model: str | None,
    usage: Usage | None,
    amount: int | None,
    asset: str | None,
) -> dict[str, Any]:
    return {
        "session_token": session_token,
        "grant": grant,
        "model": model,
        "usage": usage,
        "amount": units(amount),
        "asset": asset,
    }
