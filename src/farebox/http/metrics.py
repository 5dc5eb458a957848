"""Prometheus metrics: counters kept where they arise, read when somebody asks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from farebox.ingest.service import Ingest
from farebox.services import Services


class LedgerCollector(Collector):
    """The ledger's counters of this process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        ledger = self._services.ledger
        yield CounterMetricFamily("farebox_ledger_asks", "Asks that reached a batch.", value=ledger.items)
        yield CounterMetricFamily("farebox_ledger_batches", "Transactions of the ledger.", value=ledger.batches)
        yield CounterMetricFamily(
            "farebox_ledger_short_batches", "Of them, those written without locking before.", value=ledger.short
        )
        yield CounterMetricFamily(
            "farebox_ledger_handed_over",
            "Asks that went to the worker which owns their wallet, and are counted there.",
            value=ledger.handed_over,
        )
        yield GaugeMetricFamily("farebox_ledger_queue", "Asks that wait for a batch.", value=ledger.depth)
        yield GaugeMetricFamily(
            "farebox_price_book_revision",
            "Revision of the price book in use.",
            value=self._services.prices.book.revision,
        )
        yield GaugeMetricFamily("farebox_streams", "Open event streams.", value=self._services.live.streams)
        if self._services.ingest is not None:
            yield from of_ingest(self._services.ingest)


def of_ingest(ingest: Ingest) -> Iterator[Metric]:
    """What became of the stream's records in this process, and how far the group is."""
    records = CounterMetricFamily("farebox_ingest_records", "Usage records, by what became of them.", labels=["fate"])
    for fate, count in sorted(ingest.counts.items()):
        records.add_metric([fate], count)
    yield records
    state = ingest.state
    if state is not None:
        yield GaugeMetricFamily("farebox_ingest_lag", "Records that nobody has read yet.", value=state.lag)
        yield GaugeMetricFamily("farebox_ingest_pending", "Records read and not acknowledged.", value=state.pending)
        yield GaugeMetricFamily("farebox_ingest_oldest_seconds", "Age of the oldest of them.", value=state.oldest_s)
        yield GaugeMetricFamily("farebox_ingest_dead_letters", "Dead letters.", value=state.dead_letters)


def render(services: Services) -> bytes:
    """The metrics of this process in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LedgerCollector(services))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(registry)
