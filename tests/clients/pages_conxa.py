"""What the blocks of the page of `conxa-sdk` need to run, and what is done with what they make.

Only the first block and the one with environment variables make a client that could charge; the others are fragments.
"""

from tests.clients.pages import Case

DOCUMENTED = """
import os
import conxa
_made = conxa.CONXAClient.__init__
def _documented(self, *args, **given):
    given.update(api_key=os.environ["KEY"], provider_id=os.environ["SLUG"], base_url=os.environ["URL"])
    _made(self, **given)
conxa.CONXAClient.__init__ = _documented
"""
"""The page's keys and addresses are examples: a client that is made with them gets the ones of this run."""

CLIENT = (
    DOCUMENTED
    + """
import time
from conxa import CONXAClient, RateLimitError, SessionExpiredError
client = CONXAClient(api_key="pk_live_xxx", provider_id="xxx")
username = "user@example.com"
qr = client.create_payment_qr(username, expires_in=60)
"""
)
"""The client, the name and the code that earlier blocks of the page have made."""

SHOW_CODE = "print(qr.qr_data[:15], qr.qr_base64[:22], qr.expires_at is not None, qr.is_expired())"
SHOW_STATUS = "print(status.status.value, status.is_active, status.session_token)"
SHOW_SESSION = "print(session.is_active, session.session_token)"

FLASK = """
app.secret_key = "x"
request = flask.request
render_template = lambda name, **values: name + " " + values["qr_base64"][:22]
with app.test_client() as browser:
    with browser.session_transaction() as held:
        held.update(user_email="user@example.com", conxa_token=os.environ["TOKEN"])
    print(browser.get("/connect").text)
    with browser.session_transaction() as held:
        print(held["qr_data"]["expires_at"] > held["qr_data"]["created_at"])
    answer = browser.post("/api/chat", json={"input_tokens": 10_000_000, "output_tokens": 1})
    print(answer.status_code, answer.json)
print(client.get_wallet_balance(os.environ["WALLET"]).tokens)
"""

FASTAPI = """
from fastapi.testclient import TestClient
browser = TestClient(app)
code = browser.post("/connect", params={"user_id": "user@example.com"}).json()
print(code["qr_base64"][:22], code["expires_at"] is not None)
def chat(user, **given):
    answer = browser.post("/chat", params={"user_id": user, "message": "Hello"}, **given)
    print(answer.status_code, answer.json())
chat("user@example.com")
chat("user@example.com", json={"created_at": None, "expires_at": "2020-01-01T00:00:00+00:00"})
chat("nobody@example.com")
print(client.get_wallet_balance(os.environ["WALLET"]).tokens)
"""

CASES = [
    Case("the quick start", DOCUMENTED),
    Case("a constructor's parameters", DOCUMENTED + "from conxa import CONXAClient", "print(client.health_check())"),
    Case("a call, with the client made before", CLIENT, SHOW_CODE),
    Case("a call, with the client made before", CLIENT, SHOW_CODE),
    Case("a call, with the client made before", CLIENT, SHOW_STATUS),
    Case("a call, with the client made before", CLIENT, SHOW_SESSION),
    Case("a call with a token that is an example: no session has it", CLIENT, "print(result)"),
    Case("a call for a wallet whose number is an example", CLIENT, "print(balance)"),
    Case("handlers; `charge(...)` stands for a charge and is a TypeError", CLIENT),
    Case("views without imports of what they use, a template and a reply", DOCUMENTED + "import flask", FLASK),
    Case("views without imports of what they use", CLIENT, FASTAPI),
    Case("a client of the environment's", DOCUMENTED, "print(client.health_check())"),
    Case("a call, with the client made before", CLIENT, SHOW_CODE + "\n" + SHOW_STATUS),
    Case("a call, with the client made before", CLIENT, SHOW_STATUS),
    Case("one line of advice", CLIENT, SHOW_CODE),
    Case("one line of advice", CLIENT, SHOW_STATUS),
    Case("advice, with the code made before", CLIENT, SHOW_SESSION),
    Case("advice, with the code made before", CLIENT, SHOW_SESSION),
]
