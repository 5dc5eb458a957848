"""Prometheus metrics: counters kept where they arise, read when somebody asks."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from farebox.services import Services


class LedgerCollector(Collector):
    """The ledger's counters of this process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        ledger = self._services.ledger
        yield CounterMetricFamily("farebox_ledger_asks", "Asks that reached a batch.", value=ledger.items)
        yield CounterMetricFamily("farebox_ledger_batches", "Transactions of the ledger.", value=ledger.batches)
        yield GaugeMetricFamily("farebox_ledger_queue", "Asks that wait for a batch.", value=ledger.depth)
        yield GaugeMetricFamily(
            "farebox_price_book_revision",
            "Revision of the price book in use.",
            value=self._services.prices.book.revision,
        )


def render(services: Services) -> bytes:
    """The metrics of this process in the text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LedgerCollector(services))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(registry)
