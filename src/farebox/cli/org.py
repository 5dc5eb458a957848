"""`farebox org`: tenants, and their keys."""

from typing import Annotated

import typer

from farebox.cli import keys
from farebox.cli.command import Session, command, group
from farebox.cli.output import moment

app = group("Organizations, and their keys.")
app.add_typer(keys.group_of("An organization's API keys.", "The organization's id.", "/v1/organizations"), name="key")

Organization = Annotated[str, typer.Argument(help="The organization's id.")]


@command(app)
def add(
    session: Session,
    organization: Organization,
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
    zone: Annotated[str, typer.Option(help="Time zone that its limits' windows begin in.")] = "UTC",
) -> None:
    """Register an organization."""
    new = {"id": organization, "name": name or organization, "time_zone": zone}
    made = session.api.post("/v1/organizations", new)
    session.out.facts(made, [("organization", made["id"]), ("name", made["name"])])


@command(app)
def change(
    session: Session,
    organization: Organization,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone that its limits' windows begin in.")] = None,
) -> None:
    """Change an organization's name or time zone."""
    done = session.api.patch(f"/v1/organizations/{organization}", {"name": name, "time_zone": zone})
    session.out.facts(done, [("organization", done["id"]), ("name", done["name"]), ("time zone", done["time_zone"])])


@command(app, "list")
def list_(session: Session) -> None:
    """List the organizations."""
    found = session.api.all("/v1/organizations")
    rows = [(item["id"], item["name"], moment(item["created_at"])) for item in found]
    session.out.rows(found, ("id", "name", "since"), rows, "No organizations yet: farebox org add")
