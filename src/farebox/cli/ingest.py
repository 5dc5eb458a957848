"""`farebox ingest`: usage records out of a Redis stream, beside the server; what was left lying, and how to go on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import asyncpg
import typer

from farebox import app as composition
from farebox import serve
from farebox.cli.command import AsJson, fail
from farebox.cli.database import DatabaseUrl, DataDir, connected, database_of, settings_of
from farebox.cli.output import Failure, Output
from farebox.db import queries
from farebox.endings import endings
from farebox.ingest.redis import AWAY, BadRedisUrl, connect
from farebox.ingest.stream import Letter, Stream
from farebox.logs import configure
from farebox.settings import Settings

app = typer.Typer(help="Book usage records of a Redis stream; see and replay what could not be booked.")

RedisUrl = Annotated[str | None, typer.Option(envvar="FAREBOX_REDIS_URL", help="Where the stream is.")]
MOST_LETTERS = 100_000
"""How many are looked at in one go."""
_SQL = queries.load("farebox.ingest")


@app.callback(invoke_without_command=True)
def ingest(
    context: typer.Context,
    redis_url: RedisUrl = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    consumers: Annotated[int | None, typer.Option(help="Consumers in this process.", show_default="4")] = None,
) -> None:
    """Read the stream and book it, until it is told to end.

    A server with FAREBOX_REDIS_URL does the same. Any number of processes share the work.
    """
    if context.invoked_subcommand is not None:
        return
    try:
        given: dict[str, object] = {"redis_url": redis_url, "ingest_consumers": consumers}
        settings = settings_of(database_url=database_url, data_dir=data_dir, **given)
        if not settings.redis_url:
            raise Failure("Which Redis?", "Name it with --redis-url, or in FAREBOX_REDIS_URL.")
        configure(settings)
        with serve.database(settings) as found:
            serve.run(_ingest(found.url, settings))
    except Failure as failure:
        fail(failure, as_json=False)


async def _ingest(url: Callable[[], str], settings: Settings) -> None:
    async with connected(url()):
        pass
    secret = composition.secret_of(settings)
    ended = asyncio.Event()
    for number in endings():
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        await composition.prepare(url(), settings, secret)
        async with composition.open_services(url, settings, secret):
            Output(as_json=False).note(f"[dim]booking {settings.ingest_stream} · Ctrl-C ends it[/dim]")
            await ended.wait()
    except (composition.UnsafeDatabase, composition.WrongSecret, BadRedisUrl) as error:
        raise Failure(str(error)) from None


@app.command()
def inspect(
    redis_url: RedisUrl = None,
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    most: Annotated[int, typer.Option("--limit", "-n", min=1, help="The most dead letters.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show how far the stream is booked, what waits for a price or an organization, and the dead letters."""
    out = Output(as_json=as_json)
    with _told(as_json=as_json):
        settings = settings_of(redis_url=redis_url, database_url=database_url, data_dir=data_dir)
        with database_of(settings) as url:
            found = asyncio.run(_inspect(url, settings, most))
        _show(out, found)


async def _inspect(url: str, settings: Settings, most: int) -> dict[str, Any]:
    async with _stream(settings) as stream, connected(url) as conn:
        state = await stream.state()
        letters = await stream.letters(most)
        waiting = {
            name: await _SQL.parked.all(conn, stream=stream.name, dismissed=name == "dismissed", limit=100)
            for name in ("parked", "dismissed")
        }
    return {
        "stream": stream.name,
        "group": stream.group,
        **{name: getattr(state, name) for name in state.__struct_fields__},
        **{name: [dict(row) for row in rows] for name, rows in waiting.items()},
        "letters": [_plain(letter) for letter in letters],
    }


def _show(out: Output, found: dict[str, Any]) -> None:
    if out.as_json:
        out.json(found)
        return
    facts = ("stream", "group", "length", "lag", "pending", "consumers", "dead_letters")
    age = ("oldest not booked", f"{found['oldest_s']:.1f} s")
    out.facts(found, [*((name.replace("_", " "), found[name]) for name in facts), age])
    for name, head in (("parked", ">waiting"), ("dismissed", ">dismissed")):
        rows = [(item["records"], item["reason"], item["model"], item["organization_id"]) for item in found[name]]
        if rows:
            out.rows(rows, (head, "for", "model", "organization"), rows, "")
    letters = [(item["id"], item["reason"], item["buried_at"], str(item["fields"])) for item in found["letters"]]
    if letters:
        out.rows(letters, ("id", "reason", "buried", "record"), letters, "")


@app.command()
def replay(
    letters: Annotated[list[str] | None, typer.Argument(help="Ids of dead letters.", show_default=False)] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that there are now.")] = False,
    redis_url: RedisUrl = None,
    as_json: AsJson = False,
) -> None:
    """Put dead letters back on the stream, as they came."""
    with _told(as_json=as_json):
        if bool(letters) == everything:
            raise Failure("Which dead letters?", "Name their ids, or say --all. `farebox ingest inspect` lists them.")
        done = asyncio.run(_replay(settings_of(redis_url=redis_url), set(letters or ())))
        Output(as_json=as_json).facts({"replayed": done}, [("replayed", done)])


async def _replay(settings: Settings, wanted: set[str]) -> int:
    done = 0
    async with _stream(settings) as stream:
        known = {letter.id: letter for letter in await stream.letters(MOST_LETTERS)}
        missing = wanted - known.keys()
        if missing:
            raise Failure(f"There is no such dead letter: {', '.join(sorted(missing))}")
        for id_ in wanted or known:  # what comes back while this runs is not among them
            done += await stream.replay(known[id_])
    return done


@contextlib.asynccontextmanager
async def _stream(settings: Settings) -> AsyncIterator[Stream]:
    if not settings.redis_url:
        raise Failure("Which Redis?", "Name it with --redis-url, or in FAREBOX_REDIS_URL.")
    client = connect(settings.redis_url)
    try:
        yield Stream(client, settings.ingest_stream, settings.ingest_group)
    finally:
        await client.aclose()


@contextlib.contextmanager
def _told(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except Failure as failure:
        fail(failure, as_json=as_json)
    except BadRedisUrl as error:
        fail(Failure(str(error), "Check --redis-url."), as_json=as_json)
    except AWAY as error:
        fail(Failure(f"Redis does not answer: {error}", "Check --redis-url."), as_json=as_json)
    except asyncpg.PostgresError as error:
        fail(Failure(f"The database can't be read: {error}"), as_json=as_json)


def _plain(letter: Letter) -> dict[str, Any]:
    own = {_text(name): _text(value) for name, value in letter.fields.items()}
    told = {"id": letter.id, "reason": letter.reason, "came_as": letter.came_as, "buried_at": letter.buried_at}
    return told | {"fields": own}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")
