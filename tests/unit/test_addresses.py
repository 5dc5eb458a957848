"""Whom an address stands for."""

import pytest

from farebox.http.addresses import holder_of, network_of


@pytest.mark.parametrize(
    ("address", "holder", "network"),
    [
        ("198.51.100.7", "198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:198.51.100.7", "::ffff:198.51.100.7", "198.51.100.0/24"),
        ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
        ("local", "local", "local"),
        ("", "", ""),
    ],
)
def test_holders_and_networks(address: str, holder: str, network: str) -> None:
    assert (holder_of(address), network_of(address)) == (holder, network)
