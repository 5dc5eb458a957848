"""Which envelopes an ask counts on, and whether they let it through. Pure, like `decide`.

An envelope that is attached to something applies to every draw on it; which ones those are is looked up when a batch
is loaded (`applying` in queries.sql). A hold and its capture or release count on the same envelopes.
"""

from collections.abc import Iterator, Sequence

from farebox.ledger.envelopes import Count, Counts, EnvelopeFacts, tightest
from farebox.ledger.types import (
    Ask,
    Charge,
    ChargeFacts,
    Draw,
    Facts,
    Hold,
    HoldFacts,
    Record,
    RecordUsage,
    Transfer,
    Usage,
    usage_units,
)

Drawing = Charge | Hold | RecordUsage | Transfer


def draw_of(ask: Ask) -> Draw | None:
    """What envelopes can be attached to, of an ask that draws on a wallet: wallet, grant, provider, model."""
    if isinstance(ask, (Charge, RecordUsage)):
        return (ask.wallet_id, ask.grant_id, ask.provider_id, ask.model)
    if isinstance(ask, Hold):
        return (ask.wallet_id, ask.grant_id, None, ask.model)
    return (ask.wallet_id, None, None, None) if isinstance(ask, Transfer) else None


def short(ask: Drawing | Record, facts: Facts) -> EnvelopeFacts | None:
    """The tightest of the envelopes that have less left than the ask needs.

    A hold that does not say what usage it is for needs one unit: nothing begins where nothing is left.
    """
    if not facts.envelopes:
        return None
    least = 1 if isinstance(ask, Hold) else 0
    return tightest((envelope, units or least) for envelope, units in shares(ask, facts))


def used(ask: Drawing | Record, facts: Facts, *, fact: bool = False) -> tuple[Count, ...]:
    """What an ask counts, where it applies."""
    if not facts.envelopes:
        return ()
    return tuple(Count(envelope.id, used=units, fact=fact) for envelope, units in shares(ask, facts))


def within(ask: Charge | Hold, facts: Facts) -> tuple[Count, ...] | None:
    """What an ask counts, or reserves; None where an envelope has less left than it needs (see `short`)."""
    if not facts.envelopes:
        return ()
    holds = isinstance(ask, Hold)
    counted: list[Count] = []
    for envelope, units in shares(ask, facts):
        if (units or holds) > max(0, envelope.remaining):
            return None
        counted.append(Count(envelope.id, 0, units) if holds else Count(envelope.id, units))
    return tuple(counted)


def freed(hold: HoldFacts, facts: Facts) -> tuple[Count, ...]:
    """What the end of a hold frees."""
    return tuple(Count(envelope.id, held=-_reserved(envelope, hold)) for envelope in _known(hold.envelopes, facts))


def captured(hold: HoldFacts, amount: int, usage: Usage | None, facts: Facts) -> tuple[Count, ...]:
    """What a capture counts of what its hold reserved. Usage is what it turned out to be, even past the limit."""
    found = []
    for envelope in _known(hold.envelopes, facts):
        units = amount if envelope.counts is Counts.MONEY else usage_units(usage)
        found.append(Count(envelope.id, used=units, held=-_reserved(envelope, hold), fact=True))
    return tuple(found)


def given_back(charge: ChargeFacts, amount: int, facts: Facts) -> tuple[Count, ...]:
    """What a refund takes off: money, in the window that it was charged in. What was used has been used."""
    return tuple(
        Count(envelope.id, used=-amount)
        for envelope in _known(charge.envelopes, facts)
        if envelope.counts is Counts.MONEY and charge.created_at >= envelope.counted_since
    )


def shares(ask: Drawing | Record, facts: Facts) -> Iterator[tuple[EnvelopeFacts, int]]:
    """The envelopes that apply to an ask, and what it would count on each."""
    if isinstance(ask, Record):
        named = facts.envelopes.get(ask.envelope_id)
        if named is not None:
            yield named, ask.amount
        return
    asset = facts.wallets[ask.wallet_id].asset
    for envelope in _known(facts.applying.get(draw_of(ask), ()), facts):  # type: ignore[arg-type]  # it draws
        if envelope.counts is Counts.USAGE:
            yield envelope, _usage_of(ask)
        elif envelope.asset == asset:
            yield envelope, ask.amount


def _usage_of(ask: Drawing) -> int:
    if isinstance(ask, Transfer):
        return 0
    return usage_units(ask.usage)


def _known(numbers: Sequence[int], facts: Facts) -> Iterator[EnvelopeFacts]:
    """Those that are still there."""
    return (facts.envelopes[number] for number in numbers if number in facts.envelopes)


def _reserved(envelope: EnvelopeFacts, hold: HoldFacts) -> int:
    return hold.amount if envelope.counts is Counts.MONEY else hold.usage_units
