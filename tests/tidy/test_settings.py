"""Every setting is documented, by what the code itself says of it."""

from pathlib import Path
from typing import Annotated, get_args, get_origin, get_type_hints

import msgspec
import pytest

from farebox.settings import PREFIX, BadSetting, Settings, from_env

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "settings.md"

DATA_DIR = "`/var/lib/farebox` for root, else `~/.local/share/farebox`"
INTRODUCTION = """\
# Settings

One environment variable a setting. Options of `farebox serve` with the same name win over them. A variable that starts
with `FAREBOX_` and is none of these is an error, so that a misspelt one is not lost. (`FAREBOX_URL` and `FAREBOX_KEY`
tell the command line where a server is; they are no settings of one.)

| variable | default | what it does |
| --- | --- | --- |
"""


def rows() -> str:
    lines = []
    hints = get_type_hints(Settings, include_extras=True)
    for field in msgspec.structs.fields(Settings):
        hint = hints[field.name]
        assert get_origin(hint) is Annotated, f"{field.name} has no description"
        meta = [arg for arg in get_args(hint)[1:] if isinstance(arg, msgspec.Meta)]
        default = DATA_DIR if field.default is msgspec.NODEFAULT else repr(field.default).strip("'")
        shown = {"": "none", "True": "true", "False": "false"}.get(default, default)
        lines.append(f"| `{PREFIX}{field.name.upper()}` | {shown} | {meta[-1].description} |\n")
    return "".join(lines)


def test_the_document_says_what_the_code_says() -> None:
    assert DOCUMENT.read_text("utf-8") == INTRODUCTION + rows(), "docs/settings.md is not up to date"


def test_variables_are_read_and_checked() -> None:
    found = from_env({"FAREBOX_PORT": "9000", "FAREBOX_ALLOW_UNSAFE_DATABASE": "true", "PATH": "x"}, host="::1")
    assert (found.port, found.allow_unsafe_database, found.host) == (9000, True, "::1")


@pytest.mark.parametrize(
    "environ",
    [
        {"FAREBOX_PROT": "9000"},
        {"FAREBOX_PORT": "70000"},
        {"FAREBOX_PORT": "http"},
        {"FAREBOX_ADMIN_KEY": "short"},
        {"FAREBOX_SECRET_KEY": "not hexadecimal"},
        {"FAREBOX_SECRET_KEY": "ab" * 31},
        {"FAREBOX_DEADLINE_S": "0"},
        {"FAREBOX_INITIAL_CREDIT_USD": "1.0000001"},
        {"FAREBOX_INITIAL_CREDIT_USD": "-1"},
    ],
)
def test_a_setting_that_can_not_be_used_is_an_error(environ: dict[str, str]) -> None:
    with pytest.raises(BadSetting):
        from_env(environ)
