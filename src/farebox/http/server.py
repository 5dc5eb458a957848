"""Serving: uvicorn with our protocol."""

import socket
from collections.abc import Mapping
from typing import Any

import uvicorn

from farebox.http.edge import App, Route
from farebox.http.hot import HotProtocol
from farebox.settings import Settings


def protocol_for(settings: Settings, hot: Mapping[str, Route]) -> type[HotProtocol]:
    """The protocol with this server's bounds and hot routes."""
    given: dict[str, Any] = {
        "hot": {path.encode(): (path, route) for path, route in hot.items()},
        "max_connections": settings.max_connections,
        "max_head_bytes": settings.max_header_bytes,
        "head_timeout_s": settings.head_timeout_s,
        "body_timeout_s": settings.body_timeout_s,
    }
    return type("Protocol", (HotProtocol,), given)


def config(app: App, settings: Settings, hot: Mapping[str, Route] | None = None) -> uvicorn.Config:
    """How uvicorn serves the application, and the hot routes before it."""
    return uvicorn.Config(
        app,  # ASGI by another name
        http=protocol_for(settings, hot or {}),
        ws="none",
        lifespan="off",
        loop="auto",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_keep_alive=settings.idle_timeout_s,
        timeout_graceful_shutdown=15,
    )


def listen(settings: Settings) -> socket.socket:
    """The listening socket; raises OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.workers > 1:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    found.bind((settings.host, settings.port))
    found.listen(2048)
    found.setblocking(False)
    found.set_inheritable(True)
    return found
