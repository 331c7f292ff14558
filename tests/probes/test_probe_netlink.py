"""The parser of the kernel's tables."""

from __future__ import annotations

import socket
import struct

from hypothesis import given
from hypothesis import strategies as st

from agent.probes.netlink import (
    Address,
    Default,
    Interface,
    Tables,
    messages,
    parse_address,
    parse_defaults,
    parse_link,
)

UP, POINT_TO_POINT, LOWER_UP = 0x1, 0x10, 0x10000
ETH = Interface(3, "eth0", True, False)


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def link(flags: int, *, family: int = 0, carrier: int = 1, operstate: int = 6) -> bytes:
    head = struct.pack("=BxHiII", family, 1, 3, flags, 0)
    state = attribute(16, bytes([operstate])) + attribute(33, bytes([carrier]))
    return head + attribute(3, b"eth0\0") + state


def route(*attributes: bytes, length: int = 0, kind: int = 1, table: int = 254, flags: int = 0) -> bytes:
    return struct.pack("=BBBBBBBBI", 2, length, 0, 0, table, 3, 0, kind, flags) + b"".join(attributes)


def via(gateway: str, index: int = 3) -> bytes:
    return attribute(4, struct.pack("=i", index)) + attribute(5, socket.inet_aton(gateway))


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing(data: bytes) -> None:
    """A malformed message is skipped, not an end of the watch."""
    for message in messages(data):
        parse_link(message.body)
        parse_address(message.body)
        parse_defaults(message.body)
    parse_link(data)
    parse_address(data)
    parse_defaults(data)


@given(
    st.sampled_from([link(UP), route(via("10.0.0.1")), route(attribute(9, bytes(20)))]),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=8),
    st.integers(0, 80),
)
def test_damaged_messages_raise_nothing(body: bytes, damage: list[tuple[int, int]], keep: int) -> None:
    """Bytes that are nearly right reach deeper into the parser."""
    broken = bytearray(body)
    for at, value in damage:
        if at < len(broken):
            broken[at] = value
    for parse in (parse_link, parse_address, parse_defaults):
        parse(bytes(broken))
        parse(bytes(broken[:keep]))


@given(st.lists(st.tuples(st.integers(0, 100), st.binary(max_size=40)), max_size=6))
def test_messages_are_split_as_they_were_joined(parts: list[tuple[int, bytes]]) -> None:
    """Each comes back with its kind and body."""
    joined = b"".join(
        struct.pack("=IHHII", 16 + len(body), kind, 0, 7, 0) + body + bytes(-len(body) % 4)
        for kind, body in parts
    )
    assert [(message.kind, message.body) for message in messages(joined)] == parts


def test_carrier_has_three_answers() -> None:
    """True, false, and none while the interface is switched off by its administrator."""

    def carrier(body: bytes) -> bool | None:
        interface = parse_link(body)
        assert interface is not None
        return interface.carrier

    assert carrier(link(UP | LOWER_UP)) is True
    assert carrier(link(UP | LOWER_UP, operstate=0)) is True
    assert carrier(link(UP, carrier=0, operstate=2)) is False
    assert carrier(link(UP | LOWER_UP, carrier=0)) is False
    assert carrier(link(UP | LOWER_UP, operstate=2)) is False
    assert carrier(link(0, carrier=0, operstate=2)) is None


def test_a_bridge_port_is_not_an_interface() -> None:
    """Leaving a bridge is told in the words of a deletion."""
    assert parse_link(link(UP, family=7)) is None


def test_addresses_without_reach_are_left_out() -> None:
    """169.254.x.x means that no DHCP server answered."""
    local = attribute(1, socket.inet_aton("169.254.3.4")) + attribute(2, socket.inet_aton("169.254.3.4"))
    assert parse_address(struct.pack("=BBBBi", 2, 16, 0, 253, 3) + local) is None


def test_only_default_routes_count() -> None:
    """Not those of a subnet, not unreachable ones, not cached ones."""
    assert parse_defaults(route(via("10.0.0.1"))) == [Default(3, "10.0.0.1", 0, True)]
    assert parse_defaults(route(via("10.0.0.1"), length=24)) == []
    assert parse_defaults(route(via("10.0.0.1"), kind=7)) == []
    assert parse_defaults(route(via("10.0.0.1"), flags=0x200)) == []


def test_a_multipath_route_gives_each_interface_its_way() -> None:
    """One route may leave by several interfaces."""

    def hop(index: int, gateway: str) -> bytes:
        way = attribute(5, socket.inet_aton(gateway))
        return struct.pack("=HBBi", 8 + len(way), 0, 0, index) + way

    ways = parse_defaults(route(attribute(9, hop(3, "10.0.0.1") + hop(4, "10.0.1.1"))))
    assert [(way.index, way.gateway) for way in ways] == [(3, "10.0.0.1"), (4, "10.0.1.1")]


def test_gateway_is_that_of_the_lowest_metric_in_table_main() -> None:
    """Other tables count only where main has no default route for the interface."""
    others = [Default(3, "10.0.0.9", 0, False), Default(4, "10.0.1.1", 0, True)]
    mains = [Default(3, "10.0.0.2", 700, True), Default(3, "10.0.0.1", 100, True)]
    assert Tables(defaults=others + mains).gateway_of(ETH) == "10.0.0.1"
    assert Tables(defaults=others).gateway_of(ETH) == "10.0.0.9"
    assert Tables().gateway_of(ETH) is None


def test_gateway_of_a_point_to_point_link_is_its_peer() -> None:
    """Its default route names none; elsewhere such a route is told as 0.0.0.0."""
    ppp = Interface(5, "ppp0", True, True)
    tables = Tables(
        addresses=[Address(5, "10.1.0.7", "10.1.0.1", False)], defaults=[Default(5, "0.0.0.0", 0, True)]
    )
    assert tables.gateway_of(ppp) == "10.1.0.1"
    assert tables.gateway_of(Interface(5, "wwan0", True, False)) == "0.0.0.0"


def test_primary_address_is_preferred() -> None:
    """A secondary one, such as a service address, comes and goes."""
    tables = Tables(
        addresses=[Address(3, "10.0.0.8", "10.0.0.8", True), Address(3, "10.0.0.7", "10.0.0.7", False)]
    )
    address = tables.address_of(ETH)
    assert address is not None
    assert address.address == "10.0.0.7"
