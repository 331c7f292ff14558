"""What everybody but the core gets to see: one immutable picture of the site.

Sinks are pure functions of it. Every ``*_at`` and ``until`` is monotonic seconds like ``Snapshot.mono``;
countdowns are ``until - mono``. Texts are not in here: readers look codes up in ``agent.text``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.core.codes import Code, Severity
from agent.core.devices import DeviceKind, Says, Strength
from agent.core.model import Scalar
from agent.core.path_view import PathView
from agent.core.service_words import Serves, ServiceKind, Snag
from agent.core.site import UplinkKind


class Health(StrEnum):
    """The verdict on one uplink."""

    UNKNOWN = "unknown"
    UP = "up"
    DEGRADED = "degraded"
    SUSPECT = "suspect"
    DOWN = "down"

    @property
    def works(self) -> bool:
        """True while traffic of the site can be expected to pass."""
        return self in (Health.UP, Health.DEGRADED, Health.SUSPECT)

    @property
    def answers(self) -> bool:
        """True while it works beyond doubt."""
        return self in (Health.UP, Health.DEGRADED)


class Phase(StrEnum):
    """Where a box stands in a power cycle. ``powered`` is the resting state."""

    POWERED = "powered"
    ORDERED = "ordered"
    CUT = "cut"
    BOOTING = "booting"


@dataclass(frozen=True, slots=True)
class UplinkView:
    """One row of the panel."""

    name: str
    label: str
    kind: UplinkKind
    health: Health
    since: float
    why: str
    """The verdict's reason in plain English, with its numbers, for logs and technicians."""
    preferred: bool
    """True for the first uplink, in the configured order, that works."""
    present: bool
    carrier: bool | None
    address: str | None
    gateway: str | None
    rtt_ms: float | None
    """Median of the last answered echoes to targets."""
    loss_pct: float | None
    """Share of the last echoes to targets that got no answer."""
    silent_s: float
    """Seconds since the last answer of any target, 0 while they answer."""
    bad_targets: tuple[str, ...]
    answers_since: float | None = None
    """While it is ``down`` and not yet believed again: since when it answers without a silence."""
    usual_ms: float | None = None
    """The line's own round trip, learned over days."""
    jitter_ms: float | None = None
    """Mean difference of neighbouring round trips; None with too few echoes."""
    mos: float | None = None
    """What a call over this uplink would be worth now, 1 to 4.4 (ITU-T G.107, see ``quality``)."""
    pace_s: float | None = None
    """Seconds between two echoes to any target, as they are sent now."""
    slowed: bool = False
    """They are sent less often than configured, for the sake of the data budget."""
    data_used_bytes: int | None = None
    """What the agent itself has used this month; None where no budget is kept."""
    data_limit_bytes: int | None = None
    active: bool = False
    """The site's traffic is known to use it now."""
    public_address: str | None = None
    """What its packets come from, as somebody outside has seen it last, IPv4."""
    shared: bool | None = None
    """The operator shares that address among customers; None if nobody can tell."""
    proven_at: float | None = None
    """When names, pages and targets last answered through it, all of them; None: not in this run."""


@dataclass(frozen=True, slots=True)
class BoxView:
    """One powered device."""

    name: str
    label: str
    uplink: str
    wired: bool
    phase: Phase
    since: float
    until: float | None
    """When the present phase is expected to end; None at rest."""
    cycles_today: int
    refusal: str | None
    """Why a wanted cycle does not happen now, a key of the texts' ``refusal`` table; None: none is wanted."""
    refused_until: float | None
    proven_at: float | None = None
    """When its relay was last seen to cut this box and no other, UNIX seconds; None: never."""


@dataclass(frozen=True, slots=True)
class DeviceView:
    """A modem, a dish or a box that can be asked about itself, and what it said last."""

    name: str
    label: str
    uplink: str
    kind: DeviceKind
    at: float | None
    """When it was last asked; None: not yet."""
    heard: bool
    """It answered then, and not so long ago that it says nothing about now."""
    heard_at: float | None
    """When it last answered; None: never in this run."""
    says: Says | None
    """As it was said then; None while it has not been asked, and once that was too long ago."""
    strength: Strength | None = None
    """The signal in a word that holds still for minutes."""
    trend_db: float | None = None
    """Today's signal beside the days before; below 0 is weaker."""
    limit_bytes: int | None = None
    """What may be used in a month."""


@dataclass(frozen=True, slots=True)
class ServiceWayView:
    """One service through one way, as far as that is known."""

    uplink: str | None
    """The uplink that it leads through; None if nobody can tell."""
    label: str
    """Its name for people; empty if nobody can tell."""
    serves: Serves
    since: float | None
    """When it came to be so; None while it is unknown."""
    at: float | None
    """When it was last asked with a result that says something; None: never in this run."""
    why: Snag | None
    """What came of that; None: it answered as it should, or was never asked."""
    took_ms: float | None
    """How long its last answer took."""
    detail: str
    """The same in plain English, for technicians."""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """Something the business needs of the internet."""

    name: str
    label: str
    kind: ServiceKind
    place: str
    """Whom it is asked of, like ``sip.example.net:5060 udp``."""
    via: str | None
    """The uplink that people use for it now; None if nobody can tell."""
    now: ServiceWayView
    """On the path in use."""
    uplinks: tuple[ServiceWayView, ...]
    """Through each uplink, in the order of the configuration."""
    valid_until: float | None = None
    """When the certificate that it shows ends, UNIX seconds."""


@dataclass(frozen=True, slots=True)
class FindingView:
    """One diagnosis that stands and is shown, most important first in ``Snapshot.findings``."""

    code: Code
    subject: str
    label: str
    """The subject's name for people."""
    severity: Severity
    since: float
    args: Mapping[str, Scalar]
    evidence: tuple[str, ...] = ()
    """What it rests on, in plain English, as it stood when it was shown."""


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of the agent that has reported whether it works."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class LastIncident:
    """The incident that ended last in this run of the agent."""

    code: Code
    """The finding that was its cause in the end."""
    label: str
    """The name for people of what it was about."""
    lasted_s: float
    ended_at: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The site at one instant."""

    seq: int
    mono: float
    wall: float
    synced: bool
    site: str
    label: str
    armed: bool
    unarmed_why: str | None
    """A key of the texts' ``refusal`` table when ``armed`` is false, or when power is withheld for now."""
    hold_until: float | None
    incident: str | None
    incident_since: float | None
    headline: Code
    """Code of the first finding that is one for the staff, or ``all_well``."""
    uplinks: tuple[UplinkView, ...]
    boxes: tuple[BoxView, ...]
    findings: tuple[FindingView, ...]
    devices: tuple[DeviceView, ...] = ()
    parts: tuple[PartView, ...] = ()
    """In the order in which they first reported; a part that never did has never failed."""
    last_incident: LastIncident | None = None
    services: tuple[ServiceView, ...] = ()
    site_path: PathView | None = None
    """None where the site's own way out is not watched."""
    incident_severity: Severity | None = None
    """What the open incident means for the business, as it was told last."""
