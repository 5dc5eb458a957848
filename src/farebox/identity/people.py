"""People: accounts with an e-mail address, a password and a wallet."""

from collections import OrderedDict
from datetime import datetime

import asyncpg
from asyncpg import Pool, Record
from msgspec import Struct

from farebox import ids
from farebox.db import queries
from farebox.db.queries import Connection
from farebox.errors import Conflict, NotFound, Unauthorized
from farebox.identity import emails
from farebox.identity.credentials import Credentials, Member, refused
from farebox.identity.passwords import MAX_BYTES, Passwords, check_password, new_password
from farebox.identity.service import note

_SQL = queries.load("farebox.identity", "people.sql")
_REMEMBERED = 100_000
_PAGE = 1000
ASSET = "USD"


class Person(Struct, frozen=True):
    """A person as it stands. `available` is what can be spent, in units of USD."""

    id: int
    email: str
    organization: str | None
    wallet_id: int
    password_version: int
    welcome_units: int
    created_at: datetime
    available: int

    @property
    def public_id(self) -> str:
        return ids.public("us", self.id)


class NewPerson(Struct, frozen=True):
    """Somebody who wants an account; a password is made where none is given."""

    email: str
    password: str | None = None
    organization: str | None = None


async def sealed(conn: Connection, seal: tuple[int, int]) -> None:
    """Raises Unauthorized where the password that was verified is another one by now; it can't change before the end
    of the connection's transaction."""
    if await _SQL.sealed.value(conn, id=seal[0], password_version=seal[1]) is None:
        raise refused()


class People:
    """The people of one database."""

    def __init__(self, pool: "Pool[Record]", passwords: Passwords, credentials: Credentials) -> None:
        self._pool = pool
        self._passwords = passwords
        self._credentials = credentials
        self._wallets: OrderedDict[str, int] = OrderedDict()

    async def add(self, actor: str, new: NewPerson, welcome_units: int) -> tuple[Person, str | None]:
        """A new account, and the password where it was made here; Conflict where the address is taken."""
        email = emails.normalised(new.email)
        if new.password is not None:
            check_password(new.password, "password")
        password = new.password or new_password()
        kept = await self._passwords.hash(password)
        async with self._pool.acquire() as conn, conn.transaction():
            row: Record | None = None
            while row is None:  # a wallet's number that is taken is drawn again
                try:
                    row = await _SQL.add_person.first(
                        conn,
                        wallet_id=ids.new_wallet_id(),
                        asset=ASSET,
                        email=email,
                        person_email=email,
                        organization=new.organization,
                        password_hash=kept,
                        welcome_units=welcome_units,
                    )
                except asyncpg.UniqueViolationError:
                    raise Conflict("a user with this e-mail address exists", "email_taken") from None
            await note(conn, actor, "person.add", ids.public("us", row["id"]), wallet=str(row["wallet_id"]))
        self._credentials.put(email, password, Member(row["id"], email, row["wallet_id"], row["password_version"]))
        return await self.get(email), None if new.password is not None else password

    async def get(self, email: str) -> Person:
        """A person by e-mail address; NotFound where there is none."""
        row = await _SQL.person_by_email.first(self._pool, email=emails.known_as(email))
        if row is None:
            raise NotFound("there is no such user")
        return Person(**row)

    async def by_id(self, person_id: int) -> Person:
        """A person by number; NotFound where there is none."""
        row = await _SQL.person_by_id.first(self._pool, id=person_id)
        if row is None:
            raise NotFound("there is no such person")
        return Person(**row)

    async def page(self, after: int, limit: int, email: str | None = None) -> list[Person]:
        """People in the order of their numbers, from above `after`; with an address, only who has it."""
        if email is None:
            rows = await _SQL.people_page.all(self._pool, after=after, limit=limit)
        else:
            rows = await _SQL.person_by_email.all(self._pool, email=emails.known_as(email))
        return [Person(**row) for row in rows if row["id"] > after]

    async def everybody(self) -> list[Person]:
        """All of them, in the order of their numbers."""
        found: list[Person] = []
        while page := await self.page(found[-1].id if found else 0, _PAGE):
            found += page
        return found

    async def wallet_of(self, email: str) -> int:
        """The wallet of a person, which is always the same one; NotFound where there is no such person."""
        known_as = emails.known_as(email)
        known = self._wallets.get(known_as)
        if known is None:
            known = await _SQL.wallet_of.value(self._pool, email=known_as)
            if known is None:
                raise NotFound("there is no user with this e-mail address")
            self._wallets[known_as] = known
            if len(self._wallets) > _REMEMBERED:
                self._wallets.popitem(last=False)
        return known

    def remembered(self, mark: bytes) -> Member | None:
        """Whose password a marked one was a moment ago. Only for asks that the ledger checks again."""
        return self._credentials.get(mark)

    def knew(self, email: str, password: str) -> bool:
        """Whether this was somebody's password within a day."""
        return self._credentials.knew(emails.known_as(email), password)

    def mark(self, email: str, password: str) -> bytes:
        """What stands for a pair in this process."""
        return self._credentials.mark(emails.known_as(email), password)

    async def current(self, email: str, password: str) -> Person | None:
        """The person, where the password is remembered and still the one; None: it has to be verified."""
        member = self.remembered(self.mark(email, password))
        if member is None:
            return None
        person = await self.get(email)
        if person.password_version == member.password_version:
            return person
        self.forget(email, password)
        return None

    async def verify(self, email: str, password: str) -> Member | None:
        """The person with this password; None for a wrong one and, in the same time, for nobody."""
        known_as = emails.known_as(email)
        if len(password) > MAX_BYTES:
            return None
        with self._passwords.place():
            row = await _SQL.secret_of.first(self._pool, email=known_as)
            matched = await self._passwords.matches(None if row is None else row["password_hash"], password)
        if row is None or not matched:
            return None
        member = Member(row["id"], row["email"], row["wallet_id"], row["password_version"])
        self._credentials.put(known_as, password, member)
        return member

    def forget(self, email: str, password: str) -> None:
        """What was remembered of a pair that holds no more."""
        self._credentials.forget(emails.known_as(email), password)

    async def change_password(self, member: Member, old: str, new: str) -> Person:
        """Another password; whatever was verified with the old one ends at once, on every node."""
        check_password(new, "newPassword")
        verified = await self.verify(member.email, old)
        if verified is None:
            raise Unauthorized("the old password is not the one", "wrong_password")
        kept = await self._passwords.hash(new)
        async with self._pool.acquire() as conn, conn.transaction():
            version = await _SQL.change_password.value(
                conn, id=member.id, password_hash=kept, password_version=verified.password_version
            )
            if version is None:
                raise Conflict("the password was changed by another call just now", "conflict")
            await note(conn, member.client, "person.password", ids.public("us", member.id))
        self.forget(member.email, old)
        return await self.get(member.email)

    async def change_organization(self, member: Member, organization: str | None) -> Person:
        """Another organization, or none."""
        async with self._pool.acquire() as conn, conn.transaction():
            await sealed(conn, member.seal)
            await _SQL.change_organization.run(conn, id=member.id, organization=organization)
            await note(conn, member.client, "person.organization", ids.public("us", member.id))
        return await self.get(member.email)

    async def welcomed(self, person_id: int) -> None:
        """The initial credit is in the wallet."""
        await _SQL.welcomed.run(self._pool, id=person_id)
