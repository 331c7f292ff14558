"""The site as configured: everything the core must know of the configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from agent.core.devices import DeviceSpec
from agent.core.failover_rules import FailoverRules
from agent.core.opening import Hours
from agent.core.service_words import ServiceSpec


class UplinkKind(StrEnum):
    """How an uplink reaches the internet."""

    FTTH = "ftth"
    STARLINK = "starlink"
    CELLULAR = "cellular"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class UplinkSpec:
    """One way to the internet. ``interval_s`` is the calm spacing of echoes per target.

    ``operator`` is who sells it: uplinks of one operator can fail together. ``device`` is the box, dish or
    modem that can be asked about itself, if one can. ``data_bytes`` is what the agent itself may use in a
    month, None without limit; ``checks_s`` how often all is asked beyond echoes.
    """

    name: str
    label: str
    kind: UplinkKind
    targets: tuple[str, ...]
    interval_s: float = 1.0
    operator: str | None = None
    device: DeviceSpec | None = None
    data_bytes: int | None = None
    checks_s: float = 1800.0


@dataclass(frozen=True, slots=True)
class BoxSpec:
    """A powered device on one uplink.

    ``confirm_s`` is how long a curable finding must stand before the cut, ``off_s`` how long the power
    stays away, ``boot_s`` how long the box then needs until its uplink can work. ``wired`` is false where
    no relay switches this box, ``soft`` is true where a driver can reboot it by software. ``direct`` tells
    that the Pi's own cable is in this box, so that its carrier shows whether it has power.

    Several boxes may stand on one uplink, the one nearest to the line first (an ONT, then a router).
    """

    name: str
    label: str
    uplink: str
    wired: bool = True
    confirm_s: float = 120.0
    off_s: float = 10.0
    boot_s: float = 120.0
    soft: bool = False
    direct: bool = True


@dataclass(frozen=True, slots=True)
class PowerRules:
    """The budget and the guards of DESIGN section 6; counts are per box.

    ``require_proof``: a relay that was never seen to cut the right box is not used automatically.
    """

    armed: bool = True
    per_incident: int = 2
    per_day: int = 3
    spacing_s: tuple[float, ...] = (300.0, 1800.0, 14400.0)
    after_power_s: float = 600.0
    maintenance: tuple[tuple[float, float], ...] = ()
    """The operator's maintenance windows: begin and end, seconds after local midnight; an end before its
    begin is on the next day."""
    maintenance_confirm_s: float = 1800.0
    """How long a fault must stand before a cycle within such a window."""
    require_proof: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """Everything the core must know of the configuration. Uplinks stand in the order of preference.

    ``opening`` is when the site is open for business; empty for always.
    """

    name: str
    label: str
    uplinks: tuple[UplinkSpec, ...]
    boxes: tuple[BoxSpec, ...] = ()
    power: PowerRules = field(default_factory=PowerRules)
    switch_cost_s: float = 10.0
    services: tuple[ServiceSpec, ...] = ()
    failover: FailoverRules = field(default_factory=FailoverRules)
    opening: tuple[Hours, ...] = ()
