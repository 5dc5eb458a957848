"""What the docs of a dialect are made of. Its codes are read off the tables that it answers by."""

from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec import Struct

from farebox.errors import Problem
from farebox.http.docs.examples import EXAMPLES
from farebox.http.openapi.codes import CODES
from farebox.ledger.types import Refusal

Lines = tuple[tuple[str, str], ...]
"""Names, and what is told of each."""

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
    "request_timeout",
    "too_large",
    "unsupported_media_type",
    "invalid_request",
    "unknown_model",
    "not_priced",
    "not_convertible",
    "amount_too_large",
    "head_too_large",
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
    headers: Lines
    body: Lines
    answer: Lines
    status: int = 200
    """What it is answered with where all is well."""

    @property
    def curl(self) -> str:
        """An example of it."""
        return EXAMPLES[self.id].curl(self.method)

    @property
    def keeps(self) -> tuple[tuple[str, str], ...]:
        """Variables of later examples, and the member of the answer that each is set to."""
        return EXAMPLES[self.id].keeps


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


def answers_of(
    refusals: dict[Refusal, tuple[int, str, str]],
    write: Callable[[Problem], tuple[int, bytes]],
    own: Iterable[Problem],
    possible: Iterable[Refusal] = CHARGE_REFUSALS,
    problems: Iterable[str] = PROBLEMS,
) -> Iterator[Answer]:
    """The lines of its table: the refusals that are possible in it, and problems, its own too."""
    found = {Answer(status, code, _sentence(text)) for status, code, text in (refusals[item] for item in possible)}
    for problem in (*own, *(_problem(code) for code in problems)):
        status, body = write(problem)
        found.add(Answer(status, msgspec.json.decode(body)["code"], _sentence(problem.detail)))
    yield from sorted(found)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".") + "."


def _problem(code: str) -> Problem:
    found = Problem(CODES[code].meaning, code)
    found.status = CODES[code].status
    return found
