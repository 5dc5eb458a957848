"""All of the native API."""

from litestar import Router

from farebox.http.access import Access
from farebox.http.native.charges import Charges, Holds, Quotes, UsageRecords
from farebox.http.native.consent import ConnectionRequests, Grants, WalletGrants
from farebox.http.native.context import identified
from farebox.http.native.directory import AdminKeys, Assets, Organizations, Providers
from farebox.http.native.envelopes import Envelopes, Limits
from farebox.http.native.live import Tickets
from farebox.http.native.people import People
from farebox.http.native.prices import Prices
from farebox.http.native.teams import Agents
from farebox.http.native.wallets import Transfers, Wallets


def router(access: Access) -> Router:
    """The controllers of `/v1`."""
    return Router(
        "/",
        guards=[identified(access)],
        route_handlers=[
            Providers,
            Organizations,
            AdminKeys,
            People,
            Assets,
            Wallets,
            Transfers,
            WalletGrants,
            Grants,
            ConnectionRequests,
            Charges,
            Holds,
            UsageRecords,
            Quotes,
            Prices,
            Tickets,
            Agents,
            Envelopes,
            Limits,
        ],
    )
