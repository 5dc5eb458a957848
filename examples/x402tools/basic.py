"""A monthly limit on an API's calls, and what happens at it: python basic.py

X402TOOLS_API_KEY and X402TOOLS_API_URL (http://127.0.0.1:8080/x402tools) say where and who.
"""

import os

from x402tools import UsageLimitExceededError, X402Client

with X402Client(os.environ["X402TOOLS_API_KEY"]) as client:
    envelope = client.create_envelope(name="API calls", limit=100, period="MONTHLY", reset_day=1)
    for endpoint, amount in (("/search", 60), ("/ask", 30), ("/draw", 20)):
        try:
            client.record_usage(envelope.id, amount, {"endpoint": endpoint})
            print(f"{endpoint}: {amount} recorded")
        except UsageLimitExceededError as error:
            print(f"{endpoint}: only {error.remaining} of {error.limit} are left")
    print("used in all:", client.get_usage_stats().total_usage)
    client.delete_envelope(envelope.id)
