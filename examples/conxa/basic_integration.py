"""Connects a user by QR code, and charges them: python basic_integration.py ada@example.org

CONXA_API_KEY, CONXA_PROVIDER_ID and CONXA_API_URL (http://127.0.0.1:8080/conxa) say where and who.
"""

import os
import sys

from conxa import ConnectionTimeoutError, CONXAClient, SessionExpiredError


def main(user: str) -> None:
    with CONXAClient(os.environ["CONXA_API_KEY"], provider_id=os.environ["CONXA_PROVIDER_ID"]) as client:
        code = client.create_payment_qr(user, limit=50_000, expires_in=120)
        code.qr_image.save("connect.png")
        print("Scan connect.png with your wallet.")
        try:
            session = client.wait_for_connection(
                user, timeout=120, qr_data=code, on_pending=lambda _: print("Scanned.")
            )
        except (ConnectionTimeoutError, SessionExpiredError) as error:
            sys.exit(f"Not connected: {error}")
        preview = client.preview_charge(session.session_token, "gpt-4o", 1_000, 500)
        print("It will cost", preview["amount"], "units of", preview["asset"])
        result = client.charge(session.session_token, model_name="gpt-4o", input_tokens=1_000, output_tokens=500)
    print(f"Charged, {result.new_balance} tokens are left." if result.approved else f"Refused: {result.error}")


main(*sys.argv[1:])
