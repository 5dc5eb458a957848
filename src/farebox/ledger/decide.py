"""The rules of money: facts in, plan or refusal out.

Pure: no clock, no database. Where several rules are broken, the first in this order names the
refusal, for every kind of ask:

1.  price_changed           the amount was computed with prices that no longer hold (asked again, never shown)
2.  wallet_unknown, grant_unknown, hold_unknown, charge_unknown, envelope_unknown
3.  grant_revoked, grant_replaced, grant_expired
4.  hold_expired, hold_closed
5.  capture_exceeds_hold, refund_exceeds_charge
6.  asset_mismatch
7.  charge_limit_exceeded   the payer's limit for one charge
8.  grant_limit_exceeded    the payer's limit for the whole grant
9.  envelope_limit_exceeded a limit of a window of time, of whoever has set one on any part of this draw
10. insufficient_balance
11. amount_overflow         a balance, or what a fact draws on a grant, would pass what a bigint holds

Before all of them, and before these rules are asked: credential_revoked (the caller is not who it was),
then idempotency_key_reused and reference_reused (they are about another ask).
"""

from collections.abc import Callable
from typing import Any

from farebox.ledger import limits
from farebox.ledger.envelopes import Count, Counts
from farebox.ledger.types import (
    MAX_UNITS,
    Ask,
    Capture,
    Charge,
    Deposit,
    Facts,
    GrantFacts,
    Hold,
    HoldFacts,
    Plan,
    Pricing,
    Record,
    RecordUsage,
    Refund,
    Refusal,
    Release,
    Transfer,
    WalletFacts,
)

END_REFUSALS = {"revoked": Refusal.GRANT_REVOKED, "replaced": Refusal.GRANT_REPLACED}


def decide(ask: Ask, facts: Facts) -> Plan | Refusal:
    """Decides one ask on the facts as they stand at its place in the batch."""
    return _DECIDERS[type(ask)](ask, facts)


def decide_deposit(ask: Deposit, facts: Facts) -> Plan | Refusal:
    wallet = facts.wallets.get(ask.wallet_id)
    if wallet is None:
        return Refusal.WALLET_UNKNOWN
    if ask.asset is not None and ask.asset != wallet.asset:
        return Refusal.ASSET_MISMATCH
    if wallet.balance + ask.amount > MAX_UNITS:
        return Refusal.AMOUNT_OVERFLOW
    return Plan(amount=ask.amount, debit=ask.source_account, credit=wallet.id)


def decide_charge(ask: Charge, facts: Facts) -> Plan | Refusal:
    drawn = _draw(ask, facts)
    if isinstance(drawn, Refusal):
        return drawn
    if not ask.amount:  # a free model: recorded, nothing moves
        return Plan(amount=0, grant_id=ask.grant_id, envelopes=drawn)
    return Plan(
        amount=ask.amount,
        debit=ask.wallet_id,
        credit=ask.revenue_account,
        grant_id=ask.grant_id,
        grant_spent=ask.amount,
        envelopes=drawn,
    )


def decide_hold(ask: Hold, facts: Facts) -> Plan | Refusal:
    drawn = _draw(ask, facts)
    if isinstance(drawn, Refusal):
        return drawn
    held_for = 0 if ask.grant_id is None else ask.amount
    return Plan(
        amount=ask.amount,
        held=ask.amount,
        grant_id=ask.grant_id,
        grant_held=held_for,
        envelopes=drawn,
    )


def decide_capture(ask: Capture, facts: Facts) -> Plan | Refusal:
    if _price_changed(ask.pricing, facts):
        return Refusal.PRICE_CHANGED
    hold = _open_hold(ask, facts)
    if isinstance(hold, Refusal):
        return hold
    amount = hold.amount if ask.amount is None else ask.amount
    if amount > hold.amount:
        return Refusal.CAPTURE_EXCEEDS_HOLD
    refused = None if hold.to_wallet_id is None else _can_not_receive(ask, amount, facts)
    if refused is not None:
        return refused
    return Plan(
        amount=amount,
        debit=ask.wallet_id if amount else None,
        credit=(ask.revenue_account if hold.to_wallet_id is None else hold.to_wallet_id) if amount else None,
        held=-hold.amount,
        grant_id=hold.grant_id,
        grant_spent=amount,
        grant_held=-hold.amount,
        parent_id=hold.id,
        envelopes=limits.captured(hold, amount, ask.usage, facts),
    )


