"""What a call can raise.

SyftBoxSDKError                  `message`, `error_code`, `details`
├── ConfigurationError           a file that can't be used
├── AuthenticationError          no credentials, or none that can be used; `details["service_url"]`
└── PaymentError                 a payment failed, or the service is away; `details` may have `cost` and `balance`
    └── APIException             an account could not be made (`syftbox.core.types`)
"""

from typing import Any


class SyftBoxSDKError(Exception):
    """Whatever goes wrong."""

    def __init__(self, message: str, error_code: str | None = None, details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code or "UNKNOWN_ERROR"
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.error_code}: {self.message}"


class ConfigurationError(SyftBoxSDKError):
    """A file that can't be used."""

    def __init__(self, message: str, config_path: str | None = None) -> None:
        super().__init__(message, "CONFIGURATION_ERROR", {"config_path": config_path} if config_path else {})


class AuthenticationError(SyftBoxSDKError):
    """No credentials, or none that can be used."""

    def __init__(self, message: str, service_url: str | None = None) -> None:
        super().__init__(message, "AUTHENTICATION_ERROR", {"service_url": service_url} if service_url else {})


class PaymentError(SyftBoxSDKError):
    """A payment failed, or the accounting service is away."""

    def __init__(self, message: str, cost: float | None = None, balance: float | None = None) -> None:
        told = {"cost": cost, "balance": balance}
        super().__init__(message, "PAYMENT_ERROR", {name: value for name, value in told.items() if value is not None})
