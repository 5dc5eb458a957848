"""`farebox wallet`: opening wallets, filling them, seeing what happened, and who may draw on them."""

from typing import Annotated, Any

import typer

from farebox.cli.amounts import optional_units, seconds, units
from farebox.cli.api import new_key
from farebox.cli.command import Session, command, group
from farebox.cli.output import amount, moment

app = group("Wallets: what people, teams and agents spend from.")

WalletId = Annotated[str, typer.Argument(help="The wallet's 16 digits.")]
Most = Annotated[int, typer.Option("--limit", "-n", help="The most lines.", min=1)]
IdempotencyKey = Annotated[str | None, typer.Option(help="Repeat it to repeat the call safely.")]


@command(app, "open")
def open_(
    session: Session,
    asset: Annotated[str, typer.Option(help="What it holds: TOKEN, USD, CREDIT, …")] = "TOKEN",
    owner: Annotated[str | None, typer.Option(help="Whatever tells you whose it is.")] = None,
    org: Annotated[str | None, typer.Option(help="The organization whose keys may use it.")] = None,
    deposit: Annotated[str | None, typer.Option(help="Put this much in right away.")] = None,
) -> None:
    """Open a wallet."""
    made = session.api.post("/v1/wallets", {"asset": asset, "owner": owner, "organization": org})
    if deposit is not None:
        first = units(deposit, made["scale"], made["asset"])
        session.api.post(f"/v1/wallets/{made['id']}/deposits", {"amount": first}, key=new_key())
        made = session.api.get(f"/v1/wallets/{made['id']}")
    _show(session, made)


@command(app, "list")
def list_(
    session: Session,
    owner: Annotated[str | None, typer.Option(help="Only this owner's.")] = None,
    most: Most = 100,
) -> None:
    """List wallets."""
    found = session.api.all("/v1/wallets", most, owner=owner)
    rows = [
        (
            w["id"],
            w["owner"],
            w["organization"],
            amount(w["available"], w),
            amount(w["held"], w),
            moment(w["created_at"]),
        )
        for w in found
    ]
    columns = ("wallet", "owner", "organization", ">available", ">held", "since")
    session.out.rows(found, columns, rows, "No wallets yet: farebox wallet open")


@command(app)
def show(session: Session, wallet: WalletId) -> None:
    """Show what a wallet has."""
    _show(session, session.api.get(f"/v1/wallets/{wallet}"))


