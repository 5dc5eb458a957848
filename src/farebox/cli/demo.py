"""`farebox demo`."""

import contextlib
import signal
import socket
import threading
from pathlib import Path
from typing import Annotated

import typer

from farebox.cli.command import fail
from farebox.cli.output import Failure
from farebox.client.address import is_loopback
from farebox.demo import parts, teams
from farebox.demo.finale import your_turn
from farebox.demo.phone import your_phone
from farebox.demo.screen import Screen
from farebox.demo.server import DemoFailure, data_directory, serving
from farebox.demo.story import Plan, tell
from farebox.demo.traffic import BadTrace, traced
from farebox.endings import endings

PORT = 8080
TRIAL_USD = 20


def demo(
    once: Annotated[bool, typer.Option("--once", help="End when it is over, instead of serving on.")] = False,
    trace: Annotated[
        Path | None, typer.Option(help="Charge the requests of this CSV (ContextTokens, GeneratedTokens).")
    ] = None,
    users: Annotated[int, typer.Option(min=1, max=256, help="Chats at once.")] = 24,
    requests: Annotated[int | None, typer.Option(min=1, help="Stop after so many charges, cap or not.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Stop charging after so long, cap or not.")] = 40,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 shows a code for your phone.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one.", show_default="8080, or a free one")
    ] = None,
    data_dir: Annotated[str | None, typer.Option(help="Keep the data here.", show_default="deleted at the end")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw what was shown into this SVG file.")] = None,
    tokenvault: Annotated[
        bool, typer.Option("--tokenvault", help="Another story: agents that report to a Redis stream.")
    ] = False,
    client: Annotated[
        Path | None,
        typer.Option(help="With --tokenvault: a Python that has tokenvault-sdk.", show_default="one is set up"),
    ] = None,
) -> None:
    """See it work: a server, a wallet, a QR code, a stream of charges, the cap, the books."""
    screen = Screen(picture=picture is not None)
    for number in endings()[1:]:
        signal.signal(number, signal.default_int_handler)  # so that its server ends with it
    try:
        if trace is not None:
            traced(trace)  # a bad line is better told before anything starts
        with contextlib.ExitStack() as stack:
            directory = stack.enter_context(data_directory(data_dir))
            if tokenvault:
                _teams(screen, stack, directory, host, _port(host, port), client, users)
            else:
                # Whoever lets others in by --host lets them sign in, too: it is a demo's money.
                plain = {} if is_loopback(host) else {"plain_http": "true"}
                server = stack.enter_context(serving(directory, host, _port(host, port), **plain))
                opened = tell(screen, server, Plan(trace, users, requests, seconds))
            if picture is not None:
                screen.save(picture)
            if not tokenvault:
                your_turn(screen, server, opened)
                if not is_loopback(host):
                    your_phone(screen, server)
            if not once:
                _wait(screen, "deletes its data" if data_dir is None else f"leaves its data in {data_dir}")
    except (DemoFailure, BadTrace) as error:
        fail(Failure(str(error)), as_json=False)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _teams(
    screen: Screen,
    stack: contextlib.ExitStack,
    directory: Path,
    host: str,
    port: int,
    client: Path | None,
    agents: int,
) -> None:
    """The story of teams, with its Redis and its client."""
    python = parts.client_python(directory, client)
    redis_url = stack.enter_context(parts.redis(directory))
    server = stack.enter_context(serving(directory, host, port, redis_url=redis_url))
    teams.tell(screen, server, redis_url, python, agents, TRIAL_USD)


def _port(host: str, wanted: int | None) -> int:
    if wanted is not None:
        return wanted
    with contextlib.closing(socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, PORT))
        except OSError:
            return 0
    return PORT


def _wait(screen: Screen, after: str) -> None:
    screen.line(f"[bold]The server runs on.[/bold] Ctrl-C ends it and {after}.")
    ended = threading.Event()
    for number in endings():
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(0.5):
        pass
