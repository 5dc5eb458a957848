"""What the docs say of the SyftBox accounting dialect."""

from farebox.errors import Conflict, Forbidden, Invalid, Problem, Unauthorized
from farebox.http.dialects.syftbox import answers
from farebox.http.dialects.syftbox.routes import PREFIX
from farebox.http.docs.dialect import CHARGE_REFUSALS, PROBLEMS, Dialect, Lines, Route, answers_of
from farebox.identity.credentials import refused
from farebox.ledger.types import Refusal

_PERSON = ("Authorization", "`Basic` with the person's e-mail address and password.")
_ADMIN = ("Authorization", "`Bearer` and an administrator's key.")
_ONCE = ("Idempotency-Key", "Optional. Without one, every call is a new one.")
_USER = (("user", "`id`, `email`, `balance` (what can still be spent, in dollars), `organization`."),)
_TRANSACTION = (
    (
        "transaction",
        "`id`, `senderEmail`, `recipientEmail`, `createdBy`, `resolvedBy`, `amount`, `status` (`PENDING`, `COMPLETED`, "
        "`CANCELLED`), `createdAt`, `resolvedAt`, `appName`, `appEpPath`.",
    ),
)
_TOKEN = (
    ("token", "`id`, its bounds, `spent`, `held`, `status`, and `transactions`: every draw on it or on a part of it."),
)
_EMAIL = ("recipientEmail", "Who gets it.")
_AMOUNT = ("amount", "A number of dollars above 0 with at most 6 decimals, exact.")
_ID = (("transactionId", "Its `id`."),)
_ORGANIZATION = ("organization", "At most 200 characters, or null.")

REFUSALS = (
    *CHARGE_REFUSALS,
    Refusal.CREDENTIAL_REVOKED,
    Refusal.HOLD_UNKNOWN,
    Refusal.HOLD_CLOSED,
    Refusal.HOLD_EXPIRED,
)
OWN: tuple[Problem, ...] = (
    refused(),
    Unauthorized("the old password is not the one", "wrong_password"),
    Forbidden("the other side may do this", "not_sender"),
    Forbidden("the other side may do this", "not_recipient"),
    Forbidden("the other side may do this", "not_creator"),
    Forbidden("this token is for other services", "service_not_allowed"),
    Forbidden("a part of a token is no wider than the token", "wider_than_parent"),
    Forbidden("this takes an administrator's key", "admin_only"),
    Conflict("a user with this e-mail address exists", "email_taken"),
    Conflict("something has just changed: look, and ask again", "conflict"),
    Invalid("too many tokens made from one another", "chain_too_deep"),
)
"""Problems that only people meet."""
_PROBLEMS = [
    code for code in PROBLEMS if code not in ("unknown_model", "not_priced", "not_convertible", "amount_too_large")
]


def syftbox() -> Dialect:
    """All of it."""
    return Dialect(
        "SyftBox",
        PREFIX,
        "For people and services that pay each other with `syft-accounting-sdk` or `syft-hub`, unchanged.",
        "Give the client the URL of this server with `/syftbox` behind it.",
        "`message`, `code`; `errors` where fields are wrong.",
        (*_accounts(), *_transactions(), *_tokens(), *_administration()),
        tuple(answers_of(answers.REFUSALS, answers.problem, OWN, REFUSALS, _PROBLEMS)),
    )


def _route(name: str, method: str, path: str, summary: str, headers: Lines, body: Lines, answer: Lines) -> Route:
    return Route(f"syftbox.{name}", method, f"{PREFIX}{path}", summary, headers, body, answer)


def _accounts() -> tuple[Route, ...]:
    new = (("email", "The address."), ("password", "8 characters to 1,024 bytes; null: one is made."), _ORGANIZATION)
    made = (*_USER, ("password", "Where it was made here. It is shown this once."))
    change = (("oldPassword", "The one until now."), ("newPassword", "8 characters to 1,024 bytes."))
    key = ("Authorization", "Optional: `Bearer` and an administrator's key, who may make many.")
    return (
        _route("create_user", "POST", "/user/create", "Make an account", (key,), new, made),
        _route("my_info", "GET", "/user/my-info", "See one's own account", (_PERSON,), (), _USER),
        _route("update_password", "PUT", "/user/update-password", "Change the password", (_PERSON,), change, _USER),
        _route(
            "update_organization",
            "PUT",
            "/user/update-organization",
            "Change the organization",
            (_PERSON,),
            (_ORGANIZATION,),
            _USER,
        ),
    )


def _transactions() -> tuple[Route, ...]:
    new = (
        ("senderEmail", "Who pays: the caller, unless there is a token."),
        ("recipientEmail", "Who is paid; with a token, the caller."),
        _AMOUNT,
        ("appName", "Optional: what for. A token can be bound to it."),
        ("appEpPath", "Optional: which part of it."),
        ("token", "Optional: the sender's, made for the recipient."),
    )
    newest = (("transactions", "The newest 10,000, sent and received."),)
    return (
        _route("create", "POST", "/transaction/create", "Create a transaction", (_PERSON, _ONCE), new, _TRANSACTION),
        _route(
            "confirm", "POST", "/transaction/confirm", "Confirm what one has created", (_PERSON,), _ID, _TRANSACTION
        ),
        _route("cancel", "POST", "/transaction/cancel", "Cancel a transaction", (_PERSON,), _ID, _TRANSACTION),
        _route("transactions", "GET", "/transactions", "List one's transactions", (_PERSON,), (), newest),
    )


def _tokens() -> tuple[Route, ...]:
    new = (
        ("recipientEmail", "Who may draw."),
        ("limit", "Optional: dollars, in all."),
        ("limitPerDraw", "Optional: dollars, each time."),
        ("expiresInS", "Optional: seconds; a day unless it is named."),
        ("services", "Optional: draws have to name one of them as `appName`."),
        ("token", "Optional: one that the caller holds, to give a part of it."),
    )
    made = (("token", "The secret. It is shown this once."), ("id", "Its number, for the list and for revoking."))
    listed = (("tokens", "The newest 1,000 of the caller's, and parts made from them or by the caller."),)
    ended = (("tokenId", "Its `id`. All its parts end with it."),)
    return (
        _route("create_token", "POST", "/token/create", "Let somebody draw", (_PERSON,), new, made),
        _route("tokens", "GET", "/tokens", "List tokens with every draw", (_PERSON,), (), listed),
        _route("revoke_token", "POST", "/token/revoke", "Revoke a token at once", (_PERSON,), ended, _TOKEN),
    )


def _administration() -> tuple[Route, ...]:
    credit = (_EMAIL, _AMOUNT)
    email = (("email", "In the address."),)
    return (
        _route("add_balance", "POST", "/user/add-balance", "Credit a person", (_ADMIN, _ONCE), credit, _USER),
        _route("get_user", "GET", "/user/{email}", "Look a person up", (_ADMIN,), email, _USER),
        _route("users", "GET", "/users", "List everybody", (_ADMIN,), (), (("users", "All of them."),)),
    )
