"""Redis as a cluster, and behind a sentinel: the same stream, the same books."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_client

from farebox.ingest.redis import BadRedisUrl, connect
from tests.support.live import Live
from tests.support.offices import DEAD, STREAM, Office
from tests.support.processes import free_port, until
from tests.support.redises import PROGRAM, RedisProcess, record, redis_process


@pytest.fixture
def cluster() -> Iterator[list[RedisProcess]]:
    """Three nodes that share the slots."""
    with (
        redis_process("--cluster-enabled", "yes") as one,
        redis_process("--cluster-enabled", "yes") as two,
        redis_process("--cluster-enabled", "yes") as three,
    ):
        nodes = [one, two, three]
        for number, node in enumerate(nodes):
            slots = range(number * 5462, min((number + 1) * 5462, 16384))
            with node.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTS", *slots)
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        with one.client() as client:
            for other in nodes[1:]:
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", other.port)
        until(lambda: all(knows_all(node) for node in nodes))
        yield nodes


def knows_all(node: RedisProcess) -> bool:
    with node.client() as client:
        state: Any = client.execute_command("CLUSTER INFO")
        nodes: Any = client.execute_command("CLUSTER NODES")
    return state["cluster_state"] == "ok" and len(nodes) == 3


def test_a_cluster(cluster: list[RedisProcess], make_live: Callable[..., Live]) -> None:
    url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in cluster)
    live = make_live(redis_url=url, ingest_claim_idle_s=1)
    with redis_client.RedisCluster(host="127.0.0.1", port=cluster[0].port, decode_responses=True) as client:
        office = Office(live, client)
        client.set(f"credit_balance:{office.id}", "1")
        for number in range(100):
            office.send(f"r{number}", 2)
        office.send("bad", -1)
        until(lambda: office.balance() == 10_000 - 200)
        until(lambda: client.xlen(DEAD) == 1 and client.get(f"credit_balance:{office.id}") is None)
        until(lambda: int(client.xlen(STREAM)) <= 1)
        client.set(f"credit_balance:{office.id}", "1")
        office.recharge(1)
        until(lambda: client.get(f"credit_balance:{office.id}") is None)


@pytest.fixture
def sentinel() -> Iterator[tuple[RedisProcess, RedisProcess, int]]:
    """A server, its replica, and a sentinel that makes the replica the server when it has to."""
    with redis_process() as first, redis_process() as second:
        with second.client() as client:
            client.execute_command("REPLICAOF", "127.0.0.1", first.port)
        port = free_port()
        with tempfile.TemporaryDirectory(prefix="farebox-sentinel-") as directory:
            config = Path(directory) / "sentinel.conf"
            config.write_text(
                f"port {port}\nbind 127.0.0.1\ndir {directory}\n"
                f"sentinel monitor books 127.0.0.1 {first.port} 1\n"
                "sentinel down-after-milliseconds books 500\nsentinel failover-timeout books 2000\n"
            )
            process = subprocess.Popen([PROGRAM, str(config), "--sentinel"], stdout=subprocess.DEVNULL)
            try:
                until(lambda: replicas(port) == 1)
                yield first, second, port
            finally:
                process.kill()
                process.wait()


def replicas(port: int) -> int:
    try:
        with redis_client.Redis(port=port, decode_responses=True, protocol=2) as client:
            books: Any = client.sentinel_master("books")
            return int(books["num-slaves"])
    except redis_client.RedisError:
        return 0


def test_a_sentinel_names_the_server_also_after_it_has_died(
    sentinel: tuple[RedisProcess, RedisProcess, int], make_live: Callable[..., Live]
) -> None:
    first, second, port = sentinel
    live = make_live(redis_url=f"redis+sentinel://127.0.0.1:{port}/books", ingest_claim_idle_s=1)
    with first.client() as client, second.client() as replica:
        office = Office(live, client)
        for number in range(10):
            office.send(f"r{number}")
        until(lambda: office.balance() == 10_000 - 10)
        first.kill()
        until(lambda: dict(replica.info("replication"))["role"] == "master")
        for number in range(5, 15):
            replica.xadd(STREAM, record(office.id, f"r{number}"))
        until(lambda: office.balance() == 10_000 - 15)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost",
        "redis+sentinel://localhost:26379",
        "redis+cluster://",
        "redis+cluster://host:port",
        "redis+sentinel://a:1,:2/name",
        "redis://localhost:port",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(BadRedisUrl):
        connect(url)
