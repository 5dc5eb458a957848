"""The calls of the accounting dialect, before anybody carries them: for threads and for asyncio alike."""

import base64
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import msgspec

from farebox.client.call import visible
from farebox.client.core import Policy, Program, Reply, Request, foreign, members
from farebox.client.errors import BadAnswer, Unreachable
from syft_accounting_sdk.error import ServiceException
from syft_accounting_sdk.schemas import Transaction, User, exact

T = TypeVar("T")

Amount = float | int | Decimal
"""US dollars with up to six decimals. Of a float its shortest text counts: 0.1 is 0.1."""

PATIENCE = Policy(timeout_s=15, deadline_s=30)
"""A call takes 30 seconds at most, with all its attempts."""

_exact = msgspec.json.Encoder(decimal_format="number")


class Caller:
    """Who calls: what is sent with every request. A changed password counts from the next call on."""

    def __init__(self, url: str, authorization: str, email: str = "") -> None:
        self.url = url.rstrip("/")
        self.email = email
        self.authorization = authorization

    def has_password(self, password: str) -> None:
        """Goes on with another password."""
        self.authorization = basic(self.email, password)

    def __repr__(self) -> str:
        """Without credentials: they have no place in a log."""
        return f"Caller({self.url!r}, {self.email!r})"


def basic(email: str, password: str) -> str:
    """An `Authorization` header of a person."""
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


def person(url: str, email: str, password: str) -> Caller:
    """A person with a password."""
    return Caller(url, basic(email, password), email)


def administrator(url: str, key: str) -> Caller:
    """An administrator with a key."""
    return Caller(url, f"Bearer {key}")


def nobody(url: str) -> Caller:
    """Somebody who has no account yet."""
    return Caller(url, "")


def create_user(
    caller: Caller, *, email: str, organization: str | None = None, password: str | None = None
) -> Program[tuple[User, str]]:
    """Makes an account; the person, and the password: the given one, or one that is shown this once."""
    body = {"email": email, "password": password, "organization": organization}

    def read(answer: dict[str, Any]) -> tuple[User, str]:
        return User.of(answer["user"]), password or answer["password"]

    return _ask(caller, "POST", "/user/create", body, read, repeatable=False)


def get_user_info(caller: Caller) -> Program[User]:
    """The caller's own account."""
    return _ask(caller, "GET", "/user/my-info", None, _user)


def update_password(caller: Caller, *, old_password: str, new_password: str) -> Program[User]:
    """Changes the caller's password; this client goes on with the new one."""
    body = {"oldPassword": old_password, "newPassword": new_password}

    def read(answer: dict[str, Any]) -> User:
        caller.has_password(new_password)
        return _user(answer)

    return _ask(caller, "PUT", "/user/update-password", body, read, repeatable=False)


def update_organization(caller: Caller, *, organization: str) -> Program[User]:
    """Changes the caller's organization."""
    return _ask(caller, "PUT", "/user/update-organization", {"organization": organization}, _user)


def create_transaction(
    caller: Caller,
    *,
    recipientEmail: str,
    amount: Amount,
    appName: str | None = None,
    appEpPath: str | None = None,
    idempotency_key: str | None = None,
) -> Program[Transaction]:
    """Holds `amount` dollars of the caller's for a recipient, until it is confirmed or cancelled.

    Raises ValueError for an amount that is not positive.
    """
    body = _payment(caller.email, recipientEmail, amount, appName, appEpPath)
    return _ask(caller, "POST", "/transaction/create", body, _transaction, key=_fresh(idempotency_key))


def create_delegated_transaction(
    caller: Caller,
    *,
    senderEmail: str,
    amount: Amount,
    token: str,
    appName: str | None = None,
    appEpPath: str | None = None,
    idempotency_key: str | None = None,
) -> Program[Transaction]:
    """Holds `amount` dollars of a sender's for the caller, by the sender's token.

    Raises ValueError for an amount that is not positive.
    """
    body = _payment(senderEmail, caller.email, amount, appName, appEpPath) | {"token": token}
    return _ask(caller, "POST", "/transaction/create", body, _transaction, key=_fresh(idempotency_key))


def create_transaction_token(caller: Caller, *, recipientEmail: str) -> Program[str]:
    """A token with which the recipient may draw on the caller."""
    # Asking again is safe: of a token whose answer was lost, nobody knows the text.
    return _ask(caller, "POST", "/token/create", {"recipientEmail": recipientEmail}, _token)


