"""SyftBox's accounting, for a Farebox server: `Client().accounting_client`. See COMPATIBILITY.md."""

from syftbox.accounting import AccountingClient, UserAccount
from syftbox.client import Client
from syftbox.core.exceptions import AuthenticationError, PaymentError, SyftBoxSDKError

__version__ = "0.1.0"

__all__ = ["AccountingClient", "AuthenticationError", "Client", "PaymentError", "SyftBoxSDKError", "UserAccount"]
