"""Addresses of Redis: who signs in, with what, and where."""

from typing import Any

import pytest

from farebox.ingest.redis import connect

SECRET = "p%40ss%2Fw%3Ard%25"


@pytest.mark.parametrize(
    "url", ["redis://u%40x:{}@one:1", "redis+sentinel://u%40x:{}@one:1/books", "redis+cluster://u%40x:{}@one:1"]
)
def test_a_password_is_written_the_same_way_everywhere(url: str) -> None:
    client: Any = connect(url.format(SECRET))
    pool = getattr(client, "connection_pool", None)
    given = client.connection_kwargs if pool is None else pool.connection_kwargs
    assert (given["username"], given["password"]) == ("u@x", "p@ss/w:rd%")


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        ("one:1,two", [("one", 1), ("two", 26379)]),
        ("[::1]:1,[fe80::2]", [("::1", 1), ("fe80::2", 26379)]),
    ],
)
def test_hosts_by_name_and_by_number(hosts: str, found: list[tuple[str, int]]) -> None:
    client: Any = connect(f"redis+sentinel://{hosts}/books")
    asked = [one.connection_pool.connection_kwargs for one in client.connection_pool.sentinel_manager.sentinels]
    assert [(one["host"], one["port"]) for one in asked] == found
