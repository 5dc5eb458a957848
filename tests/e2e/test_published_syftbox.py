"""The published `syft-accounting-sdk` 0.1.1 and the accounting client of `syft-hub` 0.1.32, unchanged: every method."""

import json
import stat
import subprocess
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.interpreter import Interpreter
from tests.support.live import ADMIN_KEY, Live

RELEASE = "syft-hub-0.1.32"
"""Its environment has `syft-accounting-sdk` 0.1.1, on which it is built."""


@pytest.fixture(scope="module")
def clients(live: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Interpreter]:
    """The clients, with an administrator's client at hand, and a maker of people with money."""
    found = Interpreter(RELEASE, tmp_path_factory.mktemp("home"))
    program = """
import asyncio
from syft_accounting_sdk import AdminClient, ServiceException, UserClient
from syft_hub.clients.accounting_client import AccountingClient

admin = AdminClient(url=url, key=key)

def somebody(email, dollars=None):
    _, password = UserClient.create_user(url=url, email=email, organization="Mine")
    if dollars is not None:
        admin.add_balance(email=email, amount=dollars)
    return UserClient(url, email, password)
"""
    found(program, url=f"{live.url}/syftbox", key=ADMIN_KEY)
    yield found
    found.close()


@pytest.fixture
def names() -> dict[str, str]:
    """Addresses of two people who have no account yet."""
    mark = uuid.uuid4().hex[:10]
    return {"ada": f"ada-{mark}@example.org", "bob": f"bob-{mark}@example.org"}


@pytest.fixture
def pair(clients: Interpreter, names: dict[str, str]) -> dict[str, str]:
    """Two people: `sender`, who has 10 dollars, and `recipient`, who has none."""
    clients("sender, recipient = somebody(ada, 10), somebody(bob)", **names)
    return names


def balances(clients: Interpreter) -> list[float]:
    found: list[float] = clients("answer = [c.get_user_info().balance for c in (sender, recipient)]")
    return found


def test_an_administrator(clients: Interpreter, names: dict[str, str]) -> None:
    made, password = clients("answer = admin.create_user(email=ada, organization='A')", **names)
    assert (made["email"], made["balance"], made["organization"]) == (names["ada"], 0, "A")
    assert password
    given = clients("answer = admin.create_user(email=bob, organization='B', password='given to him')")
    assert given[1] == "given to him"
    credited = clients("answer = admin.add_balance(email=ada, amount=12.345678)")
    assert credited == made | {"balance": 12.345678}
    assert clients("answer = admin.get_user(email=ada)") == credited
    assert credited in clients("answer = admin.get_all_users()")
    assert clients("answer = admin.get_all_users(format='dict')")[names["bob"]] == given[0]


def test_what_an_administrator_is_refused(clients: Interpreter, pair: dict[str, str]) -> None:
    refused(clients.raised("admin.create_user(email=ada, organization='A')"), 409, "email_taken")
    refused(clients.raised("admin.get_user(email='nobody@example.org')"), 404, "not_found")
    refused(clients.raised("admin.add_balance(email='nobody@example.org', amount=1)"), 404, "not_found")
    refused(clients.raised("admin.add_balance(email=ada, amount=0.0000001)"), 422, "invalid_request")
    refused(clients.raised("AdminClient(url=url, key='nonsense').get_all_users()"), 401, "invalid_api_key")


def test_an_account_and_its_changes(clients: Interpreter, names: dict[str, str]) -> None:
    user, password = clients("answer = UserClient.create_user(url=url, email=ada, organization='A')", **names)
    clients("sender = UserClient(url, ada, password)", password=password)
    assert clients("answer = sender.get_user_info()") == user
    changed = clients("answer = sender.update_organization(organization='B')")
    assert changed == user | {"organization": "B"}
    again = clients("answer = sender.update_password(old_password=password, new_password='p\\u00e4ssword: new')")
    assert again == changed
    refused(clients.raised("sender.get_user_info()"), 401, "invalid_credentials")
    assert clients("answer = UserClient(url, ada.upper(), 'p\\u00e4ssword: new').get_user_info()") == changed


def test_a_payment_confirmed_and_one_cancelled(clients: Interpreter, pair: dict[str, str]) -> None:
    program = "answer = sender.create_transaction(recipientEmail=bob, amount=1.5, appName='chat', appEpPath='/ask')"
    pending = clients(program)
    assert (pending["status"], pending["createdBy"], pending["amount"]) == ("PENDING", "SENDER", 1.5)
    assert (pending["appName"], pending["appEpPath"]) == ("chat", "/ask")
    done = clients("answer = sender.confirm_transaction(id=id)", id=pending["id"])
    assert (done["status"], done["resolvedBy"]) == ("COMPLETED", "SENDER")
    clients("other = sender.create_transaction(recipientEmail=bob, amount=2)")
    undone = clients("answer = recipient.cancel_transaction(id=other.id)")
    assert (undone["status"], undone["resolvedBy"]) == ("CANCELLED", "RECIPIENT")
    assert clients("answer = sender.get_transaction_history()") == [undone, done]
    assert clients("answer = recipient.get_transaction_history()") == [undone, done]
    refused(clients.raised("sender.confirm_transaction(id=other.id)"), 409, "already_resolved")
    refused(clients.raised("sender.create_transaction(recipientEmail=bob, amount=8.6)"), 402, "insufficient_balance")
    assert balances(clients) == [8.5, 1.5]


