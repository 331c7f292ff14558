"""What a bay is made of, and who has which address in it.

    site ── LAN ── box ── line ── operator ── backbone ── internet

Every LAN has a prefix of its own, so that the answers find their way back through the same operator and
box without address translation. ``.1`` of a LAN is the box, ``.10`` and above are the site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from hardware.virtual.line import LinkQuality
from hardware.virtual.speaks import DISH_ADDRESS, DISHES, SPOKEN_ON

KINDS = ("ftth", "starlink", "cellular", "other")
TARGETS = ("1.1.1.1", "8.8.8.8", "9.9.9.9")
BROKER = "203.0.113.10"
"""An address of the internet that is always there; the broker listens on it."""
MOST_UPLINKS = 50
SITE_HOST = 10


@dataclass(frozen=True, slots=True)
class BayUplink:
    """One uplink of a bay, with its box of the same name.

    Attributes:
        name: what deeds and relays call it.
        interface: its name at the site, as in the configuration of whoever watches.
        kind: one of ``KINDS``; ``cellular`` has a HiLink modem as its box unless something else speaks.
        speaks: who speaks for it, one of ``speaks.SPEAKS``; None: nobody.
        lan_prefix: a /24 that no other uplink has; None chooses 192.168.x.0/24.
        operator: who sells it, for people; None is ``op-`` and the name.
        boot_s: seconds from power to forwarding.
        quality: of the line between box and operator, each direction.
        targets: addresses on the internet that answer; all uplinks reach those of all.
    """

    name: str
    interface: str
    kind: str = "ftth"
    speaks: str | None = None
    lan_prefix: str | None = None
    operator: str | None = None
    boot_s: float = 12.0
    quality: LinkQuality = field(default_factory=LinkQuality)
    targets: tuple[str, ...] = TARGETS


@dataclass(frozen=True, slots=True)
class Plan:
    """An uplink's place in the bay: ``number`` counts from 0 in the order of preference."""

    uplink: BayUplink
    number: int
    lan: IPv4Network

    @property
    def name(self) -> str:
        """The uplink's and the box's name."""
        return self.uplink.name

    @property
    def operator(self) -> str:
        """Who sells the uplink."""
        return self.uplink.operator or f"op-{self.name}"

    @property
    def speaks(self) -> str | None:
        """Who speaks for it; a cellular uplink always has a modem, whether it is asked or not."""
        return self.uplink.speaks or ("hilink" if self.uplink.kind == "cellular" else None)

    @property
    def dish(self) -> str | None:
        """The address at which its dish is asked; None without one."""
        return DISH_ADDRESS if self.speaks in DISHES else None

    @property
    def metric(self) -> int:
        """Of the site's default route through this uplink: the first uplink is preferred."""
        return 100 * (self.number + 1)

    @property
    def box(self) -> str:
        """The box on its LAN: the site's gateway."""
        return str(self.lan[1])

    @property
    def box_wan(self) -> str:
        """The box on its line."""
        return f"100.64.{self.number}.2"

    @property
    def first_hop(self) -> str:
        """The operator's end of the line, the first hop beyond the box."""
        return f"100.64.{self.number}.1"

    @property
    def operator_core(self) -> str:
        """The operator on the backbone."""
        return f"198.18.{self.number}.2"

    @property
    def internet_port(self) -> str:
        """The internet's end of the backbone to this operator."""
        return f"198.18.{self.number}.1"

    @property
    def public(self) -> str:
        """What the site looks like from outside through this uplink."""
        return f"81.2.69.{self.number + 1}"

    def mac(self, end: str) -> str:
        """The hardware address of one end: ``site``, ``box``, ``wan`` or ``operator``."""
        return f"02:76:00:00:{self.number:02x}:{('site', 'box', 'wan', 'operator').index(end) + 1:02x}"


def plan_bay(uplinks: Sequence[BayUplink]) -> tuple[Plan, ...]:
    """Give every uplink its place.

    Raises:
        ValueError: no uplink or too many, a name, interface or prefix twice, an unknown kind, a bad
            interface name, prefix or target.
    """
    if not 1 <= len(uplinks) <= MOST_UPLINKS:
        raise ValueError(f"a bay has 1 to {MOST_UPLINKS} uplinks, not {len(uplinks)}")
    plans = tuple(
        Plan(uplink, number, _prefix(uplink.lan_prefix or f"192.168.{11 + number}.0/24"))
        for number, uplink in enumerate(uplinks)
    )
    for what, values in (
        ("name", [plan.name for plan in plans]),
        ("interface", [plan.uplink.interface for plan in plans]),
        ("lan_prefix", [str(plan.lan) for plan in plans]),
    ):
        if twice := {value for value in values if values.count(value) > 1}:
            raise ValueError(f"two uplinks have the same {what}: {', '.join(sorted(twice))}")
    for plan in plans:
        _check(plan.uplink)
    return plans


def _prefix(text: str) -> IPv4Network:
    network = IPv4Network(text)
    if network.prefixlen != 24:
        raise ValueError(f"lan_prefix is a /24, not {text}")
    return network


def _check(uplink: BayUplink) -> None:
    if uplink.kind not in KINDS:
        raise ValueError(f"{uplink.name}: kind {uplink.kind!r} is not one of {', '.join(KINDS)}")
    if uplink.speaks is not None and uplink.kind not in SPOKEN_ON.get(uplink.speaks, ()):
        raise ValueError(
            f"{uplink.name}: {uplink.speaks!r} does not speak for an uplink of kind {uplink.kind}"
        )
    interface = uplink.interface
    if not 1 <= len(interface) <= 15 or interface == "lo" or any(c in "/: \t\n" for c in interface):
        raise ValueError(f"{uplink.name}: {interface!r} cannot be the name of an interface")
    for target in uplink.targets:
        try:
            IPv4Address(target)
        except AddressValueError as error:
            raise ValueError(f"{uplink.name}: target {target!r} is not an IPv4 address") from error


def all_targets(plans: Sequence[Plan]) -> tuple[str, ...]:
    """Every address of the internet that answers."""
    return tuple(dict.fromkeys([*TARGETS, *(t for plan in plans for t in plan.uplink.targets), BROKER]))
