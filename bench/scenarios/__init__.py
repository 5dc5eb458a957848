"""What is measured, in the order in which it is."""

from bench.rounds import Scenario, name_of
from bench.scenarios.dialects import dialects
from bench.scenarios.http import http
from bench.scenarios.ingestion import ingestion
from bench.scenarios.limits import limits
from bench.scenarios.memory import flat, memory
from bench.scenarios.operations import operations
from bench.scenarios.others import others
from bench.scenarios.paced import paced
from bench.scenarios.people import people
from bench.scenarios.prices import prices
from bench.scenarios.reads import reads
from bench.scenarios.startup import startup
from bench.scenarios.streams import streams
from bench.scenarios.trace import trace
from bench.scenarios.workers import workers
from bench.scenarios.write_path import write_path

_MINUTES = (
    *(write_path, http, paced, workers, operations, dialects, others, prices),
    *(limits, people, ingestion, streams, reads, trace, startup, memory),
)
ALL: dict[str, Scenario] = {name_of(scenario): scenario for scenario in (*_MINUTES, flat)}
MINUTES = [name_of(scenario) for scenario in _MINUTES]
"""What is measured where nothing else is asked for; the rest takes long to say anything."""
