"""The words of services: what the business needs of the internet, how it is asked for, what came of it.

A service is asked through a *way*: an uplink by its name, or ``SITE_WAY``, the way that the system itself
chooses, as a PC of the site would take it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

SITE_WAY = "site"
"""The way without a choice of uplink; no uplink has this name."""
NEVER = float("-inf")


class ServiceKind(StrEnum):
    """How a service is asked whether it is there."""

    TCP = "tcp"
    """A connection can be made."""
    TLS = "tls"
    """A connection, and a certificate that proves who answers."""
    HTTPS = "https"
    """The same, and a page with the expected status."""
    DNS = "dns"
    """A name server that knows a name."""
    SIP = "sip"
    """A telephone provider's server that answers OPTIONS (RFC 3261, 11)."""


class Snag(StrEnum):
    """Why a service did not answer as it should."""

    NAME = "name"
    """Nobody knows the address of its name."""
    NO_CONNECTION = "no_connection"
    """Nobody answered at its address."""
    UNREACHABLE = "unreachable"
    """Somebody on the way said that there is none (an ICMP error)."""
    REFUSED = "refused"
    """Its machine is there, and nothing listens."""
    HUNG_UP = "hung_up"
    """It ended the conversation before it had answered."""
    SILENT = "silent"
    """It was asked, and did not answer in time."""
    NOT_SPOKEN = "not_spoken"
    """What it answered is not what such a service speaks."""
    CERTIFICATE = "certificate"
    """It could not prove who it is."""
    STATUS = "status"
    """It answered that it does not work, or something else than expected."""
    UNSENT = "unsent"
    """Nothing left the machine: says nothing about the service."""


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """One service as the core must know it.

    ``every_s`` is the time between two questions on the path in use, ``metered_s`` through an uplink with a
    data budget. ``place`` says for people whom is asked, like ``sip.example.net:5060 udp``.
    """

    name: str
    label: str
    kind: ServiceKind
    place: str = ""
    every_s: float = 60.0
    metered_s: float = 21_600.0


@dataclass(frozen=True, slots=True)
class Served:
    """What came of one question to a service.

    Attributes:
        service: its name.
        way: the uplink that was asked through, or ``SITE_WAY``.
        sent_at: when it was asked, monotonic seconds.
        snag: why it did not answer as it should; None if it did.
        took_ms: from the question (its name known) to the answer; None without one.
        by: address of whoever answered or refused; None if nobody did.
        via: the uplink by which the system sent it; only on ``SITE_WAY``, and only if it can be told.
        valid_until: when the certificate that was shown ends, UNIX seconds.
        detail: for the log; printable, one line, bounded.
    """

    service: str
    way: str
    sent_at: float
    snag: Snag | None = None
    took_ms: float | None = None
    by: str | None = None
    via: str | None = None
    valid_until: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AskService:
    """Ask this service through this way once, now; what comes of it comes as ``Served``."""

    service: str
    way: str


class Serves(StrEnum):
    """The verdict on a service through one way."""

    UNKNOWN = "unknown"
    WORKS = "works"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class ServiceWay:
    """What is known of one service through one way.

    Attributes:
        serves: the verdict.
        since: when the verdict came to be what it is; of a failure when the first question failed.
        failures: how many questions in a row have failed, and count.
        failing_at: when the first of them was asked.
        asked_at: when a question was ordered last.
        heard_at: when the last outcome came in, whatever it was.
        told_at: when the last outcome that says something about the service was asked.
        last: that outcome.
        via: on ``SITE_WAY``, the uplink that it went by.
    """

    serves: Serves = Serves.UNKNOWN
    since: float = NEVER
    failures: int = 0
    failing_at: float = NEVER
    asked_at: float = NEVER
    heard_at: float = NEVER
    told_at: float = NEVER
    last: Served | None = None
    via: str | None = None


@dataclass(frozen=True, slots=True)
class ServiceState:
    """One service: what is known of it by way."""

    spec: ServiceSpec
    ways: Mapping[str, ServiceWay] = field(default_factory=dict)
    valid_until: float | None = None
    """When the certificate that it showed last ends, UNIX seconds."""


def first_services(specs: tuple[ServiceSpec, ...]) -> dict[str, ServiceState]:
    """Nothing is known yet."""
    return {spec.name: ServiceState(spec) for spec in specs}
