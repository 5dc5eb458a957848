"""The ledger against a model: any sequence of asks, on a real database, gives what a page of arithmetic says."""

import itertools
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from msgspec import Struct

from farebox.db import pool
from farebox.ledger.batcher import Ledger
from farebox.ledger.types import (
    Capture,
    Charge,
    Deposit,
    Hold,
    Outcome,
    RecordUsage,
    Refund,
    Refusal,
    Release,
    Transfer,
)
from farebox.services import Services
from tests.support.databases import Databases
from tests.support.ledgers import Books, Runner, owner, running_services

amounts = st.integers(1, 60)
_keys = itertools.count()


class W(Struct, eq=False):
    id: int
    balance: int = 0


class G(Struct, eq=False):
    id: int
    wallet: W
    limit: int | None
    charge_limit: int | None
    spent: int = 0
    revoked: bool = False


class H(Struct, eq=False):
    id: int
    grant: G
    amount: int
    state: str = "open"


class C(Struct, eq=False):
    id: int
    grant: G
    left: int


class LedgerMachine(RuleBasedStateMachine):
    """Wallets, grants, holds and charges in plain Python, beside the same in PostgreSQL."""

    wallets, grants, holds, charges, asked = (
        Bundle("wallets"),
        Bundle("grants"),
        Bundle("holds"),
        Bundle("charges"),
        Bundle("asked"),
    )

    def __init__(self, run: Runner, books: Books, url: str, elsewhere: Ledger) -> None:
        super().__init__()
        self.run, self.books, self.url = run, books, url
        self.elsewhere = elsewhere
        self.all_wallets: list[W] = []
        self.all_grants: list[G] = []
        self.all_holds: list[H] = []
        self.put_in = 0
        self.earned = 0

    # The model's arithmetic

    def held(self, wallet: W) -> int:
        return sum(hold.amount for hold in self.all_holds if hold.grant.wallet is wallet and hold.state == "open")

    def free_expired(self, wallet: W) -> None:
        for hold in self.all_holds:
            if hold.grant.wallet is wallet and hold.state == "due":
                hold.state = "expired"

    def promised(self, grant: G) -> int:
        return sum(hold.amount for hold in self.all_holds if hold.grant is grant and hold.state in ("open", "due"))

    def draw(self, grant: G, amount: int) -> Refusal | None:
        self.free_expired(grant.wallet)
        if grant.revoked:
            return Refusal.GRANT_REVOKED
        if grant.charge_limit is not None and amount > grant.charge_limit:
            return Refusal.CHARGE_LIMIT_EXCEEDED
        if grant.limit is not None and grant.spent + self.promised(grant) + amount > grant.limit:
            return Refusal.GRANT_LIMIT_EXCEEDED
        if grant.wallet.balance - self.held(grant.wallet) < amount:
            return Refusal.INSUFFICIENT_BALANCE
        return None

    def ask(self, expected: Refusal | None, kind: type[Any], **given: Any) -> Outcome:
        outcome = self.run(self.books.ask(kind, **given))
        assert outcome.refusal is expected, (kind, given, outcome)
        return outcome

    # Rules

    @initialize(target=wallets, first=amounts, second=amounts)
    def open_two(self, first: int, second: int) -> Any:
        return multiple(self._wallet(first), self._wallet(second))

    def _wallet(self, units: int) -> W:
        wallet = W(self.run(self.books.wallet()))
        self.all_wallets.append(wallet)
        self.deposit(wallet, units)
        return wallet

    @rule(wallet=wallets, units=amounts)
    def deposit(self, wallet: W, units: int) -> None:
        self.free_expired(wallet)
        self.ask(None, Deposit, wallet_id=wallet.id, source_account=self.books.outside, amount=units)
        wallet.balance += units
        self.put_in += units

    @rule(target=grants, wallet=wallets, limit=st.none() | amounts, charge_limit=st.none() | amounts)
    def grant(self, wallet: W, limit: int | None, charge_limit: int | None) -> G:
        grant = G(self.run(self.books.grant(wallet.id, limit, charge_limit)), wallet, limit, charge_limit)
        self.all_grants.append(grant)
        return grant

    @rule()
    def ask_elsewhere(self) -> None:
        """From here on, another process is asked, which knows nothing of what this one has done since."""
        self.books.door, self.elsewhere = self.elsewhere, self.books.door

    @rule(grant=grants)
    def revoke(self, grant: G) -> None:
        self.run(self.books.services.consent.revoke("test", grant.id))
        grant.revoked = True

    @rule(target=charges, grant=grants, amount=amounts)
    def charge(self, grant: G, amount: int) -> Any:
        expected = self.draw(grant, amount)
        outcome = self.ask(expected, Charge, **self._billed(grant), amount=amount)
        if expected is not None:
            return multiple()
        return self._took(grant, amount, outcome)

    @rule(target=charges, grant=grants, amount=amounts)
    def record_usage(self, grant: G, amount: int) -> C:
        self.free_expired(grant.wallet)
        return self._took(grant, amount, self.ask(None, RecordUsage, **self._billed(grant), amount=amount))

    def _billed(self, grant: G) -> dict[str, Any]:
        return {
            "wallet_id": grant.wallet.id,
            "grant_id": grant.id,
            "provider_id": self.books.provider_id,
            "revenue_account": self.books.revenue,
        }

    def _took(self, grant: G, amount: int, outcome: Outcome) -> C:
        grant.wallet.balance -= amount
        grant.spent += amount
        self.earned += amount
        assert outcome.available == grant.wallet.balance - self.held(grant.wallet)
        return C(outcome.transfer_id, grant, amount)

    @rule(target=holds, grant=grants, amount=amounts)
    def hold(self, grant: G, amount: int) -> Any:
        expected = self.draw(grant, amount)
        given = {"wallet_id": grant.wallet.id, "grant_id": grant.id, "amount": amount, "ttl_s": 3600}
        outcome = self.ask(expected, Hold, **given)
        if expected is not None:
            return multiple()
        hold = H(outcome.transfer_id, grant, amount)
        self.all_holds.append(hold)
        return hold

    @rule(hold=holds)
    def time_passes(self, hold: H) -> None:
        """The hold's time is over; nobody has touched its wallet yet."""
        if hold.state == "open":
            self.run(self._expire(hold.id))
            hold.state = "due"

    async def _expire(self, hold_id: int) -> None:
        conn = await owner(self.url)
        await conn.execute("UPDATE holds SET expires_at = now() - interval '1 second' WHERE id = $1", hold_id)
        await conn.close()

    def end_hold(self, hold: H) -> Refusal | None:
        self.free_expired(hold.grant.wallet)
        return {"open": None, "expired": Refusal.HOLD_EXPIRED}.get(hold.state, Refusal.HOLD_CLOSED)

    @rule(target=charges, hold=holds, amount=st.none() | amounts)
    def capture(self, hold: H, amount: int | None) -> Any:
        expected = self.end_hold(hold)
        taken = hold.amount if amount is None else amount
        if expected is None and taken > hold.amount:
            expected = Refusal.CAPTURE_EXCEEDS_HOLD
        outcome = self.ask(expected, Capture, **self._billed(hold.grant), hold_id=hold.id, amount=amount)
        if expected is not None:
            return multiple()
        hold.state = "captured"
        return self._took(hold.grant, taken, outcome)

    @rule(hold=holds)
    def release(self, hold: H) -> None:
        expected = self.end_hold(hold)
        given = {"wallet_id": hold.grant.wallet.id, "grant_id": hold.grant.id, "hold_id": hold.id}
        self.ask(expected, Release, **given)
        if expected is None:
            hold.state = "released"

    @rule(charge=charges, amount=st.none() | amounts)
    def refund(self, charge: C, amount: int | None) -> None:
        self.free_expired(charge.grant.wallet)
        back = charge.left if amount is None else amount
        expected = Refusal.REFUND_EXCEEDS_CHARGE if back > charge.left or not charge.left else None
        self.ask(
            expected,
            Refund,
            wallet_id=charge.grant.wallet.id,
            grant_id=charge.grant.id,
            charge_id=charge.id,
            revenue_account=self.books.revenue,
            amount=amount,
        )
        if expected is None:
            charge.left -= back
            charge.grant.wallet.balance += back
            charge.grant.spent -= back
            self.earned -= back

    @rule(payer=wallets, payee=wallets, amount=amounts)
    def transfer(self, payer: W, payee: W, amount: int) -> None:
        if payer is payee:
            return
        self.free_expired(payer)
        self.free_expired(payee)
        enough = payer.balance - self.held(payer) >= amount
        expected = None if enough else Refusal.INSUFFICIENT_BALANCE
        self.ask(expected, Transfer, wallet_id=payer.id, to_wallet_id=payee.id, amount=amount)
        if enough:
            payer.balance -= amount
            payee.balance += amount

    @rule(target=asked, grant=grants, amount=amounts)
    def charge_with_a_key(self, grant: G, amount: int) -> Any:
        expected = self.draw(grant, amount)
        key = {"key": f"kept{next(_keys)}", "fingerprint": b"f" * 16}
        outcome = self.ask(expected, Charge, **self._billed(grant), amount=amount, **key)
        if expected is None:
            self._took(grant, amount, outcome)
        return (grant, amount, key, outcome)

    @rule(was=asked)
    def ask_again(self, was: Any) -> None:
        grant, amount, key, outcome = was
        self.free_expired(grant.wallet)
        again = self.ask(outcome.refusal, Charge, **self._billed(grant), amount=amount, **key)
        assert again.replayed
        assert (again.transfer_id, again.available) == (outcome.transfer_id, outcome.available)

    @rule(was=consumes(asked))
    def ask_something_else_under_the_key(self, was: Any) -> None:
        grant, amount, key, _ = was
        self.free_expired(grant.wallet)
        other = key | {"fingerprint": b"g" * 16}
        self.ask(Refusal.KEY_REUSED, Charge, **self._billed(grant), amount=amount, **other)

    # What must always hold

    @invariant()
    def wallets_are_what_the_model_says(self) -> None:
        for wallet in self.all_wallets:
            found = self.run(self.books.services.wallets.get(wallet.id))
            held = self.held(wallet) + sum(
                hold.amount for hold in self.all_holds if hold.grant.wallet is wallet and hold.state == "due"
            )
            assert (found.balance, found.held) == (wallet.balance, held)
            assert found.debt == max(0, held - wallet.balance)

    @invariant()
    def money_is_neither_made_nor_lost(self) -> None:
        assert sum(wallet.balance for wallet in self.all_wallets) + self.earned == self.put_in

    def teardown(self) -> None:
        report = self.run(self.books.audit())
        assert report.clean, report.differences


def run_machine(postgres: Databases, examples: int, steps: int) -> None:
    url = postgres.url(postgres.fresh())
    with running_services(url, sweep_interval_s=3600) as run:
        elsewhere = run(another_ledger(url, run.services))

        def machine() -> LedgerMachine:
            return LedgerMachine(run, run(Books.open(run.services)), url, elsewhere)

        run_state_machine_as_test(
            machine,  # type: ignore[arg-type]  # a maker of machines is as good as a class of them
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
        assert run.services.ledger.short
        assert elsewhere.short
        run(elsewhere.close())


async def another_ledger(url: str, services: Services) -> Ledger:
    """One of another process."""
    return Ledger(lambda: pool.connect(url, services.settings))


def test_ledger_follows_the_model(postgres: Databases) -> None:
    run_machine(postgres, examples=40, steps=30)
