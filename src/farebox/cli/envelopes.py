"""`farebox envelopes`: limits of a day, a week, a month or a year."""

from typing import Annotated, Any

import typer

from farebox.cli.amounts import units
from farebox.cli.api import new_key
from farebox.cli.command import Session, command, group
from farebox.cli.output import Failure, amount, moment
from farebox.money import to_units, typed_decimal

app = group("Limits for every day, week, month or year.")

EnvelopeId = Annotated[str, typer.Argument(help="The envelope's id, such as env_12.")]
Limit = Annotated[str, typer.Argument(metavar="LIMIT", help="Units of usage, or with --asset an amount such as 50.00.")]
Period = Annotated[str, typer.Option(help="daily, weekly, monthly or yearly.")]
ResetDay = Annotated[int | None, typer.Option(help="The day that windows begin on: of the week, month or year.")]
Zone = Annotated[str | None, typer.Option(help="Time zone, such as Europe/Berlin.", show_default="the organization's")]
Threshold = Annotated[list[int] | None, typer.Option(help="Tell when this percentage is passed; may be repeated.")]
Org = Annotated[str | None, typer.Option(help="The organization whose it is; without one, the operator's.")]
Most = Annotated[int, typer.Option("--limit", "-n", help="The most lines.", min=1)]


@command(app)
def add(
    session: Session,
    name: Annotated[str, typer.Argument(help="For people.")],
    limit: Limit,
    period: Period = "monthly",
    reset_day: ResetDay = None,
    zone: Zone = None,
    org: Org = None,
    asset: Annotated[str | None, typer.Option(help="Count money of this asset instead of usage.")] = None,
    on: Annotated[
        str | None,
        typer.Option(help="all, or kind:name: wallet, person, grant, agent, provider or model. Else: records only."),
    ] = None,
    threshold: Threshold = None,
) -> None:
    """Set a limit."""
    new: dict[str, Any] = {
        "name": name,
        "limit": _limit(session, limit, asset),
        "period": period.upper(),
        "reset_day": reset_day,
        "time_zone": zone,
        "organization": org,
        "counts": "usage" if asset is None else "money",
        "asset": asset,
        "applies_to": _applies_to(on),
    }
    if threshold:
        new["thresholds"] = threshold
    _show(session, session.api.post("/v1/envelopes", new))


@command(app, "list")
def list_(session: Session, org: Org = None, most: Most = 100) -> None:
    """List limits, and how they stand."""
    found = session.api.all("/v1/envelopes", most, organization=org)
    scales = _scales(session) if any(item["asset"] for item in found) else {}
    rows = [
        (
            item["id"],
            item["name"],
            item["organization"],
            _attached(item),
            item["period"].lower(),
            _units(item, "used", scales),
            _units(item, "limit", scales),
            moment(item["window_end"]),
        )
        for item in found
    ]
    columns = ("id", "name", "organization", "on", "period", ">used", ">limit", "resets")
    session.out.rows(found, columns, rows, "No limits yet: farebox envelopes add")


@command(app)
def show(session: Session, envelope: EnvelopeId) -> None:
    """Show a limit, and how it stands now."""
    _show(session, session.api.get(f"/v1/envelopes/{envelope}"))


@command(app)
def change(
    session: Session,
    envelope: EnvelopeId,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    limit: Annotated[str | None, typer.Option(help="The new limit; what was used stays used.")] = None,
    period: Annotated[str | None, typer.Option(help="daily, weekly, monthly or yearly.")] = None,
    reset_day: ResetDay = None,
    zone: Zone = None,
    threshold: Threshold = None,
) -> None:
    """Change a limit, at once."""
    asset = session.api.get(f"/v1/envelopes/{envelope}")["asset"] if limit is not None else None
    given = {
        "name": name,
        "limit": None if limit is None else _limit(session, limit, asset),
        "period": None if period is None else period.upper(),
        "reset_day": reset_day,
        "time_zone": zone,
        "thresholds": threshold or None,
    }
    changed = {field: value for field, value in given.items() if value is not None}
    _show(session, session.api.patch(f"/v1/envelopes/{envelope}", changed))


@command(app)
def delete(session: Session, envelope: EnvelopeId) -> None:
    """End a limit, at once."""
    session.api.delete(f"/v1/envelopes/{envelope}")
    session.out.facts({"deleted": envelope}, [("deleted", envelope)])


