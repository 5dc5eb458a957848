"""Where a client's server is, and with which key it is asked."""

import ipaddress
import os
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:8080"


def address(url: str | None, key: str | None) -> tuple[str, str, dict[str, str]]:
    """The server's address, the key, and the headers of every request; what is not given is in the environment.

    Raises ValueError for what can't be one, without repeating the key.
    """
    url = (url or os.environ.get("FAREBOX_URL") or DEFAULT_URL).rstrip("/")
    key = key or os.environ.get("FAREBOX_KEY") or ""
    if not url.startswith(("http://", "https://")):
        raise ValueError("the address of a server starts with http:// or https://")
    if not (key.isascii() and key.isprintable()) or key != key.strip():
        raise ValueError("this is no API key: it has characters that no key has")
    return url, key, {"Authorization": f"Bearer {key}"} if key else {}


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, for nobody else."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def through_proxies(url: str) -> bool:
    """Whether the proxies that the environment names are asked for this address: none leads back to this machine."""
    try:
        return not is_loopback(urlsplit(url).hostname or "")
    except ValueError:  # it is told what is wrong with the address when it is used
        return True
