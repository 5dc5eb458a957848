"""Whom an address stands for, where something is counted by address."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def holder_of(address: str) -> str:
    """An IPv4 address is its holder's. Of IPv6, whoever has one has all of its network of 64 bits."""
    found = _parsed(address)
    return _network(found, 64) if found is not None and found.version == 6 else address


def network_of(address: str) -> str:
    """The network that an address is counted with: whoever has one address of it mostly has others."""
    found = _parsed(address)
    return address if found is None else _network(found, 24 if found.version == 4 else 48)


def _network(found: Address, bits: int) -> str:
    return str(ipaddress.ip_network((found, bits), strict=False))


def _parsed(address: str) -> Address | None:
    """None for what is no address. A socket for both kinds shows an IPv4 address as one of IPv6: it is no such one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else None
    return found if mapped is None else mapped
