"""The file with an account's credentials: readable by its owner alone, the password encrypted.

The key is a file of its own, `~/.syftbox/accounting.key`: a copied configuration tells no password. Or it is made
of `SYFTBOX_ACCOUNTING_PASSPHRASE`, where that is set, so that a copied home directory tells none either.
"""

import base64
import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from syftbox.core.exceptions import AuthenticationError

PASSPHRASE = "SYFTBOX_ACCOUNTING_PASSPHRASE"  # noqa: S105  # a variable's name


class Credentials(Struct, frozen=True):
    """Where, who, and the password."""

    accounting_url: str
    email: str
    password: str

    def __repr__(self) -> str:
        """Without the password."""
        return f"Credentials({self.accounting_url!r}, {self.email!r})"


def home() -> Path:
    """The directory of SyftBox, which is made where it is missing."""
    found = Path.home() / ".syftbox"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def default_path() -> Path:
    """Where credentials are kept unless another place is named."""
    return Path.home() / ".syftbox" / "accounting.json"


def save(credentials: Credentials, path: Path) -> None:
    """Writes credentials; a file that is there is replaced whole. Raises OSError."""
    salt = secrets.token_bytes(16)
    password = _cipher(salt, make_key=True).encrypt(credentials.password.encode()).decode()
    text = json.dumps(
        {
            "service_url": credentials.accounting_url,
            "email": credentials.email,
            "password": password,
            "encryption": "passphrase" if os.environ.get(PASSPHRASE) else "key file",
            "salt": salt.hex(),
            "created_at": datetime.now(UTC).isoformat(),
        },
        indent=2,
    )
    _write(path, text.encode())


def load(path: Path) -> Credentials:
    """Reads credentials, those of the published client too; AuthenticationError where that can't be done."""
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        password = found["password"]
        if "encryption" in found:
            password = _cipher(bytes.fromhex(found["salt"]), make_key=False).decrypt(password.encode()).decode()
        return Credentials(found["service_url"], found["email"], password)
    except FileNotFoundError:
        raise AuthenticationError("No accounting config file found") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise AuthenticationError(f"Failed to load config: {type(error).__name__}") from None
    except Exception as error:
        from cryptography.fernet import InvalidToken

        if not isinstance(error, InvalidToken):
            raise
        raise AuthenticationError("Failed to load config: this key or passphrase does not open it") from None


def _cipher(salt: bytes, *, make_key: bool) -> Any:
    from cryptography.fernet import Fernet  # only where there is a file

    passphrase = os.environ.get(PASSPHRASE)
    return Fernet(_stretched(passphrase, salt) if passphrase else _key(make=make_key))


def _stretched(passphrase: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return base64.urlsafe_b64encode(Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode()))


def _key(*, make: bool) -> bytes:
    path = home() / "accounting.key"
    if make and not path.exists():
        _write(path, base64.urlsafe_b64encode(secrets.token_bytes(32)))
    return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    """Replaces a file by one that nobody else can read, at no moment."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
