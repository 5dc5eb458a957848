"""What the CONXA client sends. Unknown members are ignored, as its own server does."""

from typing import Annotated

from msgspec import Meta, Struct

from farebox.ledger.types import MAX_UNITS

Tokens = Annotated[int, Meta(ge=0, le=MAX_UNITS)]


class ChargeBody(Struct, frozen=True):
    """`POST /charge/authorize`: the tokens of one AI request."""

    model_name: Annotated[str, Meta(min_length=1, max_length=200)]
    input_tokens: Tokens
    output_tokens: Tokens
