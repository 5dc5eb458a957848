"""Connecting to Redis: one server, a cluster, or whichever server a sentinel names."""

from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

Client = Redis | RedisCluster

AWAY = (RedisError, OSError, TimeoutError)
"""Redis is not there, or not able: it may be again soon."""

_OPTIONS: dict[str, Any] = {"protocol": 2, "socket_timeout": 10, "socket_connect_timeout": 5}


class BadRedisUrl(ValueError):
    """An address that none of the schemes takes; the text says what it has to be."""


def connect(url: str) -> Client:
    """A client; it connects when it is first used. Raises BadRedisUrl.

    `redis://`, `rediss://` and `unix://` name a server, `redis+cluster://host:port,host:port` some nodes of a cluster,
    `redis+sentinel://host:port,host:port/name` the sentinels of a service (`?db=`, `?tls=true`).
    """
    try:
        if url.startswith("redis+cluster://"):
            return _cluster(urlsplit(url))
        if url.startswith("redis+sentinel://"):
            return _sentinel(urlsplit(url))
        # Trying again is ours: what is tried again here would be read twice.
        found: Redis = Redis.from_url(url, retry=Retry(NoBackoff(), 0), **_OPTIONS)
    except ValueError as error:
        raise BadRedisUrl(f"not an address of Redis: {error}") from None
    return found


def _cluster(url: SplitResult) -> RedisCluster:
    nodes = [ClusterNode(host, port) for host, port in _hosts(url, 6379)]
    return RedisCluster(startup_nodes=nodes, **_login(url), **_OPTIONS)


def _sentinel(url: SplitResult) -> Redis:
    service = url.path.strip("/")
    if not service:
        raise ValueError("a sentinel's address ends with the name of its service")
    sentinel = Sentinel(_hosts(url, 26379), sentinel_kwargs=_OPTIONS)  # type: ignore[no-untyped-call]
    query = parse_qs(url.query)
    db = int(query.get("db", ["0"])[0])
    found: Redis = sentinel.master_for(service, db=db, **_login(url), **_OPTIONS)
    return found


def _login(url: SplitResult) -> dict[str, Any]:
    query = parse_qs(url.query)
    login: dict[str, Any] = {"ssl": True} if query.get("tls") == ["true"] else {}
    given = url.netloc.rpartition("@")[0]
    if given:
        user, _, password = given.partition(":")
        login |= {"username": unquote(user) or None, "password": unquote(password) or None}
    return login


def _hosts(url: SplitResult, port: int) -> list[tuple[str, int]]:
    found = []
    for item in url.netloc.rpartition("@")[2].split(","):
        host, _, number = (item, "", str(port)) if ":" not in item or item.endswith("]") else item.rpartition(":")
        if not host:
            raise ValueError("a host is missing")
        found.append((host.strip("[]"), int(number)))
    return found
