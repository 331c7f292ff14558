"""The kernel's tables of interfaces, IPv4 addresses and default routes, read over rtnetlink.

Only what an uplink needs is parsed; what is malformed or unknown is skipped. The parser never raises.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

# <linux/rtnetlink.h>, <linux/if_link.h>, <linux/if_addr.h>, <linux/netlink.h>
GROUPS: Final = 0x1 | 0x10 | 0x40  # links, IPv4 addresses, IPv4 routes
NEWLINK, DELLINK, GETLINK = 16, 17, 18
NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
RELEVANT: Final = frozenset((NEWLINK, DELLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE))
_ERROR, _DONE = 2, 3
_REQUEST_DUMP: Final = 0x1 | 0x300
_DUMP_INTERRUPTED: Final = 0x10

_IFLA_IFNAME, _IFLA_OPERSTATE, _IFLA_CARRIER = 3, 16, 33
_IFF_UP, _IFF_POINTOPOINT, _IFF_LOWER_UP = 0x1, 0x10, 0x10000
_OPER_NOTPRESENT, _OPER_DOWN, _OPER_LOWERLAYERDOWN = 1, 2, 3
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_SECONDARY: Final = 0x1
_SCOPE_LINK: Final = 253
_RTA_OIF, _RTA_GATEWAY, _RTA_PRIORITY, _RTA_MULTIPATH, _RTA_TABLE = 4, 5, 6, 9, 15
_RTN_UNICAST: Final = 1
_CLONED: Final = 0x200
_TABLE_MAIN: Final = 254
_NO_NEXT_HOP: Final = "0.0.0.0"  # noqa: S104 - a default route straight into the interface; nothing is bound

_MESSAGE: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_LINK: Final = struct.Struct("=BxHiII")
_ADDRESS: Final = struct.Struct("=BBBBi")
_ROUTE: Final = struct.Struct("=BBBBBBBBI")
_NEXT_HOP: Final = struct.Struct("=HBBi")
_NUMBER: Final = struct.Struct("=I")
_ATTRIBUTE_KIND: Final = 0x3FFF
_BUFFER: Final = 1 << 17
_DUMP_TRIES: Final = 5
_DUMP_TIMEOUT_S: Final = 2.0


class Message(NamedTuple):
    """One netlink message without its header."""

    kind: int
    flags: int
    sequence: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. ``carrier`` is None while it is administratively down: nobody can tell then."""

    index: int
    name: str
    carrier: bool | None
    point_to_point: bool


@dataclass(frozen=True, slots=True)
class Address:
    """An IPv4 address with more than local scope; ``peer`` is the far end of a point-to-point link."""

    index: int
    address: str
    peer: str
    secondary: bool


@dataclass(frozen=True, slots=True)
class Default:
    """A default route's way through one interface; 0.0.0.0 is a route without a next hop."""

    index: int
    gateway: str
    metric: int
    main: bool


@dataclass(slots=True)
class Tables:
    """One reading of the kernel's tables."""

    interfaces: dict[str, Interface] = field(default_factory=dict)
    addresses: list[Address] = field(default_factory=list)
    defaults: list[Default] = field(default_factory=list)

    def address_of(self, interface: Interface) -> Address | None:
        """The interface's first primary address, or else its first."""
        own = [address for address in self.addresses if address.index == interface.index]
        return min(own, key=lambda address: address.secondary, default=None)

    def gateway_of(self, interface: Interface) -> str | None:
        """The next hop of the interface's best default route; table main is preferred to all others.

        A point-to-point link has its peer as next hop.
        """
        own = [default for default in self.defaults if default.index == interface.index]
        best = min(own, key=lambda default: (not default.main, default.metric), default=None)
        if best is None:
            return None
        address = self.address_of(interface)
        if best.gateway == _NO_NEXT_HOP and interface.point_to_point and address is not None:
            return address.peer
        return best.gateway


def messages(data: bytes) -> Iterator[Message]:
    """Split a datagram into its messages; a malformed rest is dropped."""
    at = 0
    while at + _MESSAGE.size <= len(data):
        length, kind, flags, sequence, _port = _MESSAGE.unpack_from(data, at)
        if length < _MESSAGE.size or at + length > len(data):
            return
        yield Message(kind, flags, sequence, data[at + _MESSAGE.size : at + length])
        at += (length + 3) & ~3


def _attributes(body: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, at)
        if length < _ATTRIBUTE.size or at + length > len(body):
            break
        found[kind & _ATTRIBUTE_KIND] = body[at + _ATTRIBUTE.size : at + length]
        at += (length + 3) & ~3
    return found


def _number(data: bytes | None, otherwise: int) -> int:
    return int(_NUMBER.unpack(data)[0]) if data is not None and len(data) == _NUMBER.size else otherwise


def _dotted(data: bytes | None) -> str | None:
    return socket.inet_ntoa(data) if data is not None and len(data) == 4 else None


