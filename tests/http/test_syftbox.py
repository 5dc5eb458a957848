"""The SyftBox accounting dialect: accounts, payments, tokens, administration."""

import base64
from datetime import datetime
from typing import Any

import httpx
import pytest

from farebox.http.dialects.syftbox import answers
from farebox.ledger.types import Refusal
from tests.support.live import ADMIN_KEY, Live, ok
from tests.support.people import PASSWORD, Somebody, administrator, anyone, credit


def transaction(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = ok(answer)["transaction"]
    return found


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """An error in the shape of the dialect."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json()["message"], str)


@pytest.fixture(scope="module")
def two(live: Live) -> tuple[Somebody, Somebody]:
    """Somebody with 1,000 dollars, and somebody with none."""
    return Somebody(live, "1000"), Somebody(live)


def test_every_refusal_has_an_answer() -> None:
    assert answers.REFUSALS.keys() == set(Refusal)


def test_an_account(live: Live) -> None:
    body = {"email": "  Ada.Lovelace@Example.ORG ", "password": None, "organization": "Analytical"}
    made = ok(anyone(live).post("/user/create", json=body))
    email, password = "ada.lovelace@example.org", made["password"]
    assert made["user"] == {
        "id": made["user"]["id"],
        "email": email,
        "balance": 0,
        "organization": "Analytical",
    }
    assert len(password) >= 20
    with httpx.Client(base_url=f"{live.url}/syftbox", auth=("ADA.lovelace@example.org", password)) as api:
        assert ok(api.get("/user/my-info")) == {"user": made["user"]}
        changed = ok(api.put("/user/update-organization", json={"organization": "Engines"}))
        assert changed["user"]["organization"] == "Engines"
    again = anyone(live).post("/user/create", json={"email": email.upper(), "password": "another one"})
    refused(again, 409, "email_taken")


def test_a_password_is_shown_only_where_it_was_made_here(live: Live) -> None:
    body = {"email": "given@example.org", "password": PASSWORD, "organization": None}
    assert "password" not in ok(anyone(live).post("/user/create", json=body))


def test_the_initial_credit(make_live: Any) -> None:
    live = make_live(initial_credit_usd="2.5")
    ada = Somebody(live)
    assert ada.balance == 2.5
    assert ada.balance == 2.5, "once"
    assert live.call(live.services.pool.fetchval("SELECT welcome_units FROM people")) == 0


def test_the_sender_creates_and_confirms(live: Live) -> None:
    ada, bob = Somebody(live, "10"), Somebody(live)
    pending = transaction(ada.create(bob, "2.000001", appName="chat", appEpPath="/ask"))
    assert pending == {
        "id": pending["id"],
        "senderEmail": ada.email,
        "recipientEmail": bob.email,
        "createdBy": "SENDER",
        "resolvedBy": None,
        "amount": 2.000001,
        "status": "PENDING",
        "createdAt": pending["createdAt"],
        "resolvedAt": None,
        "appName": "chat",
        "appEpPath": "/ask",
    }
    assert (ada.balance, bob.balance) == (7.999999, 0)
    done = transaction(ada.confirm(pending["id"]))
    assert done == pending | {"status": "COMPLETED", "resolvedBy": "SENDER", "resolvedAt": done["resolvedAt"]}
    assert datetime.fromisoformat(done["resolvedAt"]) >= datetime.fromisoformat(done["createdAt"])
    assert (ada.balance, bob.balance) == (7.999999, 2.000001)
    assert ada.history() == bob.history() == [done]


def test_confirming_and_cancelling_again_is_the_same_outcome(live: Live) -> None:
    ada, bob = Somebody(live, "10"), Somebody(live)
    first, second = ada.sent(bob, "1"), ada.sent(bob, "2")
    done, undone = transaction(ada.confirm(first)), transaction(ada.cancel(second))
    assert transaction(ada.confirm(first)) == done
    assert transaction(ada.cancel(second)) == undone
    assert transaction(bob.cancel(second)) == undone, "by the other side, too"
    for again in (ada.confirm, ada.confirm):
        refused(again(second), 409, "already_resolved")
    for again in (ada.cancel, bob.cancel, ada.cancel):
        refused(again(first), 409, "already_resolved")
    assert (ada.balance, bob.balance) == (9, 1)


def test_a_recipient_draws_with_the_senders_token(live: Live) -> None:
    ada, bob = Somebody(live, "10"), Somebody(live)
    token = ada.token(bob)
    pending = transaction(bob.draw(ada, "3", token))
    assert (pending["createdBy"], pending["senderEmail"], pending["amount"]) == ("RECIPIENT", ada.email, 3)
    refused(ada.confirm(pending["id"]), 403, "not_creator")
    refused(ada.cancel(pending["id"]), 403, "not_creator")
    assert transaction(bob.confirm(pending["id"]))["resolvedBy"] == "RECIPIENT"
    assert (ada.balance, bob.balance) == (7, 3)
    assert transaction(bob.cancel(transaction(bob.draw(ada, "3", token))["id"]))["resolvedBy"] == "RECIPIENT"
    assert (ada.balance, bob.balance) == (7, 3)


def test_who_may_confirm_and_cancel_what_the_sender_created(live: Live) -> None:
    ada, bob, eve = Somebody(live, "10"), Somebody(live), Somebody(live)
    number = ada.sent(bob, "1")
    refused(bob.confirm(number), 403, "not_creator")
    for act in (eve.confirm, eve.cancel):
        refused(act(number), 404, "not_found")
        refused(act("tx_999999999"), 404, "not_found")
    assert transaction(bob.cancel(number))["resolvedBy"] == "RECIPIENT"


def test_a_token_is_good_for_its_two_people_only(live: Live) -> None:
    ada, bob, eve = Somebody(live, "10"), Somebody(live), Somebody(live, "10")
    token = ada.token(bob)
    refused(eve.draw(ada, "1", token), 401, "token_unknown")
    refused(bob.draw(eve, "1", token), 403, "not_sender")
    refused(bob.draw(ada, "1", token[:-1] + ("0" if token[-1] != "0" else "1")), 401, "token_unknown")
    refused(eve.ask(ada.email, bob.email, "1", token=token), 403, "not_recipient")
    refused(eve.ask(ada.email, bob.email, "1"), 403, "not_sender")
    assert ada.balance == 10


def test_an_unresolved_transaction_times_out(make_live: Any) -> None:
    live = make_live(transaction_ttl_s=1, sweep_interval_s=3600.0)
    ada, bob = Somebody(live, "10"), Somebody(live)
    number = ada.sent(bob, "10")
    while (found := ada.history()[0])["status"] == "PENDING":
        pass
    assert (found["status"], found["resolvedBy"]) == ("CANCELLED", "SYSTEM")
    assert ada.balance == 10, "though nobody has swept it"
    refused(ada.confirm(number), 409, "timed_out")
    assert transaction(ada.cancel(number)) == found
    assert bob.history() == [found]
    ada.sent(bob, "10")


def test_what_can_not_be_paid(live: Live) -> None:
    ada, bob = Somebody(live, "1"), Somebody(live)
    refused(ada.create(bob, "1.000001"), 402, "insufficient_balance")
    refused(ada.create(ada, "1"), 422, "invalid_request")
    refused(ada.ask(ada.email, "nobody@example.org", "1"), 404, "not_found")
    assert ada.balance == 1
    assert ada.history() == []


def test_a_key_makes_a_creation_happen_once(live: Live) -> None:
    ada, bob = Somebody(live, "10"), Somebody(live)
    first = ada.create(bob, "1", key="once")
    again = ada.create(bob, "1.0", key="once")
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    refused(ada.create(bob, "2", key="once"), 422, "idempotency_key_reused")
    assert ada.balance == 9
    ada.confirm(first.json()["transaction"]["id"])
    assert transaction(ada.create(bob, "1", key="once"))["status"] == "COMPLETED"
    refused(ada.create(bob, "1", key="auto:confirm:1"), 400, "idempotency_key_invalid")


def test_the_administrator(live: Live) -> None:
    admin, ada = administrator(live), Somebody(live)
    assert credit(live, ada.email.upper(), "0.1")["balance"] == 0.1
    assert credit(live, ada.email, "0.2")["balance"] == 0.3, "no float between"
    found = ok(admin.get(f"/user/{ada.email}"))["user"]
    assert (found["email"], found["balance"]) == (ada.email, 0.3)
    assert found in ok(admin.get("/users"))["users"]
    refused(admin.get("/user/nobody@example.org"), 404, "not_found")
    refused(
        admin.post("/user/add-balance", json={"recipientEmail": "nobody@example.org", "amount": 1}), 404, "not_found"
    )
    body = {"recipientEmail": ada.email, "amount": 1}
    for _ in range(2):
        assert ok(admin.post("/user/add-balance", json=body, headers={"Idempotency-Key": ada.email}))
    assert ada.balance == 1.3
    rows = "SELECT actor, detail->>'amount' AS amount FROM audit_log WHERE action = 'person.credit' AND subject = $1"
    told = live.call(live.services.pool.fetch(rows, found["id"]))
    assert [row["amount"] for row in told] == ["100000", "200000", "1000000"]
    assert all(row["actor"].startswith("admin/key_") for row in told)


def test_only_an_administrator_administers(live: Live) -> None:
    ada, provider = Somebody(live), live.provider()
    calls: list[tuple[str, str, Any]] = [
        ("GET", "/users", None),
        ("GET", f"/user/{ada.email}", None),
        ("POST", "/user/add-balance", {"recipientEmail": ada.email, "amount": 1}),
    ]
    for method, path, body in calls:
        refused(anyone(live).request(method, path, json=body), 401, "invalid_api_key")
        refused(ada.api.request(method, path, json=body), 401, "invalid_api_key")
        refused(live.client(provider.key, "/syftbox").request(method, path, json=body), 403, "admin_only")
    refused(
        live.client("nonsense", "/syftbox").post("/user/create", json={"email": "x@example.org"}),
        401,
        "invalid_api_key",
    )
    assert ada.balance == 0


@pytest.mark.parametrize(
    ("amount", "status"),
    [
        ("0.000001", 200),
        ("1e-6", 200),
        ("1.5E0", 200),
        ("0.0000001", 422),
        ("0.30000000000000004", 422),
        ("-1", 422),
        ("0", 422),
        ("-0", 422),
        ('"1"', 422),
        ("true", 422),
        ("null", 422),
        ("[1]", 422),
        ("1e400", 422),
        ("9223372036854.775808", 422),
        ("1" * 5000, 400),
        ("NaN", 400),
        ("Infinity", 400),
        ("01", 400),
        ("１", 400),
    ],
)
def test_an_amount_is_exact_or_refused(live: Live, two: tuple[Somebody, Somebody], amount: str, status: int) -> None:
    ada, bob = two
    before = (ada.balance, bob.balance)
    answer = ada.create(bob, amount)
    assert answer.status_code == status, answer.text
    body = f'{{"recipientEmail": "{bob.email}", "amount": {amount}}}'
    added = administrator(live).post("/user/add-balance", content=body, headers={"Content-Type": "application/json"})
    assert added.status_code == status, added.text
    if status != 200:
        assert (ada.balance, bob.balance) == before
        assert amount not in answer.text or len(amount) < 3


def test_a_confirmation_that_the_recipient_can_not_hold(live: Live) -> None:
    ada, bob = Somebody(live, "10"), Somebody(live)
    number = ada.sent(bob, "4")
    credit(live, bob.email, "9223372036854.775807")
    refused(ada.confirm(number), 422, "amount_overflow")
    assert ada.balance == 6, "it is held as before"
    assert transaction(ada.cancel(number))["status"] == "CANCELLED"
    assert ada.balance == 10


def test_the_largest_balance_is_exact_to_the_last_digit(live: Live) -> None:
    ada = Somebody(live)
    credit(live, ada.email, "9223372036854.775806")
    assert '"balance":9223372036854.775806,' in ada.api.get("/user/my-info").text
    refused(
        administrator(live).post("/user/add-balance", json={"recipientEmail": ada.email, "amount": 1}),
        422,
        "amount_overflow",
    )


def test_the_same_words_for_a_wrong_password_and_for_nobody(live: Live) -> None:
    ada = Somebody(live)
    headers = [
        {},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()},
        {"Authorization": f"Bearer {ADMIN_KEY}"},
        _basic(ada.email, "wrong password"),
        _basic("nobody@example.org", "wrong password"),
        _basic("nobody@example.org\0", "wrong password"),
        _basic(ada.email, ""),
        _basic(ada.email, "x" * 2000),
    ]
    told = set()
    for given in headers:
        for method, path in [("GET", "/user/my-info"), ("POST", "/transaction/create"), ("POST", "/token/create")]:
            answer = anyone(live).request(method, path, headers=given)
            refused(answer, 401, "invalid_credentials")
            assert answer.headers["www-authenticate"].startswith("Basic ")
            told.add(answer.text)
    assert len(told) == 1


def _basic(email: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()}


def test_a_payment_in_the_native_api(live: Live) -> None:
    ada, bob = Somebody(live, "10"), Somebody(live)
    number = ada.sent(bob, "4")
    wallet, payee = (_wallet(live, somebody) for somebody in (ada, bob))
    (hold,) = ok(live.admin.get(f"/v1/wallets/{wallet}/holds"))["data"]
    assert (hold["provider"], hold["grant"], hold["to_wallet"], hold["amount"]) == (None, None, payee, 4_000_000)
    for verb in ("capture", "release"):  # those two resolve it
        answer = live.admin.post(f"/v1/holds/{hold['id']}/{verb}", json={}, headers={"Idempotency-Key": number + verb})
        assert answer.status_code == 404, answer.text
    transaction(ada.confirm(number))
    assert ok(live.admin.get(f"/v1/holds/{hold['id']}"))["state"] == "captured"
    (capture,) = ok(live.admin.get(f"/v1/wallets/{wallet}/history?kind=capture"))["data"]
    refund = live.admin.post(f"/v1/charges/{capture['id']}/refunds", json={}, headers={"Idempotency-Key": number})
    assert refund.status_code == 404, refund.text
    assert ok(live.admin.get(f"/v1/charges/{capture['id']}/explanation"))["amount"] == 4_000_000
    assert ok(live.admin.get(f"/v1/wallets/{payee}/statement"))["data"][0]["counterpart"] == wallet


def _wallet(live: Live, somebody: Somebody) -> str:
    number: str = live.call(live.services.people.wallet_of(somebody.email))
    return str(number)
