"""Charts of what was spent: a column a day, a bar a name. Lengths are of what was charged less what was given back."""

from datetime import UTC, date, datetime, timedelta

from msgspec import Struct

from farebox.errors import Invalid
from farebox.reports.service import Spend
from farebox.services import Services

WAYS = ("day", "provider", "model", "agent")
PERIODS = {"7": "7 days", "30": "30 days", "90": "90 days", "365": "a year"}
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
    days: str
    charts: list[Chart]


async def charts(services: Services, by: str, days: str, provider_id: int | None = None) -> Charts:
    """Spend by day, provider, model or agent over a period, of one provider where given. Raises Invalid."""
    if by not in WAYS:
        raise Invalid.field("by", f"one of {', '.join(WAYS)}")
    if days not in PERIODS:
        raise Invalid.field("days", f"one of {', '.join(PERIODS)}")
    since = (datetime.now(UTC) - timedelta(days=int(days) - 1)).date()
    found = await services.reports.spend(by, since, provider_id)
    assets = sorted({one.asset for one in found})
    return Charts(by, days, [_chart([one for one in found if one.asset == asset], by, since) for asset in assets])


def _chart(spends: list[Spend], by: str, since: date) -> Chart:
    first = spends[0]
    shown = _every_day(spends, since) if by == "day" else spends[:_BARS]
    most = max(1, *(one.net for one in shown), 1)
    bars = [Bar(one, max(0, one.net) * _FULL // most) for one in shown]
    return Chart(first.asset, first.scale, most, bars, 0 if by == "day" else max(0, len(spends) - _BARS))


def _every_day(spends: list[Spend], since: date) -> list[Spend]:
    """The days in their order, those without a charge too."""
    known = {one.name: one for one in spends}
    last = datetime.now(UTC).date()
    days = [(since + timedelta(days=number)).isoformat() for number in range((last - since).days + 1)]
    asset, scale = spends[0].asset, spends[0].scale
    return [known.get(day) or Spend(day, asset, scale, 0, 0, 0, 0, 0, 0, 0) for day in days]
