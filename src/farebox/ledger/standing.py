"""What a writer knows from its last batches: facts that stand until somebody else changes a row.

They are only ever used where the database proves, under its locks, that they still stand (ADR 0028).
"""

from collections.abc import Iterable, Sequence, Set
from datetime import UTC, datetime, timedelta
from typing import Any

from farebox.ledger import limits
from farebox.ledger.batch import OpenedHold, Rows
from farebox.ledger.envelopes import EnvelopeFacts
from farebox.ledger.types import (
    Ask,
    Capture,
    Charge,
    Deposit,
    Draw,
    Facts,
    GrantFacts,
    Hold,
    HoldFacts,
    Record,
    RecordUsage,
    Release,
    Transfer,
    WalletFacts,
)

KEPT = 16_384
"""How many of each kind of fact are remembered."""
PAUSE_MAX = 64
SHORT = frozenset({Charge, Capture, Deposit, Hold, Record, RecordUsage, Release, Transfer})
"""What can be decided on what is known: all but refunds, which depend on the journal."""

Versioned = WalletFacts | GrantFacts | HoldFacts | EnvelopeFacts


class Unknown(Exception):
    """A fact that is not remembered."""


class Standing:
    """Facts as this writer left them. Where they often stand no more, they are tried less often."""

    def __init__(self) -> None:
        self._wallets: dict[int, WalletFacts] = {}
        self._grants: dict[int, GrantFacts] = {}
        self._holds: dict[int, HoldFacts] = {}
        self._envelopes: dict[int, EnvelopeFacts] = {}
        self._applying: dict[Draw, list[int]] = {}
        self._now = datetime.min.replace(tzinfo=UTC)
        self._price_revision = 0
        self._envelope_revision = 0
        self._misses = 0
        self._reads = 0
        self._lost = 0
        self._pause = 0
        self._short = False
        self.last_id = 0
        """The highest transfer id that was given out here."""

    @property
    def hopeful(self) -> bool:
        """Whether the next batch is likely to be decided on what is known."""
        return self._short and not self._pause

    def tries(self, asks: Sequence[Ask]) -> bool:
        """Whether a batch is to be decided on what is known; asked for each, since it counts how long it is not."""
        # A key that stands twice is answered by its first: that is for the long way to say.
        once = len({(ask.client, ask.key) for ask in asks}) == len(asks)
        self._short = once and all(type(ask) in SHORT for ask in asks)
        if self._short and self._pause:
            self._pause -= 1
            return False
        return self._short

    def reads_first(self) -> bool:
        """Whether a batch had better read what it is decided on; counts how long that is so."""
        if not self._reads:
            return False
        self._reads -= 1
        return True

    def open(self) -> Facts:
        """The facts of a batch, with ids that count from zero; there are none yet but those that `lend` adds."""
        facts = Facts(self._now, 0, self._price_revision, {}, {}, {}, {}, {}, {}, set())
        facts.envelope_revision = self._envelope_revision
        return facts

    def lend(self, ask: Ask, facts: Facts) -> None:
        """Adds what one ask is decided on; raises Unknown.

        What is decided changes the facts themselves: what becomes of it has to be told by `keep` or `forget`.
        """
        if type(ask) is Record:
            self._lend_envelopes((ask.envelope_id,), facts)
            return
        facts.wallets[ask.wallet_id] = _known(self._wallets, ask.wallet_id)
        if (type(ask) is Transfer or type(ask) is Capture) and ask.to_wallet_id is not None:
            facts.wallets[ask.to_wallet_id] = _known(self._wallets, ask.to_wallet_id)
        grant_id: int | None = getattr(ask, "grant_id", None)
        if type(ask) is Capture or type(ask) is Release:
            hold = facts.holds[ask.hold_id] = _known(self._holds, ask.hold_id)
            if hold.state != "pending":  # ended by what is just being written
                raise Unknown
            self._lend_envelopes(hold.envelopes, facts)
            grant_id = hold.grant_id
        if grant_id is not None:
            grant = facts.grants[grant_id] = _known(self._grants, grant_id)
            for above in grant.lineage:
                facts.grants[above] = _known(self._grants, above)
        draw = limits.draw_of(ask)
        if draw is not None:
            applying = _known(self._applying, draw)
            if applying:
                facts.applying[draw] = applying
                self._lend_envelopes(applying, facts)

    def _lend_envelopes(self, envelope_ids: Iterable[int], facts: Facts) -> None:
        for id_ in envelope_ids:
            envelope = facts.envelopes[id_] = _known(self._envelopes, id_)
            if envelope.window_end <= facts.now:  # the next window begins with the rows that were read for it
                raise Unknown

    def keep(self, facts: Facts, rows: Rows, draws: Iterable[Draw], version: int) -> None:
        """Remembers what a batch has committed; `version` is the transaction that wrote its `rows`."""
        for fact in changed(facts, rows):
            fact.version = version
        self.learn(facts, draws, rows.turned - rows.envelopes)
        if rows.opened_holds:
            _add(self._holds, {row.id: _pending(row, version) for row in rows.opened_holds})
        self.last_id = max(self.last_id, rows.transfers[-1].id if rows.transfers else 0)

    def learn(self, facts: Facts, draws: Iterable[Draw], unwritten: Set[int] = frozenset()) -> None:
        """Remembers facts as they stand, but for envelopes whose new window is `unwritten`."""
        if facts.envelope_revision != self._envelope_revision:
            self._applying.clear()
            self._envelopes.clear()
        _add(self._wallets, facts.wallets)
        _add(self._grants, facts.grants)
        _add(self._envelopes, {id_: fact for id_, fact in facts.envelopes.items() if id_ not in unwritten})
        _add(self._applying, {draw: facts.applying.get(draw, []) for draw in draws})
        _add(self._holds, {id_: hold for id_, hold in facts.holds.items() if hold.state == "pending"})
        for hold in facts.holds.values():
            if hold.state != "pending":
                self._holds.pop(hold.id, None)
        self._now, self._price_revision = facts.now, facts.price_revision
        self._envelope_revision = facts.envelope_revision

    def hit(self, *, read: bool) -> None:
        """What was known, or had just been `read`, still stood."""
        self._lost = 0
        if not read:
            self._misses = 0

    def miss(self, facts: Facts, *, read: bool) -> None:
        """It did not: it is forgotten, and the next batches read first, or lock and read where that was no use."""
        self.forget(facts)
        if read:
            self._lost += 1
            self._pause = min(PAUSE_MAX, 2**self._lost)
        else:
            self._misses += 1
            self._reads = min(PAUSE_MAX, 2**self._misses)

    def forget(self, facts: Facts) -> None:
        """Forgets what a batch was lent and may have changed."""
        lent: tuple[tuple[dict[int, Any], dict[int, Any]], ...] = (
            (self._wallets, facts.wallets),
            (self._grants, facts.grants),
            (self._holds, facts.holds),
            (self._envelopes, facts.envelopes),
        )
        for known, facts_of_kind in lent:
            for id_ in facts_of_kind:
                known.pop(id_, None)

    def forget_all(self) -> None:
        """Forgets everything: another connection may lead to another database."""
        for known in (self._wallets, self._grants, self._holds, self._envelopes, self._applying):
            known.clear()


