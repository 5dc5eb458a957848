"""`farebox charge`: charges, and how they came about."""

from typing import Annotated, Any

import typer

from farebox.cli.amounts import optional_units
from farebox.cli.api import new_key
from farebox.cli.command import Session, command, group
from farebox.cli.output import amount, moment

app = group("Charges: look at them, explain them, give them back.")

ChargeId = Annotated[str, typer.Argument(help="The charge's id, such as ch_….")]


@command(app)
def show(session: Session, charge_id: ChargeId) -> None:
    """Show a charge."""
    found = session.api.get(f"/v1/charges/{charge_id}")
    of = _asset(session, found)
    facts: list[tuple[str, object]] = [
        ("charge", found["id"]),
        ("status", found["status"] if found["refusal"] is None else f"{found['status']}: {found['refusal']}"),
        ("amount", amount(found["amount"], of)),
        ("provider", found["provider"]),
        ("user", found["provider_username"]),
        ("model", found["model"]),
        ("wallet", found["wallet"]),
        ("left then", amount(found["available_after"], of)),
        ("at", moment(found["created_at"])),
    ]
    if found["refunded"]:
        facts.append(("given back", amount(found["refunded"], of)))
    session.out.facts(found, facts)


@command(app)
def explain(session: Session, charge_id: ChargeId) -> None:
    """Explain how a charge's amount came about, to the last digit, or why it was refused."""
    found = session.api.get(f"/v1/charges/{charge_id}/explanation")
    session.out.note(found["summary"])
    rows = [(line["what"], f"{line['quantity']:,}", line["rate"], line["cost"]) for line in found["lines"]]
    if rows and not session.out.as_json:
        rows.append(("sum", "", "", found["subtotal"]))
        rows.append(("markup", "", f"× {found['markup']}", found["converted"]))
        rows.append(("rounded up by", "", "", found["rounded_up_by"]))
    session.out.rows(
        found, ("what", ">quantity", ">price of one", ">cost"), rows, "The amount was named, not computed."
    )


@command(app)
def refund(
    session: Session,
    charge_id: ChargeId,
    amount_: Annotated[str | None, typer.Option("--amount", help="Such as 1.25; none: all that is left.")] = None,
    reason: Annotated[str | None, typer.Option(help="Shown in the wallet's history.")] = None,
    idempotency_key: Annotated[str | None, typer.Option(help="Repeat it to repeat the call safely.")] = None,
) -> None:
    """Give back a charge, or part of it."""
    found = session.api.get(f"/v1/charges/{charge_id}")
    of = _asset(session, found)
    given = {"amount": optional_units(amount_, of["scale"], of["asset"]), "reason": reason}
    done = session.api.post(f"/v1/charges/{charge_id}/refunds", given, key=idempotency_key or new_key())
    session.out.facts(
        done,
        [
            ("refund", done["id"]),
            ("given back", amount(done["amount"], of)),
            ("available", amount(done["available"], of)),
        ],
    )


def _asset(session: Session, found: dict[str, Any]) -> dict[str, Any]:
    scales = {asset["code"]: asset["scale"] for asset in session.api.get("/v1/assets")}
    return {"asset": found["asset"], "scale": scales[found["asset"]]}
