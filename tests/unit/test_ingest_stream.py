"""Where dead letters go: beside their stream, so that one script can write to both."""

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from farebox.ingest.stream import Stream


@pytest.mark.parametrize("name", ["usage_records", "{usage}:records", "usage:{eu}", "usage{", "a{b"])
def test_dead_letters_are_on_the_streams_node(name: str) -> None:
    stream = Stream(Redis(), name, "farebox")
    assert stream.dead != name
    assert key_slot(stream.dead.encode()) == key_slot(name.encode())
