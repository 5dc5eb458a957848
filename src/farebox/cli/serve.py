"""`farebox serve`: the server, started so that whoever starts it knows what to do next."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape

from farebox import __version__, app
from farebox import serve as serving
from farebox.cli.command import fail
from farebox.cli.database import settings_of
from farebox.cli.output import Failure
from farebox.db.migrate import NewerSchema
from farebox.ingest.redis import BadRedisUrl
from farebox.logs import configure
from farebox.settings import Settings

console = Console(stderr=True, highlight=False)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 takes a free one.", show_default="8080")
    ] = None,
    database_url: Annotated[str | None, typer.Option(help="PostgreSQL 15 or later; none: an embedded one.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="Where the embedded database and the secret key live.")] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes on the one port.", show_default="1")] = None,
) -> None:
    """Start the server: on its embedded database, unless a URL is given.

    Everything else is set by FAREBOX_* variables: docs/settings.md lists them.
    """
    try:
        settings = settings_of(host=host, port=port, database_url=database_url, data_dir=data_dir, workers=workers)
        configure(settings)
        run(settings)
    except Failure as failure:
        fail(failure, as_json=False)
    finally:
        _drop_what_nobody_takes()


def run(settings: Settings) -> None:
    """Serves until it is told to end; raises Failure where it can't start."""
    try:
        serving.serve(settings, lambda up: _told(settings, up))
    except NewerSchema as error:
        raise Failure(f"This farebox is too old: {error}") from None
    except app.UnsafeDatabase as error:
        raise Failure(f"The database is not safe for money: {error}") from None
    except app.WrongSecret as error:
        raise Failure(f"Wrong secret key: {error}") from None
    except BadRedisUrl as error:
        raise Failure(str(error), "Check FAREBOX_REDIS_URL.") from None
    except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(f"The database can't be used: {error}", "Check FAREBOX_DATABASE_URL.") from None
    except PermissionError as error:
        raise Failure(
            f"{error.filename or settings.data_dir} can't be written", "Name another with --data-dir."
        ) from None
    except OSError as error:
        raise _system_failure(settings, error) from None
    except RuntimeError as error:
        raise Failure(str(error)) from None


def _system_failure(settings: Settings, error: OSError) -> Failure:
    if error.errno in (98, 48, 10048):  # EADDRINUSE: Linux, macOS, Windows
        return Failure(f"Port {settings.port} is taken", "Choose another with --port, or 0 for a free one.")
    if settings.database_url:
        return Failure(f"The database can't be reached: {error}", "Check FAREBOX_DATABASE_URL.")
    return Failure(f"The server can't start: {error}")


def _told(settings: Settings, up: serving.Running) -> None:
    with contextlib.suppress(OSError):  # nobody listens: it serves all the same
        _say(settings, up)


def _drop_what_nobody_takes() -> None:
    """What could not be written is not tried again at the end: the status says how the server ended."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(settings: Settings, up: serving.Running) -> None:
    url = f"http://{f'[{up.address}]' if ':' in up.address else up.address}:{up.port}"
    where = (
        "at FAREBOX_DATABASE_URL" if settings.database_url else f"embedded in {Path(settings.data_dir).expanduser()}"
    )
    console.print(f"[bold]Farebox {__version__}[/bold] listens on [bold cyan]{url}[/bold cyan]")
    console.print(f"[dim]database {escape(where)} · documentation {url}/docs · Ctrl-C ends it[/dim]", soft_wrap=True)
    if up.started.prices:
        console.print(f"[dim]price book: {up.started.prices:,} models, for a start (farebox prices list)[/dim]")
    if up.started.admin_key is not None:
        console.print("\nThe administrator's key. It is shown this once, keep it:")
        console.print(f"\n    [bold]{up.started.admin_key}[/bold]\n", soft_wrap=True)
        console.print("[dim]Next: export FAREBOX_KEY=…, then farebox wallet open, farebox provider add[/dim]\n")
