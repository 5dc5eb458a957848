"""Our `syft_accounting_sdk` and `syftbox` against a real server: in common with the published ones, and better."""

import asyncio
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from farebox import Policy
from farebox.testing import ALL, LOST_ANSWER, Fault, Hostile
from syft_accounting_sdk import (
    AdminClient,
    AsyncAdminClient,
    AsyncUserClient,
    ServiceException,
    Transaction,
    UserClient,
    calls,
    cli,
)
from syft_accounting_sdk.schemas import CreatorType, TransactionStatus
from syftbox import AccountingClient, AuthenticationError, Client, PaymentError
from syftbox.core.types import APIException
from tests.clients.test_hostile import KINDS
from tests.support.live import ADMIN_KEY, Live
from tests.support.people import PASSWORD, Somebody


@pytest.fixture
def url(live: Live) -> str:
    return f"{live.url}/syftbox"


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("URL", "EMAIL", "PASSWORD"):
        monkeypatch.delenv(f"SYFTBOX_ACCOUNTING_{name}", raising=False)


@pytest.fixture
def ada(live: Live) -> Somebody:
    return Somebody(live, "10")


@pytest.fixture
def bob(live: Live) -> Somebody:
    return Somebody(live)


@pytest.fixture
def sender(url: str, ada: Somebody) -> Iterator[UserClient]:
    with UserClient(url, ada.email, PASSWORD) as found:
        yield found


@pytest.fixture
def recipient(url: str, bob: Somebody) -> Iterator[UserClient]:
    with UserClient(url, bob.email, PASSWORD) as found:
        yield found


def test_accounts(live: Live, url: str) -> None:
    email = f"eve-{uuid.uuid4().hex}@example.org"
    with AdminClient(url=url, key=ADMIN_KEY) as admin:
        user, password = admin.create_user(email=email, organization="A")
        assert (user.email, user.balance, user.organization) == (email, 0.0, "A")
        assert admin.add_balance(email=email, amount=0.1).balance == 0.1
        assert admin.add_balance(email=email, amount=Decimal("0.2")).exact_balance == Decimal("0.3")
        assert admin.add_balance(email=email, amount=1, idempotency_key="once").balance == 1.3
        assert admin.add_balance(email=email, amount=1, idempotency_key="once").balance == 1.3
        assert admin.get_user(email=email).balance == 1.3
        assert email in [found.email for found in admin.get_all_users()]
        assert admin.get_all_users(format="dict")[email].id == user.id
        with pytest.raises(ValueError, match="format"):
            admin.get_all_users(format="set")  # type: ignore[arg-type]
        with pytest.raises(ServiceException) as taken:
            admin.create_user(email=email)
        assert (taken.value.status_code, taken.value.code) == (409, "email_taken")
        assert ADMIN_KEY not in repr(admin)
    with UserClient(url, email, password) as client:
        assert client.update_organization(organization="B").organization == "B"
        client.update_password(old_password=password, new_password="pässword: new")
        assert client.get_user_info().model_dump() == {
            "id": user.id,
            "email": email,
            "balance": 1.3,
            "organization": "B",
        }
    other, given = UserClient.create_user(url=url, email=f"x{email}", organization="A", password=PASSWORD)
    assert (other.balance, given) == (0, PASSWORD)


def test_payments(sender: UserClient, recipient: UserClient) -> None:
    held = sender.create_transaction(recipientEmail=recipient.email, amount=1.5, appName="chat", appEpPath="/ask")
    assert (held.status, held.createdBy, held.amount) == (TransactionStatus.PENDING, CreatorType.SENDER, 1.5)
    assert sender.get_user_info().balance == 8.5
    assert sender.confirm_transaction(id=held.id).status == TransactionStatus.COMPLETED
    token = sender.create_transaction_token(recipientEmail=recipient.email)
    drawn = recipient.create_delegated_transaction(senderEmail=sender.email, amount=Decimal("0.000001"), token=token)
    assert drawn.exact_amount == Decimal("0.000001")
    assert recipient.cancel_transaction(id=drawn.id).status == TransactionStatus.CANCELLED
    first, second = (
        sender.create_transaction(recipientEmail=recipient.email, amount=1, idempotency_key="k") for _ in range(2)
    )
    assert first == second
    assert [found.id for found in recipient.get_transaction_history()] == [first.id, drawn.id, held.id]
    assert isinstance(Transaction(**held.model_dump()), Transaction)


