"""What route mode is told and what it answers: the port of the driver that makes this machine the gateway."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final, Protocol

from hardware.ports import HardwareError

MOST_WAYS: Final = 6
LONGEST_INTERFACE_NAME: Final = 15
"""IFNAMSIZ of <linux/if.h>, without the final zero."""


class RoutesError(HardwareError):
    """The kernel is not as wanted, whatever was tried; the message says what differs and why."""


@dataclass(frozen=True, slots=True)
class Way:
    """One uplink as a way out, with what it has now.

    Attributes:
        name: for messages.
        interface: by which it leaves.
        number: 1 to 6; the same for the same uplink over restarts, for it names the uplink's table and mark.
        address: this machine's IPv4 address on it; None without one, and then nothing is routed by it.
        gateway: the next hop; None on a point-to-point interface, where everything goes to the other end.
        address6, gateway6: the same for IPv6.
        prefix6: addresses that the operator routes to the site by this way (prefix delegation). By this way
            they leave untranslated, by any other with that one's address.

    Raises:
        ValueError: a value out of its range, named.
    """

    name: str
    interface: str
    number: int
    address: str | None = None
    gateway: str | None = None
    address6: str | None = None
    gateway6: str | None = None
    prefix6: str | None = None

    def __post_init__(self) -> None:
        """Refuse what the kernel would refuse, or worse, understand otherwise."""
        if not 1 <= self.number <= MOST_WAYS:
            raise ValueError(f"way {self.name}: number {self.number}; allowed: 1 to {MOST_WAYS}")
        _check_interface(self.interface, f"way {self.name}")
        for text, kind in (
            (self.address, IPv4Address),
            (self.gateway, IPv4Address),
            (self.address6, IPv6Address),
            (self.gateway6, IPv6Address),
            (self.prefix6, IPv6Network),
        ):
            # The kernel tells addresses back in their shortest form: another would look like a stray change.
            if text is not None and str(kind(text)) != text:
                raise ValueError(f"way {self.name}: {text}; allowed: its usual form, {kind(text)}")

    @property
    def has_ipv4(self) -> bool:
        """IPv4 can be routed by it."""
        return self.address is not None

    @property
    def has_ipv6(self) -> bool:
        """IPv6 can be routed by it."""
        return self.address6 is not None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the kernel is to do with the site's traffic.

    Attributes:
        lan: the site's interfaces, at least one.
        ways: the uplinks; those without an address are kept ready.
        active: name of the way for new connections of the site and for what this machine sends unbound; None
            for no opinion, which leaves both to the default routes of the system.
        masquerade: give what leaves the address of its way. False only where every box has a route to the
            site's own addresses.
        dns: public IPv4 resolvers that answer what the site asks this machine, in turn; none leaves the
            question to a name server on this machine.

    Raises:
        ValueError: two ways that share a name, number or interface, or an active way that is not there.
    """

    lan: tuple[str, ...]
    ways: tuple[Way, ...]
    active: str | None = None
    masquerade: bool = True
    dns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if not self.lan:
            raise ValueError("lan: no interface; allowed: at least one")
        for interface in self.lan:
            _check_interface(interface, "lan")
        _check_different("way", [way.name for way in self.ways])
        _check_different("number", [way.number for way in self.ways])
        _check_different("interface", [*self.lan, *(way.interface for way in self.ways)])
        _check_different("dns", list(self.dns))
        for text in self.dns:
            if str(IPv4Address(text)) != text:
                raise ValueError(f"dns: {text}; allowed: its usual form, {IPv4Address(text)}")
        if self.active is not None and self.active_way is None:
            names = ", ".join(way.name for way in self.ways)
            raise ValueError(f"active: {self.active}; allowed: {names or 'none, for there is no way'}")

    @property
    def active_way(self) -> Way | None:
        """The way that ``active`` names."""
        return next((way for way in self.ways if way.name == self.active), None)


class Deed(StrEnum):
    """What is done to one thing."""

    ADD = "add"
    REPLACE = "replace"
    REMOVE = "remove"


class Part(StrEnum):
    """The kinds of things that route mode keeps."""

    RULE = "rule"
    ROUTE = "route"
    TABLE = "table"
    """The nftables table: marks, translation, filter."""
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was not as wanted, and what is done to it; ``what`` is for people who know networks."""

    deed: Deed
    part: Part
    what: str


class Routes(Protocol):
    """Makes the kernel's routing what is wanted, from any state, and knows its own things from others'.

    Constructing a driver touches nothing. Every call reads the kernel anew, so a call that was cut short, by
    a kill too, is finished by the next. One call at a time; each ends within seconds.
    """

    def apply(self, wanted: Wanted, dead: Collection[Way] = ()) -> tuple[Change, ...]:
        """Make it so; returns what was not so. A second call returns nothing.

        Args:
            wanted: what is to be.
            dead: ways that work no more: as soon as the default route has left them, their connections are
                forgotten (see ``forget``), before everything else is looked at. Best told with each call as
                long as they are dead, which also catches a packet that was under way during the switch.

        Raises:
            ValueError: the active way is among the dead; nothing was done.
            HardwareMissingError: a program, a library or a part of the kernel is missing.
            RoutesError: something is still not as wanted; everything else is.
            HardwareError: no permission, or the kernel does not answer.
        """

    def differences(self, wanted: Wanted) -> tuple[Change, ...]:
        """What ``apply`` would do now; nothing is changed.

        Raises:
            HardwareError: as for ``apply``.
        """

    def forget(self, way: Way) -> None:
        """Let every connection of the site that holds to ``way`` choose anew with its next packet.

        For a way that is not the active one: a backup that died later, or one that all calls have left. Calls
        and streams over UDP go on by the active way; TCP connections are reset by their servers, who see a
        stranger.

        Raises:
            HardwareError: as for ``apply``.
        """

    def remove(self) -> tuple[Change, ...]:
        """Take away all that is ours and put settings back; returns what was there.

        Raises:
            RoutesError: something could not be taken away; everything else is gone.
            HardwareError: as for ``apply``.
        """

    def close(self) -> None:
        """Let go and leave everything in place: the site's traffic goes on. Safe to repeat."""


def check_dead(wanted: Wanted, dead: Collection[Way]) -> None:
    """Raise ``ValueError`` where connections would choose a dead way anew."""
    if wanted.active in {way.name for way in dead}:
        raise ValueError(f"dead: {wanted.active} is the active way; allowed: the others")


def _check_interface(name: str, where: str) -> None:
    if not 0 < len(name.encode()) <= LONGEST_INTERFACE_NAME or "/" in name or name.split() != [name]:
        raise ValueError(
            f"{where}: interface {name!r}; allowed: 1 to {LONGEST_INTERFACE_NAME} bytes, no / or blank"
        )


def _check_different(what: str, values: Collection[object]) -> None:
    if len(set(values)) != len(values):
        raise ValueError(f"{what}: {', '.join(map(str, values))}; allowed: each only once")
