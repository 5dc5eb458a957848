"""The own client against a real server: every noun, the block of a hold, lists over pages, what each error tells."""

import asyncio
import inspect
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from farebox import AsyncFarebox, Farebox, connection_code
from farebox.client import (
    Conflict,
    Forbidden,
    Invalid,
    NotConnected,
    NotFound,
    PaymentRequired,
    Policy,
    Unauthorized,
    Usage,
    asynchronous,
    call,
    sync,
)
from tests.clients.shops import Shop
from tests.support.live import ADMIN_KEY, Live


@pytest.fixture
def admin(live: Live) -> Iterator[Farebox]:
    with Farebox(live.url, ADMIN_KEY) as found:
        yield found


@pytest.fixture
def shop(admin: Farebox) -> Iterator[Shop]:
    found = Shop(admin)
    yield found
    found.client.close()


def test_a_charge_its_explanation_and_its_refund(shop: Shop) -> None:
    usage = Usage(input_tokens=100, output_tokens=50)
    quote = shop.client.prices.quote(shop.slug, shop.model, usage, asset="TOKEN")
    done = shop.client.charge(shop.token, model=shop.model, usage=usage, idempotency_key="request-1")
    assert (done.amount, done.available, done.asset) == (quote.amount, 1_000_000 - 187_500, "TOKEN")
    assert shop.client.charge(shop.token, model=shop.model, usage=usage, idempotency_key="request-1") == done
    kept = shop.client.charges.get(done.id)
    assert (kept.status, kept.usage, kept.idempotency_key) == ("approved", usage, "request-1")
    explained = shop.client.charges.explain(done.id)
    assert [(line.what, line.quantity, line.rate) for line in explained.lines] == [
        ("input_token", 100, "1"),
        ("output_token", 50, "0.5"),
    ]
    assert (explained.subtotal, explained.markup) == ("125", "1.5")
    assert shop.client.charges.refund(done.id, 500, reason="too slow").available == 813_000
    assert shop.client.charges.refund(done.id).amount == 187_000
    assert shop.client.charges.get(done.id).refunded == 187_500


def test_two_charges_without_a_key_are_two(shop: Shop) -> None:
    first, second = (shop.client.charge(grant=shop.grant.id, amount=1_000) for _ in range(2))
    assert first.id != second.id
    assert [charge.id for charge in shop.client.charges.list()] == [second.id, first.id]


def test_refusals_tell_what_is_there(admin: Farebox) -> None:
    shop = Shop(admin, 5_000, limit=50_000)
    with pytest.raises(PaymentRequired) as poor:
        shop.client.charge(shop.token, amount=6_000)
    found = poor.value
    assert (found.http_status, found.code, found.available) == (402, "insufficient_balance", 5_000)
    assert found.id is not None
    assert shop.client.charges.explain(found.id).refusal == "insufficient_balance"
    with pytest.raises(Forbidden) as capped:
        shop.client.charge(shop.token, amount=60_000)
    assert (capped.value.code, capped.value.remaining) == ("grant_limit_exceeded", 50_000)
    with pytest.raises(Invalid) as unknown:
        shop.client.charge(shop.token, model=shop.model + "0", usage=Usage(input_tokens=1))
    assert (unknown.value.code, unknown.value.nearest) == ("unknown_model", [shop.model])
    with pytest.raises(Invalid) as negative:
        shop.client.charge(shop.token, amount=-1)
    assert [error.field for error in negative.value.errors] == ["amount"]
    assert negative.value.request_id
    shop.client.close()


def test_a_block_captures_what_was_used(shop: Shop) -> None:
    worst = Usage(input_tokens=100, output_tokens=200)
    with shop.client.hold(shop.token, model=shop.model, usage=worst) as held:
        assert shop.admin.wallets.get(shop.wallet).held == held.hold.amount == 300_000
        held.used(Usage(input_tokens=100, output_tokens=10))
    assert held.charge is not None
    assert (held.charge.amount, shop.available()) == (157_500, 842_500)
    with shop.client.hold(shop.token, amount=2_500):
        pass
    assert shop.available() == 840_000
    with shop.client.hold(shop.token, amount=2_500) as unused:
        unused.used(amount=0)
    assert (unused.charge, shop.available()) == (None, 840_000)
    assert [hold.state for hold in shop.admin.holds.list(shop.wallet)] == ["released", "captured", "captured"]


def test_a_block_that_fails_takes_nothing(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError), shop.client.hold(shop.token, amount=2_500) as held:
        held.used(amount=2_000)
        raise ZeroDivisionError
    assert (shop.client.holds.get(held.hold.id).state, shop.available()) == ("released", 1_000_000)


