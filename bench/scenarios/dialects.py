"""Every dialect's charge against the native one."""

import asyncio
import contextlib
from collections.abc import Iterator

from msgspec import Struct

from bench import asks
from bench.figures import Claim, Figure, at_least, ratio
from bench.ground import Ground
from bench.rounds import Stage
from bench.scenarios.people import PASSWORD, make_people
from bench.serving import OURS, served
from bench.world import MODEL, MONEY, World, settings
from farebox import app, ids
from farebox.envelopes.types import NewEnvelope
from farebox.ledger.types import Deposit
from farebox.pricing.types import NewPrice, Rates
from farebox.windows import Period

ORGANIZATION = "bench-dialects"
NATIVE = "native"
PAYMENT = "SyftBox, a payment from one person, its two calls counted singly"


class Scene(Struct):
    """An organization with credits, an envelope and a key; and two people."""

    key: str
    envelope: str
    sender: str
    recipient: str


@contextlib.contextmanager
def dialects(ground: Ground) -> Iterator[Stage]:
    """One hot wallet, envelope or person each, 64 connections, idempotency keys."""
    world = ground.world
    scene, hot = asyncio.run(_fill(world)), world.payers[:1]
    credentials = asks.basic(scene.sender, PASSWORD)
    payment = [asks.payment(scene.sender, scene.recipient, credentials)]
    with served(world, OURS, "credential_memory_s=1800") as ours:
        yield Stage(
            "Every dialect's charge against the native one, one process, 64 connections",
            [
                ours.variant(NATIVE, asks.native(world, hot), status=201),
                ours.variant("CONXA", asks.conxa(world, hot)),
                ours.variant("KNAI", asks.knai(world, hot)),
                ours.variant("x402tools, a use counted", [asks.usage_record(scene.key, scene.envelope)], status=201),
                ours.variant("TokenVault, credits", [asks.consumption(ORGANIZATION, "agent-1")]),
                ours.variant(PAYMENT, payment, then=asks.confirmation([credentials]), weight=2),
            ],
            _claims,
        )


def _claims(figures: dict[str, Figure]) -> list[Claim]:
    native = figures[NATIVE]
    return [
        at_least(f"{name} / native", ratio(figure, native), 0.9)
        for name, figure in figures.items()
        if figure is not native
    ]


async def _fill(world: World) -> Scene:
    sender, recipient, *_ = await make_people(world, 1_000)
    found = settings()
    async with app.open_services(lambda: world.url, found, app.secret_of(found)) as services:
        await services.teams.add("bench", ORGANIZATION, "Bench")
        spender = await services.teams.spender(ORGANIZATION, "agent-1", "")
        rates = Rates(input_token="0.000001", output_token="0.000002")
        await services.prices.add("bench", "bench", [NewPrice(MODEL, "USD", rates)])
        new = NewEnvelope(name="bench", limit_units=MONEY, period=Period.MONTHLY, organization_id=ORGANIZATION)
        envelope = await services.envelopes.add("bench", new)
        _, key = await services.keys.make("organization", "bench", organization_id=ORGANIZATION)
        outside = await services.accounts.external("bench", "CREDIT")
        deposit = Deposit(
            client="bench",
            key=f"credits-{ORGANIZATION}",
            fingerprint=bytes(16),
            wallet_id=spender.grant.wallet_id,
            source_account=outside,
            amount=MONEY,
        )
        outcome = await services.ledger.submit(deposit)
        assert outcome.refusal is None
    return Scene(key, ids.public("env", envelope.id), sender, recipient)
