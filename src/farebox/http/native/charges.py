"""Charges, holds, refunds, and how an amount came about."""

from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from farebox import ids
from farebox.charging.explain import Sum, explain
from farebox.charging.service import Bill, fingerprint
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheAccess, TheAuthority, ThePaging, TheServices
from farebox.http.native import batch_call, charge_call, views, wire
from farebox.http.native.charge_call import bill_of, usage_of
from farebox.http.native.context import IdempotencyKey, required_key
from farebox.http.native.hold_calls import HoldCalls, grant_of
from farebox.http.native.may import administrators, only, who_charges
from farebox.http.native.outcomes import accepted, answer, charged, moved
from farebox.http.native.refusals import REFUSALS
from farebox.ids import NEWEST
from farebox.ledger.types import Refund, Refusal, Release
from farebox.money import ones
from farebox.services import Services
from farebox.wallets.types import TransferRecord


class Charges(Controller):
    """Draws on grants."""

    path = "/v1/charges"
    tags = ("Charges",)

    @post(summary="Charge a grant for usage, or for an amount", guards=[only(who_charges)])
    async def add(
        self,
        services: TheServices,
        authority: TheAuthority,
        data: JSONBody[wire.NewCharge],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Charged]:
        view, replayed = await charge_call.charge(services, authority.principal, required_key(idempotency_key), data)
        return answer(view, replayed=replayed)

    @post("/batch", summary="Charge many times in one request", status_code=200)
    async def add_batch(
        self,
        services: TheServices,
        access: TheAccess,
        authority: TheAuthority,
        data: JSONBody[wire.NewCharges],
    ) -> wire.ChargeResults:
        access.count_more(authority.principal, len(data.charges) - 1)
        return wire.ChargeResults(await batch_call.charge_each(services, authority.principal, data))

    @get(summary="List charges of a provider, refused ones too")
    async def page(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        provider: Annotated[str | None, QueryParameter(description="For administrators.", max_length=39)] = None,
    ) -> wire.Page[wire.ChargeView]:
        slug = authority.principal.slug or provider
        if slug is None:
            raise Invalid.field("provider", "whose charges? For a wallet's, ask /v1/wallets/{id}/history")
        found_provider = await authority.provider(slug)
        scope = f"charges:{found_provider.id}"
        found = await services.wallets.charges_of(found_provider.id, paging.number(scope, NEWEST), paging.most)
        return paging.page(scope, found, views.charge)

    @get("/{charge_id:str}", summary="Get a charge")
    async def one(self, authority: TheAuthority, charge_id: FromPath[str]) -> wire.ChargeView:
        return views.charge(await authority.charge(charge_id))

    @get("/{charge_id:str}/explanation", summary="How a charge's amount came about, or why it was refused")
    async def explanation(
        self, services: TheServices, authority: TheAuthority, charge_id: FromPath[str]
    ) -> wire.Explanation:
        record = await authority.charge(charge_id)
        if record.price_id is None:
            return _explanation(services, record, None, None)
        price = await services.prices.price(record.price_id)
        book = await services.prices.fresh()
        return _explanation(services, record, ids.public("pr", price.id), explain(record, price, book.assets))

    @post("/{charge_id:str}/refunds", summary="Give back a charge, or part of it")
    async def refund(
        self,
        services: TheServices,
        authority: TheAuthority,
        charge_id: FromPath[str],
        data: JSONBody[wire.NewRefund],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Moved]:
        key = required_key(idempotency_key)
        record = await authority.charge(charge_id)
        if record.provider_id is None:
            raise NotFound("there is no such charge")
        authority.charges(record.provider_id)
        ask = Refund(
            client=authority.principal.client,
            key=key,
            fingerprint=fingerprint("refund", record.wallet_id, record.id, data),
            credential_id=authority.principal.credential_id,
            wallet_id=record.wallet_id,
            grant_id=record.grant_id,
            charge_id=record.id,
            revenue_account=await services.accounts.revenue(record.provider_id, record.asset),
            amount=data.amount,
            note=data.reason,
        )
        return moved(await services.charging.submit(ask), "rf", record.wallet_id, record.asset)


