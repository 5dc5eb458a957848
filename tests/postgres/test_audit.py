"""The audit finds what was tampered with, and nothing where nothing was."""

import pytest

from farebox.envelopes.types import Scope
from farebox.ledger.audit import CHECKS
from farebox.ledger.envelopes import Counts
from farebox.ledger.types import Capture, Charge, Hold, RecordUsage, Refund, Release, Usage
from farebox.services import Services
from tests.support.ledgers import Books, owner

TAMPERED: list[tuple[str, str]] = [
    ("entries_sum_to_zero", "UPDATE entries SET amount = amount + 1 WHERE account_id < 1000"),
    ("transfers_have_their_entries", "DELETE FROM entries WHERE transfer_id = (SELECT min(transfer_id) FROM entries)"),
    ("transfers_have_their_entries", "DELETE FROM transfers WHERE kind = 'charge'"),
    ("transfers_are_between_the_right_accounts", "UPDATE transfers SET kind = 'transfer' WHERE kind = 'deposit'"),
    ("transfers_are_between_the_right_accounts", "UPDATE accounts SET provider_id = 7 WHERE kind = 'revenue'"),
    ("transfers_are_between_the_right_accounts", "UPDATE transfers SET parent_id = NULL WHERE kind = 'refund'"),
    ("transfers_are_between_the_right_accounts", "UPDATE grants SET wallet_id = wallet_id + 1"),
    ("transfers_are_between_the_right_accounts", "DELETE FROM grants"),
    ("balances_are_their_entries", "UPDATE accounts SET balance = balance + 1 WHERE kind = 'wallet'"),
    ("balances_are_their_entries", "UPDATE accounts SET folded = coalesce(folded, 0) + 1 WHERE kind = 'revenue'"),
    (
        "balances_follow_their_entries",
        "UPDATE entries SET balance_after = balance_after + 1 WHERE balance_after IS NOT NULL",
    ),
    ("held_is_open_holds", "UPDATE accounts SET held = held + 1 WHERE kind = 'wallet'"),
    ("held_is_open_holds", "DELETE FROM holds WHERE state = 'pending'"),
    ("holds_are_written_down", "DELETE FROM holds WHERE state = 'pending'"),
    ("debt_is_what_is_missing", "UPDATE accounts SET debt = debt + 1 WHERE kind = 'wallet'"),
    ("grants_count_their_charges", "UPDATE grants SET spent = spent + 1"),
    ("grants_count_their_holds", "UPDATE grants SET held = held + 1"),
    ("holds_end_once", "UPDATE holds SET captured = captured + 1 WHERE state = 'posted'"),
    (
        "holds_end_once",
        "UPDATE holds SET state = 'voided', void_reason = 'released', closed_at = now() WHERE state = 'pending'",
    ),
    ("refunds_are_counted", "UPDATE refunds SET refunded = refunded + 1"),
    ("limits_hold", "UPDATE grants SET overrun = 0, limit_units = 1"),
    ("envelopes_count_their_records", "UPDATE envelopes SET total = total + 1, used = used + 1 WHERE counts = 'money'"),
    ("envelopes_count_their_records", "UPDATE envelopes SET total = total - 1, used = used - 1 WHERE counts = 'usage'"),
    ("envelopes_count_their_records", "UPDATE transfers SET envelope_ids = NULL WHERE kind = 'refund'"),
    ("envelopes_count_their_records", "DELETE FROM envelopes"),
    ("envelopes_count_their_holds", "UPDATE envelopes SET held = held - 1 WHERE counts = 'money'"),
    ("envelopes_count_their_holds", "UPDATE holds SET usage_units = 4 WHERE state = 'pending'"),
    ("windows_add_up", "UPDATE envelopes SET used = used - 1"),
    ("windows_add_up", "DELETE FROM envelope_windows"),
    ("envelopes_hold", "UPDATE envelopes SET limit_units = 1, overrun = 0"),
    ("totals_follow_the_journal", "UPDATE spend_totals SET amount = amount + 1 WHERE kind = 'model' AND grain = 'day'"),
    ("totals_follow_the_journal", "UPDATE spend_totals SET refunded = 0 WHERE kind = 'agent'"),
    ("totals_follow_the_journal", "DELETE FROM spend_totals WHERE kind = 'provider'"),
]


LAST_MONTH = """
    UPDATE envelopes SET window_start = window_start - interval '1 month', window_end = window_end - interval '1 month',
        counted_since = counted_since - interval '1 month'
"""
"""Lets a window be over."""


async def a_bit_of_everything(services: Services) -> Books:
    books = await Books.open(services)
    wallet = await books.wallet(1000)
    grant = await books.grant(wallet, limit=900)
    await books.envelope(Scope("grant", str(grant)), 5000)
    await books.envelope(Scope("all"), 5000, counts=Counts.USAGE)
    common = {"wallet_id": wallet, "grant_id": grant}
    billed = common | {"provider_id": books.provider_id, "revenue_account": books.revenue}
    charge = await books.ask(Charge, **billed, amount=100, usage=Usage(30, 40, units=(("image", 5),)))
    refunded = {"charge_id": charge.transfer_id, "revenue_account": books.revenue, "amount": 10}
    await books.ask(Refund, **common, **refunded)
    for end in ("capture", "release", "stay"):
        hold = await books.ask(Hold, **common, amount=50, ttl_s=600, usage=Usage(9, 9))
        if end == "capture":
            await books.ask(Capture, **billed, hold_id=hold.transfer_id, amount=20)
        elif end == "release":
            await books.ask(Release, **common, hold_id=hold.transfer_id)
    await services.pool.execute(LAST_MONTH)
    await books.ask(RecordUsage, **billed, amount=2000, usage=Usage(1, 1))
    for _ in range(3):  # noted, counted, and nothing more
        await services.totals.keep()
    return books


async def test_sound_books_are_clean(services: Services) -> None:
    report = await (await a_bit_of_everything(services)).audit()
    assert report.clean, report.differences
    assert report.figures["transfers"] == 9
    assert {item.kind: item.balance for item in report.balances} == {
        "external": -1000,
        "revenue": 2110,
        "wallet": -1110,
    }


@pytest.mark.parametrize(("check", "change"), TAMPERED)
async def test_tampering_is_found(database: str, services: Services, check: str, change: str) -> None:
    books = await a_bit_of_everything(services)
    conn = await owner(database)
    await conn.execute("SET session_replication_role = replica")  # no triggers: somebody really means it
    for table in ("accounts", "grants", "holds", "refunds", "envelopes"):
        names = await conn.fetch(
            "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid = $1::text::regclass", table
        )
        for (name,) in names:
            await conn.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    await conn.execute(change)
    await conn.close()
    report = await books.audit()
    found = {difference.check for difference in report.differences}
    assert check in found
    assert all(difference.count >= 1 and difference.rows for difference in report.differences)


def test_every_check_is_tampered_with() -> None:
    assert {check for check, _ in TAMPERED} == set(CHECKS)
