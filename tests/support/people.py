"""People of a server: accounts with a password, and what they send to the SyftBox dialect."""

import uuid
from typing import Any

import httpx

from tests.support.live import ADMIN_KEY, Live, ok

PASSWORD = "correct horse battery"


class Somebody:
    """A person with an account, on a server."""

    def __init__(self, live: Live, dollars: str = "0", email: str | None = None, password: str = PASSWORD) -> None:
        self._is(live, email or f"p{uuid.uuid4().hex[:12]}@example.org", password)
        ok(anyone(live).post("/user/create", json={"email": self.email, "password": password, "organization": None}))
        if dollars != "0":
            credit(live, self.email, dollars)

    @classmethod
    def of(cls, live: Live, email: str, password: str) -> "Somebody":
        """Somebody whose account is there."""
        found = cls.__new__(cls)
        found._is(live, email, password)
        return found

    def _is(self, live: Live, email: str, password: str) -> None:
        self.live, self.email, self.password = live, email, password
        self.api = self.client()

    def client(self, password: str | None = None, **headers: str) -> httpx.Client:
        """A client that sends the e-mail address and a password."""
        auth = httpx.BasicAuth(self.email, self.password if password is None else password)
        return httpx.Client(base_url=f"{self.live.url}/syftbox", auth=auth, headers=headers, timeout=30)

    @property
    def balance(self) -> Any:
        """What can be spent."""
        return ok(self.api.get("/user/my-info"))["user"]["balance"]

    def create(self, to: "Somebody", amount: str, **more: Any) -> httpx.Response:
        """A transaction that this person sends."""
        return self.ask(self.email, to.email, amount, **more)

    def draw(self, sender: "Somebody", amount: str, token: str, **more: Any) -> httpx.Response:
        """A transaction that this person receives, by the sender's token."""
        return self.ask(sender.email, self.email, amount, token=token, **more)

    def ask(self, sender: str, recipient: str, amount: str, key: str | None = None, **more: Any) -> httpx.Response:
        """`POST /transaction/create`; `amount` stands in the body as it is."""
        body = {"senderEmail": sender, "recipientEmail": recipient, **more}
        headers = {"Content-Type": "application/json"} | ({} if key is None else {"Idempotency-Key": key})
        text = httpx.Request("POST", "http://x", json=body | {"amount": "@@"}).content.decode().replace('"@@"', amount)
        return self.api.post("/transaction/create", content=text, headers=headers)

    def sent(self, to: "Somebody", amount: str, **more: Any) -> str:
        """The id of a new pending transaction."""
        number: str = ok(self.create(to, amount, **more))["transaction"]["id"]
        return number

    def confirm(self, number: str) -> httpx.Response:
        """`POST /transaction/confirm`."""
        return self.api.post("/transaction/confirm", json={"transactionId": number})

    def cancel(self, number: str) -> httpx.Response:
        """`POST /transaction/cancel`."""
        return self.api.post("/transaction/cancel", json={"transactionId": number})

    def token(self, recipient: "Somebody", **terms: Any) -> str:
        """A token for somebody to draw with."""
        token: str = ok(self.api.post("/token/create", json={"recipientEmail": recipient.email, **terms}))["token"]
        return token

    def history(self) -> list[dict[str, Any]]:
        """`GET /transactions`."""
        found: list[dict[str, Any]] = ok(self.api.get("/transactions"))["transactions"]
        return found


def anyone(live: Live) -> httpx.Client:
    """A client of the dialect that sends no credentials."""
    return httpx.Client(base_url=f"{live.url}/syftbox", timeout=30)


def administrator(live: Live) -> httpx.Client:
    """A client of the dialect with the administrator's key."""
    return live.client(ADMIN_KEY, "/syftbox")


def credit(live: Live, email: str, dollars: str) -> dict[str, Any]:
    """Money into somebody's wallet; `dollars` stands in the body as it is."""
    body = f'{{"recipientEmail": "{email}", "amount": {dollars}}}'
    answer = administrator(live).post("/user/add-balance", content=body, headers={"Content-Type": "application/json"})
    found: dict[str, Any] = ok(answer)["user"]
    return found
