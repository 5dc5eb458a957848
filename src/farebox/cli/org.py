"""`farebox org`: tenants, and their keys."""

from typing import Annotated

import typer

from farebox.cli import keys
from farebox.cli.command import Session, command, group
from farebox.cli.output import moment

app = group("Organizations, and their keys.")
key_app = group("An organization's API keys.")
app.add_typer(key_app, name="key")

Organization = Annotated[str, typer.Argument(help="The organization's id.")]
KeyId = Annotated[str, typer.Argument(help="The key's id, as listed.")]


@command(app)
def add(
    session: Session,
    organization: Organization,
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
) -> None:
    """Register an organization."""
    made = session.api.post("/v1/organizations", {"id": organization, "name": name or organization})
    session.out.facts(made, [("organization", made["id"]), ("name", made["name"])])


@command(app, "list")
def list_(session: Session) -> None:
    """List the organizations."""
    found = session.api.all("/v1/organizations")
    rows = [(item["id"], item["name"], moment(item["created_at"])) for item in found]
    session.out.rows(found, ("id", "name", "since"), rows, "No organizations yet: farebox org add")


@command(key_app, "add")
def add_key(
    session: Session,
    organization: Organization,
    name: keys.KeyName = "key",
    expires_in: keys.ExpiresIn = None,
    read_only: keys.ReadOnly = False,
) -> None:
    """Make an API key for an organization."""
    body = keys.body(name, expires_in, read_only=read_only)
    keys.show_made(session.out, session.api.post(f"/v1/organizations/{organization}/keys", body))


@command(key_app, "list")
def list_keys(session: Session, organization: Organization) -> None:
    """List an organization's API keys."""
    keys.show_list(session.out, session.api.get(f"/v1/organizations/{organization}/keys"))


@command(key_app, "revoke")
def revoke_key(session: Session, organization: Organization, key_id: KeyId) -> None:
    """Revoke an organization's API key, at once and everywhere."""
    session.api.delete(f"/v1/organizations/{organization}/keys/{key_id}")
    session.out.facts({"revoked": key_id}, [("revoked", key_id)])
