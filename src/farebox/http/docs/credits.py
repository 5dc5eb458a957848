"""What the docs say of the TokenVault dialect."""

from farebox.errors import Conflict, Forbidden, NotFound, Problem, Unauthorized
from farebox.http.dialects.tokenvault import answers
from farebox.http.dialects.tokenvault.routes import PREFIX
from farebox.http.dialects.tokenvault.wire import MAX_METADATA
from farebox.http.docs.dialect import CHARGE_REFUSALS, Dialect, Lines, Route, answers_of
from farebox.ledger.types import Refusal

_KEY = (
    "Authorization",
    "`Basic` with the organization's id and key, as the client makes it of the address's user part, or `Bearer` and "
    "the key. An administrator's key may act for every organization.",
)
_PAYER = (
    "Authorization",
    "`Bearer` and an administrator's key, or an organization's with the scope `recharge`. For a free trial, any key "
    "of the organization's will do.",
)
_ONCE = ("Idempotency-Key", "Optional. Without one, and without a name in the body, every call is a new one.")
_ORGANIZATION = ("organization_id", "Whose it is.")
_NAME = ("name", "Optional: at most 200 characters; the id, where there is none.")
_METADATA = ("metadata", f"Optional: an object of up to {MAX_METADATA:,} bytes, kept with it.")
_MADE = ("created_at", "When it was first made: again with the same id, nothing is changed.")
_MOVED: Lines = (
    ("organization_id", "As asked."),
    ("credits", "How many were moved, exact."),
    ("balance", "What the organization has now, in credits; below zero where more was spent than was there."),
    ("money_equivalent", "The balance in dollars; null where credits have no price."),
    ("last_updated", "When, in whole Unix seconds."),
)
_BALANCE: Lines = (
    ("organization_id", "Whose it is."),
    ("balance", "What can be spent, in credits, exact; `credits` is the same."),
    ("money_equivalent", "The balance in dollars; null where credits have no price."),
    ("debt", "What was overspent, in credits."),
    ("last_updated", "When it last changed, in whole Unix seconds."),
)
_BALANCE_OF_PROFILE: Lines = (
    *_BALANCE,
    ("profile_id", "Which profile."),
    ("spent", "What it has spent, in credits."),
    ("allowance", "What it may spend in all, in credits; null for no limit."),
)

REFUSALS = (*CHARGE_REFUSALS, Refusal.CREDENTIAL_REVOKED, Refusal.REFERENCE_REUSED)
OWN: tuple[Problem, ...] = (
    Unauthorized("this is a provider's key, not an organization's"),
    Unauthorized("this key is another organization's"),
    Unauthorized("this ticket opens no such stream"),
    Unauthorized("this ticket has ended: get a new one"),
    Unauthorized("the key that this ticket was made with was revoked"),
    Forbidden("this key is another organization's", "admin_only"),
    Forbidden("a recharge takes an administrator's key, or one with the recharge scope", "scope_missing"),
    Forbidden("the free trial is more than the operator gives", "trial_too_large"),
    NotFound("there is no such user"),
    Conflict("several organizations have a profile of this name: ask with a key of one of them"),
)
"""Problems that only this dialect has."""


def tokenvault() -> Dialect:
    """All of it."""
    return Dialect(
        "TokenVault",
        PREFIX,
        "For teams whose agents report what they use with `tokenvault-sdk`, unchanged. The server prices the tokens by "
        "its price book, and takes credits.",
        "Give the client the URL of this server with `/tokenvault` behind it, and the organization's id and key in its "
        "user part; and the URL of the Redis that the server listens to.",
        "`status` (`error`), `message` and `code`; `errors` where fields are wrong; `nearest` where a model has no "
        "price.",
        (*_registration(), *_recharges(), _consumption(), *_balances(), *_streams(), _health()),
        tuple(answers_of(answers.REFUSALS, answers.problem, OWN, REFUSALS)),
    )


def _route(name: str, method: str, path: str, summary: str, headers: Lines, body: Lines, answer: Lines) -> Route:
    return Route(f"tokenvault.{name}", method, f"{PREFIX}{path}", summary, headers, body, answer)


