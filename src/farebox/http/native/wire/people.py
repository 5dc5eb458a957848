"""People: accounts with an e-mail address, a password and a wallet in USD."""

from typing import Annotated

from msgspec import Meta, Struct

from farebox.http.native.wire.fields import Body, Moment, Name, Note, Units

Email = Annotated[str, Meta(min_length=1, max_length=320, description="Compared without regard to case.")]


class NewPerson(Body, frozen=True):
    email: Email
    password: Annotated[
        Annotated[str, Meta(min_length=8, max_length=1024)] | None, Meta(description="None: one is made.")
    ] = None
    organization: Name | None = None


class NewCredit(Body, frozen=True):
    amount: Units
    note: Note | None = None


class PersonView(Struct, frozen=True):
    id: str
    email: str
    organization: str | None
    wallet: Annotated[str, Meta(description="The number of their wallet, which is in USD.")]
    available: Annotated[int, Meta(description="What can still be spent, in units of USD.")]
    created_at: Moment


class MadePerson(PersonView, frozen=True, kw_only=True):
    password: Annotated[str | None, Meta(description="Where it was made here. It is shown this once.")]
