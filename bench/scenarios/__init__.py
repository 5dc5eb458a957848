"""What is measured, in the order in which it is."""

from bench.rounds import Scenario, name_of
from bench.scenarios.http import http
from bench.scenarios.ingestion import ingestion
from bench.scenarios.limits import limits
from bench.scenarios.memory import memory
from bench.scenarios.people import people
from bench.scenarios.streams import streams
from bench.scenarios.write_path import write_path

_MINUTES = (http, write_path, people, limits, ingestion, streams, memory)
ALL: dict[str, Scenario] = {name_of(scenario): scenario for scenario in _MINUTES}
