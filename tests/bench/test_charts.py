"""The bench of the charts, at a small size: every chart shows something, and its totals are what was loaded."""

import pytest
from bench.charts import kept, loaded, measured
from bench.world import settings
from rich.console import Console

from farebox.ledger.audit import Report, audit
from tests.support.live import Live, live_server

CHARGES = 5000


async def audited(live: Live) -> Report:
    async with live.services.pool.acquire() as conn:
        return await audit(conn)


@pytest.mark.slow
def test_charts_show_what_was_loaded() -> None:
    with loaded(CHARGES, Console(quiet=True)) as url, live_server(url, settings(sweep_interval_s=1)) as live:
        kept(live, CHARGES)
        figures = measured(live, times=2)
        differences = {one.check for one in live.call(audited(live)).differences}
    assert len(figures) == 24 and all(one.bytes > 5000 for one in figures)
    assert "totals_follow_the_journal" not in differences
    assert "transfers_have_their_entries" in differences, "only the journal is loaded"
