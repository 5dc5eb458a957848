"""One batch in memory: each ask decided in order of arrival on running balances, and the rows to write."""

from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET, Struct, UnsetType

from farebox.ledger import decide as rules
from farebox.ledger import limits
from farebox.ledger.envelopes import ClosedWindow, Passed, Stopped, count, stopped, turn
from farebox.ledger.types import (
    MAX_UNITS,
    UNSTORED,
    Ask,
    Capture,
    Charge,
    Deposit,
    Facts,
    GrantFacts,
    Hold,
    Outcome,
    Plan,
    Record,
    RecordUsage,
    Refund,
    Refusal,
    Release,
    StoredOutcome,
    Tidy,
    Transfer,
    Usage,
    WalletFacts,
    usage_units,
)

SYSTEM = "system"
"""The client of what the server does of itself, such as freeing expired holds."""

KINDS: dict[type[Ask], str] = {
    Deposit: "deposit",
    Charge: "charge",
    Hold: "hold",
    Capture: "capture",
    Release: "release",
    Refund: "refund",
    Transfer: "transfer",
    RecordUsage: "usage",
    Record: "record",
}


class TransferRow(Struct, omit_defaults=True, gc=False):
    """A row of `transfers`, with the balances that its entries leave behind."""

    wallet_id: int
    id: int
    kind: str
    amount: int
    available_after: int
    client: str
    key: str
    fingerprint: str
    refusal: str | None = None
    debit_account: int | None = None
    credit_account: int | None = None
    debit_after: int | None = None
    credit_after: int | None = None
    grant_id: int | None = None
    parent_id: int | None = None
    remaining_after: int | None = None
    reference: str | None = None
    note: str | None = None
    provider_id: int | None = None
    model: str | None = None
    input_tokens: int | UnsetType = UNSET
    output_tokens: int | UnsetType = UNSET
    cached_input_tokens: int | UnsetType = UNSET
    cache_write_tokens: int | UnsetType = UNSET
    reasoning_tokens: int | UnsetType = UNSET
    calls: int | UnsetType = UNSET
    units: dict[str, int] | None = None
    price_id: int | None = None
    markup_ppm: int | None = None
    conversion: str | None = None
    member_id: int | None = None
    envelope_ids: tuple[int, ...] | None = None
    stopped_by: Stopped | None = None
    metadata: msgspec.Raw | None = None


class OpenedHold(Struct, gc=False):
    wallet_id: int
    id: int
    grant_id: int | None
    amount: int
    model: str | None
    expires_at: datetime
    to_wallet_id: int | None
    asked_by: str | None
    app_name: str | None
    app_path: str | None
    usage_units: int
    envelope_ids: tuple[int, ...] | None


class ClosedHold(Struct, gc=False):
    wallet_id: int
    id: int
    state: str
    captured: int
    void_reason: str | None
    closed_by: str | None


class RefundRow(Struct, gc=False):
    wallet_id: int
    charge_id: int
    amount: int
    refunded: int
    first: bool


class Movement(Struct, gc=False):
    account_id: int
    transfer_id: int
    amount: int


class Rows(Struct):
    """What a batch writes."""

    transfers: list[TransferRow] = msgspec.field(default_factory=list)
    opened_holds: list[OpenedHold] = msgspec.field(default_factory=list)
    closed_holds: list[ClosedHold] = msgspec.field(default_factory=list)
    refunds: dict[tuple[int, int], RefundRow] = msgspec.field(default_factory=dict)
    received: dict[int, int] = msgspec.field(default_factory=dict)
    wallets: set[int] = msgspec.field(default_factory=set)
    grants: set[int] = msgspec.field(default_factory=set)
    envelopes: set[int] = msgspec.field(default_factory=set)
    closed_windows: dict[int, ClosedWindow] = msgspec.field(default_factory=dict)
    """By envelope; written where the envelope is."""
    turned: set[int] = msgspec.field(default_factory=set)
    """The envelopes whose window has begun with this batch, written or not."""
    passed: list[Passed] = msgspec.field(default_factory=list)


