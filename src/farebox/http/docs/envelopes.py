"""What the docs say of the x402tools dialect."""

from farebox.errors import Problem, Unauthorized
from farebox.http.dialects.x402tools import answers
from farebox.http.dialects.x402tools.pages import CAP
from farebox.http.dialects.x402tools.routes import PREFIX
from farebox.http.docs.dialect import PROBLEMS, Dialect, Lines, Route, answers_of
from farebox.ledger.types import Refusal

_KEY = ("Authorization", "`Bearer` and an organization's key. It sees that organization's things and no other's.")
_NAME = ("name", "1 to 200 characters.")
_LIMIT = ("limit", "An integer above 0: what may be used in each window.")
_PERIOD = ("period", "`DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`.")
_RESET_DAY = (
    "resetDay",
    "Optional: 1 to 31 for `MONTHLY` (a shorter month begins on its last day), 1 to 7 for `WEEKLY` (Monday is 1), "
    "1 to 366 for `YEARLY`; not for `DAILY`.",
)
_WINDOW: Lines = (
    ("used", "What was used in the window of now."),
    ("remaining", "What is left in it."),
    ("windowStart", "When it began. Windows turn in the organization's time zone."),
    ("windowEnd", "When the next one begins."),
)
_ENVELOPE: Lines = (
    ("id", "Its id, for later calls."),
    ("name", "As given; `limit`, `period` and `resetDay` too."),
    ("organizationId", "Whose it is; `createdAt` and `updatedAt` say since when."),
    *_WINDOW,
)
_USAGE: Lines = (
    ("id", "The record."),
    ("envelopeId", "What it was counted on; `amount` and `metadata` are as given."),
    ("timestamp", "When it was counted."),
)
_API_KEY: Lines = (
    ("id", "The key's id; it is what revokes it."),
    ("name", "As given."),
    (
        "organizationId",
        "Whose it is; `createdAt`, `lastUsed` and `expiresAt` say since when, how lately and until when.",
    ),
)
_PAGE: Lines = (
    ("limit", f"Optional: the most items, 1 to {CAP:,}, which is also how many come unless it is named."),
    ("cursor", "Optional: where to go on. The answer's `Link` header has it where more follow."),
)

REFUSALS = (
    Refusal.CREDENTIAL_REVOKED,
    Refusal.KEY_REUSED,
    Refusal.ENVELOPE_UNKNOWN,
    Refusal.ENVELOPE_LIMIT_EXCEEDED,
)
OWN: tuple[Problem, ...] = (Unauthorized("this is not an organization's key"),)
"""Problems that only this dialect has."""
_OF_PRICES = ("unknown_model", "not_priced", "not_convertible", "amount_too_large")
_PROBLEMS = ("bad_cursor", "conflict", *(code for code in PROBLEMS if code not in _OF_PRICES))


def x402tools() -> Dialect:
    """All of it."""
    return Dialect(
        "x402tools",
        PREFIX,
        "For services that count what they use with `x402tools`, unchanged: so much a day, a week, a month or a year.",
        "Give the client the `base_url` of this server with `/x402tools` behind it.",
        "`error` and `code`; `errors` where fields are wrong; `envelopeId`, `limit`, `used`, `remaining` and "
        "`windowEnd` where a limit stopped it.",
        (*_envelopes(), *_usage(), *_keys(), _health()),
        tuple(answers_of(answers.REFUSALS, answers.problem, OWN, REFUSALS, _PROBLEMS)),
    )


def _route(
    name: str,
    method: str,
    path: str,
    summary: str,
    body: Lines,
    answer: Lines,
    status: int = 200,
    *more: tuple[str, str],
) -> Route:
    """A call with an organization's key, and `more` headers."""
    return Route(f"x402tools.{name}", method, f"{PREFIX}{path}", summary, (_KEY, *more), body, answer, status)


def _envelopes() -> tuple[Route, ...]:
    new = (_NAME, _LIMIT, _PERIOD, _RESET_DAY)
    change = tuple(
        (name, f"What is not given stays. {about}") if name == "name" else (name, about) for name, about in new
    )
    one = "/envelopes/{envelope_id}"
    listed = (("an array", "The envelopes that count usage, the newest first, each as when it was made."),)
    return (
        _route("add_envelope", "POST", "/envelopes", "Make an envelope", new, _ENVELOPE, 201),
        _route("envelopes", "GET", "/envelopes", "List envelopes", _PAGE, listed),
        _route("envelope", "GET", one, "See how an envelope stands", (), _ENVELOPE),
        _route("change_envelope", "PUT", one, "Change an envelope, at once", change, _ENVELOPE),
        _route("delete_envelope", "DELETE", one, "Delete an envelope", (), (), 204),
    )


def _usage() -> tuple[Route, ...]:
    new = (
        ("envelopeId", "What it counts on."),
        ("amount", "An integer above 0. Where less is left in the window, nothing is recorded."),
        ("metadata", "Optional: an object of up to 16,384 bytes. It comes back as it was sent."),
    )
    once = ("Idempotency-Key", "Optional. Without one, every call is a new record.")
    of = ("envelopeId", "Optional: of this envelope alone.")
    listed = (("an array", "The records, the newest first, each as when it was made."),)
    stats = (
        ("totalUsage", "All that was ever counted, on envelopes that are deleted by now too."),
        ("envelopeCount", "How many there are."),
        ("activeEnvelopes", "How many of them were used in their window of now."),
        (
            "periodUsage",
            f"How each stands, the newest {CAP:,}: `envelopeId`, `name`, `period`, `limit`, and its window.",
        ),
    )
    return (
        _route("record_usage", "POST", "/usage", "Record usage", new, _USAGE, 201, once),
        _route("usage", "GET", "/usage", "List what was recorded", (of, *_PAGE), listed),
        _route("stats", "GET", "/usage/stats", "See what was used in all", (), stats),
    )


def _keys() -> tuple[Route, ...]:
    new = (_NAME, ("expiresAt", "Optional: when it ends, with an offset from UTC."))
    made = (("key", "The key itself. It is shown this once."), *_API_KEY)
    listed = (("an array", "The valid keys, the newest first; of `key`, the last four characters."),)
    return (
        _route("add_api_key", "POST", "/api-keys", "Make a key with the rights of the caller's", new, made, 201),
        _route("api_keys", "GET", "/api-keys", "List keys", _PAGE, listed),
        _route("delete_api_key", "DELETE", "/api-keys/{key_id}", "Revoke a key at once", (), (), 204),
    )


def _health() -> Route:
    alive = (("status", "`ok`"),)
    return Route("x402tools.health", "GET", f"{PREFIX}/health", "Whether the process is alive", (), (), alive)
