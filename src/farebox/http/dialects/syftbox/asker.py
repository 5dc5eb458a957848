"""The person who calls, as handlers are handed it."""

from litestar.di import NamedDependency
from msgspec import Struct

from farebox.identity.credentials import Member
from farebox.identity.people import Person


class Asker(Struct, frozen=True):
    """A person who calls, and how that person stands."""

    member: Member
    person: Person


TheAsker = NamedDependency[Asker]
