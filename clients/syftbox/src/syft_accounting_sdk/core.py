"""The clients with threads. Every call is made in `calls`; here they are only given their place and carried."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Protocol, Self, TypeVar

from farebox.client.connected import Connected
from farebox.client.core import Program
from farebox.client.signatures import as_method
from syft_accounting_sdk import calls
from syft_accounting_sdk.calls import Amount, Caller
from syft_accounting_sdk.error import ServiceException
from syft_accounting_sdk.schemas import Transaction, User

P = ParamSpec("P")
T = TypeVar("T")


class _Carried(Protocol):
    _caller: Caller

    def _run(self, program: Program[T]) -> T: ...


def does(make: Callable[Concatenate[Caller, P], Program[T]]) -> Callable[Concatenate[_Carried, P], T]:
    """A method that makes a call of the client's caller."""

    def method(self: _Carried, /, *args: P.args, **given: P.kwargs) -> T:
        return self._run(make(self._caller, *args, **given))

    return as_method(method, make, leading=1)


class _Client(Connected):
    """What both clients have."""

    def __init__(self, caller: Caller) -> None:
        self.url = caller.url
        self._caller = caller
        self._connect(caller.url, {})


class AdminClient(_Client):
    """An administrator's side, with an administrator's key. Calls raise ServiceException."""

    def __init__(self, *, url: str, key: str) -> None:
        super().__init__(calls.administrator(url, key))
        self.key = key

    create_user = does(calls.create_user)
    add_balance = does(calls.add_balance)
    get_user = does(calls.get_user)
    get_all_users = does(calls.get_all_users)


class UserClient(_Client):
    """A person's side, with their e-mail address and password. Calls raise ServiceException."""

    def __init__(self, url: str, email: str, password: str) -> None:
        super().__init__(calls.person(url, email, password))
        self.email = email

    @classmethod
    def create_user(
        cls, *, url: str, email: str, organization: str | None = None, password: str | None = None
    ) -> tuple[User, str]:
        """Makes an account; the person, and the password: the given one, or one that is shown this once."""
        with _Client(calls.nobody(url)) as client:
            asked = calls.create_user(client._caller, email=email, organization=organization, password=password)
            return client._run(asked)

    get_user_info = does(calls.get_user_info)
    create_transaction = does(calls.create_transaction)
    create_delegated_transaction = does(calls.create_delegated_transaction)
    create_transaction_token = does(calls.create_transaction_token)
    confirm_transaction = does(calls.confirm_transaction)
    cancel_transaction = does(calls.cancel_transaction)
    get_transaction_history = does(calls.get_transaction_history)
    update_password = does(calls.update_password)
    update_organization = does(calls.update_organization)

    def transfer(
        self,
        recipientEmail: str,
        amount: Amount,
        app_name: str | None = None,
        app_ep_path: str | None = None,
    ) -> "TransactionCtx":
        """A transaction around a block of work: cancelled at its end, unless it was confirmed."""
        return TransactionCtx(self, recipientEmail, amount, app_name, app_ep_path)

    def delegated_transfer(
        self,
        senderEmail: str,
        amount: Amount,
        token: str,
        app_name: str | None = None,
        app_ep_path: str | None = None,
    ) -> "DelegatedTransactionCtx":
        """The same, drawn on a sender by their token."""
        return DelegatedTransactionCtx(self, senderEmail, amount, token, app_name, app_ep_path)


class TransactionCtx:
    """`with client.transfer(…) as payment:` holds the amount; without `payment.confirm()` it is freed at the end."""

    def __init__(
        self,
        client: UserClient,
        email: str,
        amount: Amount,
        appName: str | None = None,
        appEpPath: str | None = None,
    ) -> None:
        self.client = client
        self.email = email
        self.amount = amount
        self.transaction: Transaction | None = None
        self.appName = appName
        self.appEpPath = appEpPath
        self._confirmed = False

    def _create(self) -> Transaction:
        return self.client.create_transaction(
            recipientEmail=self.email, amount=self.amount, appName=self.appName, appEpPath=self.appEpPath
        )

    def __enter__(self) -> Self:
        self.transaction = self._create()
        return self

    def confirm(self) -> Transaction:
        """Moves the amount; RuntimeError outside of the block."""
        if self.transaction is None:
            raise RuntimeError("No transaction to confirm.")
        self.transaction = self.client.confirm_transaction(id=self.transaction.id)
        self._confirmed = True
        return self.transaction

    def __exit__(self, exc_type: Any, exc_val: BaseException | None, exc_tb: Any) -> None:
        if self._confirmed or self.transaction is None:
            return
        try:
            self.transaction = self.client.cancel_transaction(id=self.transaction.id)
        except ServiceException as reason:
            if exc_val is None:
                raise
            exc_val.add_note(f"The transaction {self.transaction.id} could not be cancelled: {reason}")


class DelegatedTransactionCtx(TransactionCtx):
    """The same, drawn on a sender by their token."""

    def __init__(
        self,
        client: UserClient,
        email: str,
        amount: Amount,
        token: str,
        appName: str | None = None,
        appEpPath: str | None = None,
    ) -> None:
        super().__init__(client, email, amount, appName, appEpPath)
        self.token = token

    def _create(self) -> Transaction:
        return self.client.create_delegated_transaction(
            senderEmail=self.email,
            amount=self.amount,
            token=self.token,
            appName=self.appName,
            appEpPath=self.appEpPath,
        )
