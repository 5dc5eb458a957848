"""Money into people's wallets: the initial credit, and what an administrator credits."""

from decimal import Decimal

import structlog
from asyncpg import Pool, Record

from farebox import ids
from farebox.charging.service import Charging, fingerprint, own_key
from farebox.errors import Problem
from farebox.identity.people import ASSET, NewPerson, People, Person
from farebox.identity.service import note
from farebox.identity.types import Principal
from farebox.ledger.batch import SYSTEM
from farebox.ledger.types import Deposit, Outcome
from farebox.money import to_units
from farebox.payments.types import SCALE
from farebox.wallets.accounts import Accounts

log = structlog.get_logger()


class Funding:
    """Signing people up, and crediting them."""

    def __init__(
        self, pool: "Pool[Record]", charging: Charging, accounts: Accounts, people: People, initial_credit_usd: str
    ) -> None:
        self._pool = pool
        self._charging = charging
        self._accounts = accounts
        self._people = people
        self._welcome_units = to_units(Decimal(initial_credit_usd), SCALE)

    async def register(self, actor: str, new: NewPerson) -> tuple[Person, str | None]:
        """A new person with the initial credit; and the password, where it was made here."""
        person, password = await self._people.add(actor, new, self._welcome_units)
        return await self.welcomed(person), password

    async def welcomed(self, person: Person) -> Person:
        """The person with the initial credit in the wallet, put there once; where that fails now, it is tried again."""
        if not person.welcome_units:
            return person
        try:
            outcome = await self._charging.submit(
                Deposit(
                    client=SYSTEM,
                    key=f"welcome:{person.id}",
                    fingerprint=fingerprint("person.welcome", person.id),
                    wallet_id=person.wallet_id,
                    source_account=await self._accounts.external("initial-credit", ASSET),
                    amount=person.welcome_units,
                    note="initial credit",
                )
            )
            if outcome.refusal is None:
                await self._people.welcomed(person.id)
        except Problem as error:
            log.warning("payments.welcome_failed", person=person.public_id, error=error.code)
        return await self._people.get(person.email)

    async def credit(
        self, principal: Principal, actor: str, key: str | None, person: Person, amount: int, reason: str = "credit"
    ) -> Outcome:
        """Money from outside into a person's wallet, by an administrator."""
        outcome = await self._charging.submit(
            Deposit(
                client=principal.client,
                key=key or own_key(),
                fingerprint=fingerprint("person.credit", person.id, amount, reason),
                credential_id=principal.credential_id,
                wallet_id=person.wallet_id,
                source_account=await self._accounts.external("credit", ASSET),
                amount=amount,
                note=reason,
            )
        )
        if outcome.refusal is None and not outcome.replayed:
            transfer = ids.transfer("dp", person.wallet_id, outcome.transfer_id)
            await note(self._pool, actor, "person.credit", person.public_id, amount=amount, transfer=transfer)
        return outcome
