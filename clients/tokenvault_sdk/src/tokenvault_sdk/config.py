"""Settings, given or out of the environment."""

import math
import os
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from tokenvault_sdk.exceptions import SDKConfigurationError

TRIAL = Decimal("50.0")


@dataclass(init=False)
class SDKConfig:
    """What a tracker needs to know. `wallet_api_url` is an older name of `tokenvault_api_url`."""

    redis_url: str
    tokenvault_api_url: str
    stream_name: str = "usage_records"
    balance_threshold: float = 0.0
    """Credits below which a balance check fails."""
    cache_ttl: int = 60
    """Seconds for which a balance is remembered."""
    fail_open: bool = True
    """Whether work goes on while a service is away."""
    max_retries: int = 3
    retry_backoff_ms: int = 100
    free_trial_money: Decimal = TRIAL
    """US dollars that `quickstart` asks for as a trial."""

    def __init__(
        self,
        redis_url: str,
        tokenvault_api_url: str | None = None,
        stream_name: str = "usage_records",
        balance_threshold: float = 0.0,
        cache_ttl: int = 60,
        fail_open: bool = True,
        max_retries: int = 3,
        retry_backoff_ms: int = 100,
        free_trial_money: Decimal = TRIAL,
        *,
        wallet_api_url: str | None = None,
    ) -> None:
        url = tokenvault_api_url if tokenvault_api_url is not None else wallet_api_url
        if url is None:
            raise TypeError("SDKConfig() is missing tokenvault_api_url")
        self.redis_url = redis_url
        self.tokenvault_api_url = url
        self.stream_name = stream_name
        self.balance_threshold = balance_threshold
        self.cache_ttl = cache_ttl
        self.fail_open = fail_open
        self.max_retries = max_retries
        self.retry_backoff_ms = retry_backoff_ms
        self.free_trial_money = free_trial_money

    @property
    def wallet_api_url(self) -> str:
        """The older name of `tokenvault_api_url`."""
        return self.tokenvault_api_url

    @classmethod
    def from_env(cls, prefix: str = "TOKENVAULT_") -> "SDKConfig":
        """Settings of the environment: `TOKENVAULT_REDIS_URL`, `TOKENVAULT_API_URL` and the optional ones.

        Raises SDKConfigurationError, which names the variable.
        """
        url = os.environ.get(f"{prefix}API_URL") or os.environ.get(f"{prefix}WALLET_API_URL")
        if not url:
            raise SDKConfigurationError(f"Missing required environment variable: {prefix}API_URL")
        redis_url = os.environ.get(f"{prefix}REDIS_URL")
        if not redis_url:
            raise SDKConfigurationError(f"Missing required environment variable: {prefix}REDIS_URL")
        return cls(
            redis_url=redis_url,
            tokenvault_api_url=url,
            stream_name=os.environ.get(f"{prefix}STREAM_NAME", "usage_records"),
            balance_threshold=_number(f"{prefix}BALANCE_THRESHOLD", "0.0"),
            cache_ttl=_count(f"{prefix}CACHE_TTL", "60"),
            fail_open=os.environ.get(f"{prefix}FAIL_OPEN", "true").lower() in ("true", "1", "yes", "on"),
            max_retries=_count(f"{prefix}MAX_RETRIES", "3"),
            retry_backoff_ms=_count(f"{prefix}RETRY_BACKOFF_MS", "100"),
            free_trial_money=_money(f"{prefix}FREE_TRIAL_MONEY"),
        )

    def validate(self) -> None:
        """Raises SDKConfigurationError for a setting that can't be used."""
        for name in ("redis_url", "tokenvault_api_url", "stream_name"):
            if not getattr(self, name):
                raise SDKConfigurationError(f"{name} cannot be empty")
        for name in ("cache_ttl", "max_retries", "retry_backoff_ms"):
            if getattr(self, name) < 0:
                raise SDKConfigurationError(f"{name} must be non-negative")

    def __repr__(self) -> str:
        """Without the addresses, which may hold keys."""
        return f"SDKConfig(stream_name={self.stream_name!r}, fail_open={self.fail_open!r})"


def _number(name: str, default: str) -> float:
    try:
        found = float(os.environ.get(name, default))
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise SDKConfigurationError(f"Invalid {name}: must be a number")
    return found


def _count(name: str, default: str) -> int:
    try:
        found = int(os.environ.get(name, default))
    except ValueError:
        found = -1
    if found < 0:
        raise SDKConfigurationError(f"Invalid {name}: must be a non-negative integer")
    return found


def _money(name: str) -> Decimal:
    try:
        found = Decimal(os.environ.get(name, str(TRIAL)))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or found < 0:
        raise SDKConfigurationError(f"Invalid {name}: must be an amount of US dollars")
    return found