def confirm_transaction(caller: Caller, *, id: str) -> Program[Transaction]:  # noqa: A002  # the documented name
    """Moves what a transaction holds. Confirming twice is confirming once."""
    return _ask(caller, "POST", "/transaction/confirm", {"transactionId": id}, _transaction)


def cancel_transaction(caller: Caller, *, id: str) -> Program[Transaction]:  # noqa: A002
    """Frees what a transaction holds. Cancelling twice is cancelling once."""
    return _ask(caller, "POST", "/transaction/cancel", {"transactionId": id}, _transaction)


def get_transaction_history(caller: Caller) -> Program[list[Transaction]]:
    """What the caller has sent and received, newest first."""
    return _ask(
        caller, "GET", "/transactions", None, lambda answer: [Transaction.of(one) for one in answer["transactions"]]
    )


def add_balance(caller: Caller, *, email: str, amount: Amount, idempotency_key: str | None = None) -> Program[User]:
    """Puts `amount` dollars into somebody's wallet; ValueError for an amount that is not positive."""
    body = {"recipientEmail": email, "amount": dollars(amount)}
    return _ask(caller, "POST", "/user/add-balance", body, _user, key=_fresh(idempotency_key))


def get_user(caller: Caller, *, email: str) -> Program[User]:
    """Somebody's account."""
    return _ask(caller, "GET", f"/user/{quote(email, safe='@')}", None, _user)


def get_all_users(caller: Caller, format: Literal["list", "dict"] = "list") -> Program[Any]:  # noqa: A002
    """All accounts: as a list, or by e-mail address. Raises ValueError for another format."""
    if format not in ("list", "dict"):
        raise ValueError("format must be 'list' or 'dict'")

    def read(answer: dict[str, Any]) -> list[User] | dict[str, User]:
        users = [User.of(one) for one in answer["users"]]
        return users if format == "list" else {user.email: user for user in users}

    return _ask(caller, "GET", "/users", None, read)


def dollars(amount: Amount) -> Decimal:
    """An amount as it is sent, exact; ValueError for what is none."""
    if isinstance(amount, bool) or not isinstance(amount, float | int | Decimal):
        raise ValueError("Amount must be a number")
    found = exact(amount) if isinstance(amount, float) else Decimal(amount)
    if not found.is_finite() or found <= 0:
        raise ValueError("Amount must be positive")
    return Decimal(f"{found:f}")  # without an exponent


def _payment(sender: str, recipient: str, amount: Amount, app_name: str | None, path: str | None) -> dict[str, Any]:
    return {
        "senderEmail": sender,
        "recipientEmail": recipient,
        "amount": dollars(amount),
        "appName": app_name,
        "appEpPath": path,
    }


def _ask(
    caller: Caller,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    make: Callable[[dict[str, Any]], T],
    *,
    key: str | None = None,
    repeatable: bool = True,
) -> Program[T]:
    def read(reply: Reply) -> T:
        answer = members(reply)
        if reply.status >= 300:
            raise ServiceException(reply.status, answer)
        try:
            return make(answer)
        except (KeyError, TypeError, ValueError):
            raise BadAnswer("the answer is not what this call is answered with", reply.status) from None

    headers = {} if not caller.authorization else {"Authorization": caller.authorization}
    if key is not None:
        headers["Idempotency-Key"] = key
    content = None if body is None else _exact.encode(body)
    return foreign(Request(method, path, {}, content, headers, repeatable), read, PATIENCE, _failed)


def _failed(error: Unreachable | BadAnswer) -> ServiceException:
    return ServiceException(503, {"message": str(error), "code": "unreachable"})


def _fresh(key: str | None) -> str:
    return visible(str(uuid.uuid4()) if key is None else key)


def _user(answer: dict[str, Any]) -> User:
    return User.of(answer["user"])


def _transaction(answer: dict[str, Any]) -> Transaction:
    return Transaction.of(answer["transaction"])


def _transactions(answer: dict[str, Any]) -> list[Transaction]:
    return [Transaction.of(one) for one in answer["transactions"]]


def _token(answer: dict[str, Any]) -> str:
    token: str = answer["token"]
    return token
