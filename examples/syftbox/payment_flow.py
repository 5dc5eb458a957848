"""A payer gives a service a token, and the service draws what its answer cost: python payment_flow.py

SYFTBOX_ACCOUNTING_URL (http://127.0.0.1:8080/syftbox) says where, SYFTBOX_ACCOUNTING_EMAIL and
SYFTBOX_ACCOUNTING_PASSWORD who pays; SERVICE_EMAIL and SERVICE_PASSWORD are the service's.
"""

import asyncio
import os

from syft_accounting_sdk import AsyncUserClient
from syftbox import Client
from syftbox.core.exceptions import PaymentError

SERVICE = os.environ["SERVICE_EMAIL"]


async def service(payer: str, token: str, question: str) -> str:
    """What runs at the service: holds the price, works, confirms; what fails costs nothing."""
    url = os.environ["SYFTBOX_ACCOUNTING_URL"]
    async with (
        AsyncUserClient(url, SERVICE, os.environ["SERVICE_PASSWORD"]) as account,
        account.delegated_transfer(payer, 0.25, token, app_name="search") as payment,
    ):
        answer = f"You asked: {question}"
        await payment.confirm()
    return answer


async def main() -> None:
    accounting = Client().accounting_client
    accounting.show()
    before = await accounting._get_account_balance_async()
    try:
        token = await accounting.create_transaction_token(recipient_email=SERVICE)
    except PaymentError as error:
        raise SystemExit(f"No token: {error}") from None
    print(await service(accounting.get_email(), token, "How are you?"))
    info = await accounting.get_account_info()
    print(f"Paid ${before - info['balance']}, ${info['balance']} are left; spent in all: ${info['usage']['spent']}")


asyncio.run(main())
