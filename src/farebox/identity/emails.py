"""E-mail addresses: the one spelling under which a person is known."""

import re
import unicodedata

from farebox.errors import Invalid

MAX_EMAIL = 254
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}[^\W_])?")


def normalised(text: str, field: str = "email") -> str:
    """The address in the spelling that is compared and kept; raises Invalid where it can't be one.

    Case and compatible forms of a character make no difference; neither do blanks around it.
    """
    email = known_as(text)
    local, _, domain = email.rpartition("@")
    labels = domain.split(".")
    good = _LOCAL.fullmatch(local) and len(labels) > 1 and all(_LABEL.fullmatch(label) for label in labels)
    if not good or len(email) > MAX_EMAIL or ".." in f".{local}." or not _visible(email):
        raise Invalid.field(field, "not an e-mail address")
    return email


def known_as(text: str) -> str:
    """What `normalised` compares with, for any text: for looking up, where what is no address is nobody's."""
    if text.isascii() and "\0" not in text:
        return text.strip().lower()  # as below, of which nothing else applies
    plain = unicodedata.normalize("NFKC", _UNSTORABLE.sub("\ufffd", text).strip())
    return unicodedata.normalize("NFKC", plain.casefold()).strip()  # folding can undo the form


def _visible(text: str) -> bool:
    """No control, formatting or unassigned characters: an address must look like what it is."""
    return all(unicodedata.category(char)[0] not in "CZ" for char in text)
