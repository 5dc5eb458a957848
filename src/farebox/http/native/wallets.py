"""Wallets: opening them, putting money in, moving it, reading what happened."""

from datetime import datetime
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from farebox.charging.service import fingerprint, own_key
from farebox.errors import Invalid
from farebox.http.depends import TheAuthority, ThePaging, TheServices
from farebox.http.native import statements, transfer_call, views, wire
from farebox.http.native.context import IdempotencyKey, required_key
from farebox.http.native.may import administrators, only, who_has_wallets
from farebox.http.native.outcomes import moved
from farebox.ids import NEWEST
from farebox.ledger.types import Deposit

Moment = Annotated[datetime | None, QueryParameter(description="ISO 8601 with a time zone.")]


class Wallets(Controller):
    """What people, teams and agents spend from."""

    path = "/v1/wallets"
    tags = ("Wallets",)

    @post(summary="Open a wallet")
    async def add(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewWallet]
    ) -> wire.WalletView:
        organization = data.organization or authority.principal.organization_id
        if organization is None:
            authority.administrator()
        else:
            authority.organization(organization)
            await services.directory.organization(organization)
        return views.wallet(await services.wallets.add(authority.actor, data.asset, data.owner, organization))

    @get(summary="List wallets")
    async def page(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        owner: Annotated[str | None, QueryParameter(max_length=200)] = None,
    ) -> wire.Page[wire.WalletView]:
        organization = authority.principal.organization_id
        if organization is None:
            authority.administrator()
        scope = f"wallets:{organization}:{owner}"
        found = await services.wallets.page(paging.number(scope, 0), paging.most, organization, owner)
        return paging.page(scope, found, views.wallet)

    @get("/{wallet_id:str}", summary="Get a wallet")
    async def one(self, authority: TheAuthority, wallet_id: FromPath[str]) -> wire.WalletView:
        return views.wallet(await authority.wallet(wallet_id))

    @post(
        "/{wallet_id:str}/deposits",
        summary="Put money into a wallet; with a reference, once only",
        guards=[only(administrators)],
    )
    async def deposit(
        self,
        services: TheServices,
        authority: TheAuthority,
        wallet_id: FromPath[str],
        data: JSONBody[wire.NewDeposit],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Moved]:
        # A reference says as well as a key which deposit this is.
        key = own_key() if idempotency_key is None and data.reference else required_key(idempotency_key)
        wallet = await authority.wallet(wallet_id)
        if data.asset is not None and data.asset != wallet.asset:
            raise Invalid.field("asset", "the wallet holds another asset", "asset_mismatch")
        ask = Deposit(
            client=authority.principal.client,
            key=key,
            fingerprint=fingerprint("deposit", wallet.id, data),
            credential_id=authority.principal.credential_id,
            wallet_id=wallet.id,
            source_account=await services.accounts.external(data.source, wallet.asset),
            amount=data.amount,
            reference=data.reference,
            note=data.note,
        )
        return moved(await services.charging.submit(ask), "dp", wallet.id, wallet.asset)

    @get("/{wallet_id:str}/history", summary="Everything that was asked of a wallet, refusals too")
    async def history(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        wallet_id: FromPath[str],
        kind: Annotated[str | None, QueryParameter(description="Only this kind.", enum=list(views.PREFIXES))] = None,
    ) -> wire.Page[wire.HistoryItem]:
        if kind is not None and kind not in views.PREFIXES:
            raise Invalid.field("kind", f"one of {', '.join(views.PREFIXES)}")
        wallet = await authority.wallet(wallet_id)
        scope = f"history:{wallet.id}:{kind}"
        before, kinds = paging.number(scope, NEWEST), None if kind is None else [kind]
        found = await services.wallets.history(wallet.id, before, paging.most, kinds)
        return paging.page(scope, found, views.history_item)

    @get("/{wallet_id:str}/statement", summary="The movements of a period and what they add up to")
    async def statement(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        wallet_id: FromPath[str],
        since: Moment = None,
        until: Moment = None,
    ) -> wire.Statement:
        wallet = await authority.wallet(wallet_id)
        return await statements.statement(services, paging, wallet, since, until)

    @get("/{wallet_id:str}/holds", summary="A wallet's holds")
    async def holds(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        wallet_id: FromPath[str],
    ) -> wire.Page[wire.HoldView]:
        wallet = await authority.wallet(wallet_id)
        scope = f"holds:{wallet.id}"
        found = await services.wallets.holds(wallet.id, paging.number(scope, NEWEST), paging.most)
        return paging.page(scope, found, views.hold)


class Transfers(Controller):
    """Money from one wallet to another."""

    path = "/v1/transfers"
    tags = ("Wallets",)

    @post(summary="Move money from one wallet to another of the same asset", guards=[only(who_has_wallets)])
    async def add(
        self,
        services: TheServices,
        authority: TheAuthority,
        data: JSONBody[wire.NewTransfer],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[wire.Moved]:
        outcome, payer = await transfer_call.transfer(authority, required_key(idempotency_key), data)
        return moved(outcome, "tr", payer.id, payer.asset)
