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

PACKAGES = {
    "conxa-sdk-1.3.4": ["conxa", "conxa.client", "conxa.models", "conxa.exceptions", "conxa.qr"],
    "knai-provider-0.1.0": ["knai", "knai.client", "knai.errors"],
}


@pytest.mark.parametrize("release", PACKAGES)
def test_ours_offers_what_is_published(release: str) -> None:
    modules = PACKAGES[release]
    script = Path(__file__).with_name("surface.py")
    done = subprocess.run(
        [environment(release), script, *modules], check=True, capture_output=True, text=True, timeout=60
    )
    published: dict[str, Any] = json.loads(done.stdout)
    missing = [line for name in modules for line in lacks(name, published[name], surface(name))]
    assert missing == []
    assert sum(len(names) for names in published.values()) > 10, "the script saw the package"


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
        if theirs["awaited"] != ours.get("awaited"):
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


@pytest.mark.parametrize("release", PACKAGES)
def test_the_page_tells_of_every_name(release: str) -> None:
    """COMPATIBILITY.md names what is public: of the package, and of its client."""
    package = PACKAGES[release][0]
    page = (ROOT / "clients" / package / "COMPATIBILITY.md").read_text("utf-8")
    found = surface(package)
    names = {name for name in found if "is" in found[name] or "called" in found[name]}
    for name in ("CONXAClient", "KNAIProvider"):
        names |= set(found.get(name, {}).get("members", {}))
    named = set(re.findall(r"[A-Za-z_]+", " ".join(re.findall(r"`([^`]+)`", page.replace("```", "")))))
    assert names - named == set()
    assert "pip uninstall --yes" in page
