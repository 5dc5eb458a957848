"""`farebox keys`: the administrators' keys."""

import asyncio
from typing import Annotated, Any

import asyncpg
import typer

from farebox import ids
from farebox.cli.amounts import seconds
from farebox.cli.command import AsJson, Session, command, fail, group
from farebox.cli.database import DatabaseUrl, DataDir, connected, database_of, settings_of
from farebox.cli.output import Failure, Output, moment
from farebox.identity.keys import Keys

app = group("The administrators' keys.")

KeyName = Annotated[str, typer.Option("--name", help="What it is for, so that you know it later.")]
ExpiresIn = Annotated[str | None, typer.Option(help="Such as 12h, 30d; none: until revoked.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="May read, not write.")]
KeyId = Annotated[str, typer.Argument(help="The key's id, as listed.")]
COLUMNS = ("id", "name", "key", "may", "made", "ends")


def body(name: str, expires_in: str | None, *, read_only: bool) -> dict[str, Any]:
    """What a new key is asked for with."""
    return {
        "name": name,
        "scopes": ["read"] if read_only else ["read", "write"],
        "expires_in_s": seconds(expires_in),
    }


def show_made(out: Output, made: dict[str, Any]) -> None:
    """A new key, with its secret."""
    out.facts(made, [("id", made["id"]), ("name", made["name"]), ("key", made["key"])])
    out.note("[dim]The key is shown this once: keep it.[/dim]")


def show_list(out: Output, found: list[dict[str, Any]]) -> None:
    """Keys, without their secrets."""
    rows = [
        (
            key["id"],
            key["name"],
            key["hint"],
            "+".join(key["scopes"]),
            moment(key["created_at"]),
            f"revoked {moment(key['revoked_at'])}" if key["revoked_at"] else moment(key["expires_at"]) or "–",
        )
        for key in found
    ]
    out.rows(found, COLUMNS, rows, "No keys.")


def group_of(help_text: str, owner_help: str, path: str) -> typer.Typer:
    """The commands for the keys of a kind of owner; `path` is the owners' address, such as /v1/providers."""
    keys = group(help_text)
    owner_argument = Annotated[str, typer.Argument(help=owner_help)]

    def add(
        session: Session,
        owner: owner_argument,
        name: KeyName = "key",
        expires_in: ExpiresIn = None,
        read_only: ReadOnly = False,
    ) -> None:
        """Make an API key."""
        given = body(name, expires_in, read_only=read_only)
        show_made(session.out, session.api.post(f"{path}/{owner}/keys", given))

    def list_(session: Session, owner: owner_argument) -> None:
        """List the API keys, without their secrets."""
        show_list(session.out, session.api.get(f"{path}/{owner}/keys"))

    def revoke(
        session: Session,
        owner: owner_argument,
        key_id: KeyId,
    ) -> None:
        """Revoke an API key, at once and everywhere."""
        session.api.delete(f"{path}/{owner}/keys/{key_id}")
        session.out.facts({"revoked": key_id}, [("revoked", key_id)])

    command(keys, "add")(add)
    command(keys, "list")(list_)
    command(keys, "revoke")(revoke)
    return keys


@command(app)
def add(
    session: Session, name: KeyName = "administrator", expires_in: ExpiresIn = None, read_only: ReadOnly = False
) -> None:
    """Make an administrator's key."""
    show_made(session.out, session.api.post("/v1/keys", body(name, expires_in, read_only=read_only)))


@command(app, "list")
def list_(session: Session) -> None:
    """List the administrators' keys."""
    show_list(session.out, session.api.get("/v1/keys"))


@command(app)
def revoke(session: Session, key_id: KeyId) -> None:
    """Revoke an administrator's key, at once and everywhere."""
    session.api.delete(f"/v1/keys/{key_id}")
    session.out.facts({"revoked": key_id}, [("revoked", key_id)])


@app.command()
def recover(database_url: DatabaseUrl = None, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make an administrator's key in the database itself, where all others are lost."""
    try:
        with database_of(settings_of(database_url=database_url, data_dir=data_dir)) as url:
            made = asyncio.run(_recover(url))
    except Failure as failure:
        fail(failure, as_json=as_json)
    show_made(Output(as_json=as_json), made)


async def _recover(url: str) -> dict[str, Any]:
    async with connected(url):
        pass  # it is there, and its schema is ours
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        made, secret = await Keys(pool).make("admin", "recovered")
    return {"id": ids.public("key", made.id), "name": made.name, "key": secret}
