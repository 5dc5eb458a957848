"""Payments between people against a model: in whatever order they are created, confirmed, cancelled, timed out and
revoked, nobody has less than nothing, and no money is made or lost."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine
from msgspec import Struct

from farebox.consent.delegations import Limits
from farebox.errors import Forbidden
from farebox.ledger.types import Refusal
from farebox.payments.types import CANCELLED, COMPLETED, PENDING, RECIPIENT, SENDER, NewPayment
from tests.support.databases import Databases
from tests.support.ledgers import Books, Runner, owner, running_services
from tests.support.payers import Party, available, parties, pay_in

amounts = st.integers(1, 60)
sides = st.sampled_from([SENDER, RECIPIENT])


class P(Struct, eq=False):
    """Somebody, with what is in the wallet."""

    party: Party
    balance: int = 0


class D(Struct, eq=False):
    """A token, on the payer's wallet."""

    payer: P
    holder: P
    token: str
    limit: int | None
    charge_limit: int | None
    above: "D | None"
    spent: int = 0
    held: int = 0
    revoked: bool = False

    def line(self) -> "list[D]":
        return [self] if self.above is None else [self, *self.above.line()]


class T(Struct, eq=False):
    """A payment."""

    id: int
    sender: P
    recipient: P
    amount: int
    drawn: D | None
    state: str = PENDING

    def on(self, side: str) -> P:
        return self.sender if side == SENDER else self.recipient


