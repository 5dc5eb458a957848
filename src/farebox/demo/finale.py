"""The last part: what to look at next, and two snippets that work against the server that still runs."""

from farebox.demo.native import Native
from farebox.demo.screen import Screen
from farebox.demo.server import Server
from farebox.demo.story import SLUG, Opened

CURL = """\
curl -s {url}/v1/charges \\
  -H 'Authorization: Bearer {provider_key}' \\
  -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)" \\
  -d '{{"session_token":"{token}","model":"gpt-4o-mini","usage":{{"input_tokens":1200,"output_tokens":300}}}}'
"""

PYTHON = """\
import uuid, httpx

answer = httpx.post(
    "{url}/v1/charges",
    headers={{"Authorization": "Bearer {provider_key}", "Idempotency-Key": str(uuid.uuid4())}},
    json={{
        "session_token": "{token}",
        "model": "gpt-4o-mini",
        "usage": {{"input_tokens": 1200, "output_tokens": 300}},
    }},
)
print(answer.status_code, answer.json())
"""


def your_turn(screen: Screen, server: Server, opened: Opened) -> None:
    """Prints addresses, the administrator's key, and a charge by curl and by Python with a session of its own."""
    granted = Native(server.url, server.admin_key).post(
        f"/v1/wallets/{opened.wallet}/grants", {"provider": SLUG, "provider_username": "you"}
    )
    given = {"url": server.url, "provider_key": opened.provider_key, "token": granted["session_token"]}
    screen.act(7, "Your turn")
    screen.text(f"   documentation   {server.url}/docs")
    screen.text(f"   OpenAPI         {server.url}/openapi.json")
    screen.text(f"   health, ready   {server.url}/health   {server.url}/ready")
    screen.text(f"   metrics         {server.url}/metrics")
    screen.text(f"   admin key       {server.admin_key}")
    screen.show("\n   [dim]A charge by curl:[/dim]\n")
    screen.text(CURL.format(**given))
    screen.show("   [dim]And by Python:[/dim]\n")
    screen.text(PYTHON.format(**given))
