"""Schemathesis asks everything that the document allows, and much that it does not: the server does as it says."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.live import ADMIN_KEY, Live, fresh_key, made, ok

NOT_HELD_TO = "positive_data_acceptance,use_after_free"
"""A schema can't tell that an asset has to exist, nor that 1435.0 is no integer of ours; and a revoked grant or key
is over, but stays to be read."""


def held(live: Live, key: str, folder: Path, *more: str, phases: str, examples: int) -> None:
    """Fails with the whole report where the server and the document disagree."""
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{live.url}/openapi.json"]
    options = ["--header", f"Authorization: Bearer {key}", "--checks", "all", "--exclude-checks", NOT_HELD_TO]
    bounds = ["--phases", phases, "--max-examples", str(examples), "--seed", "1", "--continue-on-failure"]
    quiet = ["--no-color", "--generation-database", "none"]
    asked = [*command, *options, *bounds, *quiet, *more]
    done = subprocess.run(asked, check=False, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tested: +[4-9]\d", done.stdout), done.stdout


def test_an_administrator_is_answered_as_documented(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live(requests_per_key_s=0)
    held(live, ADMIN_KEY, tmp_path, phases="coverage,fuzzing,stateful", examples=4)


def test_a_provider_is_answered_as_documented(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live(requests_per_key_s=0)
    held(live, live.provider().key, tmp_path, phases="fuzzing", examples=5)


def things(live: Live) -> dict[str, str]:
    """One of everything that an address can name, with a life behind it."""
    provider = live.provider()
    wallet = live.wallet(10**9, organization=organization(live))
    live.price("m1", provider.slug, input_token="0.001", units={"image": "0.5"})
    grant = provider.grant(wallet, limit=10**6)
    usage = {"input_tokens": 1000, "units": {"image": 2}}
    charge = made(provider.charge(grant["session_token"], model="m1", usage=usage))["id"]
    provider.charge(grant["session_token"], amount=10**7)
    body = {"session_token": grant["session_token"], "amount": 100}
    hold = made(provider.api.post("/v1/holds", json=body, headers=fresh_key()))["id"]
    code = {"provider_id": provider.slug, "provider_username": "user"}
    request = made(live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": code}))["id"]
    return {
        "wallet_id": wallet,
        "charge_id": charge,
        "hold_id": hold,
        "grant_id": grant["id"],
        "request_id": request,
        "slug": provider.slug,
        "organization_id": "acme",
        "model": "m1",
        "person_id": made(live.admin.post("/v1/people", json={"email": "ada@example.org"}))["id"],
    }


def organization(live: Live) -> str:
    found: str = made(live.admin.post("/v1/organizations", json={"id": "acme", "name": "Acme"}))["id"]
    return found


def test_what_is_there_is_answered_as_documented(make_live: Callable[..., Live], tmp_path: Path) -> None:
    live = make_live(requests_per_key_s=0)
    found = things(live)
    lines = [f'"path.{name}" = "{value}"' for name, value in found.items()]
    (tmp_path / "schemathesis.toml").write_text("\n".join(["[parameters]", *lines]), "utf-8")
    held(live, ADMIN_KEY, tmp_path, "--exclude-method", "DELETE", phases="fuzzing", examples=5)
    assert ok(live.admin.get(f"/v1/connection-requests/{found['request_id']}"))["state"] == "declined"  # it was asked


@pytest.mark.slow
@pytest.mark.parametrize("who", ["administrator", "provider"])
def test_hundreds_of_examples_of_each(make_live: Callable[..., Live], tmp_path: Path, who: str) -> None:
    live = make_live(requests_per_key_s=0)
    key = ADMIN_KEY if who == "administrator" else live.provider().key
    held(live, key, tmp_path, phases="coverage,fuzzing,stateful", examples=300)
