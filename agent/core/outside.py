"""How the site looks from outside: the words for public addresses and for the way packets take.

An uplink's public address is what a server on the internet sees its packets come from. The site's own
packets, sent through the site's router, come from the address of whichever uplink carries them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Address, ip_address
from typing import NamedTuple

SITE = "site"
"""The name of the site path where uplinks have theirs; no uplink can bear it."""
NO_NEXT_HOP = "0.0.0.0"  # noqa: S104 - how a default route without a next hop is written, not bound
"""The gateway of an interface that is itself the end of the operator's line, as a modem's may be."""
_SHARED = IPv4Network("100.64.0.0/10")
"""Addresses between an operator and its customers (RFC 6598)."""
_PRIVATE = tuple(IPv4Network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918."""
SITE_BITS = 48
"""Two IPv6 addresses of one customer agree in this many bits at least: operators give out a /56 or more of a
/48 (RFC 6177), and what stands behind a router of the site has another part of it than the router."""


@dataclass(frozen=True, slots=True)
class PublicAddress:
    """What a server on the internet says that packets of this way come from.

    Attributes:
        way: an uplink, or ``SITE``.
        asked_at: when the question was sent, monotonic seconds.
        address: IPv4 or IPv6; None if nobody said one that can be true.
        version: of IP, 4 or 6: which kind of address was asked for.
        by: who said it.
        why: why there is none.
    """

    way: str
    asked_at: float
    address: str | None
    version: int = 4
    by: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class PathSeen:
    """The routers that answered on the site's way out, the nearest first; None where one did not."""

    way: str
    asked_at: float
    hops: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class AskAddress:
    """Ask now how packets of this way look from outside; the answer comes as ``PublicAddress``."""

    way: str


class Known(NamedTuple):
    """The newest public address of a way, and when it was asked for."""

    address: str
    asked_at: float


@dataclass(frozen=True, slots=True)
class Outer:
    """What is remembered of one uplink's public address over restarts.

    Attributes:
        address: the last IPv4 address that was seen from outside; None: never one.
        shared: whether it is shared with other customers of the operator; None: nobody can tell.
    """

    address: str | None = None
    shared: bool | None = None


@dataclass(frozen=True, slots=True)
class SaveOuter:
    """Remember how this uplink looks from outside."""

    uplink: str
    outer: Outer


@dataclass(frozen=True, slots=True)
class Outsides:
    """All that is known of how the ways look from outside.

    Attributes:
        known: by way and version of IP.
        outers: by uplink, what is remembered and has been told.
        path: the routers on the site's way, as they were seen last.
    """

    known: Mapping[tuple[str, int], Known] = field(default_factory=dict)
    outers: Mapping[str, Outer] = field(default_factory=dict)
    path: PathSeen | None = None


def is_shared(address: str) -> bool:
    """True for an address from which nobody can be called: RFC 6598, or private (RFC 1918)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        return False
    return parsed in _SHARED or any(parsed in network for network in _PRIVATE)


def is_carrier_grade(address: str) -> bool:
    """True for an address of RFC 6598, which operators use for no other purpose than sharing."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return not isinstance(parsed, IPv6Address) and parsed in _SHARED


def common_bits(one: str, other: str) -> int:
    """How many leading bits two addresses of the same version have in common; 0 for what is no address."""
    try:
        first, second = ip_address(one), ip_address(other)
    except ValueError:
        return 0
    if first.version != second.version:
        return 0
    return first.max_prefixlen - (int(first) ^ int(second)).bit_length()


def nearest(address: str, others: Mapping[str, str]) -> tuple[str, ...]:
    """Whose address of ``others`` (name to address) is that of the same line; several if they share it.

    IPv4 behind address translation is the very same; of IPv6 the longest common beginning tells, from
    ``SITE_BITS`` on.
    """
    bits = {name: common_bits(address, other) for name, other in others.items()}
    whole = 128 if ":" in address else 32
    most = max(bits.values(), default=0)
    if most < (SITE_BITS if whole == 128 else whole):
        return ()
    return tuple(name for name, same in bits.items() if same == most)
