"""Whatever the published packages offer, ours offer: names, parameters, defaults, exceptions and those above them."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.surface import surface
from tests.support.published import ROOT, environment

SAME: dict[str, list[str]] = {
    "conxa-sdk-1.3.4": ["conxa", "conxa.client", "conxa.models", "conxa.exceptions", "conxa.qr"],
    "tokenvault-sdk-1.0.2": [
        "tokenvault_sdk",
        "tokenvault_sdk.config",
        "tokenvault_sdk.exceptions",
        "tokenvault_sdk.logging_config",
        "tokenvault_sdk.tracker",
    ],
    "x402tools-1.0.0": ["x402tools", "x402tools.client", "x402tools.exceptions", "x402tools.types"],
    "knai-provider-0.1.0": ["knai", "knai.client", "knai.errors"],
    "syft-hub-0.1.32": [
        "syft_accounting_sdk",
        "syft_accounting_sdk.core",
        "syft_accounting_sdk.error",
        "syft_accounting_sdk.schemas",
    ],
}
"""Modules that ours has by the same name; the last release brings `syft-accounting-sdk` 0.1.1 along."""

RENAMED = {
    ("syft_hub.clients.accounting_client", "syftbox.accounting"): {"AccountingClient"},
    ("syft_hub.core.exceptions", "syftbox.core.exceptions"): {
        "SyftBoxSDKError",
        "AuthenticationError",
        "PaymentError",
        "ConfigurationError",
    },
    ("syft_hub.core.types", "syftbox.core.types"): {"APIException"},
}
"""Modules of `syft-hub` that its page calls otherwise, and the names that are its accounting's."""


def published(release: str, modules: list[str]) -> dict[str, Any]:
    """The surface of published modules, told in their own environment."""
    script = Path(__file__).with_name("surface.py")
    done = subprocess.run(
        [environment(release), script, *modules], check=True, capture_output=True, text=True, timeout=60
    )
    found: dict[str, Any] = json.loads(done.stdout)
    assert all(found.values()), "the script saw the package"
    return found


@pytest.mark.parametrize("release", SAME)
def test_ours_offers_what_is_published(release: str) -> None:
    theirs = published(release, SAME[release])
    assert [line for name in SAME[release] for line in lacks(name, theirs[name], surface(name))] == []


def test_ours_offers_the_hubs_accounting() -> None:
    theirs = published("syft-hub-0.1.32", [module for module, _ in RENAMED])
    for (module, ours), names in RENAMED.items():
        found = {name: theirs[module][name] for name in names}
        assert list(lacks(ours, found, surface(ours))) == []


def lacks(module: str, theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    """What ours lacks."""
    for name, found in theirs.items():
        if name in ours and "is" in found:
            yield from _class(f"{module}.{name}", found, ours[name])
        elif name not in ours:
            yield f"{module}.{name}"
        else:
            yield from _member(f"{module}.{name}", found, ours[name])


def _class(name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    for base in theirs["is"]:
        if base not in ours["is"]:
            yield f"{name} is no {base}"
    if "made" in theirs:
        yield from _parameters(name, theirs["made"], ours["made"])
    for member, found in theirs["members"].items():
        if member not in ours["members"]:
            yield f"{name}.{member}"
        else:
            yield from _member(f"{name}.{member}", found, ours["members"][member])


def _member(name: str, theirs: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    if "called" in theirs:
        # track_usage gives back a coroutine that is a block, too, which no coroutine function does.
        if theirs["awaited"] != ours.get("awaited") and not name.endswith("UsageTracker.track_usage"):
            yield f"{name} is awaited there or here, not both"
        yield from _parameters(name, theirs["called"], ours["called"])
    elif theirs.get("value") != ours.get("value"):
        yield f"{name} is {theirs['value']}"


def _parameters(name: str, theirs: list[list[str]], ours: list[list[str]]) -> Iterator[str]:
    """Each parameter in its place, with its default; what is required there may be optional here."""
    for place, (parameter, kind, default) in enumerate(theirs):
        found = ours[place] if place < len(ours) else [None, None, None]
        if found[:2] != [parameter, kind]:
            yield f"{name}({parameter}) in place {place}"
        elif default is not None and found[2] != default:
            yield f"{name}({parameter}={default})"


def test_it_would_miss_what_is_missing() -> None:
    theirs: dict[str, Any] = {
        "f": {"called": [["a", "POSITIONAL_OR_KEYWORD", "1"]], "awaited": False},
        "g": {"value": "2"},
    }
    ours: dict[str, Any] = {"f": {"called": [["a", "POSITIONAL_OR_KEYWORD", "3"]], "awaited": False}}
    assert list(lacks("m", theirs, ours)) == ["m.f(a=1)", "m.g"]


PAGES = {
    "conxa": {"conxa": ["CONXAClient"]},
    "knai": {"knai": ["KNAIProvider"]},
    "tokenvault_sdk": {"tokenvault_sdk": ["UsageTracker"]},
    "x402tools": {"x402tools": ["X402Client"]},
    "syftbox": {"syft_accounting_sdk": ["UserClient", "AdminClient"], "syftbox.accounting": ["AccountingClient"]},
}


@pytest.mark.parametrize(
    ("project", "package"), [(project, package) for project in PAGES for package in PAGES[project]]
)
def test_the_page_tells_of_every_name(project: str, package: str) -> None:
    """COMPATIBILITY.md names what is public: of the package, and of its client."""
    page = (ROOT / "clients" / project / "COMPATIBILITY.md").read_text("utf-8")
    found = surface(package)
    names = {name for name in found if "is" in found[name] or "called" in found[name]}
    for name in PAGES[project][package]:
        names |= set(found[name]["members"])
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", page.replace("```", "")))))
    assert names - named == set()
    assert "pip uninstall --yes" in page
