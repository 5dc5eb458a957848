"""From what was used to what is taken: prices the usage, asks the ledger, and says what became of it."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from typing import Any

import msgspec
from asyncpg import Pool, Record

from farebox.consent.types import GrantRef
from farebox.db import queries
from farebox.errors import Busy, Internal, Invalid, Problem, Unauthorized
from farebox.identity.types import Principal
from farebox.ledger import store
from farebox.ledger.batcher import Ledger, OutcomeUnknown, Overloaded, Unavailable
from farebox.ledger.envelopes import Stopped
from farebox.ledger.store import BrokenInvariant
from farebox.ledger.types import (
    MAX_UNITS,
    Ask,
    Capture,
    Charge,
    Facts,
    Hold,
    Outcome,
    Pricing,
    RecordUsage,
    Refusal,
    Usage,
)
from farebox.money import ceil
from farebox.pricing.book import ONE, Book, NotConvertible, Quote, UnknownModel
from farebox.pricing.compute import NotPriced
from farebox.pricing.service import Prices, now
from farebox.pricing.types import PPM
from farebox.wallets.accounts import Accounts

_SQL = queries.load("farebox.charging")
_encode = msgspec.msgpack.Encoder(order="deterministic").encode  # an object's members have no order in JSON


def fingerprint(*parts: Any) -> bytes:
    """What makes two requests the same request: 16 bytes of the operation and its parsed values."""
    return hashlib.blake2b(_encode(parts), digest_size=16).digest()


def own_key() -> str:
    """A key for a caller that sent none: a retry of theirs is a new ask, one of ours is not."""
    return f"auto:{secrets.token_hex(12)}"


class Bill(msgspec.Struct, frozen=True, gc=False):
    """What is to be paid for: usage by the price book, or an amount that the provider has computed."""

    model: str | None = None
    usage: Usage | None = None
    amount: int | None = None
    asset: str | None = None
    """Of `amount`; None: the wallet's."""


