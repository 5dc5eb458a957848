"""What the KNAI client sends. Unknown members are ignored, as its own server does."""

from typing import Annotated

from msgspec import Meta, Struct

from farebox.ledger.types import MAX_UNITS


class ChargeBody(Struct, frozen=True):
    """`POST /charge/authorize`: whole wallet tokens, computed by the provider."""

    amount_tokens: Annotated[int, Meta(gt=0, le=MAX_UNITS)]
    model: Annotated[str, Meta(min_length=1, max_length=200)]
