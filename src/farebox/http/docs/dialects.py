"""What the docs say of the dialects. Their codes are read off the tables that they answer by."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec import Struct

from farebox.errors import Problem
from farebox.http.dialects.conxa import answers as conxa_answers
from farebox.http.dialects.conxa import routes as conxa
from farebox.http.dialects.knai import answers as knai_answers
from farebox.http.dialects.knai import routes as knai
from farebox.http.docs.examples import EXAMPLES
from farebox.http.openapi.codes import CODES
from farebox.ledger.types import Refusal

CHARGE_REFUSALS = (
    Refusal.KEY_REUSED,
    Refusal.PRICE_CHANGED,
    Refusal.WALLET_UNKNOWN,
    Refusal.GRANT_UNKNOWN,
    Refusal.GRANT_REVOKED,
    Refusal.GRANT_REPLACED,
    Refusal.GRANT_EXPIRED,
    Refusal.CHARGE_LIMIT_EXCEEDED,
    Refusal.GRANT_LIMIT_EXCEEDED,
    Refusal.ENVELOPE_LIMIT_EXCEEDED,
    Refusal.INSUFFICIENT_BALANCE,
    Refusal.AMOUNT_OVERFLOW,
)
"""What a charge on a session can be refused with."""

PROBLEMS = (
    "bad_request",
    "malformed_json",
    "repeated_parameter",
    "secret_in_query",
    "idempotency_key_invalid",
    "invalid_api_key",
    "scope_missing",
    "not_found",
    "method_not_allowed",
    "too_large",
    "unsupported_media_type",
    "invalid_request",
    "unknown_model",
    "not_priced",
    "not_convertible",
    "amount_too_large",
    "rate_limited",
    "internal_error",
    "broken_invariant",
    "unavailable",
    "database_away",
    "overloaded",
    "outcome_unknown",
)
"""What any call of a dialect can be answered with, before a rule of money is asked."""


class Route(Struct, frozen=True):
    """A call of a dialect."""

    id: str
    method: str
    path: str
    summary: str
    headers: tuple[tuple[str, str], ...]
    body: tuple[tuple[str, str], ...]
    answer: tuple[tuple[str, str], ...]

    @property
    def curl(self) -> str:
        """An example of it."""
        return EXAMPLES[self.id].curl(self.method)


class Answer(Struct, frozen=True, order=True):
    """A line of a dialect's table of errors."""

    status: int
    code: str
    meaning: str


class Dialect(Struct, frozen=True):
    """A client's language, spoken under a prefix of its own."""

    name: str
    prefix: str
    about: str
    switch: str
    """How the published client is pointed here."""
    error: str
    """What an error's body has."""
    routes: tuple[Route, ...]
    answers: tuple[Answer, ...]


_KEY = ("X-Provider-API-Key", "The provider's key.")
_SLUG = ("X-Provider-Slug", "The provider's slug; the key has to be its own.")
_USER = ("provider_username", "In the query: the user's name at the provider, 1 to 320 characters.")
_STATUS = ("status", "`not_found`, `pending` (the request is open), `active`, or `expired` (it ended lately).")
_TOKEN = ("session_token", "With `active`: what to charge with.")
_ENDS = ("expires_at", "With `active`, where the session ends by itself: when.")
_HEALTH = (("status", "`ok`"),)


def dialects() -> list[Dialect]:
    """All of them."""
    return [_conxa(), _knai()]