def _known(known: dict[Any, Any], key: Any) -> Any:
    found = known.get(key)
    if found is None:
        raise Unknown
    return found


def _add(known: dict[Any, Any], more: dict[Any, Any]) -> None:
    if len(known) + len(more) > KEPT:
        known.clear()
    known.update(more)


def _pending(row: OpenedHold, version: int) -> HoldFacts:
    return HoldFacts(
        row.id,
        row.wallet_id,
        row.grant_id,
        row.amount,
        "pending",
        row.expires_at,
        row.model,
        row.to_wallet_id,
        row.usage_units,
        row.envelope_ids or (),
        version,
    )


def changed(facts: Facts, rows: Rows) -> list[WalletFacts | GrantFacts | EnvelopeFacts]:
    """The wallets, grants and envelopes that a batch writes."""
    return [
        *(facts.wallets[id_] for id_ in rows.wallets),
        *(facts.grants[id_] for id_ in rows.grants),
        *(facts.envelopes[id_] for id_ in rows.envelopes),
    ]


def moved_to(rows: Rows, first_id: int, later: timedelta) -> None:
    """Gives rows the ids and moments that they were written with: they were decided earlier, with ids from zero."""
    for row in rows.transfers[-1:]:
        row.id += first_id
    for hold in rows.opened_holds:
        hold.id += first_id
        hold.expires_at += later


def stands_until(asks: Sequence[Ask], facts: Facts) -> datetime | None:
    """The first moment at which these asks could be decided otherwise: something that they depend on ends then."""
    ends = [grant.expires_at for grant in facts.grants.values() if grant.expires_at is not None]
    ends += [hold.expires_at for hold in facts.holds.values()]
    ends += [envelope.window_end for envelope in facts.envelopes.values()]
    for ask in asks:
        pricing = getattr(ask, "pricing", None)
        if pricing is not None and pricing.until is not None:
            ends.append(pricing.until)
    return min((end for end in ends if end > facts.now), default=None)