class Charging:
    """Everything that charges a wallet goes through here."""

    def __init__(self, pool: "Pool[Record]", ledger: Ledger, prices: Prices, accounts: Accounts) -> None:
        self._pool = pool
        self._ledger = ledger
        self._prices = prices
        self._accounts = accounts

    async def charge(
        self,
        principal: Principal,
        provider_id: int,
        grant: GrantRef,
        key: str,
        mark: bytes,
        bill: Bill,
        *,
        member_id: int | None = None,
        note: str | None = None,
    ) -> Outcome:
        """Charges a grant. A refusal is an outcome; raises Problem for what can't be asked."""
        begun = self.begin(principal, provider_id, grant, key, mark, bill, member_id=member_id, note=note)
        if begun is not None:
            try:
                outcome = await begun
            except _FAILED as error:
                raise _problem(error) from None
            if outcome.refusal not in _NOT_DECIDED:
                return outcome
            if outcome.refusal is Refusal.CREDENTIAL_REVOKED:
                raise revoked()
        revenue = await self._accounts.revenue(provider_id, grant.asset)

        def ask(quote: Quote) -> Ask:
            return _charge(principal, provider_id, revenue, grant, key, mark, bill, quote, member_id, note)

        return await self._priced(principal.client, key, mark, provider_id, grant.asset, bill, ask)

    def begin(
        self,
        principal: Principal,
        provider_id: int,
        grant: GrantRef,
        key: str,
        mark: bytes,
        bill: Bill,
        *,
        member_id: int | None = None,
        note: str | None = None,
    ) -> "asyncio.Future[Outcome] | None":
        """Asks the ledger for a charge at once, for `ended` to wait for; None where something has to be looked up.

        An outcome of PRICE_CHANGED, or None, says that nothing was done and that `charge` can do it. Raises Problem.
        """
        revenue = self._accounts.known_revenue(provider_id, grant.asset)
        quote = None if revenue is None else self._known_quote(provider_id, grant.asset, bill)
        if revenue is None or quote is None:
            return None
        try:
            return self._ledger.submit(
                _charge(principal, provider_id, revenue, grant, key, mark, bill, quote, member_id, note)
            )
        except Overloaded as error:
            raise _problem(error) from None

    async def ended(self, begun: "asyncio.Future[Outcome]") -> Outcome:
        """What became of an ask; the ledger's exceptions become Problems, a key that was revoked meanwhile a 401."""
        try:
            outcome = await begun
        except _FAILED as error:
            raise _problem(error) from None
        if outcome.refusal is Refusal.CREDENTIAL_REVOKED:
            raise revoked()
        return outcome

    async def look_up(self, grants: Iterable[GrantRef]) -> None:
        """Finds what charges on these grants need to know, so that the next ones ask the ledger at once."""
        for provider_id, asset in {(grant.provider_id, grant.asset) for grant in grants}:
            await self._accounts.revenue(provider_id, asset)

    async def hold(
        self, principal: Principal, provider_id: int, grant: GrantRef, key: str, mark: bytes, bill: Bill, ttl_s: int
    ) -> Outcome:
        """Reserves what the bill would cost; one unit where that is nothing, so that a free model is held like any."""

        def ask(quote: Quote) -> Ask:
            return Hold(
                client=principal.client,
                key=key,
                fingerprint=mark,
                credential_id=principal.credential_id,
                wallet_id=grant.wallet_id,
                grant_id=grant.grant_id,
                amount=quote.amount or 1,
                ttl_s=ttl_s,
                model=bill.model,
                usage=bill.usage,
                pricing=quote.pricing,
            )

        return await self._priced(principal.client, key, mark, provider_id, grant.asset, bill, ask)

    async def capture(
        self, principal: Principal, provider_id: int, grant: GrantRef, hold_id: int, key: str, mark: bytes, bill: Bill
    ) -> Outcome:
        """Takes what was used out of a hold and frees the rest; a bill of nothing takes the whole hold."""
        revenue = await self._accounts.revenue(provider_id, grant.asset)

        def ask(quote: Quote | None) -> Ask:
            return Capture(
                client=principal.client,
                key=key,
                fingerprint=mark,
                credential_id=principal.credential_id,
                wallet_id=grant.wallet_id,
                grant_id=grant.grant_id,
                hold_id=hold_id,
                provider_id=provider_id,
                revenue_account=revenue,
                amount=None if quote is None else quote.amount,
                model=bill.model,
                usage=bill.usage,
                pricing=None if quote is None else quote.pricing,
            )

        if bill.usage is None and bill.amount is None:
            return await self.submit(ask(None))
        return await self._priced(principal.client, key, mark, provider_id, grant.asset, bill, ask)

    async def record(
        self,
        principal: Principal,
        provider_id: int,
        wallet_id: int,
        asset: str,
        grant: GrantRef | None,
        key: str,
        mark: bytes,
        bill: Bill,
    ) -> Outcome:
        """Books usage that has already happened, whatever the balance (RULES 6)."""
        revenue = await self._accounts.revenue(provider_id, asset)

        def ask(quote: Quote) -> Ask:
            return RecordUsage(
                client=principal.client,
                key=key,
                fingerprint=mark,
                credential_id=principal.credential_id,
                wallet_id=wallet_id,
                grant_id=None if grant is None else grant.grant_id,
                provider_id=provider_id,
                revenue_account=revenue,
                amount=quote.amount,
                model=bill.model,
                usage=bill.usage,
                pricing=quote.pricing,
            )

        return await self._priced(principal.client, key, mark, provider_id, asset, bill, ask)

    def submit(self, ask: Ask) -> Coroutine[Any, Any, Outcome]:
        """Asks the ledger, at once; raises Problem, and as `ended` does when it is awaited."""
        try:
            return self.ended(self._ledger.submit(ask))
        except Overloaded as error:
            raise _problem(error) from None

    def quote(self, book: Book, provider_id: int, asset: str, bill: Bill, at: datetime) -> Quote:
        """What a bill comes to in units of `asset` at a moment; raises Invalid."""
        if bill.usage is None:
            return _converted(book, bill, asset)
        if bill.model is None:
            raise Invalid.field("model", "needed to price usage")
        try:
            quote = book.quote(provider_id, bill.model, bill.usage, asset, at)
        except UnknownModel as error:
            raise _unknown_model(error.nearest) from None
        except NotPriced as error:
            raise Invalid(f"this model has no price per {error}", "not_priced") from None
        except NotConvertible as error:
            raise Invalid(str(error), "not_convertible") from None
        if quote.amount > MAX_UNITS:
            raise Invalid("the amount is larger than any wallet", "amount_too_large")
        return quote

    def _known_quote(self, provider_id: int, asset: str, bill: Bill) -> Quote | None:
        """As `quote`, by the book at hand and of now; None where a newer one may know better."""
        book, at = self._prices.book, now()
        try:
            if bill.usage is None or bill.model is None:
                return self.quote(book, provider_id, asset, bill, at)
            quote = book.quote(provider_id, bill.model, bill.usage, asset, at)
        except (Invalid, UnknownModel, NotPriced, NotConvertible):
            return None
        return quote if quote.amount <= MAX_UNITS else None

    async def preview(self, provider_id: int, asset: str, bill: Bill) -> Quote:
        """What a bill would come to, by the book of now."""
        return self.quote(await self._prices.fresh(), provider_id, asset, bill, now())

    async def look(self, principal: Principal, provider_id: int, grant: GrantRef, bill: Bill) -> tuple[Outcome, Facts]:
        """What would become of a charge, and the facts that decide it. Charges nothing."""
        quote = await self.preview(provider_id, grant.asset, bill)
        ask = Charge(
            client=principal.client,
            key=own_key(),
            fingerprint=bytes(16),
            credential_id=principal.credential_id,
            wallet_id=grant.wallet_id,
            grant_id=grant.grant_id,
            provider_id=provider_id,
            revenue_account=0,
            amount=quote.amount,
            model=bill.model,
            usage=bill.usage,
        )
        async with self._pool.acquire() as conn:
            return await store.look(conn, ask)

    async def _priced(
        self,
        client: str,
        key: str,
        mark: bytes,
        provider_id: int,
        asset: str,
        bill: Bill,
        ask: Callable[[Quote], Ask],
    ) -> Outcome:
        """Prices by the book at hand; where that turns out to be old, by the new one."""
        book, at = self._prices.book, now()
        while True:
            try:
                asked = ask(self.quote(book, provider_id, asset, bill, at))
            except Invalid:
                newer = await self._prices.fresh()
                if newer is not book:
                    book = newer
                    continue
                stored = await self._stored(client, key, mark)
                if stored is None:
                    raise
                return stored
            outcome = await self.submit(asked)
            if outcome.refusal is not Refusal.PRICE_CHANGED:
                return outcome
            # The clock that counts is the database's (RULES 18): this machine's was behind it, or ahead.
            book, at = await self._prices.fresh(), outcome.created_at

    async def _stored(self, client: str, key: str, mark: bytes) -> Outcome | None:
        """The outcome of an earlier ask, for a retry that can't be priced any more."""
        row = await _SQL.stored.first(self._pool, client=client, key=key)
        if row is None or row["fingerprint"] != mark:
            return None
        refusal = None if row["refusal"] is None else Refusal(row["refusal"])
        return Outcome(
            row["id"],
            refusal,
            row["amount"],
            row["available_after"],
            row["remaining_after"],
            row["created_at"],
            replayed=True,
            stopped=None if row["stopped_by"] is None else msgspec.json.decode(row["stopped_by"], type=Stopped),
        )


