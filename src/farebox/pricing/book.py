"""The price book in memory: which version of a price holds at a moment, and what usage costs by it."""

import difflib
from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

from msgspec import Struct

from farebox.ledger.types import Pricing, Usage
from farebox.money import Asset, rate
from farebox.pricing.compute import CompiledRates, amount, total_nano
from farebox.pricing.types import PPM

ONE = Fraction(1)
LONGEST_GUESS = 60
"""Characters of an unknown name that similar ones are looked for with: it must not cost much to be wrong."""


class UnknownModel(LookupError):
    """No price for this model; `nearest` are names that have one."""

    def __init__(self, nearest: list[str]) -> None:
        super().__init__("no price for this model")
        self.nearest = nearest


class NotConvertible(LookupError):
    """The price's asset and the wallet's have no rate between them."""


class Version(Struct, frozen=True):
    """One version of a price. `rates` None: withdrawn."""

    id: int
    asset: str
    starts_at: datetime
    rates: CompiledRates | None


class Quote(Struct, frozen=True):
    """An amount in units of the wallet's asset, and how it came about."""

    amount: int
    pricing: Pricing


class Book(Struct, frozen=True):
    """All prices of one revision. `versions` are by (provider or None for all, model), newest first."""

    revision: int
    assets: dict[str, Asset]
    markups: dict[int, int]
    versions: dict[tuple[int | None, str], tuple[Version, ...]]
    conversions: dict[tuple[str, str], Fraction]
    alias_of: Callable[[str], str | None] | None = None
    """The name that a model without a price of its own goes by."""

    def find(self, provider_id: int, model: str, now: datetime) -> tuple[Version, datetime | None]:
        """The version that holds now, and when the next one starts; raises UnknownModel.

        The provider's own price comes first, then the book for all, then the name that this one stands for.
        """
        held = self._held(provider_id, model, now)
        if held is None and self.alias_of is not None and (other := self.alias_of(model)) is not None:
            held = self._held(provider_id, other, now)
        if held is None:
            raise UnknownModel(self.nearest(provider_id, model))
        return held

    def _held(self, provider_id: int, model: str, now: datetime) -> tuple[Version, datetime | None] | None:
        until: datetime | None = None
        for owner in (provider_id, None):
            for version in self.versions.get((owner, model), ()):
                if version.starts_at <= now:
                    if version.rates is not None:
                        return version, until
                    break
                until = version.starts_at if until is None else min(until, version.starts_at)
        return None

    def quote(self, provider_id: int, model: str, usage: Usage, asset: str, now: datetime) -> Quote:
        """What the usage costs a wallet of `asset`; raises UnknownModel, NotConvertible, compute.NotPriced."""
        version, until = self.find(provider_id, model, now)
        assert version.rates is not None
        markup = self.markups.get(provider_id, PPM)
        nano = total_nano(version.rates, usage)
        if version.asset == asset:
            return Quote(amount(nano, markup, ONE), Pricing(version.id, markup, self.revision, until))
        conversion = self.conversion(version.asset, asset)
        pricing = Pricing(version.id, markup, self.revision, until, str(conversion))
        return Quote(amount(nano, markup, conversion), pricing)

    def conversion(self, source: str, target: str) -> Fraction:
        """Target units for one source unit; raises NotConvertible."""
        known = self.conversions.get((source, target))
        if known is None:
            known = rate(self.assets[source], self.assets[target])
            if known is None:
                raise NotConvertible(f"{source} and {target} have no rate between them")
            self.conversions[source, target] = known
        return known

    def nearest(self, provider_id: int, model: str) -> list[str]:
        """Names like this one that have a price, the likest first."""
        asked = model[:LONGEST_GUESS]
        names = {name for owner, name in self.versions if owner in (provider_id, None)}
        near = [name for name in names if name[:2].lower() == asked[:2].lower()] or names
        return difflib.get_close_matches(asked, near, n=3, cutoff=0.5)
