"""The client with threads."""

from typing import Any

from farebox.client.connected import Connected
from knai import calls
from knai.calls import DEFAULT_BASE_URL, DEFAULT_TIMEOUT

__all__ = ["DEFAULT_BASE_URL", "DEFAULT_TIMEOUT", "KNAIProvider"]


class KNAIProvider(Connected):
    """A provider's side of KNAI: waits for a user's session, charges it. Threads may share one.

    `base_url` is the address of a Farebox server with `/knai` at its end; `KNAI_API_URL` of the environment stands in
    for the default. Raises ValueError where key or slug is empty, and KNAIError (see `knai.errors`) for what goes wrong
    with a call. A call takes 30 seconds at most and is asked again meanwhile where that is safe.
    """

    def __init__(self, provider_api_key: str, provider_slug: str, base_url: str = DEFAULT_BASE_URL) -> None:
        headers = calls.own_headers(provider_api_key, provider_slug)
        self._base_url = calls.address(base_url)
        self._connect(self._base_url, headers)

    def wait_for_session(
        self, provider_username: str, poll_interval: float = 1.5, *, timeout: float | None = None
    ) -> dict[str, Any]:
        """Waits until a user's session is active; its `session_token`, and `expires_at` where it has an end.

        Asks every `poll_interval` seconds, for ever or for `timeout` seconds; then raises KNAIError.
        """
        return self._carrier.run(calls.wait_for_session(provider_username, poll_interval, timeout))

    def charge(
        self, session_token: str, amount_tokens: int, model: str, *, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Takes `amount_tokens` whole wallet tokens; `approved`, `charged_tokens`, `new_balance`, `charge_id`, `model`.

        However often it is asked meanwhile, it is charged once. Pass an `idempotency_key` of your own (a request's id)
        to ask again after your process has died. Raises InsufficientBalanceError, SessionExpiredError,
        InvalidAPIKeyError, KNAIError, and ValueError for what can't be charged.
        """
        return self._carrier.run(calls.charge(session_token, amount_tokens, model, idempotency_key))
