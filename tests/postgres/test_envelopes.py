"""Envelopes on a real database: what applies to what, what a refusal says, windows that turn, limits that change."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from farebox.envelopes.types import EnvelopeChange, Scope
from farebox.errors import Invalid, NotFound
from farebox.ledger.envelopes import Counts, EnvelopeFacts
from farebox.ledger.types import Capture, Charge, Hold, Outcome, RecordUsage, Refund, Refusal, Release, Transfer, Usage
from farebox.services import Services
from farebox.windows import Period
from tests.support.ledgers import Books, mark, owner

REFUSED = Refusal.ENVELOPE_LIMIT_EXCEEDED
USED = Usage(30, 10)


class Payer:
    """A wallet of an organization with money, and a grant to draw on it."""

    def __init__(self, url: str, books: Books, organization: str, wallet: int, grant: int) -> None:
        self.url = url
        self.books = books
        self.services = books.services
        self.organization = organization
        self.wallet = wallet
        self.grant = grant

    @classmethod
    async def of(cls, url: str, services: Services, organization: str = "acme") -> "Payer":
        books = await Books.open(services)
        await services.directory.add_organization("test", organization, organization)
        wallet = (await services.wallets.add("test", "USD", None, organization)).id
        await books.put(wallet, 10_000)
        return cls(url, books, organization, wallet, await books.grant(wallet))

    async def other(self, organization: str = "acme") -> "Payer":
        """Another wallet, charged by another provider."""
        return await Payer.of(self.url, self.services, organization)

    async def limit(self, scope: Scope | None, units: int, **more: Any) -> int:
        return await self.books.envelope(scope, units, **{"organization_id": self.organization} | more)

    async def charge(self, amount: int, **more: Any) -> Outcome:
        return await self.books.ask(Charge, **self.billed() | {"amount": amount, "model": "m"} | more)

    async def hold(self, amount: int, ttl_s: int = 60, **more: Any) -> Outcome:
        drawn = {"wallet_id": self.wallet, "grant_id": self.grant}
        return await self.books.ask(Hold, **drawn, amount=amount, ttl_s=ttl_s, **more)

    def billed(self) -> dict[str, Any]:
        paid = {"provider_id": self.books.provider_id, "revenue_account": self.books.revenue}
        return {"wallet_id": self.wallet, "grant_id": self.grant, **paid}

    async def standing(self, envelope: int) -> EnvelopeFacts:
        return (await self.services.envelopes.get(envelope)).standing

    async def counters(self, envelope: int) -> tuple[int, int, int]:
        found = await self.standing(envelope)
        return found.used, found.held, found.overrun

    async def events(self) -> list[tuple[str, int, int]]:
        """The thresholds that were told: of which envelope, in percent, at which use."""
        rows = await self.services.pool.fetch(
            "SELECT payload FROM outbox WHERE kind = 'envelope.threshold' ORDER BY id"
        )
        told = [msgspec.json.decode(row["payload"]) for row in rows]
        return [(event["envelope"], event["threshold_percent"], event["used"]) for event in told]

    async def let_pass(self, days: int) -> None:
        """As if everything had happened so much earlier."""
        conn = await owner(self.url)
        await conn.execute("SET session_replication_role = replica")  # the journal is append-only
        await conn.execute("UPDATE transfers SET created_at = created_at - $1::interval", timedelta(days))
        await conn.execute(
            "UPDATE envelopes SET window_start = window_start - $1::interval, window_end = window_end - $1::interval, "
            "counted_since = counted_since - $1::interval",
            timedelta(days),
        )
        await conn.close()


@pytest.fixture
async def payer(database: str, services: Services) -> Payer:
    return await Payer.of(database, services)


def scopes(payer: Payer) -> dict[str, Scope]:
    return {
        "all": Scope("all"),
        "wallet": Scope("wallet", str(payer.wallet)),
        "grant": Scope("grant", str(payer.grant)),
        "provider": Scope("provider", str(payer.books.provider_id)),
        "model": Scope("model", "m"),
    }


@pytest.mark.parametrize("kind", ["all", "wallet", "grant", "provider", "model"])
@pytest.mark.parametrize("owner", ["acme", None])
async def test_an_envelope_applies_to_what_it_is_attached_to(payer: Payer, kind: str, owner: str | None) -> None:
    envelope = await payer.limit(scopes(payer)[kind], 100, organization_id=owner)
    assert (await payer.charge(60)).refusal is None
    refused = await payer.charge(41)
    assert refused.refusal is REFUSED
    assert refused.stopped is not None
    assert (refused.stopped.envelope_id, refused.stopped.used, refused.stopped.remaining) == (envelope, 60, 40)
    assert (await payer.charge(40)).refusal is None
    assert await payer.counters(envelope) == (100, 0, 0)
    assert (await payer.books.audit()).clean


@pytest.mark.parametrize("kind", ["wallet", "grant", "provider", "model"])
async def test_and_to_nothing_else(payer: Payer, kind: str) -> None:
    await payer.limit(scopes(payer)[kind], 1)
    other = await payer.other()
    assert (await other.charge(50, model="n")).refusal is None
    assert (await payer.charge(50)).refusal is REFUSED


async def test_an_organizations_envelope_is_for_its_own_wallets(payer: Payer) -> None:
    other = await payer.other("other")
    for scope in scopes(payer).values():
        await other.limit(scope, 1)
    assert (await payer.charge(50)).refusal is None
    unowned = await payer.books.wallet(100)
    grant = await payer.books.grant(unowned)
    await payer.limit(Scope("all"), 1)
    assert (await payer.charge(50, wallet_id=unowned, grant_id=grant)).refusal is None


async def test_all_of_them_hold_and_the_tightest_is_named(payer: Payer) -> None:
    named = {
        kind: await payer.limit(scope, units)
        for (kind, scope), units in zip(scopes(payer).items(), (90, 70, 80, 99, 75), strict=True)
    }
    refused = await payer.charge(95)
    assert refused.stopped is not None
    assert refused.stopped.envelope_id == named["wallet"]
    window = refused.stopped.window_start, refused.stopped.window_end
    found = await payer.standing(named["wallet"])
    assert window == (found.window_start, found.window_end)
    assert window[0] <= refused.created_at < window[1]
    assert (await payer.charge(70)).refusal is None
    assert [await payer.counters(envelope) for envelope in named.values()] == [(70, 0, 0)] * 5


async def test_a_refusal_is_the_same_one_when_it_is_asked_again(payer: Payer) -> None:
    await payer.limit(Scope("all"), 10)
    same = {"key": "once", "fingerprint": mark()}
    first = await payer.charge(11, **same)
    await payer.let_pass(days=40)
    again = await payer.charge(11, **same)
    assert again.replayed
    assert (again.refusal, again.stopped) == (first.refusal, first.stopped)
    assert (await payer.charge(10)).refusal is None


async def test_usage_is_limited_in_its_own_units(payer: Payer) -> None:
    envelope = await payer.limit(Scope("model", "m"), 100, counts=Counts.USAGE)
    assert (await payer.charge(1, usage=USED)).refusal is None
    assert (await payer.charge(1, usage=Usage(61))).refusal is REFUSED
    assert (await payer.charge(0, usage=Usage(60))).refusal is None, "a free charge counts too"
    assert (await payer.charge(5000)).refusal is None, "an amount alone is no usage"
    assert await payer.counters(envelope) == (100, 0, 0)
    assert (await payer.books.audit()).clean


async def test_transfers_count_as_money(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100)
    other = await payer.books.wallet()
    move = {"wallet_id": payer.wallet, "to_wallet_id": other}
    assert (await payer.books.ask(Transfer, **move, amount=60)).refusal is None
    assert (await payer.books.ask(Transfer, **move, amount=60)).refusal is REFUSED
    held = await payer.books.ask(Hold, **move, asked_by="sender", amount=40, ttl_s=60)
    assert held.refusal is None
    assert (await payer.books.ask(Transfer, **move, amount=1)).refusal is REFUSED
    done = await payer.books.ask(Capture, **move, hold_id=held.transfer_id)
    assert done.refusal is None
    assert await payer.counters(envelope) == (100, 0, 0)
    assert (await payer.books.audit()).clean


async def test_facts_count_and_can_exceed(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100)
    assert (await payer.books.ask(RecordUsage, **payer.billed(), amount=250)).refusal is None
    assert await payer.counters(envelope) == (250, 0, 150)
    assert (await payer.charge(1)).refusal is REFUSED
    assert (await payer.books.audit()).clean


async def test_a_hold_reserves_and_its_release_frees(payer: Payer) -> None:
    envelope = await payer.limit(Scope("grant", str(payer.grant)), 100)
    hold = await payer.hold(80)
    assert await payer.counters(envelope) == (0, 80, 0)
    assert (await payer.hold(21)).refusal is REFUSED
    free = {"wallet_id": payer.wallet, "grant_id": payer.grant, "hold_id": hold.transfer_id}
    assert (await payer.books.ask(Release, **free)).refusal is None
    assert await payer.counters(envelope) == (0, 0, 0)
    hold = await payer.hold(80)
    taken = await payer.books.ask(Capture, **payer.billed(), hold_id=hold.transfer_id, amount=30)
    assert taken.refusal is None
    assert await payer.counters(envelope) == (30, 0, 0)
    assert (await payer.books.audit()).clean


async def test_an_expired_hold_frees_for_whoever_comes_next(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100)
    await payer.hold(100, ttl_s=0)
    assert (await payer.charge(100)).refusal is None
    assert await payer.counters(envelope) == (100, 0, 0)
    assert (await payer.books.audit()).clean


async def test_a_capture_counts_the_usage_that_it_turned_out_to_be(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100, counts=Counts.USAGE)
    hold = await payer.hold(50, usage=USED)
    assert await payer.counters(envelope) == (0, 40, 0)
    billed = payer.billed() | {"hold_id": hold.transfer_id, "amount": 50}
    assert (await payer.books.ask(Capture, **billed, usage=Usage(120))).refusal is None
    assert await payer.counters(envelope) == (120, 0, 20)
    assert (await payer.hold(50)).refusal is REFUSED, "nothing begins where nothing is left"
    assert (await payer.books.audit()).clean


async def test_money_that_is_given_back_in_its_window_can_be_spent_again(payer: Payer) -> None:
    money, usage = await payer.limit(Scope("all"), 100), await payer.limit(Scope("all"), 100, counts=Counts.USAGE)
    paid = await payer.charge(100, usage=USED)
    give_back = {"wallet_id": payer.wallet, "grant_id": payer.grant, "revenue_account": payer.books.revenue}
    await payer.books.ask(Refund, **give_back, charge_id=paid.transfer_id, amount=30)
    assert (await payer.counters(money))[0] == 70
    assert (await payer.counters(usage))[0] == 40
    await payer.let_pass(days=40)
    await payer.books.ask(Refund, **give_back, charge_id=paid.transfer_id, amount=30)
    assert (await payer.counters(money))[0] == 0, "its window is over"
    assert (await payer.charge(100)).refusal is None
    assert (await payer.books.audit()).clean


async def test_a_window_ends_and_its_history_stays(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100)
    await payer.charge(100)
    await payer.hold(1)
    before = await payer.standing(envelope)
    assert (await payer.charge(1)).refusal is REFUSED
    await payer.let_pass(days=31)
    assert await payer.counters(envelope) == (0, 0, 0), "read before anything is asked"
    assert (await payer.charge(60)).refusal is None
    assert await payer.counters(envelope) == (60, 0, 0)
    (closed,) = await payer.services.envelopes.windows(envelope, before.window_end, 10)
    assert (closed.used, closed.limit_units) == (100, 100)
    assert closed.ends_at - closed.starts_at == before.window_end - before.window_start
    assert (await payer.books.audit()).clean


async def test_what_is_held_stays_held_in_the_next_window(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100)
    hold = await payer.hold(70)
    await payer.charge(30)
    await payer.let_pass(days=31)
    assert (await payer.charge(31)).refusal is REFUSED
    assert (await payer.charge(30)).refusal is None
    await payer.books.ask(Capture, **payer.billed(), hold_id=hold.transfer_id)
    assert await payer.counters(envelope) == (100, 0, 0)
    assert (await payer.books.audit()).clean


async def test_thresholds_are_told_once(payer: Payer) -> None:
    number = await payer.limit(Scope("all"), 100)
    envelope = f"env_{number}"
    for amount in (49, 1, 29, 5, 16):
        await payer.charge(amount)
    assert await payer.events() == [(envelope, 50, 50), (envelope, 80, 84), (envelope, 100, 100)]
    home = await payer.services.pool.fetchval("SELECT DISTINCT wallet_id FROM outbox WHERE kind = 'envelope.threshold'")
    assert home == await payer.services.envelopes.number("acme")


async def test_a_changed_limit_holds_at_once_and_what_was_used_stays(payer: Payer) -> None:
    change = payer.services.envelopes.change
    envelope = await payer.limit(Scope("all"), 100)
    await payer.charge(60)
    await change("test", envelope, EnvelopeChange(limit_units=50))
    assert await payer.counters(envelope) == (60, 0, 10)
    assert (await payer.charge(1)).refusal is REFUSED
    assert [percent for _, percent, _ in await payer.events()] == [50, 80, 100]
    await change("test", envelope, EnvelopeChange(limit_units=200))
    assert (await payer.charge(140)).refusal is None
    assert await payer.counters(envelope) == (200, 0, 0)
    assert [percent for _, percent, _ in await payer.events()] == [50, 80, 100, 50, 80, 100]
    assert (await payer.books.audit()).clean


async def test_a_changed_period_holds_at_once_and_what_was_used_stays(payer: Payer) -> None:
    change = payer.services.envelopes.change
    envelope = await payer.limit(Scope("all"), 100, reset_day=31)
    await payer.charge(60)
    changed = (await change("test", envelope, EnvelopeChange(period=Period.DAILY))).standing
    assert (changed.used, changed.reset_day) == (60, None)
    assert changed.window_end - changed.window_start == timedelta(days=1)
    assert (await payer.charge(41)).refusal is REFUSED
    await payer.let_pass(days=1)
    assert (await payer.charge(100)).refusal is None
    assert (await payer.books.audit()).clean


async def test_a_change_closes_a_window_that_is_over(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100)
    await payer.charge(60)
    await payer.let_pass(days=31)
    changed = await payer.services.envelopes.change("test", envelope, EnvelopeChange(name="New"))
    assert (changed.standing.name, changed.standing.used) == ("New", 0)
    assert len(await payer.services.envelopes.windows(envelope, changed.standing.window_end, 10)) == 1
    assert (await payer.books.audit()).clean


async def test_a_deleted_envelope_limits_nothing_any_more(payer: Payer) -> None:
    envelope = await payer.limit(Scope("all"), 100)
    hold = await payer.hold(100)
    await payer.services.envelopes.delete("test", envelope)
    assert (await payer.charge(500)).refusal is None
    assert (await payer.books.ask(Capture, **payer.billed(), hold_id=hold.transfer_id)).refusal is None
    with pytest.raises(NotFound):
        await payer.services.envelopes.get(envelope)
    with pytest.raises(NotFound):
        await payer.services.envelopes.delete("test", envelope)
    assert (await payer.books.audit()).clean


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reset_day": 32}, "reset_day"),
        ({"reset_day": 0}, "reset_day"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"thresholds": (0,)}, "thresholds"),
        ({"thresholds": tuple(range(1, 30))}, "thresholds"),
    ],
)
async def test_what_can_not_be_an_envelope(payer: Payer, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as found:
        await payer.limit(Scope("all"), 100, **wrong)
    assert found.value.errors[0].field == field
    envelope = await payer.limit(Scope("all"), 100)
    with pytest.raises(Invalid):
        await payer.services.envelopes.change("test", envelope, EnvelopeChange(**wrong))
