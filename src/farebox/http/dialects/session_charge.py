"""The charge call that CONXA and KNAI have in common: a provider's key, a session token, a body, an answer."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from msgspec import Struct

from farebox.charging.service import Bill, fingerprint, own_key
from farebox.consent.types import GrantRef
from farebox.errors import Problem
from farebox.http import edge
from farebox.http.access import Access
from farebox.http.dialects.tokens import whole_tokens
from farebox.http.problem import retry_after
from farebox.http.strict import Reader
from farebox.identity.types import WRITE, Principal
from farebox.ledger.types import Outcome, Refusal
from farebox.pricing.book import Book
from farebox.services import Services

B = TypeVar("B")


class SessionDialect(Struct, Generic[B], frozen=True):
    """How one dialect says it."""

    operation: str
    """Names the call in fingerprints: the same key for another operation is another request."""
    session_header: bytes
    key_header: bytes
    reader: Reader[B]
    provider_of: Callable[[Principal, dict[bytes, bytes]], int]
    """The provider that calls; raises Unauthorized."""
    bill: Callable[[B, Book], Bill]
    unknown_session: Callable[[], Problem]
    foreign_session: Callable[[], Problem]
    approved: Callable[[B, GrantRef, Outcome, int], bytes]
    """The body for a charge that was taken; the last argument is the wallet's balance in whole tokens."""
    refused: Callable[[Refusal, int], tuple[int, bytes]]
    problem: Callable[[Problem], tuple[int, bytes]]


def charge_route(services: Services, access: Access, dialect: SessionDialect[Any]) -> edge.Route:
    """The dialect's charge, answered before the framework."""
    consent, charging, prices = services.consent, services.charging, services.prices
    limit = services.settings.max_body_bytes

    async def session(headers: dict[bytes, bytes]) -> GrantRef | None:
        token = edge.text(headers.get(dialect.session_header)) or ""
        return consent.remembered(token) or await consent.resolve(token)

    async def call(request: edge.Request) -> edge.Answer:
        headers, seen = request.headers, request.seen
        known = None
        try:
            known = access.known_by(request, _secret_of, WRITE)
            principal = known or await access.principal(_secret_of(headers), request.address, WRITE)
            provider_id = dialect.provider_of(principal, headers)
            key = edge.idempotency_key(headers.get(dialect.key_header), required=False)
            asked = dialect.reader.read(edge.whole_body(request, limit) or await edge.body_of(request, limit))
            grant = seen.grant
            if grant is None:
                grant = await session(headers)
                if grant is None:
                    raise dialect.unknown_session()
                if grant.provider_id != provider_id:
                    raise dialect.foreign_session()
                seen.principal, seen.grant = principal, grant
            bill = dialect.bill(asked, prices.book)
            mark = fingerprint(dialect.operation, grant.grant_id, asked)
            outcome = await charging.charge(principal, provider_id, grant, key or own_key(), mark, bill)
        except Exception as error:
            problem = await access.problem(error, request, _secret_of(headers), from_memory=known is not None)
            status, body = dialect.problem(problem)
            return edge.Answer(status, body, retry_after(problem))
        balance = whole_tokens(prices.book, grant.asset, outcome.available)
        if outcome.refusal is None:
            return edge.Answer(200, dialect.approved(asked, grant, outcome, balance))
        return edge.Answer(*dialect.refused(outcome.refusal, balance))

    return call


def _secret_of(headers: dict[bytes, bytes]) -> str | None:
    return edge.text(headers.get(b"x-provider-api-key"))
