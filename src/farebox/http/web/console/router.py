"""All pages of the console."""

from litestar import Router
from litestar.di import Provide

from farebox.http.access import Access
from farebox.http.web.console import (
    agents,
    books,
    charges,
    entrance,
    envelopes,
    grants,
    holds,
    ingestion,
    keys,
    organizations,
    overview,
    prices,
    providers,
    waiting,
    wallets,
)
from farebox.http.web.console.given import administrator, desk, signed_in
from farebox.services import Services


def router(services: Services, access: Access) -> Router:
    """The pages for everybody, for providers' staff, and for operators."""
    of_providers = [
        entrance.sign_out,
        providers.provider,
        providers.add_key,
        providers.replace_key,
        providers.revoke_key,
        charges.charges,
        charges.charge,
    ]
    of_operators = [
        *(providers.providers, providers.add_provider, providers.change_provider),
        *(overview.overview, overview.overview_live, overview.audit_log, overview.health),
        *(books.books, books.books_live, books.prove),
        *(grants.grants, grants.revoke, holds.holds, holds.release),
        *(envelopes.envelopes, envelopes.add_envelope, envelopes.envelope),
        *(envelopes.change_envelope, envelopes.remove_envelope),
        *(ingestion.ingestion, ingestion.letter, ingestion.retry, ingestion.dismiss),
        *(waiting.dismiss_waiting, waiting.resume_waiting),
        *(organizations.organizations, organizations.add_organization, organizations.organization),
        *(organizations.add_agent, organizations.open_credits, organizations.add_organization_key),
        *(organizations.replace_organization_key, organizations.revoke_organization_key),
        *(agents.agents, agents.agent, agents.allow, agents.pause),
        *(wallets.people, wallets.wallet_of, wallets.wallet, wallets.deposit, wallets.refund, wallets.decline_top_up),
        *(prices.prices, prices.compare, prices.save),
        *(keys.keys, keys.add_admin_key, keys.replace_admin_key, keys.revoke_admin_key),
    ]
    operators = Router("/", guards=[administrator], route_handlers=of_operators)
    own = Router(
        "/",
        guards=[signed_in(services)],
        dependencies={"desk": Provide(desk)},
        route_handlers=[*of_providers, operators],
    )
    return Router("/", route_handlers=[*entrance.entrance(access), own], include_in_schema=False)
