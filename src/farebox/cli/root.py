"""`farebox`: all commands."""

import os
from typing import Annotated

import typer

from farebox import serve as serving
from farebox.logs import configure
from farebox.settings import from_env

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """A self-hosted fare box for AI services."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    database_url: Annotated[str | None, typer.Option(help="PostgreSQL 15 or later; none: embedded.")] = None,
    data_dir: Annotated[str | None, typer.Option(help="Where the embedded database lives.")] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes on the one port.")] = None,
) -> None:
    """Start the server: on its embedded database, unless a URL is given."""
    settings = from_env(os.environ, host=host, port=port, database_url=database_url, data_dir=data_dir, workers=workers)
    configure(settings)

    def ready(up: serving.Running) -> None:
        print(f"Farebox listens on http://{up.address}:{up.port}", flush=True)  # noqa: T201
        if up.started.admin_key is not None:
            print(f"Administrator's key, shown this once: {up.started.admin_key}", flush=True)  # noqa: T201

    serving.serve(settings, ready)