def _can_not_receive(ask: Capture, amount: int, facts: Facts) -> Refusal | None:
    """What keeps the wallet that money was held for from taking it."""
    payer, payee = facts.wallets[ask.wallet_id], facts.wallets.get(ask.to_wallet_id or 0)
    if payee is None:
        return Refusal.WALLET_UNKNOWN
    if payee.asset != payer.asset:
        return Refusal.ASSET_MISMATCH
    return Refusal.AMOUNT_OVERFLOW if payee.balance + amount > MAX_UNITS else None


def decide_release(ask: Release, facts: Facts) -> Plan | Refusal:
    hold = _open_hold(ask, facts)
    if isinstance(hold, Refusal):
        return hold
    return release(hold, facts)


def release(hold: HoldFacts, facts: Facts) -> Plan:
    """What freeing a pending hold writes."""
    return Plan(
        amount=hold.amount,
        held=-hold.amount,
        grant_id=hold.grant_id,
        grant_held=-hold.amount,
        parent_id=hold.id,
        envelopes=limits.freed(hold, facts),
    )


def decide_refund(ask: Refund, facts: Facts) -> Plan | Refusal:
    wallet = facts.wallets.get(ask.wallet_id)
    charge = facts.charges.get(ask.charge_id)
    if wallet is None or charge is None:
        return Refusal.CHARGE_UNKNOWN
    left = charge.amount - charge.refunded
    amount = left if ask.amount is None else ask.amount
    if amount > left or not left:
        return Refusal.REFUND_EXCEEDS_CHARGE
    if wallet.balance + amount > MAX_UNITS:
        return Refusal.AMOUNT_OVERFLOW
    return Plan(
        amount=amount,
        debit=ask.revenue_account,
        credit=wallet.id,
        grant_id=charge.grant_id,
        grant_spent=-amount,
        parent_id=charge.id,
        envelopes=limits.given_back(charge, amount, facts),
    )


def decide_transfer(ask: Transfer, facts: Facts) -> Plan | Refusal:
    payer, payee = facts.wallets.get(ask.wallet_id), facts.wallets.get(ask.to_wallet_id)
    if payer is None or payee is None:
        return Refusal.WALLET_UNKNOWN
    if payer.asset != payee.asset or (ask.asset is not None and ask.asset != payer.asset):
        return Refusal.ASSET_MISMATCH
    if limits.short(ask, facts) is not None:
        return Refusal.ENVELOPE_LIMIT_EXCEEDED
    if ask.amount > payer.available:
        return Refusal.INSUFFICIENT_BALANCE
    if payee.balance + ask.amount > MAX_UNITS:
        return Refusal.AMOUNT_OVERFLOW
    return Plan(amount=ask.amount, debit=payer.id, credit=payee.id, envelopes=limits.used(ask, facts))


def decide_usage(ask: RecordUsage, facts: Facts) -> Plan | Refusal:
    if _price_changed(ask.pricing, facts):
        return Refusal.PRICE_CHANGED
    wallet = facts.wallets.get(ask.wallet_id)
    if wallet is None:
        return Refusal.WALLET_UNKNOWN
    grant = None if ask.grant_id is None else facts.grants.get(ask.grant_id)
    if ask.grant_id is not None and grant is None:
        return Refusal.GRANT_UNKNOWN
    drawn = 0 if grant is None else grant.spent + grant.held
    if wallet.available - ask.amount < -MAX_UNITS or drawn + ask.amount > MAX_UNITS:
        return Refusal.AMOUNT_OVERFLOW
    return Plan(
        amount=ask.amount,
        debit=wallet.id if ask.amount else None,
        credit=ask.revenue_account if ask.amount else None,
        grant_id=ask.grant_id,
        grant_spent=ask.amount,
        envelopes=limits.used(ask, facts, fact=True),
        fact=True,
    )


