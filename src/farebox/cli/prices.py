"""`farebox prices`: the price book."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote as quoted

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from farebox.cli.command import Session, command, group
from farebox.cli.output import Failure, Output, amount, moment
from farebox.pricing.importers import Found, genai, litellm

app = group("The price book: what a token, a call, a second costs.")

Model = Annotated[str, typer.Argument(help="The model's name, such as gpt-4o.")]
Provider = Annotated[str, typer.Option(help="A provider's slug; * is the book for all.")]
Rate = Annotated[str | None, typer.Option(help="For one, as an exact decimal such as 0.0000025.")]
Tokens = Annotated[int, typer.Option(min=0)]
AT_ONCE = 400
KINDS = ("input_token", "output_token", "cached_input_token", "cache_write_token", "reasoning_token", "call")


@command(app, "import")
def import_(
    session: Session,
    source: Annotated[str, typer.Argument(metavar="genai-prices|FILE.json", help="A list, or a file as LiteLLM's.")],
    provider: Provider = "*",
    replace: Annotated[bool, typer.Option("--replace", help="Also replace prices that were set by hand.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
) -> None:
    """Take in a public price list. What differs becomes a new version; the same list again changes nothing."""
    found = _read(source)
    name = genai.SOURCE if source == genai.SOURCE else litellm.SOURCE
    done: dict[str, list[str]] = {"added": [], "unchanged": [], "kept": []}
    for body in _parts(session.out, found):
        given = {"provider": provider, "source": name, "replace": replace, "dry_run": dry_run, "prices": body}
        for what, models in session.api.post("/v1/prices/import", given).items():
            done[what] += models
    remarks = [{"model": remark.model, "reason": remark.reason} for remark in found.remarks]
    _show_import(session.out, done, remarks, dry_run=dry_run)


def _read(source: str) -> Found:
    if source == genai.SOURCE:
        return genai.read(datetime.now(UTC).date())
    try:
        return litellm.read(Path(source).read_bytes())
    except OSError as error:
        raise Failure(f"{source} can't be read: {error.strerror}", "Name a file, or genai-prices.") from None
    except litellm.BadList as error:
        raise Failure(f"{source} is {error}") from None


def _parts(out: Output, found: Found) -> Any:
    """The prices in parts that a request can carry; all versions of a model in one."""
    bodies = [_body(price) for price in found.prices]
    models = list(dict.fromkeys(body["model"] for body in bodies))
    with Progress(
        TextColumn("taking in"),
        BarColumn(),
        MofNCompleteColumn(),
        console=out.notes,
        transient=True,
        disable=out.as_json or not out.notes.is_terminal,
    ) as bar:
        task = bar.add_task("", total=len(models))
        for start in range(0, len(models), AT_ONCE):
            part = set(models[start : start + AT_ONCE])
            yield [body for body in bodies if body["model"] in part]
            bar.update(task, advance=len(part))


def _body(price: Any) -> dict[str, Any]:
    rates = msgspec.to_builtins(price.rates)
    start = {} if price.starts_at is None else {"starts_at": price.starts_at.isoformat()}
    return {"model": price.model, "asset": price.asset, **rates, **start}


def _show_import(out: Output, done: dict[str, list[str]], remarks: list[dict[str, str]], *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    facts: list[tuple[str, object]] = [
        (f"{would}added", f"{len(done['added']):,} models"),
        ("unchanged", f"{len(done['unchanged']):,} models"),
        ("set by hand, kept", f"{len(done['kept']):,} models"),
        ("remarks", f"{len(remarks):,}"),
    ]
    out.facts(done | {"remarks": remarks}, facts)
    for remark in remarks[:10]:
        out.note(f"[dim]{remark['model']}: {remark['reason']}[/dim]")
    if len(remarks) > 10:
        out.note(f"[dim]… and {len(remarks) - 10:,} more: --json has them all[/dim]")


@command(app, "list")
def list_(
    session: Session,
    like: Annotated[str, typer.Argument(help="Only models whose name contains this.")] = "",
    provider: Provider = "*",
    most: Annotated[int, typer.Option("--limit", "-n", help="The most lines.", min=1)] = 10_000,
) -> None:
    """List the prices that hold now."""
    found = [price for price in session.api.all("/v1/prices", provider=provider) if like in price["model"]][:most]
    rows = [
        (p["model"], p["input_token"], p["output_token"], p["cached_input_token"], _others(p), p["asset"])
        for p in found
    ]
    columns = ("model", ">input token", ">output token", ">cached input", "others", "asset")
    session.out.rows(found, columns, rows, "No such prices: farebox prices import genai-prices")


@command(app)
def show(session: Session, model: Model, provider: Provider = "*") -> None:
    """Show the versions of a model's price, newest first."""
    found = session.api.get(_path(provider, model))
    rows = [
        (
            moment(p["starts_at"]),
            "withdrawn" if p["withdrawn"] else p["input_token"],
            p["output_token"],
            p["cached_input_token"],
            _others(p),
            p["source"],
            p["created_by"],
        )
        for p in found
    ]
    columns = ("from", ">input token", ">output token", ">cached input", "others", "source", "by")
    session.out.rows(found, columns, rows, "No versions.")


