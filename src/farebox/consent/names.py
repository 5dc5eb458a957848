"""Names that may look like another one: what a payer should look at twice before approving."""

import re
import unicodedata

_MARKUP = re.compile(r"[<>]|&#|&\w+;")
_ALIKE = frozenset("АВЕЅІЈКМНОРСТУХЁЇаеѕіјорсухԁһӏԛԝёї")
"""Cyrillic letters that look Latin: of them alone, a whole name can be another's."""

_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
"""Those that share the look of many letters; one name is written in one of them."""


def misleading(text: str) -> bool:
    """Whether a name has markup, invisible or steering characters, mixed scripts, or letters in disguise."""
    letters = {char for char in text if char.isalpha()}
    return (
        _MARKUP.search(text) is not None
        or any(_unseen(char) for char in text)
        or unicodedata.normalize("NFKC", text) != unicodedata.normalize("NFC", text)
        or len({_script(char) for char in letters} & _SCRIPTS) > 1
        or (bool(letters) and letters <= _ALIKE)
    )


def _unseen(char: str) -> bool:
    if unicodedata.category(char) in ("Cf", "Cc", "Co", "Cn", "Zl", "Zp"):
        return True
    name = unicodedata.name(char, "")
    return "VARIATION SELECTOR" in name or "FILLER" in name or "GRAPHEME JOINER" in name


def _script(char: str) -> str:
    return unicodedata.name(char, "?").split(" ", 1)[0]