def decide_record(ask: Record, facts: Facts) -> Plan | Refusal:
    envelope = facts.envelopes.get(ask.envelope_id)
    if envelope is None or envelope.organization_id != ask.organization_id or envelope.counts is not Counts.USAGE:
        return Refusal.ENVELOPE_UNKNOWN
    if limits.short(ask, facts) is not None:
        return Refusal.ENVELOPE_LIMIT_EXCEEDED
    return Plan(amount=ask.amount, parent_id=envelope.id, envelopes=limits.used(ask, facts))


def _draw(ask: Charge | Hold, facts: Facts) -> Refusal | tuple[Count, ...]:
    """What every draw on a grant has to pass; what it counts on envelopes where it does."""
    if _price_changed(ask.pricing, facts):
        return Refusal.PRICE_CHANGED
    wallet = facts.wallets.get(ask.wallet_id)
    if wallet is None:
        return Refusal.WALLET_UNKNOWN
    refused = None if ask.grant_id is None else _refused_by_grant(ask, ask.grant_id, facts)
    if refused is not None:
        return refused
    counted = limits.within(ask, facts)
    if counted is None:
        return Refusal.ENVELOPE_LIMIT_EXCEEDED
    return _beyond(ask.amount, wallet) or counted


def _refused_by_grant(ask: Charge | Hold, grant_id: int, facts: Facts) -> Refusal | None:
    grant = facts.grants.get(grant_id)
    if grant is None or grant.wallet_id != ask.wallet_id:
        return Refusal.GRANT_UNKNOWN
    if grant.lineage:
        return _refused_by_chain(ask.amount, facts.chain(grant.id), facts)
    return _ended(grant, facts) or _limits(ask.amount, grant)


def _refused_by_chain(amount: int, chain: list[GrantFacts], facts: Facts) -> Refusal | None:
    """A grant that was made from others holds as long as all of them do, and counts on all of them."""
    ended = [refusal for grant in chain if (refusal := _ended(grant, facts)) is not None]
    over = [refusal for grant in chain if (refusal := _limits(amount, grant)) is not None]
    return min([*ended, *over], key=_IN_ORDER.index, default=None)


_IN_ORDER = list(Refusal)


def _ended(grant: GrantFacts, facts: Facts) -> Refusal | None:
    if grant.end_reason is not None:
        return END_REFUSALS[grant.end_reason]
    if grant.expires_at is not None and facts.now >= grant.expires_at:
        return Refusal.GRANT_EXPIRED
    return None


def _limits(amount: int, grant: GrantFacts) -> Refusal | None:
    if grant.charge_limit is not None and amount > grant.charge_limit:
        return Refusal.CHARGE_LIMIT_EXCEEDED
    if grant.limit is not None and amount > grant.limit - grant.spent - grant.held:
        return Refusal.GRANT_LIMIT_EXCEEDED
    return None


def _beyond(amount: int, wallet: WalletFacts) -> Refusal | None:
    return Refusal.INSUFFICIENT_BALANCE if amount and amount > wallet.balance - wallet.held else None


def _open_hold(ask: Capture | Release, facts: Facts) -> HoldFacts | Refusal:
    hold = facts.holds.get(ask.hold_id)
    if hold is None or hold.wallet_id != ask.wallet_id:
        return Refusal.HOLD_UNKNOWN
    if isinstance(ask, Capture) and hold.to_wallet_id != ask.to_wallet_id:
        return Refusal.HOLD_UNKNOWN
    # Expiry is decided here and not by the sweeper (RULES 18), and it reads the same after it was swept.
    if hold.state == "expired" or (hold.state == "pending" and facts.now >= hold.expires_at):
        return Refusal.HOLD_EXPIRED
    if hold.state != "pending":
        return Refusal.HOLD_CLOSED
    return hold


def _price_changed(pricing: Pricing | None, facts: Facts) -> bool:
    return pricing is not None and (
        pricing.revision != facts.price_revision
        or (pricing.until is not None and facts.now >= pricing.until)
        or (pricing.since is not None and facts.now < pricing.since)
    )


_DECIDERS: dict[type[Ask], Callable[[Any, Facts], Plan | Refusal]] = {
    Deposit: decide_deposit,
    Charge: decide_charge,
    Hold: decide_hold,
    Capture: decide_capture,
    Release: decide_release,
    Refund: decide_refund,
    Transfer: decide_transfer,
    RecordUsage: decide_usage,
    Record: decide_record,
}
