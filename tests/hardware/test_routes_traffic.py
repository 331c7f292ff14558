"""Real packets of a site through the gateway: which way they take, and what a switch does to them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from routes_ground import apply, forget, ground

from hardware.routes import KernelRoutes
from hardware.virtual.route_bay import (
    CELL,
    FTTH,
    HOST,
    HOST6,
    ON_CELL,
    ON_FTTH,
    PATIENCE_S,
    RESOLVER,
    SERVER,
    SERVER6,
    SILENCE_S,
    SITE_GATEWAY,
    RouteBay,
)

pytestmark = pytest.mark.bay

IPV6_RECVERR = 25  # <linux/in6.h>
UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH)
STRICT = "for setting in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 1 >$setting; done"
PORT_FORWARD = """
nft add table ip forwards
nft add chain ip forwards in '{ type nat hook prerouting priority dstnat; }'
nft add rule ip forwards in iifname eth2 tcp dport 8080 dnat to 10.0.0.2
"""


@pytest.fixture
def bay() -> Iterator[RouteBay]:
    with ground() as made:
        apply(made, ON_FTTH)
        yield made


def test_the_site_leaves_by_the_active_way(bay: RouteBay) -> None:
    """With the address of its way, and the answers come back."""
    with bay.stream() as stream:
        assert stream.exchange() == FTTH.address
    apply(bay, ON_CELL)
    with bay.stream() as stream:
        assert stream.exchange() == CELL.address


def test_a_stream_goes_on_by_the_new_way_with_its_next_packet(bay: RouteBay) -> None:
    """The connection holds to the dead way until it is forgotten; then the same sockets talk on."""
    with bay.stream() as call, bay.stream(5061) as other:
        assert call.exchange() == other.exchange() == FTTH.address
        bay.kill_way("ftth")
        assert call.exchange() is None
        apply(bay, ON_CELL)
        assert call.exchange() is None
        forget(bay, FTTH)
        assert call.exchange() == other.exchange() == CELL.address


def test_only_the_dead_ways_connections_are_forgotten(bay: RouteBay) -> None:
    """In both families; those of the other ways stay."""
    from hardware.routes_netlink import marks

    with bay.stream() as first, bay.stream(5061) as second, bay.stream(5062, SERVER6) as third:
        first.exchange()
        third.exchange()
        apply(bay, ON_CELL)
        second.exchange()
        assert sorted(bay.gateway.call(marks)) == [0x76000001, 0x76000001, 0x76000002]
        forget(bay, FTTH)
        assert bay.gateway.call(marks) == [0x76000002]


def test_a_call_on_the_backup_is_not_cut_by_the_return(bay: RouteBay) -> None:
    """It stays on the way that it began on, with the same address and port; what is new takes the better.

    Its answers come by another interface than the one to their sender: reverse-path checks must be loose.
    """
    bay.run(bay.gateway, STRICT)
    apply(bay, ON_CELL)
    with bay.stream() as call:
        assert call.exchange() == CELL.address
        apply(bay, ON_FTTH)
        assert [call.exchange() for _ in range(3)] == [CELL.address] * 3
        with bay.stream(5062) as new:
            assert new.exchange() == FTTH.address
        assert call.exchange() == CELL.address


def test_a_download_survives_the_return_and_a_restart(bay: RouteBay) -> None:
    """TCP goes on over switches, a filter that is loaded anew, and another process that takes over."""
    apply(bay, ON_CELL)
    listener = bay.internet.call(lambda: socket.create_server((SERVER, 80)))
    browser = bay.site.call(lambda: socket.create_connection((SERVER, 80), timeout=2))
    server, peer = listener.accept()
    with listener, browser, server:
        assert peer[0] == CELL.address
        for number in range(6):
            server.sendall(bytes([number]) * 100_000)
            received = b""
            while len(received) < 100_000:
                received += browser.recv(100_000 - len(received))
            assert received == bytes([number]) * 100_000
            if number == 2:
                bay.run(bay.gateway, "nft flush chain inet vigie passage")
            apply(bay, ON_FTTH if number % 2 else ON_CELL)
        browser.sendall(b"thanks")
        assert server.recv(10) == b"thanks"


def test_a_forwarded_port_answers_the_way_it_was_asked(bay: RouteBay) -> None:
    """Somebody reaches a host of the site by the backup while the site itself goes by the fibre."""
    bay.run(bay.gateway, PORT_FORWARD)
    listener = bay.site.call(lambda: socket.create_server((HOST, 8080)))
    asking = bay.internet.call(lambda: socket.create_connection(("192.168.12.10", 8080), 2))
    with listener, asking:
        served, _peer = listener.accept()
        with served:
            served.sendall(b"welcome")
            assert asking.recv(10) == b"welcome"


def test_nobody_outside_reaches_the_site_unasked(bay: RouteBay) -> None:
    """Neither by IPv6, where every host has a public address, nor from the box's own network."""
    bay.internet.ip("route add 10.0.0.0/24 via 192.168.11.10")
    for host, server in ((HOST, SERVER), (HOST6, SERVER6)):
        with bay.stream(9000, server) as stream:
            stream.site.bind((host, 9000))
            stream.site.settimeout(SILENCE_S)
            stream.server.sendto(b"unasked", (host, 9000))
            with pytest.raises(TimeoutError):
                stream.site.recv(10)


