"""Identifiers that people see, and secrets.

Public ids are a short prefix and a number (`gr_41`); a wallet's is 16 random digits whose last one is a
Luhn check digit. Secrets carry a prefix that names their kind, have at least 160 random bits, are shown
once and kept as SHA-256 (RULES 26).
"""

import hashlib
import hmac
import secrets

WALLET_MIN, WALLET_MAX = 10**15, 10**16
MAX_NUMBER = 2**63 - 1
NEWEST = MAX_NUMBER
"""Where a list begins that has the newest first: no number is higher."""


def new_wallet_id() -> int:
    """A random wallet number."""
    body = secrets.randbelow(9 * 10**14) + 10**14
    return body * 10 + luhn_digit(body)


def luhn_digit(body: int) -> int:
    """The check digit that makes `body` followed by it pass the Luhn test."""
    total = 0
    for place, char in enumerate(reversed(str(body))):
        digit = int(char)
        if place % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return -total % 10


def parse_wallet_id(text: str) -> int | None:
    """The wallet number in `text`, or None when it can't be one."""
    if len(text) != 16 or not (text.isascii() and text.isdigit()):
        return None
    number = int(text)
    return number if number >= WALLET_MIN and luhn_digit(number // 10) == number % 10 else None


def public(prefix: str, number: int) -> str:
    """The public form of a number, such as `ch_12288`."""
    return f"{prefix}_{number}"


def parse(prefix: str, text: str) -> int | None:
    """The number in a public id with this prefix, or None when it can't be one."""
    head, _, digits = text.partition("_")
    if head != prefix or not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    number = int(digits)
    return number if 0 < number <= MAX_NUMBER and public(prefix, number) == text else None


_WALLET_DIGITS = 14


def transfer(prefix: str, wallet_id: int, number: int) -> str:
    """The public id of something in a wallet's journal: it names the wallet, where it is looked up."""
    return f"{prefix}_{wallet_id:014x}{number:x}"


def parse_transfer(prefix: str, text: str) -> tuple[int, int] | None:
    """The wallet and the number in such an id, or None when it can't be one."""
    head, _, digits = text.partition("_")
    if head != prefix or not _WALLET_DIGITS < len(digits) <= _WALLET_DIGITS + 16:
        return None
    try:
        wallet_id, number = int(digits[:_WALLET_DIGITS], 16), int(digits[_WALLET_DIGITS:], 16)
    except ValueError:
        return None
    return (wallet_id, number) if transfer(prefix, wallet_id, number) == text and number <= MAX_NUMBER else None


def new_api_key(kind: str, slug: str = "") -> str:
    """A new secret: `pk_live_<slug>_…` for providers, `ok_live_…` for organizations, `fbx_admin_…`."""
    random = secrets.token_hex(24)
    if kind == "provider":
        return f"pk_live_{slug}_{random}"
    return f"ok_live_{random}" if kind == "organization" else f"fbx_admin_{random}"


def session_token(secret: bytes, nonce: bytes) -> str:
    """The session token of a grant: derived, so that it can be told again and need not be kept (ADR 0006)."""
    return "ps_" + hmac.digest(secret, b"session-token" + nonce, "sha256")[:24].hex()


def new_delegation_token() -> str:
    """The secret of a delegation: whoever it names can draw with it."""
    return "dt_" + secrets.token_hex(24)


def new_session_of_browser() -> str:
    """The secret of a browser's session: it stands in its cookie, and nowhere else."""
    return "ws_" + secrets.token_hex(24)


def digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def hint(secret: str) -> str:
    """What may be shown of a secret later: its kind and its last four characters."""
    return f"{secret[: secret.rindex('_') + 1]}…{secret[-4:]}"
