"""What a writer knows from its last batches: facts that stand until somebody else changes a row.

They are only ever used where the database proves, under its locks, that they still stand (ADR 0028).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from farebox.ledger.types import Ask, Charge, Facts, GrantFacts, WalletFacts

KEPT = 16_384
"""How many wallets are remembered, and how many grants."""
PAUSE_MAX = 64


class Standing:
    """Wallets and grants as this writer left them. Where they often stand no more, they are tried less often."""

    def __init__(self) -> None:
        self._wallets: dict[int, WalletFacts] = {}
        self._grants: dict[int, GrantFacts] = {}
        self._now = datetime.min.replace(tzinfo=UTC)
        self._price_revision = 0
        self._misses = 0
        self._pause = 0
        self._charges = False
        self.last_id = 0
        """The highest transfer id that was given out here."""

    @property
    def hopeful(self) -> bool:
        """Whether the next batch is likely to be decided on what is known."""
        return self._charges and not self._pause

    def facts_for(self, asks: Sequence[Ask]) -> Facts | None:
        """Facts to decide charges on, with ids that count from zero; None where not all is known, or it is no use.

        They are lent out: what becomes of the batch has to be told by `keep` or `forget`.
        """
        self._charges = all(type(ask) is Charge and ask.person is None for ask in asks)
        if not self._charges:
            return None
        if self._pause:
            self._pause -= 1
            return None
        facts = Facts(self._now, 0, self._price_revision, {}, {}, {}, {}, {}, {}, set())
        return facts if self._found(asks, facts) else None

    def _found(self, asks: Sequence[Ask], facts: Facts) -> bool:
        """Fills the facts; whether all are there, and no key stands twice."""
        keys = set()
        for ask in asks:
            assert isinstance(ask, Charge)
            wallet = self._wallets.get(ask.wallet_id)
            if wallet is None:
                return False
            facts.wallets[wallet.id] = wallet
            if ask.grant_id is not None:
                grant = self._grants.get(ask.grant_id)
                if grant is None or grant.lineage:
                    return False
                facts.grants[grant.id] = grant
            keys.add((ask.client, ask.key))
        return len(keys) == len(asks)

    def keep(self, facts: Facts, changed: Iterable[WalletFacts | GrantFacts], last_id: int, version: int) -> None:
        """Remembers what a batch has committed; `version` is the transaction that wrote what it `changed`."""
        for fact in changed:
            fact.version = version
        for known, more in ((self._wallets, facts.wallets), (self._grants, facts.grants)):
            if len(known) + len(more) > KEPT:
                known.clear()
            known.update(more)  # type: ignore[arg-type]  # of one kind each
        self._now, self._price_revision = facts.now, facts.price_revision
        self.last_id = max(self.last_id, last_id)

    def hit(self) -> None:
        """What was known still stood."""
        self._misses = 0

    def miss(self, facts: Facts) -> None:
        """It did not: it is forgotten, and the next batches do not even try."""
        self._misses += 1
        self._pause = min(PAUSE_MAX, 2**self._misses)
        self.forget(facts)

    def forget(self, facts: Facts) -> None:
        """Forgets what a batch was lent and may have changed."""
        for id_ in facts.wallets:
            self._wallets.pop(id_, None)
        for id_ in facts.grants:
            self._grants.pop(id_, None)

    def forget_all(self) -> None:
        """Forgets everything: another connection may lead to another database."""
        self._wallets.clear()
        self._grants.clear()


def stands_until(asks: Sequence[Ask], facts: Facts) -> datetime | None:
    """The first moment at which these charges could be decided otherwise: a price or a grant ends then."""
    ends = [grant.expires_at for grant in facts.grants.values() if grant.expires_at is not None]
    ends += [
        ask.pricing.until
        for ask in asks
        if isinstance(ask, Charge) and ask.pricing is not None and ask.pricing.until is not None
    ]
    return min((end for end in ends if end > facts.now), default=None)
