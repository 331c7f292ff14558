"""What the bay's internet holds beside the targets: names, their addresses, and who answers for them.

The names are those that devices ask for to find out whether they are on the internet, so that programs
with their usual settings find in the bay what they would find outside. The addresses are public ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hardware.virtual.plan import BROKER

OPERATORS_RESOLVER: Final = "203.0.113.53"
"""The name server that every box asks; those of the targets answer as well."""

ALIASES: Final[Mapping[str, str]] = {"detectportal.firefox.com": "detectportal.prod.mozaws.net"}
"""Names that are others in truth."""


@dataclass(frozen=True, slots=True)
class Office:
    """Who answers for a service: what it speaks (``sip``, ``tls`` or ``https``), and where."""

    kind: str
    host: str
    address: str
    port: int


SERVICES: Final[Mapping[str, Office]] = {
    "telephone": Office("sip", "sip.telephone.example", "91.121.10.60", 5060),
    "cards": Office("tls", "pay.cards.example", "91.121.10.61", 443),
    "applications": Office("https", "dms.workshop.example", "91.121.10.62", 443),
}
"""What the business needs, by name; see ``offices``."""

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "one.one.one.one": ("1.1.1.1", "1.0.0.1"),
    "dns.google": ("8.8.8.8", "8.8.4.4"),
    "dns.quad9.net": ("9.9.9.9", "149.112.112.112"),
    "connectivitycheck.gstatic.com": ("142.250.179.99",),
    "cp.cloudflare.com": ("104.16.132.229",),
    "detectportal.prod.mozaws.net": ("34.107.221.82",),
    **{office.host: (office.address,) for office in SERVICES.values()},
    "stun.cloudflare.com": ("162.159.207.0",),
    "stun.l.google.com": ("74.125.250.129",),
    "mqtt.example.net": (BROKER,),
}
"""All names that there are, with their addresses."""

WEB_SERVERS: Final = ("142.250.179.99", "104.16.132.229", "34.107.221.82")
"""Where pages are served, on port 80."""

STUN_SERVERS: Final = ("162.159.207.0", "74.125.250.129")
"""Who tells from which address a packet comes."""

ADDRESSES: Final = (
    OPERATORS_RESOLVER,
    *WEB_SERVERS,
    *STUN_SERVERS,
    *(office.address for office in SERVICES.values()),
)
"""Addresses of the internet that are there beside the targets."""
