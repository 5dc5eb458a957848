"""How a command is made: its own parameters, plus where the server is, the key, and how to print."""

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from msgspec import Struct

from farebox.cli.api import Api
from farebox.cli.output import Failure, Output, tell

P = ParamSpec("P")

Url = Annotated[str, typer.Option("--url", envvar="FAREBOX_URL", help="The server.", rich_help_panel="Server")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar=["FAREBOX_KEY", "FAREBOX_ADMIN_KEY"],
        help="API key.",
        rich_help_panel="Server",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Session(Struct, frozen=True):
    """What a command works with."""

    api: Api
    out: Output


def command(
    app: typer.Typer, name: str | None = None
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[..., None]]:
    """Registers a function as a command: its first parameter becomes the options --url, --key and --json."""

    def register(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*, url: str, key: str | None, as_json: bool, **given: Any) -> None:
            try:
                with contextlib.closing(Api(url, key)) as api:
                    function(Session(api, Output(as_json=as_json)), **given)  # type: ignore[call-arg]  # typer's parameters
            except Failure as failure:
                fail(failure, as_json=as_json)

        own = list(inspect.signature(function).parameters.values())[1:]
        options = [
            _option("as_json", AsJson, default=False),
            _option("url", Url, default="http://127.0.0.1:8080"),
            _option("key", Key, default=None),
        ]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own] + options
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name)(run)
        return run

    return register


def fail(failure: Failure, *, as_json: bool) -> None:
    """Tells a failure and ends with status 1."""
    tell(failure, as_json=as_json)
    raise typer.Exit(1)


def group(help_text: str) -> typer.Typer:
    """The commands of one noun."""
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_enable=False)


def _option(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)
