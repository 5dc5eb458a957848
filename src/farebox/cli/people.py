"""`farebox people`: accounts with a password and a wallet, for people who pay each other."""

from typing import Annotated, Any

import typer

from farebox.cli.amounts import units
from farebox.cli.api import new_key
from farebox.cli.command import Session, command, group
from farebox.cli.output import Failure, amount, moment

app = group("People who pay people: accounts with a password and a wallet in USD.")

USD: dict[str, Any] = {"asset": "USD", "scale": 1_000_000}
Email = Annotated[str, typer.Argument(help="The e-mail address.")]
HowMuch = Annotated[str, typer.Argument(metavar="AMOUNT", help="In dollars, such as 12.50.")]


@command(app)
def add(
    session: Session,
    email: Email,
    organization: Annotated[str | None, typer.Option(help="Whatever tells you where they belong.")] = None,
    credit: Annotated[str | None, typer.Option(help="Put this much in right away, in dollars.")] = None,
    ask_password: Annotated[bool, typer.Option("--ask-password", help="Type a password; else one is made.")] = False,
) -> None:
    """Make an account for somebody."""
    first = None if credit is None else _units(credit)
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True) if ask_password else None
    made = session.api.post("/v1/people", {"email": email, "password": password, "organization": organization})
    if first is not None:
        _credit(session, made, first, new_key())
        made |= session.api.get(f"/v1/people/{made['id']}")
    facts = _facts(made)
    if made["password"] is not None:
        facts.append(("password", made["password"]))
    session.out.facts(made, facts)
    if made["password"] is not None:
        session.out.note("[dim]The password is shown this once: keep it.[/dim]")


@command(app, "list")
def list_(
    session: Session,
    most: Annotated[int, typer.Option("--limit", "-n", help="The most lines.", min=1)] = 100,
) -> None:
    """List people."""
    found = session.api.all("/v1/people", most)
    rows = [
        (one["id"], one["email"], one["organization"], one["wallet"], _dollars(one), moment(one["created_at"]))
        for one in found
    ]
    columns = ("id", "e-mail", "organization", "wallet", ">available", "since")
    session.out.rows(found, columns, rows, "Nobody yet: farebox people add")


@command(app)
def show(session: Session, email: Email) -> None:
    """Show who has an address, and what they can spend."""
    found = _known(session, email)
    session.out.facts(found, _facts(found))


@command(app)
def credit(
    session: Session,
    email: Email,
    how_much: HowMuch,
    note: Annotated[str | None, typer.Option(help="Shown in the history.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Repeat it to repeat the call safely.")] = None,
) -> None:
    """Put money into somebody's wallet."""
    given = _units(how_much)
    person = _known(session, email)
    moved = _credit(session, person, given, idempotency_key or new_key(), note)
    session.out.facts(moved, [("transfer", moved["id"]), ("available", amount(moved["available"], USD))])


def _known(session: Session, email: str) -> dict[str, Any]:
    found = session.api.all("/v1/people", 1, email=email)
    if not found:
        raise Failure("Nobody has an account with this address", "farebox people list")
    person: dict[str, Any] = found[0]
    return person


def _credit(session: Session, person: dict[str, Any], given: int, key: str, note: str | None = None) -> Any:
    return session.api.post(f"/v1/people/{person['id']}/credits", {"amount": given, "note": note}, key=key)


def _units(text: str) -> int:
    return units(text, USD["scale"], USD["asset"])


def _dollars(person: dict[str, Any]) -> str:
    return amount(person["available"], USD)


def _facts(person: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("person", person["id"]),
        ("e-mail", person["email"]),
        ("organization", person["organization"] or "–"),
        ("wallet", person["wallet"]),
        ("available", _dollars(person)),
    ]
