"""Serves a baseline as Farebox is served: the same server with the same settings, as long as somebody asks for it."""

import asyncio
import contextlib
import sys

import uvicorn

from farebox.http import server
from farebox.http.edge import App
from farebox.settings import Settings


async def answering(app: App, found: Settings) -> None:
    """Prints the port and serves until the input ends."""
    sock = server.listen(found)
    http = uvicorn.Server(server.config(app, found))
    http.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(http.serve(sockets=[sock]))
    print(sock.getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    http.should_exit = True
    await task