@command(app, "set")
def set_(
    session: Session,
    model: Model,
    provider: Provider = "*",
    asset: Annotated[str, typer.Option(help="What the price is in.")] = "USD",
    input_token: Rate = None,
    output_token: Rate = None,
    cached_input_token: Rate = None,
    cache_write_token: Rate = None,
    reasoning_token: Rate = None,
    call: Rate = None,
    unit: Annotated[
        list[str] | None, typer.Option(help="name=price of another unit, such as images=0.04; may be repeated.")
    ] = None,
    starts_at: Annotated[str | None, typer.Option(help="ISO 8601 with a time zone.", show_default="now")] = None,
) -> None:
    """Set a model's price: a new version from now on, or from a time to come."""
    given = dict(
        zip(
            KINDS,
            (input_token, output_token, cached_input_token, cache_write_token, reasoning_token, call),
            strict=True,
        )
    )
    body = {name: rate for name, rate in given.items() if rate is not None} | {"asset": asset, "units": _units(unit)}
    made = session.api.put(_path(provider, model), body | ({} if starts_at is None else {"starts_at": starts_at}))
    facts = [("model", made["model"]), ("from", moment(made["starts_at"])), ("asset", made["asset"])]
    session.out.facts(made, [*facts, *((kind, made[kind]) for kind in KINDS if made[kind] is not None)])


@command(app)
def withdraw(session: Session, model: Model, provider: Provider = "*") -> None:
    """Withdraw a model's price: from now on it can't be charged."""
    session.api.delete(_path(provider, model))
    session.out.facts({"withdrawn": model}, [("withdrawn", model)])


@command(app)
def quote(
    session: Session,
    model: Model,
    provider: Annotated[str, typer.Option(help="The provider that would charge.")],
    input_tokens: Tokens = 0,
    output_tokens: Tokens = 0,
    cached_input_tokens: Tokens = 0,
    cache_write_tokens: Tokens = 0,
    reasoning_tokens: Tokens = 0,
    asset: Annotated[str, typer.Option(help="Of the wallet that would pay.")] = "USD",
) -> None:
    """Tell what usage would cost now."""
    usage = {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "cached_input_tokens": cached_input_tokens,
        "cache_write_tokens": cache_write_tokens,
        "reasoning_tokens": reasoning_tokens,
    }
    made = session.api.post("/v1/quotes", {"provider": provider, "model": model, "usage": usage, "asset": asset})
    scales = {found["code"]: found["scale"] for found in session.api.get("/v1/assets")}
    shown = amount(made["amount"], {"asset": made["asset"], "scale": scales[made["asset"]]})
    session.out.facts(made, [("amount", shown), ("price", made["price"]), ("markup", made["markup"])])


def _path(provider: str, model: str) -> str:
    return f"/v1/prices/{quoted(provider, safe='*')}/{quoted(model)}"


def _units(given: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in given or []]
    if any(not middle for _, middle, _ in pairs):
        raise Failure("A unit is given as name=price", "Such as --unit images=0.04")
    return {name: rate for name, _, rate in pairs}


def _others(price: dict[str, Any]) -> str:
    named = [
        ("cache write", price["cache_write_token"]),
        ("reasoning", price["reasoning_token"]),
        ("call", price["call"]),
    ]
    named += price["units"].items()
    tiers = [f"above {tier['above_input_tokens']:,} tokens other rates" for tier in price["tiers"]]
    return ", ".join([f"{name} {rate}" for name, rate in named if rate is not None] + tiers)