class Batch:
    """Decides asks one after the other; `rows` is what they add up to."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.rows = Rows()
        self._next_id = facts.first_id
        for envelope in facts.envelopes.values():
            ended = envelope.window_end
            closed = turn(envelope, facts.now)
            if envelope.window_end != ended:
                self.rows.turned.add(envelope.id)
            if closed is not None:
                self.rows.closed_windows[envelope.id] = closed

    def free_due_holds(self, due: list[int]) -> None:
        """Frees holds that have expired, so that nobody is refused for money that is reserved for nothing."""
        for hold_id in due:
            hold = self.facts.holds[hold_id]
            ask = Release(
                client=SYSTEM,
                key=f"expire:{hold.wallet_id}:{hold_id}",
                fingerprint=b"",
                wallet_id=hold.wallet_id,
                grant_id=hold.grant_id,
                hold_id=hold_id,
            )
            self._post(ask, rules.release(hold, self.facts))
            self.rows.closed_holds[-1].void_reason = hold.state = "expired"

    def decide(self, ask: Ask) -> Outcome:
        """The outcome of one ask: what its key already stands for, or a decision of now."""
        if type(ask) is Tidy:
            return self._nothing(None)
        if ask.credential_id in self.facts.revoked_credentials or ask.person in self.facts.stale_people:
            return self._nothing(Refusal.CREDENTIAL_REVOKED)
        known = self.facts.keys.get((ask.client, ask.key))
        if known is not None:
            return self._again(known, ask)
        if type(ask) is Deposit and ask.reference is not None:
            known = self.facts.references.get((ask.source_account, ask.reference))
            if known is not None:
                return self._same_deposit(known, ask)
        verdict = rules.decide(ask, self.facts)
        if isinstance(verdict, Plan):
            outcome = self._post(ask, verdict)
            if type(ask) is Deposit and ask.reference is not None:
                self._note_reference(ask, ask.reference, outcome)
        elif verdict in UNSTORED:
            return self._nothing(verdict)
        else:
            outcome = self._refuse(ask, verdict)
        self.facts.keys[ask.client, ask.key] = StoredOutcome(ask.fingerprint, outcome)
        return outcome

    def _again(self, known: StoredOutcome, ask: Ask) -> Outcome:
        if known.fingerprint != ask.fingerprint:
            return self._nothing(Refusal.KEY_REUSED)
        return msgspec.structs.replace(known.outcome, replayed=True)

    def _same_deposit(self, known: StoredOutcome, ask: Deposit) -> Outcome:
        if known.fingerprint != reference_fingerprint(ask.wallet_id, ask.amount):
            return self._nothing(Refusal.REFERENCE_REUSED)
        return msgspec.structs.replace(known.outcome, replayed=True)

    def _note_reference(self, ask: Deposit, reference: str, outcome: Outcome) -> None:
        """So that the same money, told twice at once, is known in one batch too."""
        mark = reference_fingerprint(ask.wallet_id, ask.amount)
        self.facts.references[ask.source_account, reference] = StoredOutcome(mark, outcome)

    def _nothing(self, refusal: Refusal | None) -> Outcome:
        return Outcome(0, refusal, 0, 0, None, self.facts.now)

    def _refuse(self, ask: Ask, refusal: Refusal) -> Outcome:
        """A refusal that is kept: its amount is what was asked for."""
        by = None
        if refusal is Refusal.ENVELOPE_LIMIT_EXCEEDED:
            by = limits.short(ask, self.facts)  # type: ignore[arg-type]  # nothing else is refused by an envelope
        grant = self.facts.grants.get(getattr(ask, "grant_id", 0))
        outcome = Outcome(
            transfer_id=self._take_id(),
            refusal=refusal,
            amount=getattr(ask, "amount", None) or 0,
            available=self._left(ask),
            remaining=None if grant is None else self._remaining(grant),
            created_at=self.facts.now,
            stopped=None if by is None else stopped(by),
        )
        self._journal(ask, outcome, Plan(amount=outcome.amount, grant_id=None if grant is None else grant.id))
        return outcome

    def _post(self, ask: Ask, plan: Plan) -> Outcome:
        """Applies a plan to the running facts and notes the rows that it means."""
        wallet = self.facts.wallets.get(ask.wallet_id)
        debit_after, credit_after = (None, None) if wallet is None else self._pay(wallet, plan)
        grant = None if plan.grant_id is None else self.facts.grants[plan.grant_id]
        if grant is not None:
            self._count(grant, plan)
            for above in grant.lineage:
                self._count(self.facts.grants[above], plan)
        for change in plan.envelopes:
            self.rows.envelopes.add(change.envelope_id)
            self.rows.passed += count(self.facts.envelopes[change.envelope_id], change)
        outcome = Outcome(
            transfer_id=self._take_id(),
            refusal=None,
            amount=plan.amount,
            available=self._left(ask) if wallet is None else wallet.available,
            remaining=None if grant is None else self._remaining(grant),
            created_at=self.facts.now,
        )
        self._journal(ask, outcome, plan, debit_after, credit_after)
        self._note_promise(ask, plan, outcome)
        return outcome

    def _left(self, ask: Ask) -> int:
        """What is left after an ask: in the wallet, or, where none is asked, of the envelope."""
        if type(ask) is Record:
            return self.facts.envelopes[ask.envelope_id].remaining
        return self.facts.wallets[ask.wallet_id].available

    def _pay(self, wallet: WalletFacts, plan: Plan) -> tuple[int | None, int | None]:
        """Changes the running balances; what they are then on either side, where those are wallets."""
        wallet.held += plan.held
        after = self._move(plan.debit, -plan.amount), self._move(plan.credit, plan.amount)
        # Only now: what a capture frees and what it takes are one, and must not pay a debt in between.
        if plan.held or plan.debit is not None:
            self._changed(wallet)
        if after[1] is not None and plan.credit != wallet.id:
            self._changed(self.facts.wallets[plan.credit])  # type: ignore[index]  # it has a balance
        if plan.fact:
            wallet.debt = max(wallet.debt, -wallet.available)
        return after

    def _move(self, account: int | None, amount: int) -> int | None:
        """Changes a wallet's running balance, or notes what an insert-only account receives."""
        if account is None:
            return None
        wallet = self.facts.wallets.get(account)
        if wallet is None:
            self.rows.received[account] = self.rows.received.get(account, 0) + amount
            return None
        wallet.balance += amount
        return wallet.balance

    def _changed(self, wallet: WalletFacts) -> None:
        self.rows.wallets.add(wallet.id)
        if wallet.debt:  # whatever comes in pays it first; only a fact can add to it
            wallet.debt = max(0, min(wallet.debt, -wallet.available))

    def _count(self, grant: GrantFacts, plan: Plan) -> None:
        grant.spent += plan.grant_spent
        grant.held += plan.grant_held
        if grant.limit is not None and (plan.fact or grant.overrun):
            over = max(0, grant.spent + grant.held - grant.limit)
            grant.overrun = over if plan.fact else min(grant.overrun, over)
        self.rows.grants.add(grant.id)

    def _remaining(self, grant: GrantFacts) -> int | None:
        """What a grant still allows, and all that it was made from; None without a limit."""
        if not grant.lineage:
            return grant.remaining
        return min((left for link in self.facts.chain(grant.id) if (left := link.remaining) is not None), default=None)

    def _note_promise(self, ask: Ask, plan: Plan, outcome: Outcome) -> None:
        """What the ask did to a hold, or to what is left of a charge."""
        if type(ask) is Charge:
            return
        if type(ask) is Hold:
            self._open(ask, plan, outcome.transfer_id)
        elif type(ask) is Capture:
            self._close(ask, "posted", ClosedHold(ask.wallet_id, ask.hold_id, "posted", plan.amount, None, ask.by))
        elif type(ask) is Release:
            self._close(ask, "released", ClosedHold(ask.wallet_id, ask.hold_id, "voided", 0, "released", ask.by))
        elif type(ask) is Refund:
            charge, place = self.facts.charges[ask.charge_id], (ask.wallet_id, ask.charge_id)
            written = self.rows.refunds.get(place)
            first = charge.refunded == 0 if written is None else written.first
            charge.refunded += plan.amount
            self.rows.refunds[place] = RefundRow(*place, charge.amount, charge.refunded, first)

    def _open(self, ask: Hold, plan: Plan, hold_id: int) -> None:
        expires_at = self.facts.now + timedelta(seconds=ask.ttl_s)
        self.rows.opened_holds.append(
            OpenedHold(
                ask.wallet_id,
                hold_id,
                ask.grant_id,
                ask.amount,
                ask.model,
                expires_at,
                ask.to_wallet_id,
                ask.asked_by,
                ask.app_name,
                ask.app_path,
                min(MAX_UNITS, usage_units(ask.usage)),
                _envelopes(plan),
            )
        )

    def _close(self, ask: Capture | Release, state: str, row: ClosedHold) -> None:
        self.facts.holds[ask.hold_id].state = state
        self.rows.closed_holds.append(row)

    def _journal(
        self,
        ask: Ask,
        outcome: Outcome,
        plan: Plan,
        debit_after: int | None = None,
        credit_after: int | None = None,
    ) -> None:
        row = TransferRow(  # of more than 15 names, Python makes a dictionary first: three go by place
            ask.wallet_id,
            outcome.transfer_id,
            KINDS[type(ask)],
            amount=outcome.amount,
            available_after=outcome.available,
            client=ask.client,
            key=ask.key,
            fingerprint=ask.fingerprint.hex(),
            refusal=outcome.refusal,
            debit_account=plan.debit,
            credit_account=plan.credit,
            debit_after=debit_after,
            credit_after=credit_after,
            grant_id=plan.grant_id,
            parent_id=plan.parent_id,
            remaining_after=outcome.remaining,
        )
        if plan.envelopes:
            row.envelope_ids = _envelopes(plan)
        row.stopped_by = outcome.stopped
        _describe(row, ask)
        self.rows.transfers.append(row)

    def _take_id(self) -> int:
        taken = self._next_id
        self._next_id += 1
        return taken


