"""The part of the story that teams tell: credits, an agent that spends some, balances as they change."""

from farebox.http.docs.example import Example

_ACME = "acme:$ORGANIZATION_KEY"
_OF_ACME = "/tokenvault/v1/balance/organizations/acme"

CREDITS: tuple[Example, ...] = (
    Example("tokenvault.health", "/tokenvault/health", key=None),
    Example(
        "tokenvault.add_organization",
        "/tokenvault/v1/wallet/organizations",
        {"id": "acme", "name": "Acme Inc."},
        user=_ACME,
    ),
    Example(
        "tokenvault.add_user",
        "/tokenvault/v1/wallet/users",
        {"id": "ada", "organization_id": "acme", "name": "Ada"},
        user=_ACME,
    ),
    Example(
        "tokenvault.add_profile",
        "/tokenvault/v1/wallet/profiles",
        {"id": "chat-agent", "organization_id": "acme", "user_id": "ada"},
        user=_ACME,
    ),
    Example(
        "tokenvault.recharge",
        "/tokenvault/v1/recharge",
        {"organization_id": "acme", "money_amount": 20, "metadata": {"source": "bank", "reference": "2026-0043"}},
    ),
    Example(
        "tokenvault.wallet_recharge",
        "/tokenvault/v1/wallet/recharge",
        {"organization_id": "acme", "money_amount": 5, "metadata": {"reason": "free_trial"}},
    ),
    Example(
        "tokenvault.consumption",
        "/tokenvault/v1/consumption/process",
        {
            "organization_id": "acme",
            "profile_id": "chat-agent",
            "user_id": "ada",
            "model": "small-1",
            "prompt_tokens": 1200,
            "completion_tokens": 350,
            "record_id": "answer-8736",
        },
        user=_ACME,
    ),
    Example("tokenvault.organization_balance", _OF_ACME, user=_ACME),
    Example("tokenvault.wallet_organization_balance", "/tokenvault/v1/wallet/organizations/acme/balance", user=_ACME),
    Example("tokenvault.profile_balance", "/tokenvault/v1/balance/profiles/chat-agent", user=_ACME),
    Example(
        "tokenvault.add_ticket",
        "/tokenvault/v1/tickets",
        {"organization_id": "acme"},
        user=_ACME,
        keeps=(("TICKET", "ticket"),),
    ),
    Example("tokenvault.organization_stream", f"{_OF_ACME}/stream?ticket=$TICKET", key=None, streams=True),
    Example("tokenvault.profile_stream", "/tokenvault/v1/balance/profiles/chat-agent/stream", user=_ACME, streams=True),
)
