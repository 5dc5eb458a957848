"""The CONXA dialect, under `/conxa`: translation and nothing else."""

from typing import Annotated, Any

from litestar import Request, Router, get
from litestar.params import FromPath, QueryParameter

from farebox import ids
from farebox.charging.service import Bill
from farebox.consent.types import GrantRef
from farebox.errors import Forbidden, NotFound, Unauthorized
from farebox.http import edge
from farebox.http.depends import TheAccess, TheServices
from farebox.http.dialects.conxa import answers
from farebox.http.dialects.conxa.wire import ChargeBody
from farebox.http.dialects.problems import problem_writer
from farebox.http.dialects.session_charge import SessionDialect
from farebox.http.dialects.tokens import whole_tokens
from farebox.http.strict import Reader
from farebox.identity.types import Principal
from farebox.ledger.types import Outcome, Usage
from farebox.pricing.book import Book

PREFIX = "/conxa"


def _provider_of(principal: Principal, headers: dict[bytes, bytes]) -> int:
    if principal.provider_id is None:
        raise Unauthorized("this is not a provider's key")
    return principal.provider_id


def _bill(asked: ChargeBody, book: Book) -> Bill:
    return Bill(asked.model_name, Usage(asked.input_tokens, asked.output_tokens))


def _approved(asked: ChargeBody, grant: GrantRef, outcome: Outcome, balance: int) -> bytes:
    return b'{"approved":true,"new_balance":%d}' % balance


CHARGE = SessionDialect(
    operation="conxa.charge",
    session_header=b"x-provider-session",
    key_header=b"x-idempotency-key",
    reader=Reader(ChargeBody),
    provider_of=_provider_of,
    bill=_bill,
    unknown_session=lambda: Unauthorized("there is no such session: let the user connect again", "session_unknown"),
    foreign_session=lambda: Forbidden("this session belongs to another provider", "foreign_session"),
    approved=_approved,
    refused=answers.refused,
    problem=answers.problem,
)


@get("/health", opt={"public": True})
async def health() -> dict[str, str]:
    return {"status": "ok"}


@get("/providers/session/status")
async def session_status(
    request: Request[Any, Any, Any],
    services: TheServices,
    access: TheAccess,
    provider_username: Annotated[str, QueryParameter(min_length=1, max_length=320)],
) -> dict[str, Any]:
    principal = await access.principal(request.headers.get("x-provider-api-key"), edge.address_of(request.scope))
    provider_id = _provider_of(principal, {})
    access.polls.take(f"{provider_id}:{provider_username}")
    found = await services.consent.status(provider_id, provider_username)
    answer: dict[str, Any] = {"status": found.status}
    if found.session_token is not None:
        answer["session_token"] = found.session_token
    if found.expires_at is not None:
        answer["expires_at"] = found.expires_at
    return answer


@get("/wallet/{wallet_id:str}", opt={"public": True})
async def wallet(services: TheServices, wallet_id: FromPath[str]) -> dict[str, Any]:
    number = ids.parse_wallet_id(wallet_id)
    if number is None:
        raise NotFound("there is no such wallet")
    found = await services.wallets.get(number)
    book = await services.prices.fresh()
    return {"wallet_id": wallet_id, "tokens": whole_tokens(book, found.asset, found.available)}


write_problem = problem_writer(answers.problem)


def router() -> Router:
    """All but the charge."""
    return Router(PREFIX, route_handlers=[health, session_status, wallet], include_in_schema=False)
