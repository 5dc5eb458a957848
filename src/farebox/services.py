"""Everything a request can need, built once at the start and passed down."""

from functools import cached_property
from typing import TYPE_CHECKING

from asyncpg import Pool, Record

from farebox.charging.service import Charging
from farebox.consent.delegations import Delegations
from farebox.consent.service import Consent
from farebox.envelopes.own import OwnLimits
from farebox.envelopes.records import UsageRecords
from farebox.envelopes.service import Envelopes
from farebox.identity.credentials import Credentials
from farebox.identity.keys import Keys
from farebox.identity.passwords import Passwords
from farebox.identity.people import People
from farebox.identity.sent_forms import SentForms
from farebox.identity.service import Directory
from farebox.identity.sessions import Sessions
from farebox.identity.tickets import Tickets
from farebox.ledger.audits import Audits
from farebox.ledger.batcher import Ledger
from farebox.payments.funding import Funding
from farebox.payments.service import Payments
from farebox.pricing.aliases import canonical
from farebox.pricing.service import Prices
from farebox.reports.service import Reports
from farebox.reports.totals import Totals
from farebox.settings import Settings
from farebox.teams.credits import Credits
from farebox.teams.service import Teams
from farebox.wallets.accounts import Accounts
from farebox.wallets.service import Wallets
from farebox.wallets.statements import Statements
from farebox.wallets.top_ups import TopUps

if TYPE_CHECKING:
    from farebox.events.service import Live
    from farebox.identity.passkeys import Passkeys
    from farebox.ingest.service import Ingest


class Services:
    """The parts of one running server. A plain class: the framework would look into a structured one."""

    live: "Live"
    """Streams of balances; set at the start."""

    def __init__(self, settings: Settings, secret: bytes, pool: "Pool[Record]", ledger: Ledger) -> None:
        self.settings = settings
        self.secret = secret
        self.pool = pool
        self.ledger = ledger
        self.keys = Keys(pool)
        self.directory = Directory(pool)
        self.consent = Consent(pool, secret, settings.connection_request_ttl_s, settings.ended_session_visible_s)
        self.prices = Prices(pool, canonical if settings.default_prices == "genai-prices" else None)
        self.wallets = Wallets(pool)
        self.statements = Statements(pool)
        self.accounts = Accounts(pool)
        self.top_ups = TopUps(pool)
        self.charging = Charging(pool, ledger, self.prices, self.accounts)
        self.envelopes = Envelopes(pool)
        self.own_limits = OwnLimits(pool, self.envelopes)
        self.usage_records = UsageRecords(pool, self.envelopes, self.charging)
        credentials = Credentials(settings.credential_memory_s)
        self.people = People(pool, Passwords(settings.password_threads), credentials)
        self.sessions = Sessions(pool, settings.browser_session_ttl_s)
        self.sent_forms = SentForms(pool)
        self.audits = Audits(pool)
        self.delegations = Delegations(pool, settings.delegation_ttl_s)
        self.payments = Payments(pool, self.charging, self.people, self.delegations, settings.transaction_ttl_s)
        self.funding = Funding(pool, self.charging, self.accounts, self.people, settings.initial_credit_usd)
        self.teams = Teams(pool, self.directory, self.consent, self.wallets, settings.credits_provider)
        self.credits = Credits(self.teams, self.charging, self.prices, self.accounts)
        self.tickets = Tickets(secret, settings.ticket_ttl_s, self.keys)
        self.reports = Reports(pool)
        self.totals = Totals(pool)
        self.ingest: Ingest | None = None
        """Where usage records come in by a Redis stream."""

    @cached_property
    def passkeys(self) -> "Passkeys":
        """What checks them is large, and loaded with the first."""
        from farebox.identity.passkeys import Passkeys

        return Passkeys(self.pool, self.secret)
