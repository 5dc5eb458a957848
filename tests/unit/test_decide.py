"""The rules of money, by tables: each breaks facts and names the refusal that wins."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from farebox.ledger.decide import _DECIDERS, decide
from farebox.ledger.envelopes import Counts, EnvelopeFacts
from farebox.ledger.types import (
    MAX_UNITS,
    Ask,
    Capture,
    Charge,
    ChargeFacts,
    Deposit,
    Facts,
    GrantFacts,
    Hold,
    HoldFacts,
    Plan,
    Pricing,
    Record,
    RecordUsage,
    Refund,
    Refusal,
    Release,
    Transfer,
    WalletFacts,
)
from farebox.windows import Period

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WALLET, OTHER, GRANT, HOLD, CHARGE, REVENUE, OUTSIDE = 10, 11, 20, 30, 40, 5, 6
ENVELOPE = 50
PRICING = Pricing(1, 1_000_000, revision=7, until=None)


def facts(**changed: Any) -> Facts:
    """Facts on which every ask below is accepted, with some of them changed: `wallet_balance=5`, `grant_limit=9` …"""
    wallet = WalletFacts(WALLET, "USD", balance=1000, held=100, debt=0)
    other = WalletFacts(OTHER, "USD", balance=50, held=0, debt=0)
    grant = GrantFacts(GRANT, WALLET, 500, 300, 100, 50, 0, NOW + timedelta(hours=1), None)
    hold = HoldFacts(HOLD, WALLET, GRANT, 50, "pending", NOW + timedelta(minutes=1), None)
    charge = ChargeFacts(CHARGE, WALLET, GRANT, amount=80, refunded=30, created_at=NOW)
    things: dict[str, Any] = {"wallet": wallet, "other": other, "grant": grant, "hold": hold, "charge": charge}
    things["envelope"] = envelope()
    revision = changed.pop("price_revision", 7)
    for name, value in changed.items():
        thing, _, field = name.partition("_")
        gone = field == "gone" or things[thing] is None
        things[thing] = None if gone else replace(things[thing], **{field: value})

    def by_id(*names: str) -> dict[int, Any]:
        return {things[name].id: things[name] for name in names if things[name] is not None}

    wallets, grants, holds, charges = by_id("wallet", "other"), by_id("grant"), by_id("hold"), by_id("charge")
    draws: list[Any] = [(WALLET, GRANT, 1, None), (WALLET, GRANT, None, None), (WALLET, None, None, None)]
    found = Facts(NOW, 1, revision, wallets, grants, holds, charges, {}, {}, set())
    found.envelopes, found.applying = by_id("envelope"), {draw: [ENVELOPE] for draw in draws}
    return found


def envelope(**more: Any) -> EnvelopeFacts:
    """A monthly limit of 200 USD units with 80 left, on everything."""
    base: dict[str, Any] = {
        "id": ENVELOPE,
        "organization_id": "acme",
        "home": 7,
        "name": "Monthly",
        "counts": Counts.MONEY,
        "asset": "USD",
        "limit_units": 200,
        "thresholds": [50, 80, 100],
        "period": Period.MONTHLY,
        "reset_day": None,
        "zone": "UTC",
        "window_start": datetime(2026, 6, 1, tzinfo=UTC),
        "window_end": datetime(2026, 7, 1, tzinfo=UTC),
        "counted_since": datetime(2026, 6, 1, tzinfo=UTC),
        "used": 100,
        "held": 20,
        "overrun": 0,
        "told": 50,
        "total": 5000,
    }
    return EnvelopeFacts(**base | more)


def ask(kind: type[Ask], **more: Any) -> Any:
    base: dict[str, Any] = {"client": "c", "key": "k", "fingerprint": b"0" * 16, "wallet_id": WALLET}
    per_kind: dict[type[Ask], dict[str, Any]] = {
        Deposit: {"source_account": OUTSIDE, "amount": 70},
        Charge: {"grant_id": GRANT, "provider_id": 1, "revenue_account": REVENUE, "amount": 70, "pricing": PRICING},
        Hold: {"grant_id": GRANT, "amount": 70, "ttl_s": 60, "pricing": PRICING},
        Capture: {
            "grant_id": GRANT,
            "hold_id": HOLD,
            "provider_id": 1,
            "revenue_account": REVENUE,
            "amount": 40,
            "pricing": PRICING,
        },
        Release: {"grant_id": GRANT, "hold_id": HOLD},
        Refund: {"grant_id": GRANT, "charge_id": CHARGE, "revenue_account": REVENUE, "amount": 50},
        Transfer: {"to_wallet_id": OTHER, "amount": 70},
        RecordUsage: {
            "grant_id": GRANT,
            "provider_id": 1,
            "revenue_account": REVENUE,
            "amount": 70,
            "pricing": PRICING,
        },
        Record: {"organization_id": "acme", "envelope_id": ENVELOPE, "amount": 70},
    }
    return kind(**base | per_kind[kind] | more)


KINDS = list(_DECIDERS)
USAGE = {"envelope_counts": Counts.USAGE, "envelope_asset": None}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_accepted_on_sound_facts(kind: type[Ask]) -> None:
    assert isinstance(decide(ask(kind), facts(**USAGE if kind is Record else {})), Plan)


DRAWS = [Charge, Hold]

ONE_BROKEN_FACT: list[tuple[list[Any], dict[str, Any], dict[str, Any], Refusal]] = [
    ([Charge, Hold, Capture, RecordUsage], {"price_revision": 8}, {}, Refusal.PRICE_CHANGED),
    (
        [Charge, Hold, Capture, RecordUsage],
        {},
        {"pricing": replace(PRICING, until=NOW)},
        Refusal.PRICE_CHANGED,
    ),
    (
        [Charge, Hold, Capture, RecordUsage],
        {},
        {"pricing": replace(PRICING, since=NOW + timedelta(microseconds=1))},
        Refusal.PRICE_CHANGED,
    ),
    ([Deposit, Charge, Hold, Transfer, RecordUsage], {"wallet_gone": 1}, {}, Refusal.WALLET_UNKNOWN),
    ([Transfer], {"other_gone": 1}, {}, Refusal.WALLET_UNKNOWN),
    ([Refund], {"wallet_gone": 1}, {}, Refusal.CHARGE_UNKNOWN),
    ([Charge, Hold, RecordUsage], {"grant_gone": 1}, {}, Refusal.GRANT_UNKNOWN),
    (DRAWS, {"grant_wallet_id": OTHER}, {}, Refusal.GRANT_UNKNOWN),
    ([Capture, Release], {"hold_gone": 1}, {}, Refusal.HOLD_UNKNOWN),
    ([Capture, Release], {"hold_wallet_id": OTHER}, {}, Refusal.HOLD_UNKNOWN),
    ([Refund], {"charge_gone": 1}, {}, Refusal.CHARGE_UNKNOWN),
    (DRAWS, {"grant_end_reason": "revoked"}, {}, Refusal.GRANT_REVOKED),
    (DRAWS, {"grant_end_reason": "replaced"}, {}, Refusal.GRANT_REPLACED),
    (DRAWS, {"grant_expires_at": NOW}, {}, Refusal.GRANT_EXPIRED),
    ([Capture, Release], {"hold_expires_at": NOW}, {}, Refusal.HOLD_EXPIRED),
    ([Capture, Release], {"hold_state": "expired"}, {}, Refusal.HOLD_EXPIRED),
    ([Capture, Release], {"hold_state": "posted"}, {}, Refusal.HOLD_CLOSED),
    ([Capture, Release], {"hold_state": "released"}, {}, Refusal.HOLD_CLOSED),
    ([Capture], {}, {"amount": 51}, Refusal.CAPTURE_EXCEEDS_HOLD),
    ([Refund], {}, {"amount": 51}, Refusal.REFUND_EXCEEDS_CHARGE),
    ([Refund], {"charge_refunded": 80}, {"amount": None}, Refusal.REFUND_EXCEEDS_CHARGE),
    ([Deposit, Transfer], {}, {"asset": "TOKEN"}, Refusal.ASSET_MISMATCH),
    ([Transfer], {"other_asset": "TOKEN"}, {}, Refusal.ASSET_MISMATCH),
    (DRAWS, {"grant_charge_limit": 69}, {}, Refusal.CHARGE_LIMIT_EXCEEDED),
    (DRAWS, {"grant_limit": 219}, {}, Refusal.GRANT_LIMIT_EXCEEDED),
    ([Charge, Hold, Transfer], {"envelope_used": 111}, {}, Refusal.ENVELOPE_LIMIT_EXCEEDED),
    ([Record], {**USAGE, "envelope_used": 111}, {}, Refusal.ENVELOPE_LIMIT_EXCEEDED),
    ([Record], {"envelope_gone": 1}, {}, Refusal.ENVELOPE_UNKNOWN),
    ([Record], {**USAGE, "envelope_organization_id": "other"}, {}, Refusal.ENVELOPE_UNKNOWN),
    ([Record], {**USAGE, "envelope_organization_id": None}, {}, Refusal.ENVELOPE_UNKNOWN),
    ([Record], {}, {}, Refusal.ENVELOPE_UNKNOWN),
    ([Charge, Hold, Transfer], {"wallet_balance": 169}, {}, Refusal.INSUFFICIENT_BALANCE),
    ([Deposit], {}, {"amount": MAX_UNITS - 999}, Refusal.AMOUNT_OVERFLOW),
    ([Refund], {"wallet_balance": MAX_UNITS - 49}, {}, Refusal.AMOUNT_OVERFLOW),
    ([Transfer], {"other_balance": MAX_UNITS - 69}, {}, Refusal.AMOUNT_OVERFLOW),
    ([RecordUsage], {"wallet_balance": 169 - MAX_UNITS}, {}, Refusal.AMOUNT_OVERFLOW),
    ([RecordUsage], {"grant_spent": MAX_UNITS - 119}, {}, Refusal.AMOUNT_OVERFLOW),
]


@pytest.mark.parametrize(
    ("kind", "changed", "more", "refusal"),
    [
        pytest.param(kind, changed, more, refusal, id=f"{kind.__name__}-{refusal.value}-{place}")
        for place, (kinds, changed, more, refusal) in enumerate(ONE_BROKEN_FACT)
        for kind in kinds
    ],
)
def test_one_broken_fact_names_its_refusal(
    kind: type[Ask], changed: dict[str, Any], more: dict[str, Any], refusal: Refusal
) -> None:
    assert decide(ask(kind, **more), facts(**changed)) is refusal


ORDER_OF_A_DRAW: list[tuple[dict[str, Any], Refusal]] = [
    ({"price_revision": 8}, Refusal.PRICE_CHANGED),
    ({"wallet_gone": 1}, Refusal.WALLET_UNKNOWN),
    ({"grant_wallet_id": OTHER}, Refusal.GRANT_UNKNOWN),
    ({"grant_end_reason": "revoked"}, Refusal.GRANT_REVOKED),
    ({"grant_expires_at": NOW}, Refusal.GRANT_EXPIRED),
    ({"grant_charge_limit": 1}, Refusal.CHARGE_LIMIT_EXCEEDED),
    ({"grant_limit": 151}, Refusal.GRANT_LIMIT_EXCEEDED),
    ({"envelope_used": 180}, Refusal.ENVELOPE_LIMIT_EXCEEDED),
    ({"wallet_balance": 101}, Refusal.INSUFFICIENT_BALANCE),
]


@pytest.mark.parametrize("kind", DRAWS)
@pytest.mark.parametrize("first", range(len(ORDER_OF_A_DRAW)))
def test_of_several_broken_rules_the_first_names_the_refusal(kind: type[Ask], first: int) -> None:
    broken: dict[str, Any] = {}
    for changed, _ in ORDER_OF_A_DRAW[first:]:
        broken |= changed
    assert decide(ask(kind), facts(**broken)) is ORDER_OF_A_DRAW[first][1]


def test_exactly_what_is_left_can_be_drawn() -> None:
    exact = facts(wallet_balance=170, grant_limit=220, grant_charge_limit=70, envelope_used=110)
    plan = decide(ask(Charge), exact)
    assert isinstance(plan, Plan)
    assert (plan.debit, plan.credit, plan.amount, plan.grant_spent) == (WALLET, REVENUE, 70, 70)


def test_a_hold_reserves_and_moves_nothing() -> None:
    plan = decide(ask(Hold), facts())
    assert isinstance(plan, Plan)
    assert (plan.debit, plan.credit, plan.held, plan.grant_held) == (None, None, 70, 70)


def test_a_capture_takes_part_and_frees_all() -> None:
    plan = decide(ask(Capture, amount=20), facts())
    assert isinstance(plan, Plan)
    assert (plan.amount, plan.held, plan.grant_held, plan.grant_spent) == (20, -50, -50, 20)


def test_a_capture_never_fails_for_lack_of_money() -> None:
    assert isinstance(decide(ask(Capture, amount=50), facts(wallet_balance=100, grant_limit=150)), Plan)


def test_a_capture_works_after_the_grant_has_ended() -> None:
    assert isinstance(decide(ask(Capture), facts(grant_end_reason="revoked")), Plan)


def test_a_fact_is_never_refused_for_money_or_limits() -> None:
    plan = decide(ask(RecordUsage, amount=10_000), facts(grant_end_reason="revoked"))
    assert isinstance(plan, Plan)
    assert plan.fact


def test_a_free_charge_moves_nothing() -> None:
    plan = decide(ask(Charge, amount=0), facts(wallet_balance=0, wallet_held=0, wallet_debt=5))
    assert isinstance(plan, Plan)
    assert (plan.debit, plan.credit, plan.grant_spent) == (None, None, 0)


def test_every_kind_of_ask_has_a_rule_and_a_name() -> None:
    from farebox.ledger.batch import KINDS as NAMES

    assert set(_DECIDERS) == set(NAMES)
