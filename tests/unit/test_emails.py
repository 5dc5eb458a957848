"""E-mail addresses: one spelling for each, and the same one when it is asked again."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.errors import Invalid
from farebox.identity.emails import known_as, normalised


def test_every_character_has_one_spelling() -> None:
    moved = [
        hex(code) for code in range(sys.maxunicode + 1) if known_as(one := f"a{chr(code)}b") != known_as(known_as(one))
    ]
    assert moved == []


@given(st.text(max_size=20))
def test_the_spelling_is_the_same_when_it_is_asked_again(text: str) -> None:
    assert known_as(known_as(text)) == known_as(text)


@given(st.text(st.characters(max_codepoint=127), max_size=20))
def test_plain_text_is_spelt_as_all_other(text: str) -> None:
    assert known_as(text) == known_as(text + "\u00ad").removesuffix("\u00ad").strip()


@given(st.text(min_size=1, max_size=20))
def test_an_accepted_address_is_known_by_itself(text: str) -> None:
    try:
        email = normalised(f"{text}@example.org")
    except Invalid:
        return
    assert known_as(email) == email
    assert all(unicodedata.category(char)[0] not in "CZ" for char in email)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        (" ada@example.org\n", "ada@example.org"),
        ("ＡＤＡ＠example.org", "ada@example.org"),
        ("STRASSE@example.org", "strasse@example.org"),
        ("straße@example.org", "strasse@example.org"),
        ("o'neil+tag/x=1@sub.example.org", "o'neil+tag/x=1@sub.example.org"),
        ("ada@münchen.example", "ada@münchen.example"),
    ],
)
def test_spellings(text: str, email: str) -> None:
    assert normalised(text) == email
