"""The KNAI dialect, under `/knai`: translation and nothing else."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get
from litestar.params import QueryParameter

from farebox import ids
from farebox.charging.service import Bill
from farebox.consent.types import GrantRef
from farebox.errors import Forbidden, Problem, Unauthorized
from farebox.http import edge
from farebox.http.depends import TheAccess, TheServices
from farebox.http.dialects.knai import answers
from farebox.http.dialects.knai.wire import ChargeBody
from farebox.http.dialects.problems import problem_writer
from farebox.http.dialects.session_charge import SessionDialect
from farebox.http.dialects.tokens import TOKEN
from farebox.http.strict import Reader
from farebox.identity.types import Principal
from farebox.ledger.types import Outcome
from farebox.pricing.book import Book

PREFIX = "/knai"


def _provider_of(principal: Principal, headers: dict[bytes, bytes]) -> int:
    return _own(principal, edge.text(headers.get(b"x-provider-slug")))


def _own(principal: Principal, slug: str | None) -> int:
    if principal.provider_id is None or principal.slug != slug:
        raise Unauthorized("the API key does not belong to this provider slug")
    return principal.provider_id


def _bill(asked: ChargeBody, book: Book) -> Bill:
    return Bill(asked.model, amount=asked.amount_tokens * book.assets[TOKEN].scale, asset=TOKEN)


def _approved(asked: ChargeBody, grant: GrantRef, outcome: Outcome, balance: int) -> bytes:
    return msgspec.json.encode(
        {
            "approved": True,
            "charged_tokens": asked.amount_tokens,
            "new_balance": balance,
            "charge_id": ids.transfer("ch", grant.wallet_id, outcome.transfer_id),
            "model": asked.model,
        }
    )


def _no_session() -> Problem:
    return Forbidden("there is no such session: let the user connect again", "session_unknown")


CHARGE = SessionDialect(
    operation="knai.charge",
    session_header=b"x-session-token",
    key_header=b"idempotency-key",
    reader=Reader(ChargeBody),
    provider_of=_provider_of,
    bill=_bill,
    unknown_session=_no_session,
    foreign_session=_no_session,
    approved=_approved,
    refused=answers.refused,
    problem=answers.problem,
)


@get("/providers/session/status")
async def session_status(
    request: Request[Any, Any, Any],
    services: TheServices,
    access: TheAccess,
    provider_username: Annotated[str, QueryParameter(min_length=1, max_length=320)],
) -> dict[str, Any]:
    headers = request.headers
    principal = await access.principal(headers.get("x-provider-api-key"), edge.address_of(request.scope))
    provider_id = _own(principal, headers.get("x-provider-slug"))
    access.polls.take(f"{provider_id}:{provider_username}")
    found = await services.consent.status(provider_id, provider_username)
    answer: dict[str, Any] = {"status": found.status, "provider_username": provider_username}
    if found.session_token is not None:
        answer["session_token"] = found.session_token
        answer["expires_at"] = found.expires_at
    return answer


@get("/health", opt={"public": True})
async def health() -> dict[str, str]:
    return {"status": "ok"}


write_problem = problem_writer(answers.problem)


def router() -> Router:
    """All but the charge."""
    return Router(PREFIX, route_handlers=[health, session_status], include_in_schema=False)
