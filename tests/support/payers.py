"""People without HTTP: accounts whose password nobody types, and what they ask of the payments."""

import asyncio
import uuid

from msgspec import Struct

from farebox.identity.credentials import Member
from farebox.identity.people import NewPerson
from farebox.ledger.types import Deposit
from farebox.services import Services
from tests.support.ledgers import mark


class Party(Struct, eq=False):
    """Somebody with an account and a wallet."""

    member: Member

    @property
    def email(self) -> str:
        return self.member.email

    @property
    def wallet(self) -> int:
        return self.member.wallet_id


async def party(services: Services, units: int = 0) -> Party:
    """Somebody new, with money."""
    person, _ = await services.people.add("test", NewPerson(f"p{uuid.uuid4().hex}@example.org", "a password"), 0)
    found = Party(Member(person.id, person.email, person.wallet_id, person.password_version))
    if units:
        await pay_in(services, found, units)
    return found


async def parties(services: Services, count: int, units: int = 0) -> list[Party]:
    """Several; never more at once than may wait for their passwords to be hashed."""
    found: list[Party] = []
    while len(found) < count:
        some = min(64, count - len(found))
        found += await asyncio.gather(*(party(services, units) for _ in range(some)))
    return found


async def pay_in(services: Services, somebody: Party, units: int) -> None:
    """Money from outside, straight through the ledger."""
    outside = await services.accounts.external("test", "USD")
    ask = Deposit(
        client="test",
        key=uuid.uuid4().hex,
        fingerprint=mark(),
        wallet_id=somebody.wallet,
        source_account=outside,
        amount=units,
    )
    assert (await services.ledger.submit(ask)).refusal is None


async def available(services: Services, somebody: Party) -> int:
    """What can be spent."""
    return (await services.people.get(somebody.email)).available