def test_a_payment_drawn_with_a_token(clients: Interpreter, pair: dict[str, str]) -> None:
    clients("token = sender.create_transaction_token(recipientEmail=bob)")
    drawn = "recipient.create_delegated_transaction(senderEmail=ada, amount=4, token=token, appName='chat')"
    pending = clients(f"answer = {drawn}")
    assert (pending["createdBy"], pending["senderEmail"], pending["appName"]) == ("RECIPIENT", pair["ada"], "chat")
    refused(clients.raised("sender.confirm_transaction(id=id)", id=pending["id"]), 403, "not_creator")
    assert clients("answer = recipient.confirm_transaction(id=id)")["resolvedBy"] == "RECIPIENT"
    assert clients(f"answer = recipient.cancel_transaction(id={drawn}.id)")["status"] == "CANCELLED"
    refused(clients.raised(drawn.replace("token=token", "token='dt_none'")), 401, "token_unknown")
    assert balances(clients) == [6, 4]


CONTEXTS = pytest.mark.parametrize(
    ("enter", "side"),
    [
        ("sender.transfer(bob, 3, 'chat', '/ask')", "SENDER"),
        ("recipient.delegated_transfer(ada, 3, sender.create_transaction_token(recipientEmail=bob))", "RECIPIENT"),
    ],
    ids=["transfer", "delegated"],
)


@CONTEXTS
def test_a_context_that_confirms(clients: Interpreter, pair: dict[str, str], enter: str, side: str) -> None:
    program = f"with {enter} as payment:\n    held = sender.get_user_info().balance\n    payment.confirm()"
    clients(program)
    assert clients("answer = held") == 7
    done = clients("answer = payment.transaction")
    assert (done["status"], done["createdBy"], done["resolvedBy"]) == ("COMPLETED", side, side)
    assert balances(clients) == [7, 3]


@CONTEXTS
def test_a_context_that_does_not_confirm(clients: Interpreter, pair: dict[str, str], enter: str, side: str) -> None:
    clients(f"with {enter} as payment:\n    pass")
    undone = clients("answer = payment.transaction")
    assert (undone["status"], undone["createdBy"], undone["resolvedBy"]) == ("CANCELLED", side, side)
    assert balances(clients) == [10, 0]


@CONTEXTS
def test_a_context_with_an_exception(clients: Interpreter, pair: dict[str, str], enter: str, side: str) -> None:
    found = clients.raised(f"with {enter} as payment:\n    raise KeyError('theirs')")
    assert found["raised"] == "KeyError", "the caller's own exception comes through"
    assert clients("answer = payment.transaction")["status"] == "CANCELLED"
    assert balances(clients) == [10, 0]


@CONTEXTS
def test_a_context_that_fails_after_its_confirmation(
    clients: Interpreter, pair: dict[str, str], enter: str, side: str
) -> None:
    clients.raised(f"with {enter} as payment:\n    payment.confirm()\n    raise KeyError('theirs')")
    assert balances(clients) == [7, 3]


def test_a_context_whose_payment_timed_out(
    make_live: Callable[..., Live], clients: Interpreter, live: Live, names: dict[str, str]
) -> None:
    short = make_live(transaction_ttl_s=1)
    program = """
url = short
admin = AdminClient(url=url, key=key)
sender, recipient = somebody(ada, 10), somebody(bob)
with sender.transfer(bob, 3) as payment:
    while sender.get_user_info().balance < 10:
        pass
answer = payment.transaction
"""
    undone = clients(program, short=f"{short.url}/syftbox", **names)
    clients("admin = AdminClient(url=url, key=key)", url=f"{live.url}/syftbox")
    assert (undone["status"], undone["resolvedBy"]) == ("CANCELLED", "SYSTEM")


def test_the_hubs_accounts(clients: Interpreter, names: dict[str, str]) -> None:
    clients("hub = AccountingClient(accounting_url=url)", **names)
    assert clients("answer = hub.is_configured()") is False
    made = clients("answer = hub.register_accounting(ada, organization='A')")
    assert (made["email"], made["balance"], made["organization"]) == (names["ada"], 0, "A")
    assert clients("answer = [hub.is_configured(), hub.get_email()]") == [True, names["ada"]]
    other = clients("answer = asyncio.run(AccountingClient(url).create_accounting_user(bob, 'bobs password'))")
    assert (other["email"], other["password"]) == (names["bob"], "bobs password")
    taken = clients.raised("AccountingClient(url).register_accounting(ada)")
    assert (taken["raised"], taken["fields"]["status_code"]) == ("APIException", 409)
    assert "already exists" in taken["text"]
    bad = clients.raised("AccountingClient(url).register_accounting('no address')")
    assert (bad["raised"], bad["fields"]["status_code"]) == ("APIException", 422)


