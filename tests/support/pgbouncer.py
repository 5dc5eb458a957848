"""A pgbouncer in transaction mode in front of a test's database, with fewer servers than clients."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
_CONFIG = """\
[databases]
* = host={host} port=5432
[pgbouncer]
listen_addr =
unix_socket_dir = {directory}
listen_port = 5432
auth_type = trust
auth_file = {directory}/users.txt
pool_mode = transaction
default_pool_size = 3
max_client_conn = 200
logfile = {directory}/pgbouncer.log
{more}
"""


def version() -> tuple[int, int]:
    """Of the program that is installed."""
    assert PROGRAM is not None
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    assert found is not None
    return int(found[1]), int(found[2])


def _user(directory: Path, socket_dir: Path) -> dict[str, Any]:
    """Whom it runs as, and its files belong to: as root, PostgreSQL runs as another user, and so must this."""
    if os.geteuid() != 0:
        return {}
    owner = socket_dir.stat()
    for path in (directory, *directory.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """The URL of the same database through a pooler."""
    found = re.search(r"host=([^&]+)", url)
    assert found is not None and PROGRAM is not None
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as name:
        directory = Path(name)
        more = "max_prepared_statements = 200" if version() >= (1, 21) else ""
        config = directory / "pgbouncer.ini"
        config.write_text(_CONFIG.format(host=unquote(found[1]), directory=directory, more=more))
        (directory / "users.txt").write_text('"farebox" ""\n"postgres" ""\n')
        process = subprocess.Popen([PROGRAM, "-q", str(config)], **_user(directory, Path(unquote(found[1]))))
        try:
            give_up = time.monotonic() + 10
            while not (directory / ".s.PGSQL.5432").exists():
                assert process.poll() is None and time.monotonic() < give_up
                time.sleep(0.02)
            yield url.replace(found[0], f"host={quote(name)}")
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