def test_a_hold_that_can_not_be_released_does_not_hide_the_failure(shop: Shop) -> None:
    with pytest.raises(ZeroDivisionError) as failed, shop.client.hold(shop.token, amount=2_500) as held:
        shop.client.holds.capture(held.hold.id)
        raise ZeroDivisionError
    assert "could not be released" in failed.value.__notes__[0]


def test_more_than_the_hold_is_refused_and_can_be_settled(shop: Shop) -> None:
    with pytest.raises(Invalid) as found, shop.client.hold(shop.token, amount=2_500) as held:
        held.used(amount=2_600)
    assert found.value.code == "capture_exceeds_hold"
    assert shop.client.holds.capture(held.hold.id).amount == 2_500
    with pytest.raises(Conflict):
        shop.client.holds.release(held.hold.id)


def test_from_the_code_to_the_charge(admin: Farebox, shop: Shop) -> None:
    user = f"bob-{uuid.uuid4().hex[:8]}"
    code = connection_code(shop.slug, user, limit="12.5")
    assert code.endswith('"limit":12.5}')
    assert shop.client.session(user).status == "not_found"
    request = admin.requests.open(shop.wallet, code, expires_in_s=3600)
    assert (request.limit, request.provider_username, request.state) == (12_500, user, "pending")
    assert shop.client.session(user).status == "pending"
    with pytest.raises(NotConnected) as waited:
        shop.client.wait_for_session(user, wait_s=0)
    assert waited.value.session.status == "pending"
    grant = admin.requests.approve(request.id, request.terms, limit=10_000)
    session = shop.client.wait_for_session(user)
    assert session.session_token is not None
    assert shop.client.charge(session.session_token, amount=4_000).remaining == 6_000
    admin.grants.revoke(grant.id)
    admin.grants.revoke(grant.id)
    assert admin.grants.get(grant.id).state == "revoked"
    with pytest.raises(Forbidden):
        shop.client.charge(session.session_token, amount=4_000)
    other = admin.requests.open(shop.wallet, connection_code(shop.slug, "eve"))
    assert admin.requests.decline(other.id).state == "declined"
    assert admin.requests.get(other.id).state == "declined"


def test_lists_go_on_over_pages(admin: Farebox, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "PAGE", 2)
    began = datetime.now(UTC) - timedelta(hours=1)
    done = [shop.client.charge(shop.token, amount=1_000).id for _ in range(5)]
    assert [charge.id for charge in shop.client.charges.list()] == done[::-1]
    assert [entry.id for entry in admin.wallets.entries(shop.wallet, since=began)][:5] == done[::-1]
    statement = admin.wallets.statement(shop.wallet, since=began)
    assert (statement.entries, statement.money_out, statement.closing_balance) == (6, 5_000, 995_000)
    assert [item.kind for item in admin.wallets.history(shop.wallet)] == ["charge"] * 5 + ["deposit"]
    assert [item.amount for item in admin.wallets.history(shop.wallet, kind="deposit")] == [1_000_000]
    assert [grant.id for grant in admin.grants.list(shop.wallet)] == [shop.grant.id]
    assert [wallet.id for wallet in admin.wallets.list(owner=shop.slug)] == [shop.wallet]


def test_money_in_and_across(admin: Farebox, shop: Shop) -> None:
    first = admin.wallets.deposit(shop.wallet, 700, source="bank", reference=f"wire {shop.slug}")
    assert admin.wallets.deposit(shop.wallet, 700, source="bank", reference=f"wire {shop.slug}") == first
    assert shop.available() == 1_000_700
    other = admin.wallets.open("TOKEN")
    assert admin.wallets.transfer(shop.wallet, other.id, 700).available == 1_000_000
    assert admin.wallets.get(other.id).balance == 700
    assert admin.charges.record(other.id, shop.slug, amount=1_000).available == -300
    assert admin.wallets.get(other.id).debt == 300
    assert [row.balance for row in shop.client.providers.revenue(shop.slug)] == [1_000]


