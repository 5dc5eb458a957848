"""A page of a wallet's statement: one implementation, called before the framework and by its handler."""

import asyncio
from datetime import UTC, datetime

from farebox.errors import Invalid
from farebox.http.native import views, wire
from farebox.http.native.paging import Paging
from farebox.services import Services
from farebox.wallets.types import Entry, Period, Span, Wallet

EPOCH, FOREVER = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


async def statement(
    services: Services,
    paging: Paging,
    wallet: Wallet,
    since: datetime | None = None,
    until: datetime | None = None,
) -> wire.Statement:
    """The page; raises Problem."""
    scope = f"statement:{wallet.id}"
    place = paging.place(scope, None)
    if place is not None:  # later pages are of the first one's period
        start, end = map(datetime.fromisoformat, place[:2])
        span, before = Span(*place[2:4]), place[4]
        found, period = await _of(services, wallet, span, paging.most, before)
    else:
        start, end = _aware("since", since, EPOCH), _aware("until", until, datetime.now(UTC))
        if since is None and until is None:  # up to now is all there is, whatever clock it was written by
            span, found, period = await services.statements.newest(wallet.id, paging.most)
        else:
            span = await services.statements.span(wallet.id, start, FOREVER if until is None else end)
            found, period = await _of(services, wallet, span, paging.most)
    here = [start.isoformat(), end.isoformat(), span.after, span.up_to]
    return wire.Statement(
        wallet=str(wallet.id),
        asset=wallet.asset,
        scale=wallet.scale,
        since=start,
        until=end,
        opening_balance=period.opening,
        money_in=period.money_in,
        money_out=period.money_out,
        closing_balance=period.closing,
        entries=period.entries,
        data=[views.entry(wallet.id, entry) for entry in found[: paging.limit]],
        next_cursor=paging.next_cursor(scope, found, lambda entry: [*here, entry.transfer_id]),
    )


async def _of(
    services: Services, wallet: Wallet, span: Span, limit: int, before: int | None = None
) -> tuple[list[Entry], Period]:
    return await asyncio.gather(
        services.statements.entries(wallet.id, span, limit, before), services.statements.period(wallet.id, span)
    )


def _aware(field: str, moment: datetime | None, default: datetime) -> datetime:
    if moment is None:
        return default
    if moment.tzinfo is None:
        raise Invalid.field(field, "needs a time zone, such as Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Invalid.field(field, "is before or after all time") from None
