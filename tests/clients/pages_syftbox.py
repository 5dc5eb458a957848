"""The blocks of SyftBox's page, which has lost its indentation and its fences: where each stands, and what it needs.

`indent` restores what the page shows no more: how deep each line of the block is.
"""

from msgspec import Struct

from tests.clients.pages import Case
from tests.support.seeds import SEEDS


class Place(Struct, frozen=True):
    """Lines of the page, the first being 1."""

    first: int
    last: int
    indent: str = ""

    def text(self) -> str:
        """The block, indented."""
        lines = (SEEDS / "syftbox-accounting.md").read_text("utf-8").splitlines()[self.first - 1 : self.last]
        depths = self.indent or "0" * len(lines)
        return "".join("    " * int(depth) + line + "\n" for depth, line in zip(depths, lines, strict=True))


PUBLISHED = """
import sys
import syft_hub
from syft_hub.clients import accounting_client
from syft_hub.core import exceptions
sys.modules |= {
    "syftbox": syft_hub,
    "syftbox.accounting": accounting_client,
    "syftbox.core": syft_hub.core,
    "syftbox.core.exceptions": exceptions,
}
"""
"""The published hub is imported by another name than its page says."""

CLIENT = """
import os
from types import SimpleNamespace
from syftbox.accounting import AccountingClient
from syftbox.core.exceptions import PaymentError
client = SimpleNamespace(accounting_client=AccountingClient(os.environ["URL"]))
"""
"""A client without an account."""

CONNECTED = CLIENT + 'client.accounting_client.configure(os.environ["URL"], os.environ["EMAIL"], os.environ["PASS"])\n'
"""A client with an account, as `configure` makes it."""

ENVIRONMENT = """
import os
for name, value in {"URL": "URL", "EMAIL": "EMAIL", "PASSWORD": "PASS"}.items():
    os.environ["SYFTBOX_ACCOUNTING_" + name] = os.environ[value]
"""
"""What the page exports in a shell."""

SERVICE = (
    CONNECTED
    + """
from syft_accounting_sdk import UserClient
class some_ai_service:
    async def query(message, payment_token):
        service = UserClient(os.environ["URL"], "ai-service@example.com", os.environ["PASS"])
        with service.delegated_transfer(os.environ["EMAIL"], 1.5, payment_token) as payment:
            payment.confirm()
"""
)
"""A service that draws 1.5 dollars with the token that it is given."""

BLOCKS: list[tuple[Place, Case]] = [
    (Place(5, 13, "000001101"), Case("discovery, with nothing to find", published=False)),
    (Place(17, 25), Case("makes an account", CLIENT)),
    (
        Place(29, 40),
        Case("connects by address and password, without a URL", CLIENT, published=False),
    ),
    (Place(45, 50), Case("shows the status", CONNECTED, published=False)),
    (Place(56, 60), Case("reads the account", CONNECTED)),
    (Place(64, 66), Case("reads the balance", CONNECTED)),
    (Place(69, 71), Case("reads the balance, awaited", CONNECTED)),
    (Place(75, 79), Case("makes a token", CONNECTED)),
    (Place(80, 97), Case("pays a service, which the page does not show", SERVICE)),
    (Place(101, 112, "000101001101"), Case("validates", CONNECTED)),
    (Place(116, 118), Case("saves; the directory of the second place is not there", CONNECTED)),
    (
        Place(123, 126),
        Case("loads; the second place is not there", CONNECTED + "client.accounting_client.save_credentials()"),
    ),
    (Place(133, 142), Case("the environment's", ENVIRONMENT, "print(is_configured)", published=False)),
    (Place(146, 151, "000101"), Case("discovery", CLIENT)),
    (Place(154, 163, "0011111011"), Case("a URL that is an example; nobody is asked", CLIENT)),
    (Place(166, 175, "0112111011"), Case("handles what a payment raises", CONNECTED)),
    (Place(178, 182, "01011"), Case("the package is there", CLIENT)),
    (Place(183, 189, "0011201"), Case("validates where there is a client", CONNECTED)),
]
CODE = r"(client|print|from|import|if|else:|try:|except|balance|token|accounting_client|is_valid|info|response|email)\b"
"""How lines of the page begin that are Python."""

TALK = {3}
"""Lines that begin so and are none: a signature."""
