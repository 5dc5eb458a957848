"""The entry point of the documented programs."""

from syftbox.accounting import AccountingClient


class Client:
    """Holds an accounting client: the given one, or one with what `setup_accounting_discovery` finds."""

    def __init__(self, accounting_client: AccountingClient | None = None) -> None:
        if accounting_client is None:
            accounting_client, _ = AccountingClient.setup_accounting_discovery()
        self.accounting_client = accounting_client

    def __repr__(self) -> str:
        return f"Client({self.accounting_client.accounting_url!r})"
