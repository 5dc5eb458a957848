"""What the docs say of the dialects."""

from farebox.errors import Problem
from farebox.http.dialects.conxa import answers as conxa_answers
from farebox.http.dialects.conxa import routes as conxa
from farebox.http.dialects.knai import answers as knai_answers
from farebox.http.dialects.knai import routes as knai
from farebox.http.docs.credits import tokenvault
from farebox.http.docs.dialect import PROBLEMS, Dialect, Route, answers_of
from farebox.http.docs.envelopes import x402tools
from farebox.http.docs.people import syftbox

_KEY = ("X-Provider-API-Key", "The provider's key.")
_SLUG = ("X-Provider-Slug", "The provider's slug; the key has to be its own.")
_USER = ("provider_username", "In the query: the user's name at the provider, 1 to 320 characters.")
_STATUS = ("status", "`not_found`, `pending` (the request is open), `active`, or `expired` (it ended lately).")
_TOKEN = ("session_token", "With `active`: what to charge with.")
_ENDS = ("expires_at", "With `active`, where the session ends by itself: when.")
_HEALTH = (("status", "`ok`"),)
_KNAI_PROBLEMS = [code for code in PROBLEMS if code not in ("unknown_model", "not_priced")]
"""Its charges name their amount: no model is priced."""


def dialects() -> list[Dialect]:
    """All of them."""
    return [_conxa(), _knai(), tokenvault(), syftbox(), x402tools()]


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
        tuple(answers_of(conxa_answers.REFUSALS, conxa_answers.problem, _lost(conxa))),
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
        tuple(answers_of(knai_answers.REFUSALS, knai_answers.problem, _lost(knai), problems=_KNAI_PROBLEMS)),
    )


def _lost(routes: object) -> list[Problem]:
    charge = routes.CHARGE  # type: ignore[attr-defined]  # a dialect's routes
    return [charge.unknown_session(), charge.foreign_session()]