def _registration() -> tuple[Route, ...]:
    organization = (("id", "Letters, digits, `_`, `.`, `:` and `-`, at most 64."), _NAME)
    user = (("id", "1 to 200 characters, the organization's own."), _ORGANIZATION, _NAME)
    whose = ("user_id", "Optional: the user whose agent it is.")
    profile = (user[0], _ORGANIZATION, whose, _METADATA)
    wallet = ("wallet_id", "The 16 digits of its credit wallet.")
    told = ("id", "As asked; the other members too.")
    return (
        _route(
            "add_organization",
            "POST",
            "/v1/wallet/organizations",
            "Register an organization",
            (_KEY,),
            organization,
            (told, wallet, _MADE),
        ),
        _route("add_user", "POST", "/v1/wallet/users", "Register a user", (_KEY,), user, (told, _MADE)),
        _route("add_profile", "POST", "/v1/wallet/profiles", "Register a profile", (_KEY,), profile, (told, _MADE)),
    )


def _recharges() -> tuple[Route, ...]:
    headers = (_PAYER, _ONCE)
    body = (
        _ORGANIZATION,
        ("money_amount", "A number of dollars above 0 with at most 6 decimals, exact."),
        (
            "metadata",
            "Optional. `reference` names the payment, which counts once for each `source`; `reason` is `free_trial` "
            "for the trial, which an organization has once.",
        ),
    )
    again = "Turn money into credits, at the other address that clients know"
    return (
        _route("recharge", "POST", "/v1/recharge", "Turn money into credits", headers, body, _MOVED),
        _route("wallet_recharge", "POST", "/v1/wallet/recharge", again, headers, body, _MOVED),
    )


def _consumption() -> Route:
    body = (
        _ORGANIZATION,
        ("profile_id", "The agent that has used it. One that is new here is registered by it."),
        ("model", "Its name in the price book."),
        ("prompt_tokens", "An integer from 0."),
        ("completion_tokens", "An integer from 0."),
        ("record_id", "Optional: names the use. Asking again with it gives the same outcome, done once."),
        ("user_id", "Optional: for whom. Who is new here is registered by it."),
        ("bfl_credits", "Optional, with no tokens: a number of cents with at most 4 decimals, for image services."),
        _METADATA,
    )
    named = ("profile_id", "As asked; `model` and `record_id` too.")
    summary = "Charge for what an agent has used; refused where the credits do not suffice"
    return _route("consumption", "POST", "/v1/consumption/process", summary, (_KEY, _ONCE), body, (*_MOVED, named))


def _balances() -> tuple[Route, ...]:
    of_organization, of_profile = "/v1/balance/organizations/{organization_id}", "/v1/balance/profiles/{profile_id}"
    other = "/v1/wallet/organizations/{organization_id}/balance"
    summary, headers = "See what an organization has", (_KEY,)
    again = f"{summary}, at the other address that clients know"
    own = "See what a profile has spent, and may spend"
    return (
        _route("organization_balance", "GET", of_organization, summary, headers, (), _BALANCE),
        _route("wallet_organization_balance", "GET", other, again, headers, (), _BALANCE),
        _route("profile_balance", "GET", of_profile, own, headers, (), _BALANCE_OF_PROFILE),
    )


def _streams() -> tuple[Route, ...]:
    of_organization = "/v1/balance/organizations/{organization_id}/stream"
    of_profile = "/v1/balance/profiles/{profile_id}/stream"
    ticket = (("ticket", "Instead of a key, for a browser's `EventSource`, which can set no header."),)
    event = (
        ("data", "The balance, in the shape of the balance call: at once, then for each change."),
        ("id", "Names the message."),
    )
    resume = ("Last-Event-ID", "Optional, as `EventSource` sends it: what has changed since is told first.")
    asked = (_ORGANIZATION, ("profile_id", "Optional: for the stream of this profile, and not of the organization."))
    given = (("ticket", "Opens that one stream."), ("expires_in", "For so many seconds."))
    new = "Get a ticket for a stream"
    live, own = "Hear an organization's balance as it changes", "Hear a profile's balance as it changes"
    return (
        _route("add_ticket", "POST", "/v1/tickets", new, (_KEY,), asked, given),
        _route("organization_stream", "GET", of_organization, live, (_KEY, resume), ticket, event),
        _route("profile_stream", "GET", of_profile, own, (_KEY,), ticket, event),
    )


def _health() -> Route:
    return _route("health", "GET", "/health", "Whether the process is alive", (), (), (("status", "`ok`"),))
