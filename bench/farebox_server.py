"""Farebox itself, one process, as `farebox serve` runs it; on a given database.

`python -m bench.farebox_server WORLD.json [SETTING=VALUE …]` prints its port and serves until its input ends.
"""

import asyncio
import sys
from pathlib import Path

import msgspec

from bench.world import World, settings
from farebox import serve
from farebox.http import server


async def main() -> None:
    world = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=World)
    found = settings(**dict(given.split("=", 1) for given in sys.argv[2:]))
    sock = server.listen(found)
    async with serve.running(serve.Database(lambda: world.url), found, sock) as (up, _):
        serve.spare_the_collector()
        print(up.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    import uvloop

    uvloop.run(main())