def parse_link(body: bytes) -> Interface | None:
    """An interface; None if this is none (bridge ports are told in the same words)."""
    if len(body) < _LINK.size:
        return None
    family, _type, index, flags, _change = _LINK.unpack_from(body)
    found = _attributes(body, _LINK.size)
    name = found.get(_IFLA_IFNAME, b"").rstrip(b"\0").decode("utf-8", "surrogateescape")
    if family != socket.AF_UNSPEC or not name:
        return None
    return Interface(index, name, _carrier(flags, found), bool(flags & _IFF_POINTOPOINT))


def _carrier(flags: int, found: dict[int, bytes]) -> bool | None:
    if not flags & _IFF_UP:
        return None
    told = found.get(_IFLA_CARRIER, b"")
    if not flags & _IFF_LOWER_UP or told == b"\0":
        return False
    # Dormant (waiting for 802.1X) and unknown (drivers that never tell, such as modems) have carrier.
    state = found.get(_IFLA_OPERSTATE, b"\0")[:1] or b"\0"
    return state[0] not in (_OPER_NOTPRESENT, _OPER_DOWN, _OPER_LOWERLAYERDOWN)


def parse_address(body: bytes) -> Address | None:
    """An IPv4 address that can reach beyond the link; None for all others."""
    if len(body) < _ADDRESS.size:
        return None
    family, _length, flags, scope, index = _ADDRESS.unpack_from(body)
    found = _attributes(body, _ADDRESS.size)
    peer = _dotted(found.get(_IFA_ADDRESS))
    own = _dotted(found.get(_IFA_LOCAL)) or peer
    if family != socket.AF_INET or scope >= _SCOPE_LINK or own is None:
        return None
    return Address(index, own, peer or own, bool(flags & _IFA_SECONDARY))


def parse_defaults(body: bytes) -> list[Default]:
    """The ways of a default route; none if it is another kind of route."""
    if len(body) < _ROUTE.size:
        return []
    family, length, _source, _tos, table, _protocol, _scope, kind, flags = _ROUTE.unpack_from(body)
    if family != socket.AF_INET or length != 0 or kind != _RTN_UNICAST or flags & _CLONED:
        return []
    found = _attributes(body, _ROUTE.size)
    main = _number(found.get(_RTA_TABLE), table) == _TABLE_MAIN
    metric = _number(found.get(_RTA_PRIORITY), 0)
    if _RTA_MULTIPATH in found:
        ways = _next_hops(found[_RTA_MULTIPATH])
    else:
        ways = [(_number(found.get(_RTA_OIF), 0), _dotted(found.get(_RTA_GATEWAY)))]
    return [Default(index, gateway or _NO_NEXT_HOP, metric, main) for index, gateway in ways if index]


def _next_hops(data: bytes) -> list[tuple[int, str | None]]:
    ways: list[tuple[int, str | None]] = []
    at = 0
    while at + _NEXT_HOP.size <= len(data):
        length, _flags, _weight, index = _NEXT_HOP.unpack_from(data, at)
        if length < _NEXT_HOP.size or at + length > len(data):
            break
        found = _attributes(data[at : at + length], _NEXT_HOP.size)
        ways.append((index, _dotted(found.get(_RTA_GATEWAY))))
        at += (length + 3) & ~3
    return ways


def read_tables() -> Tables:
    """Ask the kernel for everything. It answers while being asked, so this does not wait.

    Raises:
        OSError: netlink is not available.
    """
    tables = Tables()
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    ) as asked:
        asked.settimeout(_DUMP_TIMEOUT_S)
        asked.bind((0, 0))
        for body in _dump(asked, GETLINK, NEWLINK, 1):
            interface = parse_link(body)
            if interface is not None:
                tables.interfaces[interface.name] = interface
        for body in _dump(asked, GETADDR, NEWADDR, 2):
            address = parse_address(body)
            if address is not None:
                tables.addresses.append(address)
        for body in _dump(asked, GETROUTE, NEWROUTE, 3):
            tables.defaults.extend(parse_defaults(body))
    return tables


def _dump(asked: socket.socket, request: int, answer: int, number: int) -> list[bytes]:
    """All answers to one request; asked again if the table changed under the reading."""
    found: list[bytes] = []
    for attempt in range(_DUMP_TRIES):
        sequence = number + 10 * attempt
        family = socket.AF_UNSPEC if request == GETLINK else socket.AF_INET
        # 16 bytes of zeros behind the family fit every one of the three requests.
        body = bytes([family]) + bytes(15)
        asked.sendto(
            _MESSAGE.pack(_MESSAGE.size + len(body), request, _REQUEST_DUMP, sequence, 0) + body, (0, 0)
        )
        found, whole = _collect(asked, answer, sequence)
        if whole:
            break
    return found


def _collect(asked: socket.socket, answer: int, sequence: int) -> tuple[list[bytes], bool]:
    found: list[bytes] = []
    whole = True
    while True:
        for message in messages(asked.recv(_BUFFER)):
            if message.sequence != sequence:
                continue
            if message.flags & _DUMP_INTERRUPTED:
                whole = False
            if message.kind == _ERROR:
                raise OSError(errno.EPROTO, "the kernel refuses to list its network tables")
            if message.kind == _DONE:
                return found, whole
            if message.kind == answer:
                found.append(message.body)
