"""Counting what the agent itself sends and receives."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.model import Link
from agent.core.spending import Spent
from agent.probes.meter import Meter
from agent.probes.tcp_traffic import HEADERS, PARTING, STAMPS, SYN_OPTIONS, Traffic, traffic_of
from agent.probes.way import is_lan

HERE = Link("4g", present=True, carrier=True, address="127.0.0.1", gateway="127.0.0.2")


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        with near, far:
            yield near, far


def exchange(near: socket.socket, far: socket.socket, size: int) -> None:
    """Send ``size`` bytes there and as many back; the kernels have acknowledged all when this returns."""
    for one, other in ((near, far), (far, near)):
        one.sendall(b"x" * size)
        left = size
        while left:
            left -= len(other.recv(left))


def test_sums_are_posted_and_begin_anew() -> None:
    """Only of uplinks with a budget, and only if there is something."""
    posted: list[Spent] = []
    meter = Meter(["4g", "sat"], posted.append)
    meter.count("4g", 44, 0)
    meter.count("4g", 44, 44)
    meter.count("ftth", 1000, 1000)
    meter.settle()
    meter.settle()
    meter.count("sat", 0, 5)
    meter.settle()
    assert posted == [Spent("4g", 88, 44), Spent("sat", 0, 5)]


def test_the_kernel_counts_a_connection(ends: tuple[socket.socket, socket.socket]) -> None:
    """A new one has cost a handshake: SYN and acknowledgement out, their answer in; payload comes on top."""
    near, far = ends
    sent, received = traffic_of(near)
    assert sent == (HEADERS + SYN_OPTIONS) + (HEADERS + STAMPS)
    assert received == HEADERS + SYN_OPTIONS
    exchange(near, far, 1000)
    after = traffic_of(near)
    segments_out = (after.sent - sent - 1000) / (HEADERS + STAMPS)
    assert segments_out == int(segments_out) >= 1
    assert traffic_of(far).received == after.sent
    near.close()
    assert traffic_of(near) == Traffic()


def test_a_connection_belongs_to_the_uplink_of_its_address(ends: tuple[socket.socket, socket.socket]) -> None:
    """From its first packet to its end; a connection from another address belongs to none."""
    near, far = ends
    posted: list[Spent] = []
    meter = Meter(["4g"], posted.append)
    meter.opened(near)
    meter.settle()
    assert posted == []
    meter.link_changed(HERE)
    exchange(near, far, 500)
    meter.settle()
    (first,) = posted
    assert first.sent_bytes >= 500 + HEADERS + STAMPS
    exchange(near, far, 700)
    total = traffic_of(near)
    meter.closed(near)
    near.close()
    meter.settle()
    meter.settle()
    assert len(posted) == 2
    handshake = 2 * HEADERS + SYN_OPTIONS + STAMPS
    counted = sum(spent.sent_bytes for spent in posted)
    assert counted == total.sent + PARTING - handshake


def test_an_uplink_whose_address_changes_keeps_the_new_one_only(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """A connection from an address that the uplink had before is nobody's."""
    near, far = ends
    posted: list[Spent] = []
    meter = Meter(["4g"], posted.append)
    meter.link_changed(HERE)
    meter.link_changed(Link("4g", present=True, carrier=True, address="192.0.2.7"))
    meter.opened(near)
    exchange(near, far, 500)
    meter.settle()
    assert posted == []


def test_a_connection_closed_without_a_word_is_forgotten(ends: tuple[socket.socket, socket.socket]) -> None:
    """Whoever closes a socket may have forgotten to say so."""
    near, _far = ends
    posted: list[Spent] = []
    meter = Meter(["4g"], posted.append)
    meter.link_changed(HERE)
    meter.opened(near)
    near.close()
    meter.settle()
    meter.settle()
    assert posted == []


@pytest.mark.parametrize(
    ("flags", "lan"),
    [("0x1003", True), ("0x1091", False), ("0x10d1", False), ("0x1083", False), ("what", True)],
)
def test_a_modem_of_its_own_is_no_lan(flags: str, lan: bool, tmp_path: Path) -> None:
    """Point to point, or without ARP: whatever is sent there goes out by radio."""
    (tmp_path / "wwan0").mkdir()
    (tmp_path / "wwan0" / "flags").write_text(f"{flags}\n")
    assert is_lan("wwan0", tmp_path) is lan
    assert is_lan("gone0", tmp_path)
