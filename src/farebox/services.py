"""Everything a request can need, built once at the start and passed down."""

from asyncpg import Pool, Record
from msgspec import Struct

from farebox.charging.service import Charging
from farebox.consent.service import Consent
from farebox.identity.keys import Keys
from farebox.identity.service import Directory
from farebox.ledger.batcher import Ledger
from farebox.pricing.service import Prices
from farebox.settings import Settings
from farebox.wallets.accounts import Accounts
from farebox.wallets.service import Wallets


class Services(Struct, frozen=True):
    """The parts of one running server."""

    settings: Settings
    secret: bytes
    pool: "Pool[Record]"
    ledger: Ledger
    keys: Keys
    directory: Directory
    consent: Consent
    prices: Prices
    wallets: Wallets
    accounts: Accounts
    charging: Charging
