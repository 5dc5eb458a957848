"""From the fields of a stream's entry to a usage record. Pure; everything arrives as text."""

import hashlib
import re

import msgspec

from farebox.ingest.types import Fields, Malformed, UsageRecord
from farebox.ledger.types import MAX_UNITS, Usage

OLDEST_S = 365 * 86_400
"""A record that says it is older is not believed."""
AHEAD_S = 300
"""How far the sender's clock may be ahead."""
MOST_FIELDS = 1000
"""More are no record, and not kept in a dead letter: a script passes on some thousand values at most."""
NAME_CHARACTERS = 200
NOTE_BYTES = 16_384

_ORGANIZATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_encode = msgspec.msgpack.Encoder().encode


def read(fields: Fields, now: float) -> UsageRecord:
    """The record of an entry, at a moment (unix seconds); raises Malformed with the first reason against it."""
    if len(fields) > MOST_FIELDS:
        raise Malformed("too_many_fields")
    organization = _text(fields, b"organization_id")
    if _ORGANIZATION.fullmatch(organization) is None:
        raise Malformed("bad_field:organization_id")
    at = _number(fields, b"timestamp")
    if at <= now - OLDEST_S:
        raise Malformed("too_old")
    if at > now + AHEAD_S:
        raise Malformed("in_the_future")
    return UsageRecord(
        record_id=_text(fields, b"id"),
        organization_id=organization,
        agent=_text(fields, b"profile_id"),
        member=_text(fields, b"user_id") if fields.get(b"user_id") else "",
        model=_text(fields, b"model"),
        usage=Usage(_number(fields, b"prompt_tokens"), _number(fields, b"completion_tokens")),
        note=_note(fields),
        fingerprint=hashlib.blake2b(_encode(sorted(fields.items())), digest_size=16).digest(),
    )


def _text(fields: Fields, name: bytes) -> str:
    value = fields.get(name)
    if not value:
        raise Malformed(f"missing_field:{name.decode()}")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Malformed(f"bad_field:{name.decode()}") from None
    if len(text) > NAME_CHARACTERS or not text.isprintable():
        raise Malformed(f"bad_field:{name.decode()}")
    return text


def _number(fields: Fields, name: bytes) -> int:
    value = fields.get(name)
    if not value:
        raise Malformed(f"missing_field:{name.decode()}")
    # Of bytes, isdigit means ASCII digits: no sign, no fraction, no other script's.
    if not value.isdigit() or len(value) > 19 or (number := int(value)) > MAX_UNITS:
        raise Malformed(f"bad_field:{name.decode()}")
    return number


def _note(fields: Fields) -> str | None:
    value = fields.get(b"metadata")
    if not value:
        return None
    try:
        text, found = value.decode(), msgspec.json.decode(value)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        raise Malformed("bad_field:metadata") from None
    if not isinstance(found, dict) or len(value) > NOTE_BYTES or "\0" in text:
        raise Malformed("bad_field:metadata")
    return text
