"""Grants, and the connection requests that lead to them."""

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody

from farebox.consent.types import Terms
from farebox.http.depends import TheAuthority, ThePaging, TheServices
from farebox.http.native import views, wire
from farebox.http.native.connecting import limit_units, provider_named
from farebox.ids import NEWEST


class WalletGrants(Controller):
    """A wallet's grants."""

    path = "/v1/wallets/{wallet_id:str}/grants"
    tags = ("Grants",)

    @post(summary="Let a provider draw on a wallet; an older grant for the same user of the provider ends")
    async def add(
        self, services: TheServices, authority: TheAuthority, wallet_id: FromPath[str], data: JSONBody[wire.NewGrant]
    ) -> wire.GrantView:
        wallet = await authority.wallet(wallet_id)
        made, token = await services.consent.grant(
            authority.actor,
            wallet.id,
            await provider_named(services, data.provider),
            data.provider_username,
            Terms(data.limit, data.charge_limit, data.expires_in_s),
        )
        return views.grant(made, token)

    @get(summary="List a wallet's grants")
    async def page(
        self,
        services: TheServices,
        authority: TheAuthority,
        paging: ThePaging,
        wallet_id: FromPath[str],
    ) -> wire.Page[wire.GrantView]:
        wallet = await authority.wallet(wallet_id)
        scope = f"grants:{wallet.id}"
        found = await services.consent.of_wallet(wallet.id, paging.number(scope, NEWEST), paging.most)
        return paging.page(scope, found, views.grant)


class Grants(Controller):
    """One grant."""

    path = "/v1/grants"
    tags = ("Grants",)

    @get("/{grant_id:str}", summary="Get a grant")
    async def one(self, authority: TheAuthority, grant_id: FromPath[str]) -> wire.GrantView:
        return views.grant(await authority.grant(grant_id))

    @delete("/{grant_id:str}", summary="Revoke a grant: no charge starts after the answer")
    async def revoke(self, services: TheServices, authority: TheAuthority, grant_id: FromPath[str]) -> None:
        grant = await authority.grant(grant_id, as_payer=True)
        await services.consent.revoke(authority.actor, grant.id)


class ConnectionRequests(Controller):
    """What a scanned QR code asks for. Opening one grants nothing."""

    path = "/v1/connection-requests"
    tags = ("Connection requests",)

    @post(summary="Open a request: what scanning a code does")
    async def open(
        self, services: TheServices, authority: TheAuthority, data: JSONBody[wire.NewRequest]
    ) -> wire.RequestView:
        wallet = await authority.wallet(data.wallet)
        found = await services.consent.open_request(
            authority.actor,
            wallet.id,
            await provider_named(services, data.qr.provider_id),
            data.qr.provider_username,
            limit_units(services.prices.book, data.qr, wallet.asset),
            data.expires_in_s,
        )
        return views.request(found, wallet.scale)

    @get("/{request_id:str}", summary="Get a request")
    async def one(self, services: TheServices, authority: TheAuthority, request_id: FromPath[str]) -> wire.RequestView:
        found = await authority.request(request_id)
        return views.request(found, services.prices.book.assets[found.asset].scale)

    @post("/{request_id:str}/approve", summary="Turn a request into a grant, with its terms or narrower ones")
    async def approve(
        self, services: TheServices, authority: TheAuthority, request_id: FromPath[str], data: JSONBody[wire.Approval]
    ) -> wire.GrantView:
        found = await authority.request(request_id)
        made, _ = await services.consent.approve(
            authority.actor,
            found.id,
            await services.directory.provider(found.provider),
            data.terms,
            Terms(data.limit, data.charge_limit, data.expires_in_s),
        )
        return views.grant(made)  # the token is the provider's: it asks for it

    @post("/{request_id:str}/decline", status_code=200, summary="Answer a request with no")
    async def decline(
        self, services: TheServices, authority: TheAuthority, request_id: FromPath[str]
    ) -> wire.RequestView:
        found = await authority.request(request_id)
        declined = await services.consent.decline(authority.actor, found.id)
        return views.request(declined, services.prices.book.assets[found.asset].scale)
