"""Waits for a user's session and charges it: python basic.py ada@example.org

KNAI_API_KEY, KNAI_PROVIDER_SLUG and KNAI_API_URL (http://127.0.0.1:8080/knai) say where and who.
"""

import os
import sys

from knai import InsufficientBalanceError, KNAIProvider, SessionExpiredError


def main(user: str) -> None:
    with KNAIProvider(os.environ["KNAI_API_KEY"], os.environ["KNAI_PROVIDER_SLUG"]) as provider:
        session = provider.wait_for_session(user, timeout=120)
        try:
            result = provider.charge(session["session_token"], 1_500, "gpt-4o")
        except SessionExpiredError as error:
            sys.exit(f"Ask for a new session: {error}")
        except InsufficientBalanceError as error:
            sys.exit(f"Top up the wallet: {error}")
    print(f"{result['charged_tokens']} tokens charged, {result['new_balance']} are left")


main(*sys.argv[1:])
