"""What the blocks of the page of `tokenvault-sdk` need to run. Groq's own client talks to a stand-in for Groq."""

from tests.clients.pages import Case

MODEL = "llama-3.3-70b-versatile"

GROQ = """
from groq import AsyncGroq
class groq_client:
    class chat:
        class completions:
            async def create(_):
                messages = [{"role": "user", "content": "Hello"}]
                return await AsyncGroq(api_key="x").chat.completions.create(model="m", messages=messages)
"""
"""The Groq client that the agent has made; `create(...)` stands for a call."""

BALANCE = """
import os
import httpx
def balance(organization):
    print(httpx.get(os.environ["TOKENVAULT_API_URL"] + "/v1/balance/organizations/" + organization).json()["balance"])
"""

HTTP = (
    BALANCE
    + """
URL = os.environ["TOKENVAULT_API_URL"]
httpx.post(URL + "/v1/wallet/organizations", json={"id": "acme", "name": "Acme"}).raise_for_status()
class client:
    async def post(url, json):
        async with httpx.AsyncClient() as http:
            (await http.post(url.replace("https://api.tokenvault.io", URL), json=json)).raise_for_status()
"""
)
"""An HTTP client; the page's address becomes the one of this run."""

IDS = """
ORG_ID, USER_ID, PROFILE_ID = "org_mycompany_001", "user_john_doe", "agent_grok_1"
"""
"""What the block before has registered."""

SENT = 'balance("my-company-2025")'

CASES = [
    Case("the quick start; the Groq client is not made in it", GROQ + BALANCE, SENT, published=False),
    Case("an HTTP request, shown as Python", program=False),
    Case("an HTTP request, shown as Python", program=False),
    Case("calls with an HTTP client that is not made", HTTP, 'balance("acme")'),
    Case("registers; `uuid` is not imported", BALANCE + "import uuid", "balance(ORG_ID)"),
    Case("an agent; the ids are those of the block before", IDS),
    Case("settings by hand", after="print(tracker.tokenvault_api_url, tracker.cache_ttl)", published=False),
    Case("handlers; `SDKConfig` is not imported", "from tokenvault_sdk import SDKConfig", "print(credit_balance)"),
    Case("`...` stands for settings: a TypeError", "from tokenvault_sdk import UsageTracker"),
    Case("`...` stands for settings: a TypeError", "from tokenvault_sdk import UsageTracker"),
]

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": MODEL,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
}
"""What the stand-in for Groq says."""
