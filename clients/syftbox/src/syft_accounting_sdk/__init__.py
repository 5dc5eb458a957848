"""The accounting SDK, for a Farebox server: accounts of people, what they pay each other, what administrators credit.

`UserClient` and `AdminClient` take the place of the published ones; `AsyncUserClient` and `AsyncAdminClient` are the
same for asyncio. See COMPATIBILITY.md.
"""

from syft_accounting_sdk.asynchronous import AsyncAdminClient, AsyncUserClient
from syft_accounting_sdk.core import AdminClient, UserClient
from syft_accounting_sdk.error import ServiceException
from syft_accounting_sdk.schemas import Transaction, User

__version__ = "0.1.0"

__all__ = [
    "AdminClient",
    "AsyncAdminClient",
    "AsyncUserClient",
    "ServiceException",
    "Transaction",
    "User",
    "UserClient",
]
