"""A provider with a client of its own, and a wallet that it may draw on."""

import uuid
from decimal import Decimal

from farebox import Farebox

MODEL = "client-1"


class Shop:
    """Made with the own client; amounts are thousandths of a TOKEN."""

    def __init__(self, admin: Farebox, units: int = 1_000_000, **terms: int) -> None:
        self.slug = f"p{uuid.uuid4().hex[:10]}"
        self.admin = admin
        admin.providers.add(self.slug, "A shop", markup="1.5")
        self.key = admin.providers.add_key(self.slug, "till").key
        self.client = Farebox(admin.url, self.key)
        self.model = f"{MODEL}/{self.slug}"  # a slash, as many models' names have
        admin.prices.put(self.model, "TOKEN", provider=self.slug, input_token="1", output_token=Decimal("0.5"))
        self.wallet = admin.wallets.open("TOKEN", owner=self.slug).id
        admin.wallets.deposit(self.wallet, units)
        self.user = f"ada-{uuid.uuid4().hex[:8]}"
        self.grant = admin.grants.make(self.wallet, self.slug, self.user, **terms)
        assert self.grant.session_token is not None
        self.token = self.grant.session_token

    def available(self) -> int:
        """What the wallet can spend."""
        return self.admin.wallets.get(self.wallet).available
