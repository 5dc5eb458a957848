"""All pages of the console."""

from litestar import Router
from litestar.di import Provide

from farebox.http.access import Access
from farebox.http.web.console import entrance, holders, keys, overview, prices, providers
from farebox.http.web.console.given import administrator, desk, signed_in
from farebox.services import Services


def router(services: Services, access: Access) -> Router:
    """The pages for everybody, for providers' staff, and for operators."""
    of_providers = [
        entrance.sign_out,
        providers.provider,
        providers.add_key,
        providers.revoke_key,
    ]
    of_operators = [
        providers.providers,
        providers.add_provider,
        providers.change_provider,
        overview.overview,
        overview.overview_live,
        overview.books,
        overview.holds,
        overview.envelopes,
        overview.audit_log,
        holders.organizations,
        holders.add_organization,
        holders.add_organization_key,
        holders.people,
        holders.wallet_of,
        holders.wallet,
        holders.deposit,
        holders.refund,
        holders.decline_top_up,
        prices.prices,
        prices.compare,
        prices.save,
        keys.keys,
        keys.add_admin_key,
        keys.revoke_admin_key,
    ]
    operators = Router("/", guards=[administrator], route_handlers=of_operators)
    own = Router(
        "/",
        guards=[signed_in(services)],
        dependencies={"desk": Provide(desk)},
        route_handlers=[*of_providers, operators],
    )
    return Router("/", route_handlers=[*entrance.entrance(access), own], include_in_schema=False)