def test_the_book_and_the_directory(admin: Farebox, shop: Shop) -> None:
    assert admin.providers.change(shop.slug, verified=True).verified
    assert [key.name for key in admin.providers.keys(shop.slug)] == ["till"]
    key = admin.providers.add_key(shop.slug, "second", scopes=("read",), expires_in_s=60)
    assert key.key not in repr(key)
    admin.providers.revoke_key(shop.slug, key.id)
    with Farebox(admin.url, key.key) as revoked, pytest.raises(Unauthorized):
        next(revoked.charges.list())
    organization = f"org-{shop.slug}"
    assert admin.organizations.add(organization, "An organization") == admin.organizations.add(organization, "Again")
    own = admin.organizations.add_key(organization, "ours")
    with Farebox(admin.url, own.key) as member:
        wallet = member.wallets.open("USD")
        assert [found.id for found in member.wallets.list()] == [wallet.id]
        with pytest.raises(NotFound):
            member.wallets.get(shop.wallet)
    assert [found.hint[-4:] for found in admin.organizations.keys(organization)] == [own.key[-4:]]
    admin.organizations.revoke_key(organization, own.id)
    admin.keys.revoke(admin.keys.add("a second one").id)
    assert admin.keys.list()
    assert admin.assets.put("GEM", "Gems", 100, usd_price="0.5") in admin.assets.list()
    assert admin.prices.versions(shop.model, provider=shop.slug)[0].output_token == "0.5"
    assert [price.model for price in admin.prices.list(shop.slug)] == [shop.model]
    listed = [{"model": "from-a-list", "asset": "TOKEN", "call": "2"}]
    assert admin.prices.take_in(listed, provider=shop.slug).added == ["from-a-list"]
    admin.prices.withdraw("from-a-list", provider=shop.slug)
    assert admin.prices.versions("from-a-list", provider=shop.slug)[0].withdrawn
    assert shop.slug in [provider.slug for provider in admin.providers.list()]
    assert organization in [found.id for found in admin.organizations.list()]


def test_no_float_and_no_other_address() -> None:
    with Farebox("http://127.0.0.1:9", "k") as client:
        amount: Any = 1.0
        with pytest.raises(TypeError):
            client.charge("ps_", amount=amount)
        with pytest.raises(TypeError):
            client.prices.put("m", "USD", input_token=amount)
        with pytest.raises(TypeError):
            connection_code("p", "u", limit=amount)
        for key in ("", "a\nb", "ключ", " a", "x" * 256):
            with pytest.raises(ValueError, match="key"):
                client.charge("ps_", amount=1, idempotency_key=key)
        for other in ("", "..", "."):
            with pytest.raises(ValueError, match="empty"):
                client.wallets.get(other)
        with pytest.raises(ValueError, match="address"):
            client.prices.withdraw("../../keys/key_1")
        assert "k" not in repr(client).partition("(")[2].replace("http", "")
    with pytest.raises(ValueError, match="http"):
        Farebox("ftp://example.org")
    with pytest.raises(ValueError, match="key"):
        Farebox(key="a\nb")


def test_both_shells_have_the_same_calls() -> None:
    def calls(kind: type, noun: str = "") -> set[str]:
        plain = {name: inspect.signature(member).replace(return_annotation=None) for name, member in public(kind)}
        return {f"{noun}{name}{signature}" for name, signature in plain.items()}

    def public(kind: type) -> list[tuple[str, Any]]:
        return [(name, member) for name, member in vars(kind).items() if callable(member) and name[0] != "_"]

    assert {name for name, _ in public(Farebox)} == {name for name, _ in public(AsyncFarebox)}
    nouns = [name for name, found in vars(sync).items() if isinstance(found, type) and issubclass(found, sync._Noun)]
    assert len(nouns) > 10
    for noun in nouns[1:]:
        assert calls(getattr(sync, noun)) == calls(getattr(asynchronous, f"Async{noun}"))


async def test_the_same_with_asyncio(live: Live) -> None:
    async with AsyncFarebox(live.url, ADMIN_KEY, policy=Policy(deadline_s=20)) as admin:
        slug = f"p{uuid.uuid4().hex[:10]}"
        await admin.providers.add(slug, "A shop")
        wallet = await admin.wallets.open("TOKEN")
        await admin.wallets.deposit(wallet.id, 10_000)
        grant = await admin.grants.make(wallet.id, slug, "ada")
        key = (await admin.providers.add_key(slug, "till")).key
        async with AsyncFarebox(live.url, key) as client:
            session = await client.wait_for_session("ada")
            assert session.session_token == grant.session_token is not None
            token = session.session_token
            await asyncio.gather(*(client.charge(token, amount=100) for _ in range(20)))
            async with client.hold(token, amount=3_000) as held:
                held.used(amount=2_000)
            with pytest.raises(asyncio.CancelledError):
                async with client.hold(token, amount=3_000):
                    raise asyncio.CancelledError
            assert (await client.session("eve")).status == "not_found"
            assert len([charge.id async for charge in client.charges.list()]) == 21
            with pytest.raises(PaymentRequired):
                await client.charge(token, amount=6_001)
        assert (await admin.wallets.get(wallet.id)).available == 6_000
