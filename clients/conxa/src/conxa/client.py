"""The client with threads."""

from typing import Any

from conxa import calls
from conxa.calls import OnPending
from conxa.models import ChargeResult, QRCodeData, SessionStatus, WalletBalance
from conxa.settings import Configured
from farebox.client.connected import Connected


class CONXAClient(Configured, Connected):
    """A provider's side of CONXA: shows a QR code, waits for the user, charges. Threads may share one.

    `api_key` is `pk_live_<provider>_…`; `base_url` is the address of a Farebox server with `/conxa` at its end, by
    default `CONXA_API_URL` of the environment; `timeout` bounds each call in seconds, with all its attempts;
    `provider_id` is read out of the key where it is not given. Calls raise CONXAError (see `conxa.exceptions`), and
    ValueError for what can't be asked.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str | None = None,
        timeout: float | None = None,
        provider_id: str | None = None,
        provider_type: str = "api",
    ) -> None:
        super().__init__(api_key, base_url, timeout, provider_id, provider_type)
        self._connect(self.base_url, self._headers)

    def get_session_status(
        self,
        provider_username: str,
        retry_on_rate_limit: bool = True,
        max_retries: int = 3,
        qr_data: QRCodeData | None = None,
    ) -> SessionStatus:
        """How far a user's connection has come. Reads only.

        Where there were too many requests it waits as it is told, up to `max_retries` times and within `timeout`, then
        raises RateLimitError. Raises SessionExpiredError where `qr_data` is over.
        """
        asked = calls.session_status(provider_username, retry_on_rate_limit, max_retries, qr_data, self._policy)
        return self._carrier.run(asked)

    def wait_for_connection(
        self,
        provider_username: str,
        timeout: float = 120,
        poll_interval: float = 2,
        on_pending: OnPending | None = None,
        rate_limit_timeout: float = 10,
        qr_data: QRCodeData | None = None,
    ) -> SessionStatus:
        """Waits until a user has connected; the active session.

        Asks every `poll_interval` seconds and calls `on_pending` with each status that is pending. Raises
        ConnectionTimeoutError after `timeout` seconds, and SessionExpiredError where `qr_data` or the session is over,
        or the server has refused to answer for `rate_limit_timeout` seconds because of too many requests.
        """
        waiting = calls.Waiting(
            provider_username, timeout, poll_interval, on_pending, rate_limit_timeout, qr_data, self._policy
        )
        return self._carrier.run(waiting.program())

    def charge(
        self,
        session_token: str,
        idempotency_key: str | None = None,
        model_name: str | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
    ) -> ChargeResult:
        """Charges what was used, at the model's price.

        `new_balance` is in whole tokens. A wallet that does not hold enough, a limit that is reached and a right that
        was taken back are results with `approved=False`, `error_code` and what the wallet has. However often it is
        asked meanwhile, it is charged once; pass an `idempotency_key` of your own to ask again after your process has
        died. Raises SessionExpiredError where the session is over, ValidationError for an unknown model.
        """
        asked = calls.charge(session_token, idempotency_key, model_name, input_tokens, output_tokens, self._policy)
        return self._carrier.run(asked)

    def preview_charge(
        self, session_token: str, model_name: str, input_tokens: int, output_tokens: int
    ) -> dict[str, Any]:
        """Asks the server whether a charge would go through, and what it would cost; nothing is taken.

        `can_proceed`; `amount`, `available` and what is left of the limit, `remaining`, in units of `asset` (a TOKEN
        has 1,000); where it would not, `error` and `error_code`. The server reserves the amount and frees it at once.
        """
        found: dict[str, Any] = self._carrier.run(self._preview(session_token, model_name, input_tokens, output_tokens))
        return found

    def get_wallet_balance(self, wallet_id: str) -> WalletBalance:
        """What the wallet with a number can spend; SessionNotFoundError where there is none."""
        return self._carrier.run(calls.wallet(wallet_id, self._policy))

    def health_check(self) -> bool:
        """Whether the server answers; raises nothing."""
        return self._carrier.run(calls.healthy(self._policy))
