"""Wallets, deposits, transfers, grants, connection requests."""

from datetime import datetime

from farebox.client import codes
from farebox.client.call import Call, Listing, delete, get, given, move, part, post, units
from farebox.client.core import Policy
from farebox.client.following import Following
from farebox.client.types import (
    Balance,
    ConnectionRequest,
    Entry,
    Grant,
    HistoryItem,
    Hold,
    Moved,
    Page,
    Statement,
    Ticket,
    Wallet,
)


def open_wallet(asset: str, *, owner: str | None = None, organization: str | None = None) -> Call[Wallet]:
    """Opens a wallet for an asset such as `USD` or `TOKEN`; `owner` is whatever tells you whose it is."""
    return post("/v1/wallets", {"asset": asset, "owner": owner, "organization": organization}, Wallet)


def get_wallet(wallet_id: str) -> Call[Wallet]:
    """A wallet as it stands."""
    return get(f"/v1/wallets/{part(wallet_id)}", Wallet)


def list_wallets(owner: str | None = None) -> Listing[Wallet]:
    """Wallets; all of an owner's, where one is named."""
    return Listing("/v1/wallets", Page[Wallet], given({"owner": owner}))


def deposit(
    wallet_id: str,
    amount: int,
    *,
    asset: str | None = None,
    source: str = "manual",
    reference: str | None = None,
    note: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Moved]:
    """Puts `amount` units into a wallet. A `reference`, the source's own number, comes in once only."""
    body = {"amount": units(amount), "asset": asset, "source": source, "reference": reference, "note": note}
    if reference is not None and idempotency_key is None:
        # The reference is the key: a fresh one would make a conflict of asking again after this process has died.
        return post(f"/v1/wallets/{part(wallet_id)}/deposits", body, Moved, repeatable=True)
    return move(f"/v1/wallets/{part(wallet_id)}/deposits", body, Moved, idempotency_key)


def transfer(
    from_wallet: str,
    to_wallet: str,
    amount: int,
    *,
    asset: str | None = None,
    note: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Moved]:
    """Moves `amount` units from one wallet to another of the same asset."""
    body = {"from_wallet": from_wallet, "to_wallet": to_wallet, "amount": units(amount), "asset": asset, "note": note}
    return move("/v1/transfers", body, Moved, idempotency_key)


def history(wallet_id: str, kind: str | None = None) -> Listing[HistoryItem]:
    """Everything that was asked of a wallet, refusals too, newest first."""
    return Listing(f"/v1/wallets/{part(wallet_id)}/history", Page[HistoryItem], given({"kind": kind}))


def statement(wallet_id: str, *, since: datetime | None = None, until: datetime | None = None) -> Call[Statement]:
    """What the movements of a period add up to. Times need a time zone; `entries` iterates over the movements."""
    return get(f"/v1/wallets/{part(wallet_id)}/statement", Statement, since=_moment(since), until=_moment(until))


def entries(wallet_id: str, *, since: datetime | None = None, until: datetime | None = None) -> Listing[Entry]:
    """The movements of a period, newest first."""
    query = given({"since": _moment(since), "until": _moment(until)})
    return Listing(f"/v1/wallets/{part(wallet_id)}/statement", Statement, query)


def ticket(wallet_id: str) -> Call[Ticket]:
    """What opens the wallet's events in a browser, which can send no key there."""
    return post(f"/v1/wallets/{part(wallet_id)}/tickets", {}, Ticket, repeatable=True)


def events(wallet_id: str, policy: Policy) -> Following[Balance]:
    """A wallet's balance now, and after every change."""
    return Following(f"/v1/wallets/{part(wallet_id)}/events", Balance, policy)


def list_holds(wallet_id: str) -> Listing[Hold]:
    """A wallet's holds, newest first."""
    return Listing(f"/v1/wallets/{part(wallet_id)}/holds", Page[Hold], {})


def grant(
    wallet_id: str,
    provider: str,
    provider_username: str,
    *,
    limit: int | None = None,
    charge_limit: int | None = None,
    expires_in_s: int | None = None,
) -> Call[Grant]:
    """Lets a provider draw on a wallet, up to `limit` units in all and `charge_limit` a charge.

    Tells the session token. An older grant for the same user of the provider ends.
    """
    body = {
        "provider": provider,
        "provider_username": provider_username,
        "limit": units(limit),
        "charge_limit": units(charge_limit),
        "expires_in_s": expires_in_s,
    }
    return post(f"/v1/wallets/{part(wallet_id)}/grants", body, Grant)


def list_grants(wallet_id: str) -> Listing[Grant]:
    """A wallet's grants, newest first."""
    return Listing(f"/v1/wallets/{part(wallet_id)}/grants", Page[Grant], {})


def get_grant(grant_id: str) -> Call[Grant]:
    """A grant as it stands."""
    return get(f"/v1/grants/{part(grant_id)}", Grant)


def revoke(grant_id: str) -> Call[None]:
    """Ends a grant: no charge starts after the answer."""
    return delete(f"/v1/grants/{part(grant_id)}")


def open_request(wallet_id: str, code: str, *, expires_in_s: int | None = None) -> Call[ConnectionRequest]:
    """Opens what a scanned code asks for, by its text; this grants nothing. Raises ValueError for another code."""
    body = {"wallet": wallet_id, "qr": codes.read(code), "expires_in_s": expires_in_s}
    return post("/v1/connection-requests", body, ConnectionRequest)


def get_request(request_id: str) -> Call[ConnectionRequest]:
    """A connection request as it stands."""
    return get(f"/v1/connection-requests/{part(request_id)}", ConnectionRequest)


def approve(
    request_id: str,
    terms: str,
    *,
    limit: int | None = None,
    charge_limit: int | None = None,
    expires_in_s: int | None = None,
) -> Call[Grant]:
    """Turns a request into a grant, with what it asks for or less. `terms` is the request's, as it was shown."""
    body = {
        "terms": terms,
        "limit": units(limit),
        "charge_limit": units(charge_limit),
        "expires_in_s": expires_in_s,
    }
    return post(f"/v1/connection-requests/{part(request_id)}/approve", body, Grant)


def decline(request_id: str) -> Call[ConnectionRequest]:
    """Answers a request with no."""
    return post(f"/v1/connection-requests/{part(request_id)}/decline", {}, ConnectionRequest)


def _moment(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise ValueError("a time needs a time zone, such as datetime.UTC")
    return moment.isoformat()