@command(app)
def deposit(
    session: Session,
    wallet: WalletId,
    how_much: Annotated[str, typer.Argument(metavar="AMOUNT", help="In ones of the asset, such as 12.50.")],
    source: Annotated[str, typer.Option(help="Where the money comes from.")] = "manual",
    reference: Annotated[str | None, typer.Option(help="The source's own number: it comes in once only.")] = None,
    note: Annotated[str | None, typer.Option(help="Shown in the history.")] = None,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Put money into a wallet."""
    found = session.api.get(f"/v1/wallets/{wallet}")
    given = {
        "amount": units(how_much, found["scale"], found["asset"]),
        "source": source,
        "reference": reference,
        "note": note,
    }
    key = idempotency_key or (None if reference else new_key())
    done = session.api.post(f"/v1/wallets/{wallet}/deposits", given, key=key)
    facts = [("deposit", done["id"]), ("amount", amount(done["amount"], found))]
    session.out.facts(done, [*facts, ("available", amount(done["available"], found))])


@command(app)
def history(session: Session, wallet: WalletId, most: Most = 50) -> None:
    """Show what was asked of a wallet, refusals too, newest first."""
    found = session.api.get(f"/v1/wallets/{wallet}")
    items = session.api.all(f"/v1/wallets/{wallet}/history", most)
    rows = [
        (
            moment(item["created_at"]),
            item["kind"],
            amount(item["amount"], found),
            item["refusal"] or "approved",
            item["provider"] or item["reference"],
            item["model"] or item["note"],
            item["id"],
        )
        for item in items
    ]
    columns = ("at", "what", ">amount", "outcome", "who", "for", "id")
    session.out.rows(items, columns, rows, "Nothing has happened yet.")


@command(app)
def statement(
    session: Session,
    wallet: WalletId,
    since: Annotated[str | None, typer.Option(help="ISO 8601 with a time zone, such as 2026-01-01T00:00:00Z.")] = None,
    until: Annotated[str | None, typer.Option(help="The same.", show_default="now")] = None,
    most: Most = 100,
) -> None:
    """Show a period: what came in, what went out, and what that adds up to."""
    pages = session.api.pages(f"/v1/wallets/{wallet}/statement", since=since, until=until)
    first = next(pages)
    entries: list[dict[str, Any]] = first["data"]
    while len(entries) < most and (page := next(pages, None)) is not None:
        entries += page["data"]
    first |= {"data": entries[:most], "next_cursor": None}
    if session.out.as_json:
        session.out.json(first)
        return
    session.out.facts(first, [(name, amount(first[name], first)) for name in _SUMS])
    rows = [
        (
            moment(e["created_at"]),
            e["kind"],
            amount(e["amount"], first),
            amount(e["balance_after"], first),
            e["counterpart"],
        )
        for e in first["data"]
    ]
    session.out.rows(first, ("at", "what", ">amount", ">balance", "who"), rows, "No movements.")


_SUMS = ("opening_balance", "money_in", "money_out", "closing_balance")


@command(app)
def grant(
    session: Session,
    wallet: WalletId,
    provider: Annotated[str, typer.Argument(help="The provider's slug.")],
    user: Annotated[str, typer.Argument(help="The user's name at the provider.")],
    limit: Annotated[str | None, typer.Option(help="The most in all, such as 10.00.")] = None,
    charge_limit: Annotated[str | None, typer.Option(help="The most per charge.")] = None,
    expires_in: Annotated[str | None, typer.Option(help="Such as 12h, 30d; none: until revoked.")] = None,
) -> None:
    """Let a provider draw on a wallet."""
    found = session.api.get(f"/v1/wallets/{wallet}")
    given = {
        "provider": provider,
        "provider_username": user,
        "limit": optional_units(limit, found["scale"], found["asset"]),
        "charge_limit": optional_units(charge_limit, found["scale"], found["asset"]),
        "expires_in_s": seconds(expires_in),
    }
    made = session.api.post(f"/v1/wallets/{wallet}/grants", given)
    facts = [("grant", made["id"]), ("provider", made["provider"]), ("user", made["provider_username"])]
    session.out.facts(made, [*facts, ("token", made["session_token"])])
    session.out.note("[dim]The provider charges with this token; it can also ask for it itself.[/dim]")


@command(app)
def grants(session: Session, wallet: WalletId, most: Most = 100) -> None:
    """List who may draw on a wallet, and what is left of the limits."""
    found = session.api.get(f"/v1/wallets/{wallet}")
    items = session.api.all(f"/v1/wallets/{wallet}/grants", most)
    rows = [
        (
            g["id"],
            g["provider"],
            g["provider_username"],
            g["state"],
            amount(g["spent"], found),
            "no limit" if g.get("remaining") is None else amount(g["remaining"], found),
            moment(g.get("expires_at")) or "–",
        )
        for g in items
    ]
    columns = ("grant", "provider", "user", "state", ">spent", ">remaining", "until")
    session.out.rows(items, columns, rows, "Nobody may draw on it.")


@command(app)
def revoke(session: Session, grant_id: Annotated[str, typer.Argument(metavar="GRANT", help="Such as gr_….")]) -> None:
    """End a grant: no charge starts after this."""
    session.api.delete(f"/v1/grants/{grant_id}")
    session.out.facts({"revoked": grant_id}, [("revoked", grant_id)])


def _show(session: Session, found: dict[str, Any]) -> None:
    facts: list[tuple[str, object]] = [("wallet", found["id"]), ("available", amount(found["available"], found))]
    if found["held"]:
        facts.append(("held", amount(found["held"], found)))
    if found["debt"]:
        facts.append(("debt", amount(found["debt"], found)))
    facts += [
        ("owner", found["owner"]),
        ("organization", found["organization"]),
        ("since", moment(found["created_at"])),
    ]
    session.out.facts(found, facts)
