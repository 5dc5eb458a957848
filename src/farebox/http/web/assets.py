"""Style, scripts and icons: what ships in the wheel, served under an address that changes with them."""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from markupsafe import Markup
from msgspec import Struct

from farebox.errors import NotFound

PREFIX = "/web"
TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "png": "image/png"}
_ROOT = files("farebox.http.web") / "static"


class Asset(Struct, frozen=True):
    """One file, and the same compressed."""

    media_type: str
    body: bytes
    zipped: bytes


@cache
def assets() -> dict[str, Asset]:
    """All of them by path, such as `vendor/qr/decode.js`."""
    return dict(sorted(_below(_ROOT, "")))


@cache
def digest() -> str:
    """Stands in their addresses: with other files it is another one, so that browsers can keep these for good."""
    mark = hashlib.sha256()
    for path, asset in assets().items():
        mark.update(path.encode() + b"\0" + hashlib.sha256(asset.body).digest())
    return mark.hexdigest()[:16]


def address(path: str) -> str:
    """Where a file is served."""
    assert path in assets(), path
    return f"{PREFIX}/{digest()}/{path}"


@cache
def icon(name: str) -> Markup:
    """An icon, to stand within a page; it says nothing to a screen reader: the text beside it does."""
    text = assets()[f"vendor/icons/{name}.svg"].body.decode()
    return Markup(text[text.index("<svg") :].replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S704  # our own file


@get(f"{PREFIX}/{{mark:str}}/{{path:path}}", opt={"public": True}, include_in_schema=False)
async def asset(request: Request[Any, Any, Any], mark: FromPath[str], path: FromPath[str]) -> Response[bytes]:
    """One file; NotFound for any other."""
    found = assets().get(path.removeprefix("/"))
    if found is None or mark != digest():
        raise NotFound("there is nothing at this address")
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.zipped, media_type=found.media_type, headers=headers | {"content-encoding": "gzip"})
    return Response(found.body, media_type=found.media_type, headers=headers)


def _below(folder: Traversable, path: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}".lstrip("/")
        if entry.is_dir():
            found += _below(entry, name)
        elif (kind := entry.name.rpartition(".")[2]) in TYPES:
            body = entry.read_bytes()
            found.append((name, Asset(TYPES[kind], body, gzip.compress(body, mtime=0))))
    return found
