"""The clients for asyncio: the same calls, awaited."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from farebox.client.connected import AsyncConnected
from farebox.client.core import Program
from farebox.client.signatures import as_method
from syft_accounting_sdk import calls
from syft_accounting_sdk.calls import Amount, Caller
from syft_accounting_sdk.error import ServiceException
from syft_accounting_sdk.schemas import Transaction, TransactionStatus, User

P = ParamSpec("P")
T = TypeVar("T")


class _Carried(Protocol):
    _caller: Caller

    async def _run(self, program: Program[T]) -> T: ...


def does(make: Callable[Concatenate[Caller, P], Program[T]]) -> Callable[Concatenate[_Carried, P], Awaitable[T]]:
    """A method that makes a call of the client's caller; awaited, it is the answer."""

    def method(self: _Carried, /, *args: P.args, **given: P.kwargs) -> Awaitable[T]:
        return self._run(make(self._caller, *args, **given))

    return as_method(method, make, leading=1)


class _Client(AsyncConnected):
    """What both clients have."""

    def __init__(self, caller: Caller) -> None:
        self.url = caller.url
        self._caller = caller
        self._connect(caller.url, {})


class AsyncAdminClient(_Client):
    """AdminClient for asyncio."""

    def __init__(self, *, url: str, key: str) -> None:
        super().__init__(calls.administrator(url, key))

    create_user = does(calls.create_user)
    add_balance = does(calls.add_balance)
    get_user = does(calls.get_user)
    get_all_users = does(calls.get_all_users)


class Payment:
    """What a transfer's block is given."""

    def __init__(self, client: "AsyncUserClient", transaction: Transaction) -> None:
        self._client = client
        self.transaction = transaction

    async def confirm(self) -> Transaction:
        """Moves the amount."""
        self.transaction = await self._client.confirm_transaction(id=self.transaction.id)
        return self.transaction


class AsyncUserClient(_Client):
    """UserClient for asyncio."""

    def __init__(self, url: str, email: str, password: str) -> None:
        super().__init__(calls.person(url, email, password))
        self.email = email

    @classmethod
    async def create_user(
        cls, *, url: str, email: str, organization: str | None = None, password: str | None = None
    ) -> tuple[User, str]:
        """As UserClient's."""
        async with _Client(calls.nobody(url)) as client:
            asked = calls.create_user(client._caller, email=email, organization=organization, password=password)
            return await client._run(asked)

    get_user_info = does(calls.get_user_info)
    create_transaction = does(calls.create_transaction)
    create_delegated_transaction = does(calls.create_delegated_transaction)
    create_transaction_token = does(calls.create_transaction_token)
    confirm_transaction = does(calls.confirm_transaction)
    cancel_transaction = does(calls.cancel_transaction)
    get_transaction_history = does(calls.get_transaction_history)
    update_password = does(calls.update_password)
    update_organization = does(calls.update_organization)

    @asynccontextmanager
    async def transfer(
        self,
        recipientEmail: str,
        amount: Amount,
        app_name: str | None = None,
        app_ep_path: str | None = None,
    ) -> AsyncIterator[Payment]:
        """As UserClient's, for `async with`."""
        made = await self.create_transaction(
            recipientEmail=recipientEmail, amount=amount, appName=app_name, appEpPath=app_ep_path
        )
        async with self._cancelled_unless_confirmed(made) as payment:
            yield payment

    @asynccontextmanager
    async def delegated_transfer(
        self,
        senderEmail: str,
        amount: Amount,
        token: str,
        app_name: str | None = None,
        app_ep_path: str | None = None,
    ) -> AsyncIterator[Payment]:
        """As UserClient's, for `async with`."""
        made = await self.create_delegated_transaction(
            senderEmail=senderEmail, amount=amount, token=token, appName=app_name, appEpPath=app_ep_path
        )
        async with self._cancelled_unless_confirmed(made) as payment:
            yield payment

    @asynccontextmanager
    async def _cancelled_unless_confirmed(self, made: Transaction) -> AsyncIterator[Payment]:
        payment = Payment(self, made)
        try:
            yield payment
        except BaseException as error:
            try:
                await self._cancel(payment)
            except ServiceException as reason:
                error.add_note(f"The transaction {made.id} could not be cancelled: {reason}")
            raise
        await self._cancel(payment)

    async def _cancel(self, payment: Payment) -> None:
        if payment.transaction.status == TransactionStatus.PENDING:
            payment.transaction = await self.cancel_transaction(id=payment.transaction.id)
