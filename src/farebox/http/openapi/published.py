"""`/openapi.json`: made once, when it is first asked for, and kept."""

import hashlib
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from farebox.http.openapi.document import document


def cached(request: Request[Any, Any, Any], body: bytes, media_type: str) -> Response[bytes]:
    """An answer that clients may keep, as long as they ask whether it still holds."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    known = [item.strip().removeprefix("W/") for item in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return Response(body, headers=headers, media_type=media_type)


def openapi() -> HTTPRouteHandler:
    """The document's route."""
    kept: list[bytes] = []

    @get("/openapi.json", opt={"public": True})
    async def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
        if not kept:
            kept.append(msgspec.json.encode(document(request.app.routes)))
        return cached(request, kept[0], "application/json")

    return openapi_json
