"""Asks decided on what is known: whatever changes in the meantime, they are decided on what is true (ADR 0028)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from farebox.envelopes.types import EnvelopeChange, Scope
from farebox.ledger.batcher import Ledger
from farebox.ledger.types import Ask, Capture, Hold, Outcome, Pricing, Refusal, Release, Transfer
from farebox.services import Services
from tests.support.ledgers import mark, owner
from tests.support.payers import party
from tests.support.racing import Payer, ledger_on


@pytest.fixture
async def ledger(ledger: Ledger, payer: Payer) -> Ledger:
    """One that knows the payer: its last charge took the short way, and read nothing before."""
    await ledger.submit(payer.charge("second"))
    assert (ledger.batches, ledger.short, ledger.reads) == (2, 2, 1)
    return ledger


async def test_charges_take_the_short_way_one_after_the_other(payer: Payer, ledger: Ledger) -> None:
    outcomes = [await ledger.submit(payer.charge(f"k{n}")) for n in range(5)]
    assert [o.available for o in outcomes] == [997, 996, 995, 994, 993]
    assert (ledger.batches, ledger.short, ledger.reads) == (7, 7, 1)
    numbers = [o.transfer_id for o in outcomes]
    assert numbers == sorted(numbers)
    assert await payer.balance() == 993
    found = await payer.books.services.pool.fetch(
        "SELECT id, created_at FROM transfers WHERE wallet_id = $1 AND kind = 'charge' AND key LIKE 'k%' ORDER BY id",
        payer.wallet,
    )
    assert [tuple(row) for row in found] == [(o.transfer_id, o.created_at) for o in outcomes]


async def test_what_another_process_did_is_seen(
    database: str, services: Services, payer: Payer, ledger: Ledger
) -> None:
    async with ledger_on(database, services) as other:
        await other.submit(payer.charge("elsewhere", amount=900))
    assert (await ledger.submit(payer.charge("k"))).available == 97
    refused = await ledger.submit(payer.charge("too much", amount=98))
    assert refused.refusal is Refusal.INSUFFICIENT_BALANCE


async def test_a_wallet_that_is_not_known_yet_is_read(payer: Payer, ledger: Ledger) -> None:
    others = [await Payer.of(payer.books) for _ in range(3)]
    asked = [ledger.submit(other.charge(f"k{n}", amount=7)) for n, other in enumerate([payer, *others])]
    assert [(await future).available for future in asked] == [991, 993, 993, 993]
    assert (ledger.batches, ledger.short, ledger.reads) == (3, 3, 2)


async def test_a_wallet_that_is_not_there_is_said_so(payer: Payer, ledger: Ledger) -> None:
    nobody = payer.charge("k")
    nobody.wallet_id += 10**6
    asked = [ledger.submit(ask) for ask in (nobody, payer.charge("other"))]
    assert [(await future).refusal for future in asked] == [Refusal.WALLET_UNKNOWN, None]


async def test_there_and_back_is_a_change_too(database: str, services: Services, payer: Payer, ledger: Ledger) -> None:
    """The balance is the same again; the numbers of transfers still rise."""
    async with ledger_on(database, services) as other:
        there = await other.submit(payer.charge("there", amount=5))
        back = await other.submit(payer.deposit("back", 5))
    outcome = await ledger.submit(payer.charge("k"))
    assert there.transfer_id < back.transfer_id < outcome.transfer_id
    assert (ledger.batches, ledger.short, ledger.reads) == (3, 3, 2), "it was read again"


async def test_a_grant_that_was_revoked_is(services: Services, payer: Payer, ledger: Ledger) -> None:
    await services.consent.revoke("test", payer.grant)
    assert (await ledger.submit(payer.charge("k"))).refusal is Refusal.GRANT_REVOKED


async def test_a_key_that_was_revoked_is(services: Services, payer: Payer, ledger: Ledger) -> None:
    key, _ = await services.keys.make("provider", "test", slug=payer.books.slug, provider_id=payer.books.provider_id)
    assert (await ledger.submit(payer.charge("before", credential_id=key.id))).refusal is None
    await services.keys.revoke(key.id, "provider", payer.books.provider_id)
    assert (await ledger.submit(payer.charge("k", credential_id=key.id))).refusal is Refusal.CREDENTIAL_REVOKED


async def test_a_password_that_was_changed_is(services: Services, payer: Payer, ledger: Ledger) -> None:
    ada = await party(services)
    seal = ada.member.seal
    short = ledger.short
    assert (await ledger.submit(payer.charge("before", person=seal))).refusal is None
    assert ledger.short == short + 1
    await services.people.change_password(ada.member, "a password", "another password")
    assert (await ledger.submit(payer.charge("k", person=seal))).refusal is Refusal.CREDENTIAL_REVOKED


async def test_an_envelope_that_was_set_holds(payer: Payer, ledger: Ledger) -> None:
    await payer.books.envelope(Scope("wallet", str(payer.wallet)), 2)
    outcomes = [await ledger.submit(payer.charge(f"k{n}")) for n in range(3)]
    assert [o.refusal for o in outcomes] == [None, None, Refusal.ENVELOPE_LIMIT_EXCEEDED]


async def test_prices_that_have_changed_are_asked_again(database: str, payer: Payer, ledger: Ledger) -> None:
    conn = await owner(database)
    revision = await conn.fetchval("UPDATE price_book SET revision = revision + 1 RETURNING revision")
    await conn.close()
    old, new = (Pricing(None, 1_000_000, number, None) for number in (revision - 1, revision))
    assert (await ledger.submit(payer.charge("k", pricing=old))).refusal is Refusal.PRICE_CHANGED
    assert (await ledger.submit(payer.charge("k", pricing=new))).refusal is None


async def test_a_price_ends_when_the_next_begins(services: Services, payer: Payer, ledger: Ledger) -> None:
    until = datetime.now(UTC) + timedelta(seconds=0.3)
    pricing = Pricing(None, 1_000_000, services.prices.book.revision, until)
    assert (await ledger.submit(payer.charge("before", pricing=pricing))).refusal is None
    await asyncio.sleep(0.4)
    assert (await ledger.submit(payer.charge("k", pricing=pricing))).refusal is Refusal.PRICE_CHANGED


async def test_a_grant_ends_when_it_was_to_end(database: str, payer: Payer, ledger: Ledger) -> None:
    conn = await owner(database)
    soon = "UPDATE grants SET expires_at = now() + interval '0.5 s' WHERE id = $1"
    await conn.execute(soon, payer.grant)
    await conn.close()
    outcomes = [await ledger.submit(payer.charge(f"before{n}")) for n in range(4)]
    assert {o.refusal for o in outcomes} == {None}
    await asyncio.sleep(0.6)
    assert (await ledger.submit(payer.charge("k"))).refusal is Refusal.GRANT_EXPIRED


async def test_a_hold_that_is_due_is_freed_first(database: str, payer: Payer, ledger: Ledger) -> None:
    hold = Hold(
        client="t", key="h", fingerprint=mark(), wallet_id=payer.wallet, grant_id=payer.grant, amount=900, ttl_s=60
    )
    await ledger.submit(hold)
    assert [(await ledger.submit(payer.charge(f"k{n}"))).available for n in range(2)] == [97, 96]
    assert (ledger.short, ledger.reads) == (5, 2), "wallets with holds that are not due take it too"
    conn = await owner(database)
    await conn.execute("UPDATE holds SET expires_at = now() WHERE wallet_id = $1", payer.wallet)
    await conn.close()
    assert (await ledger.submit(payer.charge("more", amount=500))).available == 496


async def test_a_key_is_answered_by_what_it_stands_for(payer: Payer, ledger: Ledger) -> None:
    ask = payer.charge("once")
    first = await ledger.submit(ask)
    again, other, reused = await asyncio.gather(
        ledger.submit(ask), ledger.submit(payer.charge("other")), ledger.submit(payer.charge("second"))
    )
    assert (again.transfer_id, again.replayed, again.available) == (first.transfer_id, True, first.available)
    assert (other.refusal, other.available) == (None, 996)
    assert reused.refusal is Refusal.KEY_REUSED
    assert await payer.balance() == 996


async def test_one_key_twice_in_a_batch_is_one_charge(payer: Payer, ledger: Ledger) -> None:
    ask = payer.charge("once")
    outcomes = await asyncio.gather(*(ledger.submit(ask) for _ in range(5)))
    assert len({o.transfer_id for o in outcomes}) == 1
    assert sum(o.replayed for o in outcomes) == 4
    assert await payer.balance() == 997


async def test_refusals_are_kept_in_the_same_way(payer: Payer, ledger: Ledger) -> None:
    short = ledger.short
    ask = payer.charge("too much", amount=10**6)
    refused = await ledger.submit(ask)
    assert (refused.refusal, refused.available) == (Refusal.INSUFFICIENT_BALANCE, 998)
    assert ledger.short == short + 1
    again = await ledger.submit(ask)
    assert (again.refusal, again.replayed, again.transfer_id) == (refused.refusal, True, refused.transfer_id)
    assert (await ledger.submit(payer.charge("k"))).available == 997


async def test_who_often_finds_things_changed_reads_first(
    database: str, services: Services, payer: Payer, ledger: Ledger
) -> None:
    async with ledger_on(database, services) as other:
        for number in range(40):
            await other.submit(payer.charge(f"other{number}"))
            await ledger.submit(payer.charge(f"k{number}"))
        assert await payer.balance() == 998 - 80
        assert ledger.short == 42
        assert ledger.reads == 41
    for number in range(70):
        await ledger.submit(payer.charge(f"alone{number}"))
    assert ledger.reads < 110, "and trusts what it knows again later"


async def test_who_often_finds_keys_known_stops_trying(payer: Payer, ledger: Ledger) -> None:
    asks = [payer.charge(f"k{number}") for number in range(40)]
    for ask in asks:
        await ledger.submit(ask)
    short = ledger.short
    for ask in asks:
        assert (await ledger.submit(ask)).replayed
    assert ledger.short == short
    assert ledger.reads < 10
    for number in range(70):
        await ledger.submit(payer.charge(f"new{number}"))
    assert ledger.short > short, "and tries again later"


async def test_a_change_is_got_over_under_load_too(database: str, services: Services, payer: Payer) -> None:
    """Batches that follow each other at once begin their transactions ahead: that must not go on for ever."""
    async with ledger_on(database, services, batch_items=4) as ledger:
        await ledger.submit(payer.charge("first"))
        async with ledger_on(database, services) as other:
            await other.submit(payer.charge("elsewhere"))
        await asyncio.gather(*(ledger.submit(payer.charge(f"k{number}")) for number in range(200)))
        assert ledger.short > 40


async def test_a_database_of_another_isolation_level_is_read_first(
    database: str, services: Services, payer: Payer
) -> None:
    """Its transactions would not see what was committed while they waited for a lock."""
    conn = await owner(database)
    name = await conn.fetchval("SELECT current_database()")
    await conn.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'repeatable read'")
    await conn.close()
    async with ledger_on(database, services) as ledger:
        outcomes = [await ledger.submit(payer.charge(f"k{n}")) for n in range(4)]
        assert [(o.refusal, o.available) for o in outcomes] == [(None, 999), (None, 998), (None, 997), (None, 996)]
        assert ledger.short == 0


async def test_holds_and_captures_take_it_too(payer: Payer, ledger: Ledger) -> None:
    short = ledger.short
    asked = {"wallet_id": payer.wallet, "grant_id": payer.grant}
    holds = [await ledger.submit(ask_of(Hold, **asked, amount=10, ttl_s=60)) for _ in range(2)]
    paid = {"provider_id": payer.books.provider_id, "revenue_account": payer.books.revenue}
    captured = await ledger.submit(ask_of(Capture, **asked, **paid, hold_id=holds[0].transfer_id, amount=4))
    released = await ledger.submit(ask_of(Release, **asked, hold_id=holds[1].transfer_id))
    assert (captured.refusal, captured.available, released.available) == (None, 984, 994)
    assert (ledger.short, ledger.reads) == (short + 4, 2), "only the first hold was read for"
    again = await ledger.submit(ask_of(Release, **asked, hold_id=holds[1].transfer_id))
    assert again.refusal is Refusal.HOLD_CLOSED


async def test_a_hold_lasts_from_when_it_was_written(services: Services, payer: Payer, ledger: Ledger) -> None:
    """However long ago that was on which it was decided."""
    await asyncio.sleep(0.5)
    await ledger.submit(ask_of(Hold, wallet_id=payer.wallet, grant_id=payer.grant, amount=10, ttl_s=60))
    lasts = await services.pool.fetchval("SELECT expires_at - created_at FROM holds WHERE wallet_id = $1", payer.wallet)
    assert lasts == timedelta(seconds=60)


async def test_a_hold_that_ended_elsewhere_has(database: str, services: Services, payer: Payer, ledger: Ledger) -> None:
    asked = {"wallet_id": payer.wallet, "grant_id": payer.grant}
    hold = await ledger.submit(ask_of(Hold, **asked, amount=10, ttl_s=60))
    async with ledger_on(database, services) as other:
        await other.submit(ask_of(Release, **asked, hold_id=hold.transfer_id))
    again = await ledger.submit(ask_of(Release, **asked, hold_id=hold.transfer_id))
    assert again.refusal is Refusal.HOLD_CLOSED


async def test_transfers_and_deposits_take_it_too(payer: Payer, ledger: Ledger) -> None:
    other = await Payer.of(payer.books)
    await ledger.submit(other.charge("known"))
    await ledger.submit(ask_of(Transfer, wallet_id=payer.wallet, to_wallet_id=other.wallet, amount=1))
    short = ledger.short
    outcome = await ledger.submit(ask_of(Transfer, wallet_id=payer.wallet, to_wallet_id=other.wallet, amount=100))
    deposit = payer.deposit("money", 5)
    deposit.reference = "invoice"
    assert (outcome.available, (await ledger.submit(deposit)).available) == (897, 902)
    assert ledger.short == short + 2
    again = payer.deposit("other key", 5)
    again.reference = "invoice"
    assert (await ledger.submit(again)).replayed
    assert await other.balance() == 1100


async def test_money_that_is_told_twice_at_once_comes_in_once_and_holds_nobody_up(payer: Payer, ledger: Ledger) -> None:
    told = [replace(payer.deposit(key, 5), reference="invoice") for key in ("once", "twice")]
    short = ledger.short
    outcomes = await asyncio.gather(*map(ledger.submit, [*told, payer.charge("beside")]))
    assert [outcome.replayed for outcome in outcomes] == [False, True, False]
    assert outcomes[0].transfer_id == outcomes[1].transfer_id
    assert await payer.balance() == 1002
    assert (ledger.batches, ledger.short) == (3, short + 1), "all in one"


async def test_an_ask_that_can_not_be_decided_leaves_nothing_of_its_neighbours_behind(
    payer: Payer, ledger: Ledger
) -> None:
    endless = ask_of(Hold, wallet_id=payer.wallet, grant_id=payer.grant, amount=1, ttl_s=10**15)
    asks = [payer.charge("before"), endless, payer.charge("after")]
    outcomes = await asyncio.gather(*map(ledger.submit, asks), return_exceptions=True)
    assert isinstance(outcomes[1], OverflowError)
    assert [one.available for one in outcomes if isinstance(one, Outcome)] == [997, 996]
    assert await payer.balance() == 996


async def test_envelopes_count_on_the_short_way(payer: Payer, ledger: Ledger) -> None:
    number = await payer.books.envelope(Scope("wallet", str(payer.wallet)), 5)
    outcomes = [await ledger.submit(payer.charge(f"k{n}")) for n in range(7)]
    assert [o.refusal for o in outcomes] == [None] * 5 + [Refusal.ENVELOPE_LIMIT_EXCEEDED] * 2
    assert outcomes[-1].stopped is not None
    assert ledger.short >= 4
    assert (await payer.books.services.envelopes.get(number)).standing.used == 5


async def test_a_limit_that_was_raised_is(payer: Payer, ledger: Ledger) -> None:
    number = await payer.books.envelope(Scope("wallet", str(payer.wallet)), 2)
    outcomes = [await ledger.submit(payer.charge(f"k{n}")) for n in range(6)]
    assert outcomes[-1].refusal is Refusal.ENVELOPE_LIMIT_EXCEEDED
    await payer.books.services.envelopes.change("test", number, EnvelopeChange(limit_units=3))
    assert (await ledger.submit(payer.charge("k"))).refusal is None
    await payer.books.services.envelopes.delete("test", number)
    assert (await ledger.submit(payer.charge("more", amount=900))).refusal is None


def ask_of(kind: type[Ask], **given: Any) -> Ask:
    fingerprint = mark()
    return kind(client="tester", key=fingerprint.hex(), fingerprint=fingerprint, **given)