def reference_fingerprint(wallet_id: int, amount: int) -> bytes:
    """What makes two deposits under one reference the same deposit."""
    return b"%d:%d" % (wallet_id, amount)


def _envelopes(plan: Plan) -> tuple[int, ...] | None:
    return tuple([change.envelope_id for change in plan.envelopes]) if plan.envelopes else None


def _describe(row: TransferRow, ask: Ask) -> None:
    """Adds what the transfer was for."""
    if type(ask) is Charge or type(ask) is RecordUsage:
        _describe_use(row, ask)
        row.member_id, row.note = ask.member_id, ask.note
    elif type(ask) is Capture:
        _describe_use(row, ask)
        row.parent_id = ask.hold_id
    elif type(ask) is Hold:
        row.model = ask.model
    elif type(ask) is Release:
        row.parent_id = ask.hold_id
    elif type(ask) is Deposit:
        row.note = ask.note
        row.reference = ask.reference if row.refusal is None else None
    elif type(ask) is Refund:
        row.parent_id, row.note = ask.charge_id, ask.note
    elif type(ask) is Transfer:
        row.note = ask.note
    elif type(ask) is Record:
        row.parent_id = ask.envelope_id
        row.metadata = None if ask.metadata is None else msgspec.Raw(ask.metadata)


def _describe_use(row: TransferRow, ask: Charge | Capture | RecordUsage) -> None:
    row.provider_id = ask.provider_id
    row.model = ask.model
    if ask.usage is not None:
        _describe_usage(row, ask.usage)
    if ask.pricing is not None:
        row.price_id, row.markup_ppm = ask.pricing.price_id, ask.pricing.markup_ppm
        row.conversion = ask.pricing.conversion


def _describe_usage(row: TransferRow, usage: Usage) -> None:
    row.input_tokens = usage.input_tokens
    row.output_tokens = usage.output_tokens
    if usage.cached_input_tokens:
        row.cached_input_tokens = usage.cached_input_tokens
    if usage.cache_write_tokens:
        row.cache_write_tokens = usage.cache_write_tokens
    if usage.reasoning_tokens:
        row.reasoning_tokens = usage.reasoning_tokens
    if usage.calls:
        row.calls = usage.calls
    if usage.units:
        row.units = dict(usage.units)
