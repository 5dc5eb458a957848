"""Pages on other origins: those that the operator has named may call, with a key or ticket and never with a cookie."""

from farebox.http import edge

PATHS = ("/tokenvault/", "/v1/")
_ALLOWED = [
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Idempotency-Key, Last-Event-ID"),
    (b"access-control-max-age", b"600"),
]


class Cors:
    """Answers for the origins that are allowed; for all others it is as if this were not there."""

    def __init__(self, origins: str) -> None:
        self._origins = frozenset(one.strip().rstrip("/").encode() for one in origins.split(",") if one.strip())

    def __bool__(self) -> bool:
        return bool(self._origins)

    def origin(self, scope: edge.Scope) -> bytes | None:
        """The origin of a request, where it is allowed and the path is for others at all."""
        if not scope["path"].startswith(PATHS):
            return None
        origin = edge.headers_of(scope).get(b"origin")
        return origin if origin in self._origins else None

    async def preflight(self, origin: bytes, send: edge.Send) -> None:
        """What a browser asks before it calls."""
        await send({"type": "http.response.start", "status": 204, "headers": [*_granted(origin), *_ALLOWED]})
        await send({"type": "http.response.body", "body": b""})

    def granting(self, origin: bytes, send: edge.Send) -> edge.Send:
        """Sends answers that the origin's page may read."""

        async def granted(message: edge.Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_granted(origin)]
            await send(message)

        return granted


def is_preflight(scope: edge.Scope) -> bool:
    """Whether a browser asks what it may do, and not for the thing itself."""
    return scope["method"] == "OPTIONS" and b"access-control-request-method" in edge.headers_of(scope)


def _granted(origin: bytes) -> list[tuple[bytes, bytes]]:
    exposed = (b"access-control-expose-headers", b"Idempotent-Replayed, Retry-After, X-Request-Id")
    return [(b"access-control-allow-origin", origin), (b"vary", b"Origin"), exposed]
