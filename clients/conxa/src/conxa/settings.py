"""What a client is told when it is made, checked; and the codes that it draws of it."""

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from conxa import calls, qr
from conxa.exceptions import AuthenticationError
from conxa.models import QRCodeData

DEFAULT_BASE_URL = "https://api.conxa.in"
DEFAULT_TIMEOUT = 30


class Configured:
    """What both shells of the client share: their settings, and QR codes, which take no call.

    Raises AuthenticationError without a key, ValueError for what is no setting.
    """

    DEFAULT_BASE_URL = DEFAULT_BASE_URL
    DEFAULT_TIMEOUT = DEFAULT_TIMEOUT

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        timeout: float | None = None,
        provider_id: str | None = None,
        provider_type: str = "api",
    ) -> None:
        if not isinstance(api_key, str) or not api_key.strip():
            raise AuthenticationError("API key is required and cannot be empty")
        self.api_key = api_key.strip()
        self.base_url = (base_url or os.environ.get("CONXA_API_URL") or self.DEFAULT_BASE_URL).rstrip("/")
        self.timeout = self.DEFAULT_TIMEOUT if timeout is None else calls.positive("timeout", timeout)
        self.provider_type = qr.kind(provider_type)
        self.provider_id = slug_of(self.api_key) if not provider_id else qr.filled("provider_id", provider_id)
        self._policy = calls.patience(self.timeout)
        self._headers = {"X-Provider-API-Key": self.api_key, "Accept": "application/json"}
        self._native = calls.Native(self.base_url.removesuffix("/conxa"), self.api_key)

    def create_payment_qr(
        self,
        provider_username: str,
        provider_type: str | None = None,
        limit: int | float | Decimal | None = None,
        size: int = 300,
        expires_in: float | None = None,
    ) -> QRCodeData:
        """A QR code for a user to scan, `size` by `size` pixels; the server is not asked.

        `limit` is the most that will be charged, in whole tokens; `expires_in` is for how many seconds the code is
        shown. Raises ValueError for what is out of bounds, ImportError without the `qr` extra.
        """
        ends_in = None if expires_in is None else timedelta(seconds=calls.positive("expires_in", expires_in))
        kind = provider_type or self.provider_type
        name = qr.filled("provider_username", provider_username)
        code = qr.generate_qr_code(self.provider_id, kind, name, limit, size)
        code.created_at = datetime.now(UTC)
        code.expires_at = None if ends_in is None else code.created_at + ends_in
        return code

    def create_payment_qr_svg(
        self,
        provider_username: str,
        provider_type: str | None = None,
        limit: int | float | Decimal | None = None,
        size: int = 300,
    ) -> str:
        """The same code as SVG text."""
        kind = provider_type or self.provider_type
        return qr.generate_qr_svg(self.provider_id, kind, provider_username, limit, size)

    def _preview(self, token: str, model_name: str, input_tokens: int, output_tokens: int) -> Any:
        bill = calls.bill_of(model_name, input_tokens, output_tokens)
        return calls.preview(self._native, token, bill, self._policy)

    def __repr__(self) -> str:
        """Without the key: it has no place in a log."""
        return f"{type(self).__name__}({self.base_url!r}, provider_id={self.provider_id!r})"


def slug_of(api_key: str) -> str:
    """The provider's name in its key, `pk_live_<name>_…`; ValueError where there is none: no key gets into a code."""
    parts = api_key.split("_")
    if len(parts) < 4 or parts[0] != "pk" or not parts[2]:
        raise ValueError("provider_id is required: this API key does not name it")
    return parts[2]
