"""Who calls with an e-mail address and a password (HTTP Basic), with limits on guessing."""

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from farebox.errors import Problem, Unauthorized
from farebox.http.addresses import network_of
from farebox.http.limits import AddressLimit, RateLimit
from farebox.http.problem import problem_of
from farebox.identity import emails
from farebox.identity.credentials import Member, refused
from farebox.identity.people import People, Person
from farebox.settings import Settings

_BURST = 10


class Caller(Struct, frozen=True):
    """Somebody whose password was verified: just now, or a short time ago (`from_memory`)."""

    member: Member
    email: str
    password: str
    address: str
    from_memory: bool
    mark: bytes = b""
    """What stands for the pair of e-mail address and password in this process."""


class Callers:
    """Checks passwords.

    Guesses are counted by address, and by person and network: whoever guesses is slowed down, and nobody is locked out.
    The limits don't look at a password that was right within a day, nor at what comes from another network.
    Somebody unknown is answered as a wrong password is, in the same time (RULES 27).
    """

    def __init__(self, people: People, settings: Settings) -> None:
        self._people = people
        self._by_address = AddressLimit(settings.failures_per_address_s, settings.failures_per_address_s * 10)
        self._by_person = RateLimit(settings.failures_per_person_s, _BURST)
        self._requests = RateLimit(settings.requests_per_key_s)
        self.sign_ups = AddressLimit(settings.sign_ups_per_address_s, _BURST)
        """New people, by address."""
        self._verifying: dict[tuple[bytes, str], asyncio.Task[Member]] = {}

    async def remembered(self, header: str | None, address: str) -> Caller:
        """The caller, from memory where it can be: for asks that the ledger checks again.

        Raises Unauthorized, TooMany, Busy.
        """
        email, password = basic(header)
        mark = self._people.mark(email, password)
        known = self._people.remembered(mark)
        member = known or await self._verified(email, password, address)
        self._requests.take(member.client)
        return Caller(member, email, password, address, known is not None, mark)

    def again(self, before: Caller | None) -> Caller | None:
        """A caller whose head has come before, where the password is still remembered; raises TooMany."""
        if before is None or self._people.remembered(before.mark) is not before.member:
            return None
        self._requests.take(before.member.client)
        return before if before.from_memory else replace(before, from_memory=True)

    async def verified(self, email: str, password: str, address: str) -> Member:
        """The person whose password was verified just now. Raises Unauthorized, TooMany, Busy."""
        return await self._verified(email, password, address)

    async def by_another_proof(self, address: str, verify: Callable[[], Awaitable[Member]]) -> Member:
        """Whom `verify` finds by something that is no password; what fails counts with the address's other guesses.

        Raises TooMany, and what `verify` raises.
        """
        self._by_address.take(address)  # before it is verified: of many at once, no more than the limit are
        try:
            member = await verify()
        except Unauthorized:
            raise
        except BaseException:
            self._by_address.give_back(address)
            raise
        self._by_address.give_back(address)
        return member

    async def current(self, header: str | None, address: str) -> tuple[Caller, Person]:
        """The caller, whose password is the one now, and the person. Raises Unauthorized, TooMany, Busy."""
        caller = await self.remembered(header, address)
        person = await self._people.get(caller.email)
        if person.password_version == caller.member.password_version:
            return caller, person
        member = await self.anew(caller)
        return Caller(member, caller.email, caller.password, address, False), await self._people.get(caller.email)

    async def confirmed(self, caller: Caller | None, problem: Problem) -> Problem:
        """The problem to answer with, where the caller came from memory and the ledger was not asked."""
        if caller is None or not caller.from_memory or problem.status >= 500:
            return problem
        try:
            if await self._people.current(caller.email, caller.password) is None:
                await self.anew(caller)
        except Exception as error:
            return problem_of(error, "")
        return problem

    async def anew(self, caller: Caller) -> Member:
        """Verifies once more, where the password that was verified is another one by now."""
        self._people.forget(caller.email, caller.password)
        return await self._verified(caller.email, caller.password, caller.address)

    async def _verified(self, email: str, password: str, address: str) -> Member:
        """Verifies a pair; once, for all who send it from one address at the same time."""
        mark = (self._people.mark(email, password), address)
        task = self._verifying.get(mark)
        if task is None:
            task = self._verifying[mark] = asyncio.create_task(self._verify(email, password, address))
            task.add_done_callback(lambda done: self._ended(mark, done))
        return await asyncio.shield(task)

    async def _verify(self, email: str, password: str, address: str) -> Member:
        guess = f"{emails.known_as(email)} {network_of(address)}"
        counted = not self._people.knew(email, password)
        if counted:
            self._by_address.check(address)
            self._by_person.take(guess)  # before it is verified: of many at once, no more than the limit are
        member = await self._people.verify(email, password)
        if member is None:
            self._people.forget(email, password)  # what was right within a day is a guess by now
            self._by_address.take(address)
            raise refused()
        if counted:
            self._by_person.give_back(guess)
        return member

    def _ended(self, mark: tuple[bytes, str], task: "asyncio.Task[Member]") -> None:
        self._verifying.pop(mark, None)
        if not task.cancelled():
            task.exception()  # those who waited have it; where all have gone, nobody needs it


def basic(header: str | None) -> tuple[str, str]:
    """E-mail and password out of an Authorization header; raises Unauthorized where there are none."""
    kind, _, code = (header or "").partition(" ")
    if kind.lower() != "basic":
        raise refused()
    try:
        pair = base64.b64decode(code.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise refused() from None
    try:
        text = pair.decode()
    except UnicodeDecodeError:
        text = pair.decode("latin-1")  # what `requests` makes of a text
    email, colon, password = text.partition(":")
    if not colon:
        raise refused()
    return email, password