@command(app)
def windows(session: Session, envelope: EnvelopeId, most: Most = 50) -> None:
    """Show what was used in windows that are over."""
    of = session.api.get(f"/v1/envelopes/{envelope}")
    found = session.api.all(f"/v1/envelopes/{envelope}/windows", most)
    scales = _scales(session) if of["asset"] else {}
    rows = [
        (moment(item["start"]), moment(item["end"]), *(_units(of | item, name, scales) for name in ("used", "limit")))
        for item in found
    ]
    session.out.rows(found, ("from", "to", ">used", ">limit"), rows, "No window of it is over yet.")


@command(app)
def record(
    session: Session,
    envelope: EnvelopeId,
    how_much: Annotated[int, typer.Argument(metavar="AMOUNT", help="Units of usage.", min=1)],
    idempotency_key: Annotated[str | None, typer.Option(help="Repeat it to repeat the call safely.")] = None,
) -> None:
    """Count usage on a limit of an organization."""
    path = f"/v1/envelopes/{envelope}/records"
    done = session.api.post(path, {"amount": how_much}, key=idempotency_key or new_key())
    session.out.facts(done, [("recorded", done["id"]), ("amount", f"{done['amount']:,}")])


@command(app)
def look(
    session: Session,
    grant: Annotated[str, typer.Argument(help="The grant that a charge would draw on.")],
    how_much: Annotated[int | None, typer.Option("--amount", help="Units of the wallet's asset.", min=1)] = None,
    model: Annotated[str | None, typer.Option(help="The model that it would be for.")] = None,
    input_tokens: Annotated[int | None, typer.Option("--input", help="Input tokens.", min=0)] = None,
    output_tokens: Annotated[int | None, typer.Option("--output", help="Output tokens.", min=0)] = None,
) -> None:
    """Show what would stop a charge, without charging."""
    tokens = {"input_tokens": input_tokens, "output_tokens": output_tokens}
    found = session.api.get("/v1/limits", grant=grant, amount=how_much, model=model, **tokens)
    if not session.out.as_json:
        stops = f"stopped: {found['refusal']} {found['stopped_by'] or ''}".strip()
        session.out.note("[green]goes through[/green]" if found["allowed"] else f"[red]{stops}[/red]")
    scales = _scales(session) if any(item["asset"] for item in found["envelopes"]) else {}
    rows = [
        (item["id"], item["name"], *(_units(item, name, scales) for name in ("needed", "remaining", "limit")))
        for item in found["envelopes"]
    ]
    columns = ("id", "name", ">needed", ">left", ">limit")
    session.out.rows(found, columns, rows, "No envelope applies.")


def _show(session: Session, found: dict[str, Any]) -> None:
    scales = _scales(session) if found["asset"] else {}
    facts = [
        ("envelope", found["id"]),
        ("name", found["name"]),
        ("organization", found["organization"]),
        ("on", _attached(found)),
        ("limit", f"{_units(found, 'limit', scales)} {found['period'].lower()}"),
        *((name, _units(found, name, scales)) for name in ("used", "held", "remaining")),
        ("window", f"{moment(found['window_start'])} to {moment(found['window_end'])}"),
        ("time zone", found["time_zone"]),
    ]
    session.out.facts(found, facts)


def _limit(session: Session, text: str, asset: str | None) -> int:
    if asset is not None:
        return units(text, _scales(session).get(asset, 1), asset)
    try:
        return to_units(typed_decimal(text.replace("_", ""), whole=True), 1)
    except ValueError:
        raise Failure(
            f"{text!r} is not a number of units", "Write it like 10000; for money, name the --asset"
        ) from None


def _applies_to(on: str | None) -> dict[str, str] | None:
    if on is None:
        return None
    kind, _, name = on.partition(":")
    return {"kind": kind, "name": name} if name else {"kind": kind}


def _attached(found: dict[str, Any]) -> str:
    on = found["applies_to"]
    if on is None:
        return "records"
    return on["kind"] if on["name"] is None else f"{on['kind']}:{on['name']}"


def _scales(session: Session) -> dict[str, int]:
    return {asset["code"]: asset["scale"] for asset in session.api.get("/v1/assets")}


def _units(found: dict[str, Any], name: str, scales: dict[str, int]) -> str:
    if found["asset"] is None:
        return f"{found[name]:,}"
    return amount(found[name], {"asset": found["asset"], "scale": scales[found["asset"]]})