def _conxa() -> Dialect:
    charge = Route(
        "conxa.charge",
        "POST",
        f"{conxa.PREFIX}/charge/authorize",
        "Charge for the tokens of one request to a model",
        (
            _KEY,
            ("X-Provider-Session", "The session token."),
            ("X-Idempotency-Key", "Optional. Asking again with it gives the same outcome, done once."),
        ),
        (
            ("model_name", "The model's name in the price book, 1 to 200 characters."),
            ("input_tokens", "An integer from 0."),
            ("output_tokens", "An integer from 0."),
        ),
        (("approved", "`true`"), ("new_balance", "What the wallet has now, in whole tokens, rounded down.")),
    )
    status = Route(
        "conxa.status",
        "GET",
        f"{conxa.PREFIX}/providers/session/status",
        "Ask whether a user has connected a wallet",
        (_KEY,),
        (_USER,),
        (_STATUS, _TOKEN, _ENDS),
    )
    wallet = Route(
        "conxa.wallet",
        "GET",
        f"{conxa.PREFIX}/wallet/{{wallet_id}}",
        "See what a wallet has; the number is all it takes",
        (),
        (),
        (("wallet_id", "Its 16 digits."), ("tokens", "What it has, in whole tokens, rounded down.")),
    )
    health = Route("conxa.health", "GET", f"{conxa.PREFIX}/health", "Whether the process is alive", (), (), _HEALTH)
    return Dialect(
        "CONXA",
        conxa.PREFIX,
        "For services that were built with `conxa-sdk`, unchanged. The server prices the tokens by its price book.",
        "Give the client the base URL of this server with `/conxa` behind it.",
        "`status` (`error`), `message` and `detail` (the same text), `code`; `errors` where fields are wrong; "
        "`approved` and `new_balance` where a charge was refused.",
        (status, charge, wallet, health),
        tuple(_answers(conxa_answers.REFUSALS, conxa_answers.problem, _lost(conxa))),
    )


def _knai() -> Dialect:
    status = Route(
        "knai.status",
        "GET",
        f"{knai.PREFIX}/providers/session/status",
        "Ask whether a user has connected a wallet",
        (_KEY, _SLUG),
        (_USER,),
        (_STATUS, ("provider_username", "As it was asked for."), _TOKEN, _ENDS),
    )
    charge = Route(
        "knai.charge",
        "POST",
        f"{knai.PREFIX}/charge/authorize",
        "Charge a number of wallet tokens that the provider has worked out",
        (
            _KEY,
            _SLUG,
            ("X-Session-Token", "The session token."),
            ("Idempotency-Key", "Optional. Without one, every call is a new charge."),
        ),
        (
            ("amount_tokens", "An integer above 0: whole wallet tokens."),
            ("model", "What it was for, 1 to 200 characters."),
        ),
        (
            ("approved", "`true`"),
            ("charged_tokens", "As asked."),
            ("new_balance", "What the wallet has now, in whole tokens, rounded down."),
            ("charge_id", "The charge, for the native API."),
            ("model", "As asked."),
        ),
    )
    health = Route("knai.health", "GET", f"{knai.PREFIX}/health", "Whether the process is alive", (), (), _HEALTH)
    return Dialect(
        "KNAI",
        knai.PREFIX,
        "For services that were built with `knai-provider`, unchanged. The provider says how many tokens it takes.",
        "Give the client the base URL of this server with `/knai` behind it.",
        "`error` and `message` (the same text), `code`; `errors` where fields are wrong; "
        "`approved` and `new_balance` where a charge was refused.",
        (status, charge, health),
        tuple(_answers(knai_answers.REFUSALS, knai_answers.problem, _lost(knai))),
    )


def _lost(routes: object) -> list[Problem]:
    charge = routes.CHARGE  # type: ignore[attr-defined]  # a dialect's routes
    return [charge.unknown_session(), charge.foreign_session()]


def _answers(
    refusals: dict[Refusal, tuple[int, str, str]],
    write: Callable[[Problem], tuple[int, bytes]],
    lost: Iterable[Problem],
) -> Iterator[Answer]:
    found = {Answer(status, code, f"{text}.") for status, code, text in (refusals[item] for item in CHARGE_REFUSALS)}
    for problem in (*lost, *(_problem(code) for code in PROBLEMS)):
        status, body = write(problem)
        text = problem.detail[:1].upper() + problem.detail[1:]
        found.add(Answer(status, msgspec.json.decode(body)["code"], text if text.endswith(".") else f"{text}."))
    yield from sorted(found)


def _problem(code: str) -> Problem:
    found = Problem(CODES[code].meaning, code)
    found.status = CODES[code].status
    return found