@pytest.mark.parametrize("amount", [0, -1, float("nan"), float("inf"), True, "1", Decimal("NaN")])
def test_no_amount(sender: UserClient, amount: Any) -> None:
    with pytest.raises(ValueError, match="Amount"):
        sender.create_transaction(recipientEmail="b@example.org", amount=amount)


def test_contexts(sender: UserClient, recipient: UserClient) -> None:
    with sender.transfer(recipient.email, 1) as payment:
        payment.confirm()
    with sender.transfer(recipient.email, 1) as left:
        pass
    assert left.transaction is not None
    assert left.transaction.status == TransactionStatus.CANCELLED
    token = sender.create_transaction_token(recipientEmail=recipient.email)
    with pytest.raises(KeyError), recipient.delegated_transfer(sender.email, 1, token):
        raise KeyError
    with recipient.delegated_transfer(sender.email, 2, token) as drawn:
        drawn.confirm()
    assert (sender.get_user_info().balance, recipient.get_user_info().balance) == (7, 3)
    with pytest.raises(RuntimeError):
        sender.transfer(recipient.email, 1).confirm()


def test_a_failure_to_cancel_does_not_hide_another(sender: UserClient, recipient: UserClient) -> None:
    with pytest.raises(KeyError) as failed, sender.transfer(recipient.email, 1) as payment:
        assert payment.transaction is not None
        sender.confirm_transaction(id=payment.transaction.id)
        raise KeyError
    assert "could not be cancelled" in failed.value.__notes__[0]


