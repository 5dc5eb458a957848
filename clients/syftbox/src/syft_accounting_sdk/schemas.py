"""What the clients give back. Amounts are USD: floats, as documented, and exact beside them; times carry a time zone.

No sum is ever made of the floats here.
"""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Self


class _Model:
    """What both have in common with the published ones."""

    def model_dump(self) -> dict[str, Any]:
        """The members by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def model_dump_json(self) -> str:
        """The members as JSON."""
        return json.dumps(self.model_dump(), default=lambda value: value.isoformat())

    def __repr__(self) -> str:
        lines = (f"  {name + ':':<15} {value}" for name, value in self.model_dump().items())
        return "\n".join([type(self).__name__, *lines])


@dataclass(kw_only=True, repr=False)
class User(_Model):
    """A person with an account."""

    id: str
    email: str
    balance: float
    """What can still be spent."""
    organization: str | None = None

    @property
    def exact_balance(self) -> Decimal:
        """`balance`, to the last of its six decimals."""
        return exact(self.balance)

    def __str__(self) -> str:
        return f"User(id={self.id}, email={self.email}, balance={self.balance})"

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Of an answer's member; more members than are known here are passed over."""
        return cls(
            id=body["id"],
            email=body["email"],
            balance=float(body["balance"]),
            organization=body.get("organization"),
        )


class CreatorType(str, Enum):  # noqa: UP042  # its str() is the published one's
    """Who created or resolved a transaction."""

    SYSTEM = "SYSTEM"
    SENDER = "SENDER"
    RECIPIENT = "RECIPIENT"


class TransactionStatus(str, Enum):  # noqa: UP042
    """What became of a transaction."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(kw_only=True, repr=False)
class Transaction(_Model):
    """A payment: while it is pending, its amount is held."""

    id: str
    senderEmail: str
    recipientEmail: str
    createdBy: CreatorType
    resolvedBy: CreatorType | None = None
    amount: float
    status: TransactionStatus
    createdAt: datetime
    resolvedAt: datetime | None = None
    appName: str | None = None
    appEpPath: str | None = None

    @property
    def exact_amount(self) -> Decimal:
        """`amount`, to the last of its six decimals."""
        return exact(self.amount)

    def __str__(self) -> str:
        return (
            f"Transaction(id={self.id}, from={self.senderEmail}, "
            f"to={self.recipientEmail}, amount={self.amount}, status={self.status})"
        )

    @classmethod
    def of(cls, body: dict[str, Any]) -> Self:
        """Of an answer's member; more members than are known here are passed over."""
        resolved_by, resolved_at = body.get("resolvedBy"), body.get("resolvedAt")
        return cls(
            id=body["id"],
            senderEmail=body["senderEmail"],
            recipientEmail=body["recipientEmail"],
            createdBy=CreatorType(body["createdBy"]),
            resolvedBy=None if resolved_by is None else CreatorType(resolved_by),
            amount=float(body["amount"]),
            status=TransactionStatus(body["status"]),
            createdAt=datetime.fromisoformat(body["createdAt"]),
            resolvedAt=None if resolved_at is None else datetime.fromisoformat(resolved_at),
            appName=body.get("appName"),
            appEpPath=body.get("appEpPath"),
        )


def exact(amount: float) -> Decimal:
    """The decimal that a float stands for: its shortest text, not its binary digits."""
    return Decimal(repr(amount))
