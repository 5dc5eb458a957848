"""`farebox`: all commands."""

import io
import sys
from typing import Annotated

import typer

from farebox import __version__
from farebox.cli import charge, connect, envelopes, ingest, keys, org, people, prices, provider, wallet
from farebox.cli.audit import audit
from farebox.cli.demo import demo
from farebox.cli.serve import serve

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"farebox {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """A self-hosted fare box for AI services: prepaid wallets, exact charges, limits that hold.

    Start with [bold]farebox demo[/bold], or with [bold]farebox serve[/bold].
    """


app.command(rich_help_panel="Server")(demo)
app.command(rich_help_panel="Server")(serve)
app.command(rich_help_panel="Server")(audit)
app.add_typer(ingest.app, name="ingest", rich_help_panel="Server")
connect.register(wallet.app)
app.add_typer(wallet.app, name="wallet", rich_help_panel="Money")
app.add_typer(charge.app, name="charge", rich_help_panel="Money")
app.add_typer(envelopes.app, name="envelopes", rich_help_panel="Money")
app.add_typer(prices.app, name="prices", rich_help_panel="Money")
app.add_typer(provider.app, name="provider", rich_help_panel="Who charges and who pays")
app.add_typer(org.app, name="org", rich_help_panel="Who charges and who pays")
app.add_typer(people.app, name="people", rich_help_panel="Who charges and who pays")
app.add_typer(keys.app, name="keys", rich_help_panel="Who charges and who pays")


def run() -> None:
    """Entry point."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Where the locale has no such letter: what has moved money must not seem to have failed.
            stream.reconfigure(errors="replace")
    app()
