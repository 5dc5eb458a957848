"""`farebox provider`: AI services that charge."""

from typing import Annotated, Any

import typer

from farebox.cli import keys
from farebox.cli.command import Session, command, group
from farebox.cli.output import amount, moment

app = group("AI services that charge, and their keys.")
app.add_typer(keys.group_of("A provider's API keys.", "The provider's short name.", "/v1/providers"), name="key")

Slug = Annotated[str, typer.Argument(help="The provider's short name, such as acme-chat.")]
Markup = Annotated[str | None, typer.Option(help="Factor on top of the price book, such as 1.2.")]
Verified = Annotated[
    bool | None, typer.Option("--verified/--unverified", help="Whether payers are shown that you checked it.")
]


@command(app)
def add(
    session: Session,
    slug: Slug,
    name: Annotated[str, typer.Option(help="As payers are shown it.", show_default="the slug")] = "",
    verified: Verified = None,
    markup: Markup = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="Make no API key for it yet.")] = False,
) -> None:
    """Register a provider, and make its first API key."""
    new = {"slug": slug, "name": name or slug, "verified": bool(verified), "markup": markup or "1"}
    made = session.api.post("/v1/providers", new)
    facts = _facts(made)
    if not no_key:
        made["key"] = session.api.post(f"/v1/providers/{slug}/keys", {"name": "first"})["key"]
        facts.append(("key", made["key"]))
    session.out.facts(made, facts)
    if not no_key:
        session.out.note("[dim]The key is shown this once: keep it.[/dim]")


@command(app, "list")
def list_(session: Session) -> None:
    """List the providers."""
    found = session.api.all("/v1/providers")
    rows = [(p["slug"], p["name"], p["verified"], p["markup"], moment(p["created_at"])) for p in found]
    session.out.rows(
        found, ("slug", "name", "verified", ">markup", "since"), rows, "No providers yet: farebox provider add"
    )


@command(app)
def show(session: Session, slug: Slug) -> None:
    """Show a provider and what it has earned."""
    found = session.api.get(f"/v1/providers/{slug}")
    found["revenue"] = session.api.get(f"/v1/providers/{slug}/revenue")
    facts = _facts(found)
    facts += [("earned", amount(revenue["balance"], revenue)) for revenue in found["revenue"]]
    session.out.facts(found, facts)


@command(app)
def change(
    session: Session,
    slug: Slug,
    name: Annotated[str | None, typer.Option(help="As payers are shown it.")] = None,
    verified: Verified = None,
    markup: Markup = None,
) -> None:
    """Change a provider's name, mark or markup."""
    changed = session.api.patch(f"/v1/providers/{slug}", {"name": name, "verified": verified, "markup": markup})
    session.out.facts(changed, _facts(changed))


def _facts(provider: dict[str, Any]) -> list[tuple[str, object]]:
    return [(field, provider[field]) for field in ("slug", "name", "verified", "markup")]
