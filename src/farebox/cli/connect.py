"""`farebox wallet connect`: what a wallet app does with a QR code, in the terminal."""

from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.prompt import Confirm

from farebox.cli.amounts import optional_units, seconds, span
from farebox.cli.command import Session, command
from farebox.cli.output import Failure, amount
from farebox.consent import qr


def register(app: typer.Typer) -> None:
    """Adds the command to the wallet's."""
    command(app)(connect)


def connect(
    session: Session,
    code: Annotated[str, typer.Argument(metavar="QR.png|JSON", help="An image of the QR code, or what it says.")],
    wallet: Annotated[str, typer.Option(help="The wallet that is to pay.")],
    limit: Annotated[str | None, typer.Option(help="Allow less than is asked for, such as 10.00.")] = None,
    charge_limit: Annotated[str | None, typer.Option(help="The most per charge.")] = None,
    expires_in: Annotated[str | None, typer.Option(help="Such as 12h, 30d; none: until revoked.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Approve without asking.")] = False,
) -> None:
    """Scan a provider's QR code, see what it asks for, and approve or decline it."""
    try:
        payload = qr.read(code)
    except qr.UnreadableCode as error:
        raise Failure(str(error), error.hint) from None
    found = session.api.get(f"/v1/wallets/{wallet}")
    given = {"wallet": wallet, "qr": payload, "expires_in_s": seconds(expires_in)}
    request = session.api.post("/v1/connection-requests", given)
    terms = {
        "terms": request["terms"],
        "limit": optional_units(limit, found["scale"], found["asset"]),
        "charge_limit": optional_units(charge_limit, found["scale"], found["asset"]),
    }
    _show(session, request, terms)
    path = f"/v1/connection-requests/{request['id']}"
    if not yes and not Confirm.ask("Approve?", console=session.out.notes, default=False):
        session.api.post(f"{path}/decline")
        raise Failure("Declined: nothing was granted.")
    made = session.api.post(f"{path}/approve", terms)
    remaining = "no limit" if made.get("remaining") is None else amount(made["remaining"], found)
    session.out.facts(made, [("grant", made["id"]), ("provider", made["provider"]), ("remaining", remaining)])
    session.out.note(f"[dim]To end it: farebox wallet revoke {made['id']}[/dim]")


def _show(session: Session, request: dict[str, Any], terms: dict[str, Any]) -> None:
    out = session.out
    mark = "[green]✓ verified[/green]" if request["provider_verified"] else "[yellow]not verified[/yellow]"
    out.note(f"[bold]{escape(request['provider_name'])}[/bold] ({escape(request['provider'])}) {mark}")
    out.note(
        f"asks to charge wallet {request['wallet']} for its user [bold]{escape(request['provider_username'])}[/bold]"
    )
    asked = "without a limit" if request["limit"] is None else f"up to [bold]{amount(request['limit'], request)}[/bold]"
    out.note(f"{asked}, {span(request['expires_in_s'])}")
    if terms["limit"] is not None:
        out.note(f"You allow at most [bold]{amount(terms['limit'], request)}[/bold].")
    for warning in request["warnings"]:
        out.note(f"[yellow]! {escape(warning)}[/yellow]")
