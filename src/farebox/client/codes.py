"""What a connection's QR code says: its text, made and read exactly. Drawing it takes a QR library of your choice."""

from decimal import Decimal
from typing import Any

import msgspec

_exact = msgspec.json.Encoder(decimal_format="number")


def text(
    provider: str, provider_username: str, *, limit: int | str | Decimal | None = None, provider_type: str = "api"
) -> str:
    """The text of the code that asks a payer to connect.

    `limit` is in whole TOKENs, exact, and optional. Raises TypeError for a float and ValueError for what is no limit.
    """
    code: dict[str, Any] = {
        "provider_id": provider,
        "provider_type": provider_type,
        "provider_username": provider_username,
    }
    if limit is not None:
        code["limit"] = _limit(limit)
    return _exact.encode(code).decode()


def read(code: str) -> dict[str, msgspec.Raw]:
    """The members of a scanned code, each as it stands in it; ValueError where it is none."""
    try:
        return msgspec.json.decode(code, type=dict[str, msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeError):
        raise ValueError("this is no connection request: it holds something else than a provider's JSON") from None


def _limit(limit: int | str | Decimal) -> Decimal:
    if isinstance(limit, bool | float):
        raise TypeError("a limit is exact: give an integer, a string or a Decimal")
    try:
        exact = Decimal(limit)
    except ArithmeticError:
        raise ValueError("a limit is a number of tokens") from None
    if not exact.is_finite() or exact <= 0:
        raise ValueError("a limit is a number of tokens above zero")
    return Decimal(f"{exact:f}")  # without an exponent
