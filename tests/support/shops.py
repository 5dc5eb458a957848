"""Providers that use a published client: what the stories of `tests/e2e` are told with."""

import uuid
from typing import Any

from tests.support.live import Live, Provider, made
from tests.support.published import Published

CONXA = ("conxa-sdk-1.3.0", "conxa-sdk-1.3.4")
KNAI = "knai-provider-0.1.0"
MODEL = "story-1"


class ConxaShop:
    """A provider that uses a release of the CONXA client, on a server."""

    def __init__(self, live: Live, release: str) -> None:
        self.live = live
        self.release = release
        self.old = release == "conxa-sdk-1.3.0"
        self.provider: Provider = live.provider()
        self.client = self.published(self.provider.key, provider_id=self.provider.slug)
        self.user = f"ada-{uuid.uuid4().hex[:8]}"
        # 1 token a token in, 2 a token out: amounts that can be seen.
        live.price(MODEL, self.provider.slug, input_token="1", output_token="2")

    def published(self, key: str, **given: Any) -> Published:
        """A client of the same release with some key."""
        return Published(self.release, api_key=key, base_url=f"{self.live.url}/conxa", **given)

    def charge(self, token: str, tokens_in: int, tokens_out: int, key: str | None = None, model: str = MODEL) -> Any:
        """What the client's charge came to. Release 1.3.0 sends no key."""
        given: dict[str, Any] = {"session_token": token, "model_name": model}
        given |= {"input_tokens": tokens_in, "output_tokens": tokens_out}
        if not self.old:
            given["idempotency_key"] = key or uuid.uuid4().hex
        return self.client.call("charge", **given)

    def granted(self, wallet: str, **terms: Any) -> str:
        """A session's token."""
        token: str = self.provider.grant(wallet, self.user, **terms)["session_token"]
        return token

    def scan(self, wallet: str, code: dict[str, Any]) -> dict[str, Any]:
        """What a wallet app does with a code: asks what it stands for."""
        found: dict[str, Any] = made(
            self.live.admin.post("/v1/connection-requests", json={"wallet": wallet, "qr": code, "expires_in_s": 3600})
        )
        return found

    def approve(self, request: dict[str, Any], **terms: Any) -> dict[str, Any]:
        """The payer's yes."""
        body = {"terms": request["terms"], **terms}
        found: dict[str, Any] = made(
            self.live.admin.post(f"/v1/connection-requests/{request['id']}/approve", json=body)
        )
        return found


class KnaiShop:
    """A provider that uses the KNAI client, on a server."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.provider: Provider = live.provider()
        self.client = self.published(self.provider.key, self.provider.slug)
        self.user = f"ada-{uuid.uuid4().hex[:8]}"

    def published(self, key: str, slug: str) -> Published:
        """A client with some key and slug."""
        return Published(KNAI, provider_api_key=key, provider_slug=slug, base_url=f"{self.live.url}/knai")

    def charge(self, token: str, tokens: int) -> dict[str, Any]:
        """What the client's charge came to."""
        return self.client.call("charge", session_token=token, amount_tokens=tokens, model="any")