_NOT_DECIDED = frozenset((Refusal.PRICE_CHANGED, Refusal.CREDENTIAL_REVOKED))
_FAILED = (Overloaded, Unavailable, OutcomeUnknown, BrokenInvariant)


def revoked() -> Unauthorized:
    """What a key's owner is told whose key was revoked between its first look and the ledger's."""
    return Unauthorized("this API key was revoked")


def _problem(error: Exception) -> Problem:
    """What a failure of the ledger is to the one who asked."""
    match error:
        case Overloaded():
            return Busy("too much at once; nothing was done", "overloaded", retry_after_s=error.retry_after_s)
        case Unavailable():
            return Busy("the database is away; nothing was done", retry_after_s=error.retry_after_s)
        case OutcomeUnknown():
            what = "the answer was lost: ask again with the same idempotency key to learn what became of it"
            return Busy(what, "outcome_unknown", retry_after_s=error.retry_after_s)
        case _:
            return Internal("the books would not have balanced, so nothing was written", "broken_invariant")


def _charge(
    principal: Principal,
    provider_id: int,
    revenue: int,
    grant: GrantRef,
    key: str,
    mark: bytes,
    bill: Bill,
    quote: Quote,
    member_id: int | None,
    note: str | None,
) -> Charge:
    return Charge(
        client=principal.client,
        key=key,
        fingerprint=mark,
        credential_id=principal.credential_id,
        wallet_id=grant.wallet_id,
        grant_id=grant.grant_id,
        provider_id=provider_id,
        revenue_account=revenue,
        amount=quote.amount,
        model=bill.model,
        usage=bill.usage,
        pricing=quote.pricing,
        member_id=member_id,
        note=note,
    )


def _converted(book: Book, bill: Bill, asset: str) -> Quote:
    assert bill.amount is not None
    try:
        conversion = ONE if bill.asset in (None, asset) else book.conversion(bill.asset, asset)
    except NotConvertible as error:
        raise Invalid(str(error), "not_convertible") from None
    units = bill.amount if conversion is ONE else ceil(bill.amount * conversion)
    if units > MAX_UNITS:
        raise Invalid("the amount is larger than any wallet", "amount_too_large")
    return Quote(
        units,
        Pricing(None, PPM, book.revision, None, None if conversion is ONE or conversion == ONE else str(conversion)),
    )


def _unknown_model(nearest: list[str]) -> Invalid:
    hint = f"; did you mean {', '.join(nearest)}?" if nearest else "; GET /v1/prices lists what has one"
    return Invalid(f"there is no price for this model{hint}", "unknown_model", extra={"nearest": nearest})