class PaymentsMachine(RuleBasedStateMachine):
    """Three people in plain Python, beside the same in PostgreSQL."""

    people, tokens, payments = Bundle("people"), Bundle("tokens"), Bundle("payments")

    def __init__(self, run: Runner, url: str) -> None:
        super().__init__()
        self.run, self.services, self.url = run, run.services, url
        self.all: list[P] = []
        self.all_payments: list[T] = []
        self.put_in = 0
        self.seeded = False

    @initialize(target=people, first=amounts, second=amounts)
    def three(self, first: int, second: int) -> Any:
        self.all = [P(found) for found in self.run(parties(self.services, 3))]
        self.deposit(self.all[0], first)
        self.deposit(self.all[1], second)
        return multiple(*self.all)

    @rule(person=people, units=amounts)
    def deposit(self, person: P, units: int) -> None:
        self.run(pay_in(self.services, person.party, units))
        person.balance += units
        self.put_in += units

    @precondition(lambda self: not self.seeded)
    @rule(target=tokens)
    def give_one_and_a_part_of_it(self) -> Any:
        """So that draws meet the bounds of a line often."""
        self.seeded = True
        payer, holder, other = self.all
        self.deposit(payer, 100)
        whole = self.give(payer, holder, 10, None)
        return multiple(whole, self.part(whole, other, 10))

    @rule(target=tokens, payer=people, holder=people, limit=st.none() | amounts, charge_limit=st.none() | amounts)
    def give(self, payer: P, holder: P, limit: int | None, charge_limit: int | None) -> Any:
        if payer is holder:
            return multiple()
        given = self.services.delegations.give(
            "test", payer.party.wallet, holder.party.wallet, Limits(limit, charge_limit)
        )
        return D(payer, holder, self.run(given)[1], limit, charge_limit, None)

    @rule(target=tokens, above=tokens, holder=people, limit=st.none() | amounts)
    def part(self, above: D, holder: P, limit: int | None) -> Any:
        wider = above.limit is not None and limit is not None and limit > above.limit
        ended = any(link.revoked for link in above.line())
        if holder is above.payer or len(above.line()) == 5:
            return multiple()
        part = self.services.delegations.narrow(
            "test", above.token, above.holder.party.wallet, holder.party.wallet, Limits(limit)
        )
        if wider or ended:
            with pytest.raises(Forbidden):
                self.run(part)
            return multiple()
        token = self.run(part)[1]
        return D(above.payer, holder, token, above.limit if limit is None else limit, above.charge_limit, above)

    @rule(token=tokens)
    def revoke(self, token: D) -> None:
        query = "SELECT id FROM grants WHERE token_hash = sha256($1::bytea)"
        number = self.run(self.services.pool.fetchval(query, token.token.encode()))
        self.run(self.services.delegations.revoke("test", number, token.payer.party.wallet))
        token.revoked = True

    @rule(target=payments, sender=people, recipient=people, amount=amounts)
    def create(self, sender: P, recipient: P, amount: int) -> Any:
        if sender is recipient:
            return multiple()
        expected = None if amount <= self.free(sender) else Refusal.INSUFFICIENT_BALANCE
        return self._created(sender, sender, recipient, amount, None, expected)

    @rule(target=payments, token=tokens, amount=st.integers(1, 8) | amounts)
    def draw(self, token: D, amount: int) -> Any:
        return self._created(token.holder, token.payer, token.holder, amount, token, self._refusal(token, amount))

    def _refusal(self, token: D, amount: int) -> Refusal | None:
        line = token.line()
        if any(link.revoked for link in line):
            return Refusal.GRANT_REVOKED
        if any(link.charge_limit is not None and amount > link.charge_limit for link in line):
            return Refusal.CHARGE_LIMIT_EXCEEDED
        if any(link.limit is not None and amount > link.limit - link.spent - link.held for link in line):
            return Refusal.GRANT_LIMIT_EXCEEDED
        return None if amount <= self.free(token.payer) else Refusal.INSUFFICIENT_BALANCE

    def _created(
        self, caller: P, sender: P, recipient: P, amount: int, token: D | None, expected: Refusal | None
    ) -> Any:
        new = NewPayment(
            sender.party.email, recipient.party.email, amount, token=None if token is None else token.token
        )
        payment, outcome = self.run(self.services.payments.create(caller.party.member, new, None))
        assert outcome.refusal is expected
        if payment is None:
            return multiple()
        found = T(payment.id, sender, recipient, amount, token)
        self.all_payments.append(found)
        self._count(found, held=amount)
        return found

    def _count(self, payment: T, *, held: int = 0, spent: int = 0) -> None:
        for link in [] if payment.drawn is None else payment.drawn.line():
            link.held += held
            link.spent += spent

    @rule(payment=payments)
    def time_out(self, payment: T) -> None:
        if payment.state == PENDING:
            self.run(expire(self.url, payment.id))
            payment.state = "timed out"
            self._count(payment, held=-payment.amount)

    @rule(payment=payments, side=sides)
    def confirm(self, payment: T, side: str) -> None:
        asked = self.services.payments.confirm(payment.on(side).party.member, payment.id)
        if side != (SENDER if payment.drawn is None else RECIPIENT):
            with pytest.raises(Forbidden):
                self.run(asked)
            return
        found, outcome = self.run(asked)
        expected = {"timed out": Refusal.HOLD_EXPIRED, CANCELLED: Refusal.HOLD_CLOSED}.get(payment.state)
        assert outcome.refusal is expected
        if payment.state == PENDING:
            payment.state = COMPLETED
            payment.sender.balance -= payment.amount
            payment.recipient.balance += payment.amount
            self._count(payment, held=-payment.amount, spent=payment.amount)
        assert found.status == (COMPLETED if payment.state == COMPLETED else CANCELLED)

    @rule(payment=payments, side=sides)
    def cancel(self, payment: T, side: str) -> None:
        asked = self.services.payments.cancel(payment.on(side).party.member, payment.id)
        if side == SENDER and payment.drawn is not None:
            with pytest.raises(Forbidden):
                self.run(asked)
            return
        found, outcome = self.run(asked)
        assert outcome.refusal is (Refusal.HOLD_CLOSED if payment.state == COMPLETED else None)
        if payment.state == PENDING:
            payment.state = CANCELLED
            self._count(payment, held=-payment.amount)
        assert found.status == (COMPLETED if payment.state == COMPLETED else CANCELLED)
        assert (found.resolved_by == "system") == (payment.state == "timed out")

    def free(self, person: P) -> int:
        held = sum(one.amount for one in self.all_payments if one.sender is person and one.state == PENDING)
        return person.balance - held

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        for person in self.all:
            assert self.run(available(self.services, person.party)) == self.free(person) >= 0
        assert sum(person.balance for person in self.all) == self.put_in

    def teardown(self) -> None:
        report = self.run(Books(self.services, 0, "", 0, 0).audit())
        assert report.clean, report.differences


async def expire(url: str, number: int) -> None:
    """A payment's time is over; nobody has touched its wallet yet."""
    conn = await owner(url)
    await conn.execute("UPDATE holds SET expires_at = now() - interval '1 second' WHERE id = $1", number)
    await conn.close()


def follow(postgres: Databases, examples: int, steps: int) -> None:
    url = postgres.url(postgres.fresh())
    with running_services(url, sweep_interval_s=3600) as run:
        found = settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=list(HealthCheck)
        )
        run_machine(lambda: PaymentsMachine(run, url), settings=found)  # type: ignore[arg-type]  # a maker will do


def test_payments_follow_the_model(postgres: Databases) -> None:
    follow(postgres, examples=25, steps=30)


@pytest.mark.slow
def test_payments_follow_the_model_for_long(postgres: Databases) -> None:
    follow(postgres, examples=400, steps=60)
