"""`farebox org`: tenants, and their keys."""

from typing import Annotated
from urllib.parse import quote

import typer

from farebox.cli import keys
from farebox.cli.amounts import optional_units, seconds
from farebox.cli.command import Session, command, group
from farebox.cli.output import amount, moment

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


ASSET, SCALE = "CREDIT", 1_000_000
"""What agents spend; an asset's scale never changes."""
CREDITS = {"asset": ASSET, "scale": SCALE}


@command(app)
def agents(session: Session, organization: Organization) -> None:
    """List an organization's agents, with what they have spent and may spend."""
    found = session.api.all(f"/v1/organizations/{organization}/agents")
    rows = [
        (
            item["name"],
            item["member"],
            item["state"],
            amount(item["spent"], CREDITS),
            "no limit" if item["limit"] is None else amount(item["limit"], CREDITS),
            moment(item["expires_at"]) or "–",
            item["grant"],
        )
        for item in found
    ]
    columns = ("agent", "member", "state", ">spent", ">limit", "until", "grant")
    session.out.rows(found, columns, rows, "No agents yet: they are registered by what they use.")


@command(app)
def allow(
    session: Session,
    organization: Organization,
    agent: Annotated[str, typer.Argument(help="The agent's name.")],
    limit: Annotated[str | None, typer.Option(help="The most in all, in credits; none: no limit.")] = None,
    charge_limit: Annotated[str | None, typer.Option(help="The most at once, in credits.")] = None,
    expires_in: Annotated[str | None, typer.Option(help="Such as 12h, 30d; none: until it is ended.")] = None,
) -> None:
    """Set what an agent may spend of its organization's credits."""
    given = {
        "limit": optional_units(limit, SCALE, ASSET),
        "charge_limit": optional_units(charge_limit, SCALE, ASSET),
        "expires_in_s": seconds(expires_in),
    }
    done = session.api.put(f"/v1/organizations/{organization}/agents/{quote(agent, safe='')}/allowance", given)
    facts = [("agent", done["name"]), ("spent", amount(done["spent"], CREDITS)), ("grant", done["grant"])]
    bound = "no limit" if done["limit"] is None else amount(done["limit"], CREDITS)
    session.out.facts(done, [*facts, ("limit", bound), ("until", moment(done["expires_at"]) or "–")])