@pytest.mark.parametrize("fault", KINDS, ids=repr)
def test_whatever_happens_it_is_held_once(
    live: Live, ada: Somebody, bob: Somebody, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PATIENCE", Policy(timeout_s=0.5, deadline_s=10))
    with Hostile(f"{live.url}/syftbox") as hostile, UserClient(hostile.url, ada.email, PASSWORD) as client:
        hostile.plan(fault, None, fault)
        held = client.create_transaction(recipientEmail=bob.email, amount=1)
        client.get_user_info()
        assert client.confirm_transaction(id=held.id).status == TransactionStatus.COMPLETED
    assert (ada.balance, bob.balance) == (9, 1)


def test_only_documented_errors(live: Live, ada: Somebody, bob: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "PATIENCE", Policy(timeout_s=0.2, deadline_s=0.2))
    with Hostile(f"{live.url}/syftbox") as hostile, UserClient(hostile.url, ada.email, PASSWORD) as client:
        hostile.chance(1.0, seed=21, faults=ALL)
        for number in range(15):
            try:
                client.create_transaction(recipientEmail=bob.email, amount=0.1, idempotency_key=f"try-{number}")
            except ServiceException as error:
                assert error.status_code in (429, 502, 503)
        hostile.calm()
        for number in range(15):
            client.create_transaction(recipientEmail=bob.email, amount=0.1, idempotency_key=f"try-{number}")
    assert ada.balance == 8.5


async def test_the_same_with_asyncio(live: Live, url: str, ada: Somebody, bob: Somebody) -> None:
    with Hostile(url) as hostile:
        async with AsyncUserClient(hostile.url, ada.email, PASSWORD) as client:
            hostile.plan(LOST_ANSWER)
            async with client.transfer(bob.email, 1) as payment:
                await payment.confirm()
            with pytest.raises(KeyError):
                async with client.transfer(bob.email, 1):
                    raise KeyError
            token = await client.create_transaction_token(recipientEmail=bob.email)
            async with (
                AsyncUserClient(url, bob.email, PASSWORD) as other,
                other.delegated_transfer(ada.email, 2, token) as drawn,
            ):
                assert drawn.transaction.createdBy == CreatorType.RECIPIENT
                await drawn.confirm()
            assert (await client.get_user_info()).balance == 7
            assert len(await client.get_transaction_history()) == 3
    async with AsyncAdminClient(url=url, key=ADMIN_KEY) as admin:
        assert (await admin.get_user(email=bob.email)).balance == 3
    user, _ = await AsyncUserClient.create_user(url=url, email=f"eve-{uuid.uuid4().hex}@example.org")
    assert user.balance == 0


def test_the_command(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    email = f"eve-{uuid.uuid4().hex}@example.org"
    assert cli.main(["user", "add", "--url", url, "-e", email, "-p", PASSWORD]) == 0
    assert PASSWORD in capsys.readouterr().out
    monkeypatch.setenv("ACCOUNTING_SERVICE_URL", url)
    assert cli.main(["user", "add", "-e", email]) == 1
    assert "email_taken" in capsys.readouterr().err
    monkeypatch.delenv("ACCOUNTING_SERVICE_URL")
    assert cli.main(["user", "add", "-e", email]) == 1


def test_the_hub(url: str, bob: Somebody, capsys: pytest.CaptureFixture[str]) -> None:
    hub = Client().accounting_client
    assert not hub.is_configured()
    hub.show()
    assert "Not Configured" in capsys.readouterr().out
    email = f"eve-{uuid.uuid4().hex}@example.org"
    hub = AccountingClient(url)
    account = hub.register_accounting(email=email, organization="A")
    assert (account.email, account.balance, hub.get_email()) == (email, 0, email)
    assert account.password not in repr(account) + repr(hub) + hub._repr_html_()
    with AdminClient(url=url, key=ADMIN_KEY) as admin:
        admin.add_balance(email=email, amount=5)
    assert hub.get_account_balance() == 5
    assert asyncio.run(hub._get_account_balance_async()) == 5
    assert asyncio.run(hub.validate_credentials())
    token = asyncio.run(hub.create_transaction_token(bob.email))
    with UserClient(url, bob.email, PASSWORD) as service, service.delegated_transfer(email, 1.5, token) as payment:
        payment.confirm()
    hub.client.create_transaction(recipientEmail=bob.email, amount=0.25)
    info = asyncio.run(hub.get_account_info())
    counts = {"PENDING": 1, "COMPLETED": 1, "CANCELLED": 0}
    assert info["usage"] == {"spent": 1.5, "received": 0, "pending": 0.25, "transactions": counts}
    assert [found["amount"] for found in info["history"]] == [0.25, 1.5]
    assert (info["email"], info["balance"], info["currency"]) == (email, 3.25, "USD")
    hub.show()
    shown = capsys.readouterr().out
    assert "$3.25" in shown
    assert account.password not in shown
    with pytest.raises(APIException) as taken:
        AccountingClient(url).register_accounting(email)
    assert taken.value.status_code == 409


def test_the_shapes_of_configure(url: str, ada: Somebody) -> None:
    shapes: list[tuple[tuple[str, ...], dict[str, str]]] = [
        ((url, ada.email, PASSWORD), {}),
        ((ada.email, PASSWORD), {}),
        ((), {"email": ada.email, "password": PASSWORD}),
        ((), {"accounting_url": url, "email": ada.email, "password": PASSWORD}),
    ]
    for places, named in shapes:
        for name in ("configure", "connect_accounting"):
            hub = AccountingClient(url)
            getattr(hub, name)(*places, **named)
            assert hub.get_account_balance() == 10
    with pytest.raises(AuthenticationError):
        AccountingClient(url).configure(email=ada.email)
    with pytest.raises(AuthenticationError):
        AccountingClient(url).get_account_balance()
    wrong = AccountingClient(url, {"email": ada.email, "password": "not the password"})
    with pytest.raises(PaymentError):
        wrong.get_account_balance()
    assert not asyncio.run(wrong.validate_credentials())
    away = AccountingClient("http://127.0.0.1:9", {"email": ada.email, "password": "x"})
    calls_before = calls.PATIENCE
    calls.PATIENCE = Policy(timeout_s=0.2, deadline_s=0.2)
    try:
        assert not asyncio.run(away.validate_credentials())
        with pytest.raises(PaymentError):
            away.get_account_balance()
    finally:
        calls.PATIENCE = calls_before


def test_the_environment(url: str, ada: Somebody, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AuthenticationError, match=r"EMAIL.*PASSWORD"):
        AccountingClient.from_environment()
    monkeypatch.setenv("SYFTBOX_ACCOUNTING_URL", url)
    monkeypatch.setenv("SYFTBOX_ACCOUNTING_EMAIL", ada.email)
    monkeypatch.setenv("SYFTBOX_ACCOUNTING_PASSWORD", PASSWORD)
    assert Client().accounting_client.get_account_balance() == 10
    found, configured = AccountingClient.setup_accounting_discovery()
    assert (configured, found.get_email()) == (True, ada.email)
