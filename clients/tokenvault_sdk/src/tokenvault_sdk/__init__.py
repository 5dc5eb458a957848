"""TokenVault's SDK, for a Farebox server: agents check their organization's credits and report what they used.

`UsageTracker` takes the place of the published one. See COMPATIBILITY.md.
"""

from tokenvault_sdk.config import SDKConfig
from tokenvault_sdk.exceptions import InsufficientBalanceError, SDKConfigurationError, TrackingError
from tokenvault_sdk.logging_config import configure_logging, get_logger
from tokenvault_sdk.starting import quickstart
from tokenvault_sdk.tracker import UsageTracker

__version__ = "0.1.0"

__all__ = [
    "InsufficientBalanceError",
    "SDKConfig",
    "SDKConfigurationError",
    "TrackingError",
    "UsageTracker",
    "configure_logging",
    "get_logger",
    "quickstart",
]
