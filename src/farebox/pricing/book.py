"""The price book in memory: which version of a price holds at a moment, and what usage costs by it."""

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

import msgspec
from msgspec import Struct

from farebox.ledger.types import Pricing, Usage
from farebox.money import Asset, rate
from farebox.pricing.compute import CompiledRates, factor, rounded, total_nano
from farebox.pricing.nearest import Names
from farebox.pricing.types import PPM

ONE = Fraction(1)
_REMEMBERED = 10_000


class UnknownModel(LookupError):
    """No price for this model; `nearest` are names that have one."""

    def __init__(self, nearest: Callable[[], list[str]]) -> None:
        super().__init__("no price for this model")
        self._nearest = nearest

    @property
    def nearest(self) -> list[str]:
        return self._nearest()  # looked for where it is told, and not where it is only asked whether there is a price


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


class Terms(Struct, frozen=True):
    """What holds for one provider's charges of one model to wallets of one asset, from `since` to before `until`."""

    since: datetime
    until: datetime | None
    rates: CompiledRates
    factor: tuple[int, int]
    pricing: Pricing


class Book(Struct, frozen=True):
    """All prices of one revision. `versions` are by (provider or None for all, model), newest first."""

    revision: int
    read_at: datetime
    """By the database's clock; of what had started then, only the newest version is here."""
    assets: dict[str, Asset]
    markups: dict[int, int]
    versions: dict[tuple[int | None, str], tuple[Version, ...]]
    conversions: dict[tuple[str, str], Fraction]
    aliases: Callable[[str], tuple[str, ...]] | None = None
    """The names that a model which the book does not know goes by."""
    terms: dict[tuple[int, str, str], Terms] = msgspec.field(default_factory=dict)
    """What was found so far, by provider, model and the wallet's asset."""
    names: list[Names] = msgspec.field(default_factory=list)
    """All names, for guesses; made when the first is needed."""

    def find(self, provider_id: int, model: str, now: datetime) -> tuple[Version, datetime | None, datetime | None]:
        """The version that holds now, when it began if only this machine says so, and when the next one starts.

        Raises UnknownModel.

        The provider's own price comes first, then the book for all; for a name that neither has ever had, those that
        it goes by. So a model that was withdrawn stays so.
        """
        at = max(now, self.read_at)  # this machine's clock may be behind
        held, known, since, until = self._held(provider_id, model, at)
        if held is None and not known and self.aliases is not None:
            for other in self.aliases(model):
                held, known, since, change = self._held(provider_id, other, at)
                until = _earlier(until, change)
                if known:
                    break
        if held is None:
            raise UnknownModel(lambda: self.nearest(provider_id, model, at))
        return held, since, until

    def _held(
        self, provider_id: int, model: str, at: datetime
    ) -> tuple[Version | None, bool, datetime | None, datetime | None]:
        """The version that holds, whether any has begun, the last start that was still to come, and the next."""
        since: datetime | None = None
        until: datetime | None = None
        known = False
        for owner in (provider_id, None):
            for version in self.versions.get((owner, model), ()):
                if version.starts_at > at:
                    until = _earlier(until, version.starts_at)
                    continue
                known = True
                if version.starts_at > self.read_at:
                    since = version.starts_at if since is None else max(since, version.starts_at)
                if version.rates is not None:
                    return version, known, since, until
                break
        return None, known, since, until

    def has(self, provider_id: int, model: str, now: datetime) -> bool:
        """Whether a model has a price now."""
        try:
            self.find(provider_id, model, now)
        except UnknownModel:
            return False
        return True

    def knows(self, provider_id: int, model: str, asset: str, now: datetime) -> bool:
        """As `has`, and quicker where a quote for wallets of `asset` was made before."""
        return (provider_id, model, asset) in self.terms or self.has(provider_id, model, now)

    def quote(self, provider_id: int, model: str, usage: Usage, asset: str, now: datetime) -> Quote:
        """What the usage costs a wallet of `asset`; raises UnknownModel, NotConvertible, compute.NotPriced."""
        known = self.terms.get((provider_id, model, asset))
        if known is None or now < known.since or (known.until is not None and now >= known.until):
            known = self._terms(provider_id, model, usage, asset, now)
        return Quote(rounded(total_nano(known.rates, usage), *known.factor), known.pricing)

    def _terms(self, provider_id: int, model: str, usage: Usage, asset: str, now: datetime) -> Terms:
        version, since, until = self.find(provider_id, model, now)
        assert version.rates is not None
        total_nano(version.rates, usage)  # what has no rate is told before what has no conversion
        same = version.asset == asset
        conversion = ONE if same else self.conversion(version.asset, asset)
        markup = self.markups.get(provider_id, PPM)
        pricing = Pricing(version.id, markup, self.revision, until, None if same else str(conversion), since)
        if len(self.terms) >= _REMEMBERED:
            self.terms.clear()
        found = self.terms[provider_id, model, asset] = Terms(
            now, until, version.rates, factor(markup, conversion), pricing
        )
        return found

    def conversion(self, source: str, target: str) -> Fraction:
        """Target units for one source unit; raises NotConvertible."""
        known = self.conversions.get((source, target))
        if known is None:
            # An asset that is newer than this book: who is told so looks at the next one.
            there = source in self.assets and target in self.assets
            known = rate(self.assets[source], self.assets[target]) if there else None
            if known is None:
                raise NotConvertible(f"{source} and {target} have no rate between them")
            self.conversions[source, target] = known
        return known

    def nearest(self, provider_id: int, model: str, at: datetime) -> list[str]:
        """Names like this one that have a price, the likest first."""
        if not self.names:
            self.names.append(Names({name for _, name in self.versions}))
        return self.names[0].like(model, 3, lambda name: self._held(provider_id, name, at)[0] is not None)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(one, other) if one is not None and other is not None else one or other