class Holds(Controller):
    """Reservations: hold the worst case, capture what was used, release the rest."""

    path = "/v1/holds"
    tags = ("Holds",)

    @post(summary="Reserve what something would cost at most", guards=[only(who_charges)])
    async def add(
        self,
        services: TheServices,
        authority: TheAuthority,
        data: JSONBody[wire.NewHold],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Charged]:
        outcome, grant = await HoldCalls(services).hold(authority.principal, required_key(idempotency_key), data)
        return answer(charged(outcome, "hd", grant), replayed=outcome.replayed)

    @get("/{hold_id:str}", summary="Get a hold")
    async def one(self, authority: TheAuthority, hold_id: FromPath[str]) -> wire.HoldView:
        return views.hold(await authority.hold(hold_id))

    @post("/{hold_id:str}/capture", summary="Take what was used out of a hold, and free the rest")
    async def capture(
        self,
        services: TheServices,
        authority: TheAuthority,
        hold_id: FromPath[str],
        data: JSONBody[wire.NewCapture],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Charged]:
        key = required_key(idempotency_key)
        outcome, grant = await HoldCalls(services).capture(authority.principal, key, data, hold_id)
        return answer(charged(outcome, "ch", grant), replayed=outcome.replayed)

    @post("/{hold_id:str}/release", summary="Free a hold", status_code=200)
    async def release(
        self,
        services: TheServices,
        authority: TheAuthority,
        hold_id: FromPath[str],
        idempotency_key: IdempotencyKey = None,
    ) -> wire.HoldView:
        key = required_key(idempotency_key)
        hold = await authority.hold(hold_id)
        authority.charges(grant_of(hold).provider_id)
        ask = Release(
            client=authority.principal.client,
            key=key,
            fingerprint=fingerprint("release", hold.wallet_id, hold.id),
            credential_id=authority.principal.credential_id,
            wallet_id=hold.wallet_id,
            grant_id=hold.grant_id,
            hold_id=hold.id,
        )
        accepted(await services.charging.submit(ask), "rl", hold.wallet_id, hold.asset)
        return views.hold(await authority.hold(hold_id))


class UsageRecords(Controller):
    """Usage that has already happened."""

    path = "/v1/usage-records"
    tags = ("Usage",)

    # A provider that could book facts could pass every limit of a payer.
    @post(summary="Book usage that has already happened, whatever the balance", guards=[only(administrators)])
    async def add(
        self,
        services: TheServices,
        authority: TheAuthority,
        data: JSONBody[wire.NewUsageRecord],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Moved]:
        key = required_key(idempotency_key)
        wallet = await authority.wallet(data.wallet)
        provider = await services.directory.provider(data.provider)
        outcome = await services.charging.record(
            authority.principal,
            provider.id,
            wallet.id,
            wallet.asset,
            None,
            key,
            fingerprint("usage", data),
            bill_of(data, wallet.asset),
        )
        return moved(outcome, "ch", wallet.id, wallet.asset)


class Quotes(Controller):
    """Prices without charging."""

    path = "/v1/quotes"
    tags = ("Prices",)

    @post(summary="What usage would cost now", status_code=200)
    async def quote(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewQuote]
    ) -> wire.QuoteView:
        provider = await services.directory.provider(data.provider)
        if data.asset not in (await services.prices.fresh()).assets:
            raise Invalid.field("asset", "no such asset; GET /v1/assets lists them")
        bill = Bill(data.model, usage_of(data.usage))
        quote = await services.charging.preview(provider.id, data.asset, bill)
        return wire.QuoteView(
            amount=quote.amount,
            asset=data.asset,
            price=ids.public("pr", quote.pricing.price_id or 0),
            markup=views.markup_text(quote.pricing.markup_ppm),
        )


def _explanation(services: Services, record: TransferRecord, price: str | None, made: Sum | None) -> wire.Explanation:
    amount = f"{ones(record.amount, services.prices.book.assets[record.asset].scale)} {record.asset}"
    if record.refusal is not None:
        summary = f"{amount} was asked for and refused. {REFUSALS[Refusal(record.refusal)][1]}"
    elif made is None:
        summary = f"{amount}: the provider named the amount."
    else:
        summary = f"{amount}: the usage at this price, times the markup, rounded up once to the wallet's unit."
    return wire.Explanation(
        id=ids.transfer("ch", record.wallet_id, record.id),
        status="approved" if record.refusal is None else "declined",
        summary=summary,
        amount=record.amount,
        asset=record.asset,
        price=price,
        lines=[]
        if made is None
        else [wire.ExplainLine(line.what, line.quantity, line.rate, line.cost) for line in made.lines],
        subtotal=None if made is None else made.subtotal,
        markup=None if made is None else made.markup,
        converted=None if made is None else made.converted,
        rounded_up_by=None if made is None else made.rounded_up_by,
        refusal=record.refusal,
    )
