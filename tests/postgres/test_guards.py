"""What the database itself does not let happen, whatever a bug may ask for."""

import asyncpg
import pytest

from farebox.services import Services
from tests.support.ledgers import Books, owner

FORBIDDEN = [
    "UPDATE entries SET amount = amount + 1",
    "DELETE FROM entries",
    "TRUNCATE entries",
    "UPDATE transfers SET amount = 1",
    "DELETE FROM transfers",
    "UPDATE prices SET model = 'x'",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_application_has_no_right_to_change_history(
    database: str, services: Services, statement: str
) -> None:
    async with services.pool.acquire() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_not_even_the_owner_changes_history(database: str, services: Services, statement: str) -> None:
    conn = await owner(database)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await conn.execute(statement)
    await conn.close()


async def test_entries_that_do_not_balance_are_not_written(database: str, services: Services) -> None:
    books = await Books.open(services)
    wallet = await books.wallet(10)
    insert = "INSERT INTO entries (account_id, transfer_id, wallet_id, amount, balance_after, created_at) VALUES "
    for rows in (
        f"({wallet}, 7, {wallet}, 5, 15, now())",
        f"({wallet}, 7, {wallet}, 5, 15, now()), ({books.revenue}, 7, {wallet}, -4, NULL, now())",
        f"({wallet}, 7, {wallet}, 5, 15, now()), ({books.revenue}, 8, {wallet}, -5, NULL, now())",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="do not balance"):
            await services.pool.execute(insert + rows)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE accounts SET balance = balance - 11 WHERE kind = 'wallet'",
        "UPDATE accounts SET held = 11 WHERE kind = 'wallet'",
        "UPDATE accounts SET held = -1 WHERE kind = 'wallet'",
        "UPDATE accounts SET debt = -1 WHERE kind = 'wallet'",
        "UPDATE grants SET spent = 6",
        "UPDATE grants SET held = 3, spent = 3",
        "UPDATE grants SET spent = -1",
    ],
)
async def test_balances_and_limits_are_guarded_by_the_database(database: str, services: Services, change: str) -> None:
    books = await Books.open(services)
    await books.grant(await books.wallet(10), limit=5)
    with pytest.raises(asyncpg.CheckViolationError):
        await services.pool.execute(change)


async def test_only_one_open_grant_for_a_pair(database: str, services: Services) -> None:
    books = await Books.open(services)
    grant = await books.grant(await books.wallet(10))
    copy = (
        "INSERT INTO grants (wallet_id, provider_id, provider_username, token_nonce, token_hash) "
        "SELECT wallet_id, provider_id, provider_username, token_nonce, sha256(token_hash) FROM grants WHERE id = $1"
    )
    with pytest.raises(asyncpg.UniqueViolationError):
        await services.pool.execute(copy, grant)
