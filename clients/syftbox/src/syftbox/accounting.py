"""The accounting client: an account, its balance, and tokens that pay services."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from syft_accounting_sdk import AsyncUserClient, ServiceException, Transaction, User, UserClient
from syft_accounting_sdk.schemas import TransactionStatus
from syftbox import credentials, showing
from syftbox.core.exceptions import AuthenticationError, PaymentError
from syftbox.core.types import APIException
from syftbox.credentials import Credentials

DEFAULT_URL = "http://127.0.0.1:8080/syftbox"
URL, EMAIL, PASSWORD = (f"SYFTBOX_ACCOUNTING_{name}" for name in ("URL", "EMAIL", "PASSWORD"))

T = TypeVar("T")


@dataclass
class UserAccount:
    """An account that was made; `balance` in US dollars. The password is shown this once: keep it."""

    email: str
    balance: float
    password: str
    organization: str | None = None

    def __repr__(self) -> str:
        """Without the password: it has no place in a log."""
        return f"UserAccount(email={self.email!r}, balance={self.balance!r}, organization={self.organization!r})"


class AccountingClient:
    """A person's account with an accounting service. Amounts are US dollars.

    `accounting_url` is the address of a Farebox server with `/syftbox` at its end, by default `SYFTBOX_ACCOUNTING_URL`
    of the environment. Calls raise PaymentError, and AuthenticationError without credentials (see
    `syftbox.core.exceptions`).
    """

    def __init__(self, accounting_url: str | None = None, credentials: dict[str, str] | None = None) -> None:
        given = credentials or {}
        self.accounting_url = accounting_url or given.get("accounting_url") or os.environ.get(URL) or DEFAULT_URL
        self._credentials: Credentials | None = None
        self._client: UserClient | None = None
        self._async_client: AsyncUserClient | None = None
        if given.get("email") and given.get("password"):
            self._use(self.accounting_url, given["email"], given["password"])

    def is_configured(self) -> bool:
        """Whether there are credentials. Asks nobody."""
        return self._credentials is not None

    def get_email(self) -> str | None:
        """The account's e-mail address; None without credentials."""
        return None if self._credentials is None else self._credentials.email

    def register_accounting(
        self, email: str, password: str | None = None, organization: str | None = None
    ) -> UserAccount:
        """Makes an account and uses it from now on; without a password, one is made. Raises APIException."""
        try:
            user, password = UserClient.create_user(
                url=self.accounting_url, email=email, organization=organization, password=password
            )
        except ServiceException as error:
            raise _not_made(error) from None
        return self._made(user, password)

    async def create_accounting_user(
        self, email: str, password: str | None = None, organization: str | None = None
    ) -> UserAccount:
        """The same, awaited."""
        try:
            user, password = await AsyncUserClient.create_user(
                url=self.accounting_url, email=email, organization=organization, password=password
            )
        except ServiceException as error:
            raise _not_made(error) from None
        return self._made(user, password)

    def configure(
        self, accounting_url: str | None = None, email: str | None = None, password: str | None = None
    ) -> None:
        """Uses an account: `(accounting_url, email, password)`, or `(email, password)` with the address as it is.

        Asks nobody; `validate_credentials` does. Raises AuthenticationError where something is missing.
        """
        if password is None and email is not None and accounting_url is not None and "://" not in accounting_url:
            accounting_url, email, password = None, accounting_url, email
        if not email or not password:
            raise AuthenticationError("an e-mail address and a password are needed", accounting_url)
        self._use(accounting_url or self.accounting_url, email, password)

    def connect_accounting(
        self, accounting_url: str | None = None, email: str | None = None, password: str | None = None
    ) -> None:
        """Another name of `configure`."""
        self.configure(accounting_url, email, password)

    @property
    def client(self) -> UserClient:
        """The client of the service beneath; AuthenticationError without credentials."""
        if self._client is None:
            found = self._required()
            self._client = UserClient(found.accounting_url, found.email, found.password)
        return self._client

    @property
    def async_client(self) -> AsyncUserClient:
        """The same, for asyncio."""
        if self._async_client is None:
            found = self._required()
            self._async_client = AsyncUserClient(found.accounting_url, found.email, found.password)
        return self._async_client

    def get_account_balance(self) -> float:
        """What can be spent, in US dollars."""
        return self._told(self.client.get_user_info).balance

    async def _get_account_balance_async(self) -> float:
        """The same, awaited."""
        return (await self._info()).balance

    async def get_account_info(self) -> dict[str, Any]:
        """The account, what it has spent and received (`usage`, in US dollars), and its `history`, newest first."""
        user = await self._info()
        try:
            transactions = await self.async_client.get_transaction_history()
        except ServiceException as error:
            raise PaymentError(f"Failed to get account info: {error}") from None
        return {
            "email": user.email,
            "balance": user.balance,
            "currency": "USD",
            "account_id": user.id,
            "created_at": None,
            "organization": user.organization,
            "usage": _usage_of(user.email, transactions),
            "history": [transaction.model_dump() for transaction in transactions],
        }

    async def create_transaction_token(self, recipient_email: str) -> str:
        """A token with which a service may draw on this account."""
        try:
            return await self.async_client.create_transaction_token(recipientEmail=recipient_email)
        except ServiceException as error:
            raise PaymentError(f"Failed to create transaction token: {error}") from None

    async def validate_credentials(self) -> bool:
        """Whether the service takes these credentials now; False too where it is away."""
        try:
            await self.async_client.get_user_info()
        except (ServiceException, AuthenticationError):
            return False
        return True

    def save_credentials(self, config_path: str | Path | None = None, *, filepath: str | Path | None = None) -> None:
        """Writes the credentials to a file, by default `~/.syftbox/accounting.json`: mode 0600, the password encrypted.

        Ask the person before. `filepath` is another name of `config_path`. Raises ValueError without credentials, and
        PaymentError where it can't be written.
        """
        if self._credentials is None:
            raise ValueError("No credentials to save")
        given = config_path or filepath
        try:
            credentials.save(self._credentials, Path(given) if given else credentials.home() / "accounting.json")
        except OSError as error:
            raise PaymentError(f"Failed to save credentials: {error}") from None

    @classmethod
    def load_from_config(
        cls, config_path: str | Path | None = None, *, filepath: str | Path | None = None
    ) -> "AccountingClient":
        """A client with saved credentials; AuthenticationError where there are none, or none that can be read."""
        given = config_path or filepath
        found = credentials.load(Path(given) if given else credentials.default_path())
        return cls._with(found)

    @classmethod
    def from_environment(cls) -> "AccountingClient":
        """A client with the environment's credentials; AuthenticationError names the variables that are missing."""
        missing = [name for name in (EMAIL, PASSWORD) if not os.environ.get(name)]
        if missing:
            raise AuthenticationError(f"Missing environment variables: {', '.join(missing)}")
        client = cls()
        client._use(client.accounting_url, os.environ[EMAIL], os.environ[PASSWORD])
        return client

    @classmethod
    def setup_accounting_discovery(cls) -> "tuple[AccountingClient, bool]":
        """A client with saved credentials, else with the environment's, else with none; and whether it has any."""
        for find in (cls.load_from_config, cls.from_environment):
            try:
                return find(), True
            except AuthenticationError:
                continue
        return cls(), False

    def show(self) -> None:
        """Shows the account: a widget in a notebook, text elsewhere."""
        showing.display(self._status())

    def __repr__(self) -> str:
        return showing.as_text(self._status(ask=False))

    def _repr_html_(self) -> str:
        return showing.as_html(self._status(ask=False))

    def _status(self, *, ask: bool = True) -> showing.Status:
        balance = "–"
        if ask and self.is_configured():
            try:
                balance = f"${self.get_account_balance()}"
            except PaymentError:
                balance = "the service does not tell it: are the credentials right?"
        return showing.Status(self.is_configured(), self.accounting_url, self.get_email(), balance)

    def _required(self) -> Credentials:
        if self._credentials is None:
            raise AuthenticationError("No accounting credentials provided", self.accounting_url)
        return self._credentials

    def _use(self, accounting_url: str, email: str, password: str) -> None:
        self.accounting_url = accounting_url
        self._credentials = Credentials(accounting_url, email, password)
        self._client = self._async_client = None

    def _made(self, user: User, password: str) -> UserAccount:
        self._use(self.accounting_url, user.email, password)
        return UserAccount(user.email, user.balance, password, user.organization)

    async def _info(self) -> User:
        try:
            return await self.async_client.get_user_info()
        except ServiceException as error:
            raise PaymentError(f"Failed to get account balance: {error}") from None

    def _told(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except ServiceException as error:
            raise PaymentError(f"Failed to get account balance: {error}") from None

    @classmethod
    def _with(cls, found: Credentials) -> "AccountingClient":
        client = cls()
        client._use(found.accounting_url, found.email, found.password)
        return client


def _usage_of(email: str, transactions: list[Transaction]) -> dict[str, Any]:
    """What transactions add up to for one side, in US dollars, and how many there are by status."""
    sums = {"spent": Decimal(0), "received": Decimal(0), "pending": Decimal(0)}
    counts = dict.fromkeys((status.value for status in TransactionStatus), 0)
    for transaction in transactions:
        counts[transaction.status.value] += 1
        sent = transaction.senderEmail == email
        if transaction.status == TransactionStatus.COMPLETED:
            sums["spent" if sent else "received"] += transaction.exact_amount
        elif transaction.status == TransactionStatus.PENDING and sent:
            sums["pending"] += transaction.exact_amount
    return {name: float(amount) for name, amount in sums.items()} | {"transactions": counts}


def _not_made(error: ServiceException) -> APIException:
    text = f"Failed to create user account: {error.message}"
    if error.status_code == 409:
        text = f"User account already exists: {error.message}. Please use your existing password"
    return APIException(text, status_code=error.status_code)
