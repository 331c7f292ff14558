"""Which IPv4 addresses a host on the internet can have."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Final

_NOT_PUBLIC: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
"""IANA's registry of special-purpose addresses (RFC 6890). Spelt out, because what ``ipaddress`` calls
private differs between versions of Python."""

_NOBODY_ELSE: Final = tuple(IPv4Network(net) for net in ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3"))


def is_public(address: str) -> bool:
    """False for private, shared, local, reserved and example addresses, and for what is no address."""
    try:
        parsed = IPv4Address(address)
    except AddressValueError:
        return False
    return not any(parsed in network for network in _NOT_PUBLIC)


def is_somewhere(address: str) -> bool:
    """Whether another machine can answer there, on the internet or nearer, as a portal does.

    Whoever blocks a name likes to give it an address of nobody.
    """
    try:
        parsed = IPv4Address(address)
    except AddressValueError:
        return False
    return not any(parsed in network for network in _NOBODY_ELSE)
