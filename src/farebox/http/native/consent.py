"""Grants, and the connection requests that lead to them."""

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Raw

from farebox.consent.types import Terms
from farebox.errors import Invalid, NotFound
from farebox.http.depends import TheAuthority, TheCursors, TheServices
from farebox.http.native import views, wire
from farebox.http.native.context import NEWEST, Cursor, Limit, number_after
from farebox.identity.types import Provider
from farebox.ledger.types import MAX_UNITS
from farebox.money import NotExact, floor, parse_decimal, to_units
from farebox.pricing.book import Book, NotConvertible
from farebox.services import Services

TOKEN = "TOKEN"  # noqa: S105  # the asset that QR codes count in


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
            await _provider(services, data.provider),
            data.provider_username,
            Terms(data.limit, data.charge_limit, data.expires_in_s),
        )
        return views.grant(made, token)

    @get(summary="List a wallet's grants")
    async def page(
        self,
        services: TheServices,
        authority: TheAuthority,
        cursors: TheCursors,
        wallet_id: FromPath[str],
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> wire.Page[wire.GrantView]:
        wallet = await authority.wallet(wallet_id)
        scope = f"grants:{wallet.id}"
        before = number_after(cursors.read(scope, cursor, NEWEST))
        found = await services.consent.of_wallet(wallet.id, before, limit + 1)
        more = cursors.make(scope, found[limit - 1].id) if len(found) > limit else None
        return wire.Page([views.grant(grant) for grant in found[:limit]], more)


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
            await _provider(services, data.qr.provider_id),
            data.qr.provider_username,
            _limit_units(services.prices.book, data.qr, wallet.asset),
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


async def _provider(services: Services, slug: str) -> Provider:
    try:
        return await services.directory.provider(slug)
    except NotFound:
        raise Invalid.field("provider", "there is no such provider", "unknown_provider") from None


def _limit_units(book: Book, qr: wire.QrPayload, asset: str) -> int | None:
    """The limit that a code asks for, in units of the wallet's asset; of a conversion rounded down, never up."""
    if qr.limit == wire.NO_LIMIT:
        return None
    try:
        tokens = to_units(parse_decimal(_decimal_of(qr.limit)), book.assets[TOKEN].scale)
        units = floor(tokens * book.conversion(TOKEN, asset))
    except NotExact:
        raise Invalid.field("qr.limit", "finer than the smallest unit of a token") from None
    except ValueError:
        raise Invalid.field("qr.limit", "a number of tokens above zero") from None
    except NotConvertible:
        raise Invalid.field("qr.limit", "can't be expressed in the wallet's asset") from None
    if not 0 < units <= MAX_UNITS:
        raise Invalid.field("qr.limit", "not a number of units that the wallet's asset has")
    return units


def _decimal_of(limit: Raw) -> str:
    """The text of a JSON number, or the text in a JSON string."""
    text = bytes(limit).decode()
    return text[1:-1] if text.startswith('"') else text
