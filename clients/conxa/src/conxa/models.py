"""What the client gives back. Balances are in whole wallet tokens; times carry a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Self

_PNG = "data:image/png;base64,"


class ConnectionStatus(str, Enum):  # noqa: UP042  # its str() is the published one's
    """How far a user's connection has come."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"
    NOT_FOUND = "not_found"


@dataclass
class QRCodeData:
    """A QR code that asks a user to connect."""

    qr_data: str
    """The JSON text that the code says."""
    qr_image: Any = None
    """A PIL image; None without the `qr` extra."""
    qr_base64: str = ""
    """The picture as a `data:` URL, for HTML."""
    provider_id: str = ""
    provider_type: str = ""
    provider_username: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    """None for a code without an end. Texts are taken too, as another process has stored them."""

    def is_expired(self) -> bool:
        """Whether the code is over. A time without a zone is UTC."""
        if self.expires_at is None:
            return False
        if isinstance(self.expires_at, str):
            self.expires_at = datetime.fromisoformat(self.expires_at)
        ends = self.expires_at if self.expires_at.tzinfo else self.expires_at.replace(tzinfo=UTC)
        return ends < datetime.now(UTC)

    def is_valid_base64(self) -> bool:
        """Whether there is a picture for HTML."""
        return self.qr_base64.startswith(_PNG) and len(self.qr_base64) > len(_PNG)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the image and the times."""
        return {
            "qr_data": self.qr_data,
            "qr_base64": self.qr_base64,
            "provider_id": self.provider_id,
            "provider_type": self.provider_type,
            "provider_username": self.provider_username,
        }

    def to_json_safe_dict(self) -> dict[str, Any]:
        """Everything but the image, for an answer in JSON; ValueError without a picture."""
        self._require_picture()
        return self.to_dict() | {
            "created_at": self.created_at.isoformat() if self.created_at else None,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
        }

    def get_html_img_tag(self) -> str:
        """An HTML `img` element with the code; ValueError without a picture."""
        self._require_picture()
        return f'<img src="{self.qr_base64}" alt="CONXA QR Code" />'

    def _require_picture(self) -> None:
        if not self.is_valid_base64():
            raise ValueError("this code has no picture for HTML: qr_base64 is no data:image/png")


@dataclass
class SessionStatus:
    """How far a user's connection has come, and what to charge with."""

    status: ConnectionStatus
    session_token: str | None = None
    """Only where `status` is active."""
    expires_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it can be charged."""
        return self.status == ConnectionStatus.ACTIVE and self.session_token is not None

    @property
    def is_pending(self) -> bool:
        """Whether the user has scanned the code and not answered."""
        return self.status == ConnectionStatus.PENDING

    @property
    def is_expired(self) -> bool:
        """Whether the session has ended a moment ago."""
        return self.status == ConnectionStatus.EXPIRED

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "status": self.status.value if isinstance(self.status, ConnectionStatus) else self.status,
            "session_token": self.session_token,
            "expires_at": self.expires_at.isoformat() if self.expires_at else None,
        }

    @classmethod
    def from_api_response(cls, data: dict[str, Any]) -> Self:
        """Of an answer; a status that is unknown here counts as not found."""
        try:
            status = ConnectionStatus(data.get("status", "not_found"))
        except ValueError:
            status = ConnectionStatus.NOT_FOUND
        return cls(status, data.get("session_token"), _moment(data.get("expires_at")))


@dataclass
class ChargeResult:
    """What became of a charge. `new_balance` is what the wallet can spend after it, in whole tokens, rounded down."""

    approved: bool
    new_balance: int
    error_code: str | None = None
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "approved": self.approved,
            "new_balance": self.new_balance,
            "error_code": self.error_code,
            "error": self.error,
        }

    @classmethod
    def from_api_response(cls, data: dict[str, Any], error: str | None = None) -> Self:
        """Of an answer."""
        return cls(data.get("approved", False), data.get("new_balance") or 0, data.get("error_code"), error)


@dataclass
class WalletBalance:
    """What a wallet can spend, in whole tokens, rounded down."""

    wallet_id: str
    tokens: int

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {"wallet_id": self.wallet_id, "tokens": self.tokens}

    @classmethod
    def from_api_response(cls, data: dict[str, Any]) -> Self:
        """Of an answer."""
        return cls(data.get("wallet_id", ""), data.get("tokens", 0))


@dataclass
class ProviderInfo:
    """A provider; kept for those who make it themselves, given back by nothing."""

    provider_id: str
    name: str
    type: str
    api_key: str = ""

    def to_dict(self) -> dict[str, Any]:
        """As plain values, without the key."""
        return {"provider_id": self.provider_id, "name": self.name, "type": self.type}

    def __repr__(self) -> str:
        """Without the key: it has no place in a log."""
        return f"ProviderInfo(provider_id={self.provider_id!r}, name={self.name!r}, type={self.type!r})"


def _moment(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
