"""What callers may keep with a record of usage: a JSON object of theirs, as it came."""

import msgspec

from farebox.errors import Invalid

MAX_BYTES = 16_384
MAX_DEPTH = 64
NOTHING = msgspec.Raw(b"null")


def kept(given: msgspec.Raw) -> bytes | None:
    """The bytes of an object, or None for null; raises Invalid for anything else, and for what can't be kept."""
    raw = bytes(given).strip()
    if raw == b"null":
        return None
    if not raw.startswith(b"{"):
        raise Invalid.field("metadata", "Expected an object or null")
    if len(raw) > MAX_BYTES:
        raise Invalid.field("metadata", f"at most {MAX_BYTES} bytes")
    if _depth(raw) > MAX_DEPTH:
        raise Invalid.field("metadata", f"nested at most {MAX_DEPTH} deep")
    try:
        msgspec.json.decode(raw)  # what was skipped over has to be read once: lone surrogates, numbers out of range
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid.field("metadata", "holds text or a number that can't be kept") from None
    return raw


def _depth(raw: bytes) -> int:
    """How deep JSON is nested, at most; brackets in texts count too."""
    deepest = depth = 0
    for byte in raw:
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest
