"""Tokens: what somebody may draw for himself. More than the published clients ask for: bounds, parts, lists, an end."""

from datetime import datetime
from typing import Annotated, Any

from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta, Raw, Struct

from farebox import ids
from farebox.consent.delegations import Delegation, Limits
from farebox.errors import NotFound
from farebox.http.depends import TheServices
from farebox.http.dialects.syftbox import wire
from farebox.http.dialects.syftbox.asker import TheAsker
from farebox.ids import NEWEST
from farebox.payments.types import Payment

MOST_SHOWN = 1000
"""The most tokens in one answer, the newest."""

Service = Annotated[str, Meta(min_length=1, max_length=200)]


class NewToken(Struct, frozen=True, rename="camel"):
    """`POST /token/create`. The published clients send the recipient alone.

    With `token`, a part of one that the caller holds; the bounds not named are its own.
    """

    recipient_email: wire.Email
    limit: Raw = Raw(b"null")
    limit_per_draw: Raw = Raw(b"null")
    expires_in_s: Annotated[int, Meta(ge=1, le=31_536_000)] | None = None
    services: Annotated[list[Service], Meta(min_length=1, max_length=100)] | None = None
    token: wire.Token | None = None


class TokenId(Struct, frozen=True, rename="camel"):
    """`POST /token/revoke`."""

    token_id: Annotated[str, Meta(max_length=64)]


class Token(Struct, frozen=True, rename="camel"):
    """A token without its secret, with all that was drawn with it or with parts of it."""

    id: str
    sender_email: str
    recipient_email: str
    parent_id: str | None
    status: str
    limit: Raw | None
    limit_per_draw: Raw | None
    spent: Raw
    held: Raw
    services: list[str] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    transactions: list[wire.Transaction]


@post("/token/create", status_code=200)
async def create_token(services: TheServices, asker: TheAsker, data: JSONBody[NewToken]) -> dict[str, str]:
    member, delegations = asker.member, services.delegations
    recipient = await services.people.wallet_of(data.recipient_email)
    limits, client, mine = _limits(data), member.client, member.wallet_id
    if data.token is None:
        number, token = await delegations.give(client, mine, recipient, limits, member.seal)
    else:
        number, token = await delegations.narrow(client, data.token, mine, recipient, limits, member.seal)
    return {"token": token, "id": ids.public("dg", number)}


@get("/tokens")
async def tokens(services: TheServices, asker: TheAsker) -> dict[str, list[Token]]:
    found = await services.delegations.of(asker.member.wallet_id, NEWEST, MOST_SHOWN)
    draws = await services.payments.draws([one.id for one in found])
    return {"tokens": [_view(one, draws[one.id]) for one in found]}


@post("/token/revoke", status_code=200)
async def revoke_token(services: TheServices, asker: TheAsker, data: JSONBody[TokenId]) -> dict[str, Token]:
    number = ids.parse("dg", data.token_id)
    if number is None:
        raise NotFound("there is no such token")
    await services.delegations.revoke(asker.member.client, number, asker.member.wallet_id)
    (found,) = await services.delegations.of(asker.member.wallet_id, number + 1, 1)
    return {"token": _view(found, (await services.payments.draws([number]))[number])}


TOKENS: list[Any] = [create_token, tokens, revoke_token]


def _limits(data: NewToken) -> Limits:
    return Limits(
        _bound(data.limit, "limit"),
        _bound(data.limit_per_draw, "limitPerDraw"),
        data.expires_in_s,
        None if data.services is None else frozenset(data.services),
    )


def _bound(amount: Raw, field: str) -> int | None:
    return None if bytes(amount) == b"null" else wire.units_of(amount, field)


def _view(found: Delegation, draws: list[Payment]) -> Token:
    return Token(
        id=ids.public("dg", found.id),
        sender_email=found.sender,
        recipient_email=found.recipient,
        parent_id=None if found.parent_id is None else ids.public("dg", found.parent_id),
        status=found.state.upper(),
        limit=None if found.limit_units is None else wire.usd(found.limit_units),
        limit_per_draw=None if found.charge_limit_units is None else wire.usd(found.charge_limit_units),
        spent=wire.usd(found.spent),
        held=wire.usd(found.held),
        services=found.services,
        created_at=found.created_at,
        expires_at=found.expires_at,
        revoked_at=found.ended_at,
        transactions=[wire.transaction(payment) for payment in draws],
    )
