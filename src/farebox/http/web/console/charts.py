"""Charts of what was spent: a column a day, a bar a name. Lengths are of what was charged less what was given back."""

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from farebox.errors import Invalid
from farebox.reports.service import Spend
from farebox.services import Services

WAYS = ("time", "provider", "model", "agent")
OF_PROVIDER = ("time", "model")
"""Agents are counted over all providers: what one provider sees has none."""
PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "year": "12 months"}
_MONTHS = 12
_FULL = 1000
_BARS = 50


class Bar(Struct, frozen=True):
    """One bar or column; `part` of 1000 is how long it is."""

    spend: Spend
    part: int


class Chart(Struct, frozen=True):
    """What was spent in one asset. `most` is what the longest bar stands for, in units."""

    asset: str
    scale: int
    most: int
    bars: list[Bar]
    others: int
    """So many names more are not shown."""

    @property
    def net(self) -> int:
        """All that is shown, in units."""
        return sum(bar.spend.net for bar in self.bars)


class Charts(Struct, frozen=True):
    """What was asked for, and a chart an asset."""

    by: str
    over: str
    grain: str
    charts: list[Chart]


async def charts(services: Services, by: str, over: str, provider_id: int | None = None) -> Charts:
    """Spend by time, provider, model or agent over a period, of one provider where given. Raises Invalid."""
    ways = WAYS if provider_id is None else OF_PROVIDER
    if by not in ways:
        raise Invalid.field("by", f"one of {', '.join(ways)}")
    if over not in PERIODS:
        raise Invalid.field("over", f"one of {', '.join(PERIODS)}")
    grain = "month" if over == "year" else "day"
    starts = _starts(over, datetime.now(UTC).date())
    if by == "time":
        found = await services.reports.spend_over_time(grain, starts[0], provider_id)
    else:
        found = await services.reports.spend(by, starts[0], provider_id)
    shown = []
    for asset in sorted({one.asset for one in found}):
        own = [one for one in found if one.asset == asset]
        shown.append(_chart(_whole(own, starts) if by == "time" else own, _BARS if by != "time" else len(starts)))
    return Charts(by, over, grain, shown)


def _chart(spends: list[Spend], shown: int) -> Chart:
    first = spends[0]
    most = max(1, *(one.net for one in spends[:shown]), 1)
    bars = [Bar(one, max(0, one.net) * _FULL // most) for one in spends[:shown]]
    return Chart(first.asset, first.scale, most, bars, max(0, len(spends) - shown))


def _starts(over: str, today: date) -> list[date]:
    """The days, or the firsts of the months, of a period that ends today."""
    if over != "year":
        return [today - timedelta(days=number) for number in reversed(range(int(over)))]
    months = range(today.year * _MONTHS + today.month - _MONTHS, today.year * _MONTHS + today.month)
    return [date(number // _MONTHS, number % _MONTHS + 1, 1) for number in months]


def _whole(spends: list[Spend], starts: list[date]) -> list[Spend]:
    """Every day or month, those without a charge too."""
    known = {one.name: one for one in spends}
    nothing = Spend("", spends[0].asset, spends[0].scale, 0, 0, 0, 0, 0, 0, 0)
    return [known.get(day.isoformat()) or replace(nothing, name=day.isoformat()) for day in starts]
