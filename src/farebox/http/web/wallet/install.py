"""What makes the wallet an app on a phone: its manifest, and a worker that keeps assets and nothing else."""

from typing import Any

import msgspec
from litestar import Response, get

from farebox.http.web.assets import PREFIX, address, assets, digest


@get("/wallet/manifest.webmanifest")
async def manifest() -> Response[bytes]:
    """Names, colours and the icon."""
    told: dict[str, Any] = {
        "name": "Farebox wallet",
        "short_name": "Wallet",
        "id": "/wallet",
        "start_url": "/wallet",
        "scope": "/wallet",
        "display": "standalone",
        "background_color": "#fafaf7",
        "theme_color": "#0f6b5c",
        "icons": [{"src": address("icon.svg"), "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
        "shortcuts": [{"name": "Scan", "url": "/wallet/scan"}],
    }
    return Response(msgspec.json.encode(told), media_type="application/manifest+json")


@get("/wallet/worker.js")
async def worker() -> Response[bytes]:
    """The worker, which knows under which address today's assets are."""
    head = f'const ASSETS = "{PREFIX}/{digest()}/";\n'.encode()
    headers = {"service-worker-allowed": "/wallet"}  # without a slash behind it, which the first page has not
    return Response(head + assets()["worker.js"].body, media_type="text/javascript", headers=headers)
