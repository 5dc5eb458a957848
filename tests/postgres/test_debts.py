"""Wallets below zero: a fact takes them there, and nothing else fails for it."""

from farebox.ledger.types import Capture, Deposit, Hold, RecordUsage
from farebox.services import Services
from tests.support.ledgers import Books


async def test_a_hold_is_captured_whole_though_a_fact_has_overdrawn_the_wallet(services: Services) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(9)
    grant = await books.grant(wallet)
    drawn = {"wallet_id": wallet, "grant_id": grant}
    billed = drawn | {"provider_id": books.provider_id, "revenue_account": books.revenue}
    hold = await books.ask(Hold, **drawn, amount=9, ttl_s=60)
    await books.ask(RecordUsage, **billed, amount=1)
    assert (await books.ask(Capture, **billed, hold_id=hold.transfer_id)).refusal is None
    standing = await services.wallets.get(wallet)
    assert (standing.balance, standing.held, standing.debt) == (-1, 0, 1)
    await books.ask(Deposit, wallet_id=wallet, source_account=books.outside, amount=3)
    standing = await services.wallets.get(wallet)
    assert (standing.balance, standing.debt) == (2, 0)
    assert (await books.audit()).clean