def test_ipv6_goes_where_an_uplink_has_it_and_is_refused_at_once_elsewhere(bay: RouteBay) -> None:
    """Untranslated by the way whose prefix the site has, translated by another; refused by one without."""
    with bay.stream(server=SERVER6) as stream:
        assert stream.exchange() == HOST6
    apply(bay, ON_CELL)
    with bay.site.call(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as asking:
        asking.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVERR, 1)
        asking.settimeout(PATIENCE_S)
        asking.sendto(b"hello", (SERVER6, 443))
        with pytest.raises(OSError, match=r"unreachable|No route") as refused:
            asking.recv(10)
        assert refused.value.errno in UNREACHABLE
    bay.gateway.ip("addr add 2001:db8:2::10/64 dev eth2")
    bay.internet.ip("addr add 2001:db8:2::1/64 dev cell")
    with_ipv6 = replace(CELL, address6="2001:db8:2::10", gateway6="2001:db8:2::1")
    apply(bay, replace(ON_CELL, ways=(FTTH, with_ipv6)))
    with bay.stream(5061, SERVER6) as stream:
        assert stream.exchange() == "2001:db8:2::10"


def test_names_asked_of_the_gateway_are_answered_by_every_way(bay: RouteBay) -> None:
    """The site keeps one resolver, this machine; the answer seems to come from it."""
    with bay.stream(53, RESOLVER, SITE_GATEWAY) as names:
        assert names.exchange(b"dealer.example?") == FTTH.address
        bay.kill_way("ftth")
        apply(bay, ON_CELL, [FTTH])
        assert names.exchange(b"dealer.example?") == CELL.address


@pytest.mark.parametrize("strict", [False, True])
def test_probes_use_their_own_uplink_whichever_is_active(strict: bool) -> None:
    """Bound to an interface or an address; also with the strictest checks and no default route but ours."""
    with ground() as bay:
        if strict:
            bay.gateway.ip("route del default dev eth1", "route del default dev eth2")
            bay.run(bay.gateway, STRICT)
        with bay.internet.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
            server.bind((SERVER, 7))
            for wanted in (ON_FTTH, ON_CELL):
                apply(bay, wanted)
                for way in (FTTH, CELL):
                    assert probed(bay, server, device=way.interface) == way.address
                    assert probed(bay, server, source=way.address) == way.address
            assert probed(bay, server) == CELL.address
            bay.kill_way("ftth")
            assert probed(bay, server, device="eth1") is None
            assert probed(bay, server, device="eth2") == CELL.address


def probed(bay: RouteBay, server: socket.socket, device: str = "", source: str | None = "") -> str | None:
    """The address from which the machine's own datagram was seen and answered; None if it was not."""
    with bay.gateway.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        if device:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        probe.bind((source or "", 0))
        probe.settimeout(SILENCE_S)
        server.settimeout(SILENCE_S)
        probe.sendto(b"echo", (SERVER, 7))
        try:
            data, sender = server.recvfrom(10)
            server.sendto(data, sender)
            assert probe.recv(10) == b"echo"
        except TimeoutError:
            return None
        address: str = sender[0]
        return address


def test_what_is_bound_to_a_way_leaves_by_no_other(bay: RouteBay) -> None:
    """While its interface is away, a socket with its address is told so at once; the site goes on."""
    bay.gateway.ip("link set eth1 down")
    apply(bay, ON_CELL)
    with bay.gateway.call(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind((FTTH.address or "", 0))
        with pytest.raises(OSError, match=r"unreachable|No route") as refused:
            probe.sendto(b"echo", (SERVER, 7))
        assert refused.value.errno in UNREACHABLE
    with bay.stream() as stream:
        assert stream.exchange() == CELL.address


def test_what_went_through_before_the_filter_stood_is_translated_after(bay: RouteBay) -> None:
    """A connection that began without translation gets it with its next packet."""
    bay.gateway.call(lambda: KernelRoutes().remove())
    bay.gateway.sysctl("ipv4/ip_forward", "1")
    # Connections are tracked only where somebody's filter asks for it.
    bay.run(bay.gateway, PORT_FORWARD)
    bay.internet.ip("route add 10.0.0.0/24 via 192.168.11.10")
    with bay.stream() as stream:
        assert stream.exchange() == HOST
        apply(bay, ON_FTTH)
        assert stream.exchange() == FTTH.address
