"""What SyftBox accounting clients send and are sent. Amounts are USD as JSON numbers, read and written digit by digit.

Unknown members are ignored, as its own server does.
"""

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Raw, Struct

from farebox import ids
from farebox.errors import BadRequest, Invalid
from farebox.identity.people import Person
from farebox.ledger.types import MAX_UNITS
from farebox.money import ones, parse_decimal, to_units
from farebox.payments.types import SCALE, Payment

Email = Annotated[str, Meta(min_length=1, max_length=320)]
Organization = Annotated[str, Meta(max_length=200)]
Token = Annotated[str, Meta(min_length=1, max_length=200)]

_LONGEST_NUMBER = 400


class NewUser(Struct, frozen=True):
    """`POST /user/create`."""

    email: Email
    password: str | None = None
    organization: Organization | None = None


class NewPassword(Struct, frozen=True, rename="camel"):
    """`PUT /user/update-password`."""

    old_password: str
    new_password: str


class NewOrganization(Struct, frozen=True):
    """`PUT /user/update-organization`."""

    organization: Organization | None


class NewTransaction(Struct, frozen=True, rename="camel"):
    """`POST /transaction/create`."""

    sender_email: Email
    recipient_email: Email
    amount: Raw
    app_name: Annotated[str, Meta(max_length=200)] | None = None
    app_ep_path: Annotated[str, Meta(max_length=1000)] | None = None
    token: Token | None = None


class TransactionId(Struct, frozen=True, rename="camel"):
    """`POST /transaction/confirm` and `/transaction/cancel`."""

    transaction_id: Annotated[str, Meta(max_length=64)]


class NewBalance(Struct, frozen=True, rename="camel"):
    """`POST /user/add-balance`."""

    recipient_email: Email
    amount: Raw


class User(Struct, frozen=True):
    """A person; `balance` is what can still be spent."""

    id: str
    email: str
    balance: Raw
    organization: str | None


class Transaction(Struct, frozen=True, rename="camel"):
    """A payment."""

    id: str
    sender_email: str
    recipient_email: str
    created_by: str
    resolved_by: str | None
    amount: Raw
    status: str
    created_at: datetime
    resolved_at: datetime | None
    app_name: str | None
    app_ep_path: str | None


def units_of(number: Raw, field: str = "amount") -> int:
    """The units of an amount above zero; raises Invalid for what is none, BadRequest for a number beyond all range."""
    text = bytes(number).decode()
    if len(text) > _LONGEST_NUMBER and text[0] not in '"[{':
        raise BadRequest("a number is out of any range", "malformed_json")
    try:
        units = to_units(parse_decimal(text), SCALE)
    except ValueError:
        raise Invalid.field(field, "a number of dollars with at most 6 decimals") from None
    if not 0 < units <= MAX_UNITS:
        raise Invalid.field(field, "above zero, and no more than a wallet can hold")
    return units


def user(person: Person) -> User:
    """A person as it is sent. Of a wallet in debt nothing can be spent."""
    return User(person.public_id, person.email, usd(max(0, person.available)), person.organization)


def transaction(payment: Payment) -> Transaction:
    """A payment as it is sent."""
    return Transaction(
        id=ids.public("tx", payment.id),
        sender_email=payment.sender,
        recipient_email=payment.recipient,
        created_by=payment.asked_by.upper(),
        resolved_by=None if payment.resolved_by is None else payment.resolved_by.upper(),
        amount=usd(payment.amount),
        status=payment.status.upper(),
        created_at=payment.created_at,
        resolved_at=payment.resolved_at,
        app_name=payment.app_name,
        app_ep_path=payment.app_path,
    )


def usd(units: int) -> Raw:
    """An amount as it is sent: a JSON number, exact."""
    return Raw(ones(units, SCALE).encode())
