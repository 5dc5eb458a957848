"""Farebox itself, as `farebox serve` runs it; on a given database.

`python -m bench.farebox_server WORLD.json [SETTING=VALUE …]` prints its port and serves until its input ends.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from bench.world import World, settings
from farebox import serve
from farebox.http import server
from farebox.workers import Workers


async def main() -> None:
    world = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=World)
    found = settings(**dict(given.split("=", 1) for given in sys.argv[2:]))
    sock = server.listen(found)
    port = sock.getsockname()[1]
    others = Workers(world.url, found, port, found.workers - 1)
    async with serve.running(serve.Database(lambda: world.url), found, sock, others.seat):
        serve.spare_the_collector()
        others.start()
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
    others.stop()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
