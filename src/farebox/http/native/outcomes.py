"""Outcomes of the ledger as native answers."""

from typing import Any, TypeVar

from litestar import Response

from farebox import ids
from farebox.consent.types import GrantRef
from farebox.http.native import views, wire
from farebox.http.native.refusals import Refused
from farebox.ledger.types import UNSTORED, Outcome

T = TypeVar("T")


def accepted(outcome: Outcome, prefix: str, wallet_id: int, asset: str) -> Outcome:
    """The outcome, where it was accepted; raises Refused where it was not."""
    if outcome.refusal is None:
        return outcome
    raise refused(outcome, prefix, wallet_id, asset)


def refused(outcome: Outcome, prefix: str, wallet_id: int, asset: str) -> Refused:
    """The problem that a refused outcome is."""
    assert outcome.refusal is not None
    extra: dict[str, Any] = {}
    if outcome.refusal not in UNSTORED:
        extra = {
            "id": ids.transfer(prefix, wallet_id, outcome.transfer_id),
            "amount": outcome.amount,
            "asset": asset,
            "available": outcome.available,
            "remaining": outcome.remaining,
        }
    if outcome.stopped is not None:
        extra["envelope"] = views.stopping(outcome.stopped)
    return Refused(outcome.refusal, extra)


def answer(content: T, *, replayed: bool) -> Response[T]:
    """A 201, marked where it is a replay (RULES 8)."""
    return Response(content, status_code=201, headers={"Idempotent-Replayed": "true"} if replayed else {})


def moved(outcome: Outcome, prefix: str, wallet_id: int, asset: str) -> Response[wire.Moved]:
    """The answer to a deposit, a transfer, a refund."""
    done = accepted(outcome, prefix, wallet_id, asset)
    return answer(moved_view(done, prefix, wallet_id, asset), replayed=done.replayed)


def moved_view(done: Outcome, prefix: str, wallet_id: int, asset: str) -> wire.Moved:
    """The body of such an answer."""
    return wire.Moved(
        id=ids.transfer(prefix, wallet_id, done.transfer_id),
        wallet=str(wallet_id),
        amount=done.amount,
        asset=asset,
        available=done.available,
        created_at=done.created_at,
    )


def charged(outcome: Outcome, prefix: str, grant: GrantRef) -> wire.Charged:
    """The body for a charge, hold or capture."""
    done = accepted(outcome, prefix, grant.wallet_id, grant.asset)
    return wire.Charged(
        id=ids.transfer(prefix, grant.wallet_id, done.transfer_id),
        wallet=str(grant.wallet_id),
        grant=ids.public("gr", grant.grant_id),
        amount=done.amount,
        asset=grant.asset,
        available=done.available,
        remaining=done.remaining,
        created_at=done.created_at,
    )