@pytest.mark.parametrize("connect", ["configure", "connect_accounting"])
def test_the_hubs_balance_and_tokens(clients: Interpreter, names: dict[str, str], connect: str) -> None:
    clients("admin.create_user(email=ada, organization='A', password='adas password')", **names)
    clients("recipient = somebody(bob); admin.add_balance(email=ada, amount=2.5); hub = AccountingClient()")
    clients(f"hub.{connect}(url, ada, 'adas password')")
    assert clients("answer = hub.get_account_balance()") == 2.5
    assert clients("answer = asyncio.run(hub._get_account_balance_async())") == 2.5
    info = clients("answer = asyncio.run(hub.get_account_info())")
    assert info == {
        "email": names["ada"],
        "balance": 2.5,
        "currency": "USD",
        "account_id": clients("answer = hub.client.get_user_info().id"),
        "created_at": None,
    }
    assert clients("answer = asyncio.run(hub.validate_credentials())") is True
    clients("token = asyncio.run(hub.create_transaction_token(bob))")
    clients("with recipient.delegated_transfer(ada, 1, token) as payment: payment.confirm()")
    assert clients("answer = hub.get_account_balance()") == 1.5


def test_the_hub_with_a_wrong_password(clients: Interpreter, pair: dict[str, str]) -> None:
    clients("hub = AccountingClient(); hub.configure(url, ada, 'not the password')")
    assert clients("answer = asyncio.run(hub.validate_credentials())") is False
    for call in ("get_account_info()", "_get_account_balance_async()", "create_transaction_token(bob)"):
        assert clients.raised(f"asyncio.run(hub.{call})")["raised"] == "PaymentError"
    assert clients.raised("hub.get_account_balance()")["raised"] == "PaymentError"
    assert clients.raised("AccountingClient(url).get_account_balance()")["raised"] == "AuthenticationError"


def test_the_hubs_credentials_on_disk_and_in_the_environment(clients: Interpreter, names: dict[str, str]) -> None:
    clients("_, password = UserClient.create_user(url=url, email=ada, organization='A')", **names)
    clients("hub = AccountingClient(); hub.configure(url, ada, password); hub.save_credentials()")
    saved = clients.home / ".syftbox" / "accounting.json"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert json.loads(saved.read_text()).keys() == {"service_url", "email", "password", "created_at"}
    assert clients("answer = AccountingClient.load_from_config().get_account_balance()") == 0
    found = clients("found, configured = AccountingClient.setup_accounting_discovery(); answer = configured")
    assert found is True
    assert clients("answer = found.get_email()") == names["ada"]
    program = """
import os
os.environ |= {"SYFTBOX_ACCOUNTING_URL": url, "SYFTBOX_ACCOUNTING_EMAIL": ada, "SYFTBOX_ACCOUNTING_PASSWORD": password}
answer = AccountingClient.from_environment().get_account_balance()
for name in ("URL", "EMAIL", "PASSWORD"):
    del os.environ[f"SYFTBOX_ACCOUNTING_{name}"]
"""
    assert clients(program) == 0
    saved.unlink()
    assert clients.raised("AccountingClient.from_environment()")["raised"] == "AuthenticationError"


def test_what_the_hub_shows(clients: Interpreter, pair: dict[str, str]) -> None:
    clients("hub = AccountingClient(); hub.configure(url, ada, 'secret password')")
    shown = clients("answer = [repr(hub), hub._repr_html_(), dir(hub)]")
    assert "[Configured]" in shown[0]
    assert pair["ada"] in shown[0]
    assert "secret password" not in shown[0]
    assert pair["ada"] in shown[1]
    assert "get_account_balance" in shown[2]
    assert "HTML object" in clients.run("hub.show()")["printed"]


def test_the_accounting_command(clients: Interpreter, live: Live, names: dict[str, str]) -> None:
    """Its one command breaks in every release before it sends anything; with the argument it forgets, it works."""
    program = str(clients.bin / "accounting")
    command = [program, "user", "add", "--url", f"{live.url}/syftbox", "-e", names["ada"]]
    ran = subprocess.run(command, env=clients.environ(), cwd=clients.home, capture_output=True, text=True, check=False)
    assert "missing 1 required keyword-only argument: 'organization'" in ran.stderr
    program = """
from click.testing import CliRunner
from syft_accounting_sdk import cli
asked = UserClient.create_user
class Mended:
    create_user = staticmethod(lambda **given: asked(organization=None, **given))
cli.UserClient = Mended
ran = CliRunner().invoke(cli.accounting, ["user", "add", "--url", url, "-e", ada])
again = CliRunner().invoke(cli.accounting, ["user", "add", "--url", url, "-e", ada])
answer = [ran.exit_code, ran.output, again.exit_code, again.output]
"""
    first_code, first, code, output = clients(program, **names)
    assert first_code == 0, first
    assert names["ada"] in first
    assert code == 1
    assert "Error 409" in output


def refused(found: dict[str, Any], status: int, code: str) -> None:
    """What the client raised: the status, and the whole body."""
    assert found["raised"] == "ServiceException", found
    assert (found["fields"]["status_code"], found["fields"]["body"]["code"]) == (status, code), found
