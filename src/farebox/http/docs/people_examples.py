"""The part of the story that people tell: an account, a token, a payment drawn with it."""

from farebox.http.docs.example import Example

_ADA = "ada@example.org:$PASSWORD"
_CHAT = "chat@example.org:$CHAT_PASSWORD"
_DRAW = {"senderEmail": "ada@example.org", "recipientEmail": "chat@example.org", "amount": 0.25, "token": "$TOKEN"}

PEOPLE: tuple[Example, ...] = (
    Example(
        "syftbox.create_user",
        "/syftbox/user/create",
        {"email": "chat@example.org", "password": None, "organization": "Chat"},
        key=None,
        keeps=(("CHAT_PASSWORD", "password"),),
    ),
    Example("syftbox.add_balance", "/syftbox/user/add-balance", {"recipientEmail": "ada@example.org", "amount": 12.5}),
    Example("syftbox.my_info", "/syftbox/user/my-info", user=_ADA),
    Example("syftbox.update_organization", "/syftbox/user/update-organization", {"organization": "Engines"}, user=_ADA),
    Example(
        "syftbox.create_token",
        "/syftbox/token/create",
        {"recipientEmail": "chat@example.org", "limit": 2},
        user=_ADA,
        keeps=(("TOKEN", "token"), ("TOKEN_ID", "id")),
    ),
    Example(
        "syftbox.create",
        "/syftbox/transaction/create",
        _DRAW,
        user=_CHAT,
        idempotency_key="answer-8734",
        keeps=(("PAYMENT", "transaction.id"),),
    ),
    Example("syftbox.confirm", "/syftbox/transaction/confirm", {"transactionId": "$PAYMENT"}, user=_CHAT),
    Example("syftbox.cancel", "/syftbox/transaction/cancel", {"transactionId": "$OTHER_PAYMENT"}, user=_CHAT),
    Example("syftbox.transactions", "/syftbox/transactions", user=_ADA),
    Example("syftbox.tokens", "/syftbox/tokens", user=_ADA),
    Example("syftbox.revoke_token", "/syftbox/token/revoke", {"tokenId": "$TOKEN_ID"}, user=_ADA),
    Example("syftbox.get_user", "/syftbox/user/ada@example.org"),
    Example("syftbox.users", "/syftbox/users"),
    Example(
        "syftbox.update_password",
        "/syftbox/user/update-password",
        {"oldPassword": "$PASSWORD", "newPassword": "another password"},
        user=_ADA,
    ),
)
