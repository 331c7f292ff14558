"""A bay for route mode: a site, the gateway between two uplinks, and the internet, with real packets.

    site (lan) --- eth0 gateway eth1 --- box of ftth, internet
                                eth2 --- box of cell, internet

The internet is one namespace with both boxes in it: it sees by which box and from which address a packet
comes, and answers from the same host.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hardware.routes_port import Wanted, Way
from hardware.virtual.netns import Namespace, NamespaceError, veth

SERVER = "203.0.113.1"
SERVER6 = "2001:db8:ffff::1"
RESOLVER = "203.0.113.53"
HOST = "10.0.0.2"
HOST6 = "2001:db8:1:100::2"
SITE_GATEWAY = "10.0.0.1"

FTTH = Way(
    "ftth",
    "eth1",
    1,
    "192.168.11.10",
    "192.168.11.1",
    "2001:db8:1::10",
    "2001:db8:1::1",
    "2001:db8:1:100::/56",
)
CELL = Way("cell", "eth2", 2, "192.168.12.10", "192.168.12.1")
ON_FTTH = Wanted(("eth0",), (FTTH, CELL), "ftth", dns=(RESOLVER,))
ON_CELL = Wanted(("eth0",), (FTTH, CELL), "cell", dns=(RESOLVER,))

SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
ENVIRONMENT = {**os.environ, "PATH": SEARCHED}
SHOWN = """
ip rule; ip -6 rule; ip route show table all; ip -6 route show table all; nft list ruleset
cd /proc/sys/net
grep -H . ipv4/ip_forward ipv4/conf/*/rp_filter ipv6/conf/all/forwarding ipv6/conf/*/accept_ra
"""


PATIENCE_S = 2.0
SILENCE_S = 0.15
"""Nothing is lost on these lines but what is dropped on purpose, and all of it within a millisecond."""


@dataclass
class Stream:
    """Datagrams from the site to a host of the internet, and its answers."""

    site: socket.socket
    server: socket.socket
    to: tuple[str, int]

    def exchange(self, payload: bytes = b"voice") -> str | None:
        """The address that the server saw, once its answer has come back; None if it has seen nothing.

        Raises:
            TimeoutError: the server has seen it, and its answer did not come back.
            AssertionError: the answer is not that of the host that was asked.
        """
        self.site.sendto(payload, self.to)
        self.server.settimeout(SILENCE_S)
        try:
            data, sender = self.server.recvfrom(2048)
        except TimeoutError:
            return None
        self.server.sendto(b"heard " + data, sender)
        self.site.settimeout(PATIENCE_S)
        answer, answered_by = self.site.recvfrom(2048)
        if (data, answer, answered_by[:2]) != (payload, b"heard " + payload, self.to):
            raise AssertionError(f"sent {payload!r} to {self.to}, heard {answer!r} of {answered_by}")
        address: str = sender[0]
        return address

    def close(self) -> None:
        """Close both ends."""
        self.site.close()
        self.server.close()


class RouteBay:
    """The three namespaces, with addresses, and default routes as NetworkManager would make them.

    Raises:
        NamespaceError: neither root nor inside a user namespace that allows it.
    """

    def __init__(self) -> None:
        """Build it; everything is gone with the process, or with ``close``."""
        self.site = Namespace("site")
        self.gateway = Namespace("gateway")
        self.internet = Namespace("internet")
        for namespace in (self.site, self.gateway, self.internet):
            namespace.sysctl("ipv6/conf/all/accept_dad", "0")
            namespace.sysctl("ipv6/conf/default/accept_dad", "0")
        # As on a real line, nobody answers there for an address that is somewhere else.
        self.internet.sysctl("ipv4/conf/all/arp_ignore", "1")
        veth(self.site, "lan", self.gateway, "eth0")
        veth(self.internet, "ftth", self.gateway, "eth1")
        veth(self.internet, "cell", self.gateway, "eth2")
        self._give_addresses()

    def missing(self) -> str | None:
        """What this machine or its kernel lacks for route mode, in words; None if it has all."""
        if shutil.which("nft", path=SEARCHED) is None:
            return "the program nft is not installed (Debian: apt install nftables)"
        try:
            self.run(self.gateway, "nft add table inet probe; nft delete table inet probe")
            self.run(self.gateway, "test -e /proc/sys/net/netfilter/nf_conntrack_max")
        except NamespaceError as error:
            return f"this kernel has no nftables, or no connection tracking ({error})"
        return None

    def _give_addresses(self) -> None:
        self.gateway.ip(
            *(f"link set eth{number} up" for number in range(3)),
            f"addr add {SITE_GATEWAY}/24 dev eth0",
            "addr add 2001:db8:1:100::1/64 dev eth0",
            "addr add 192.168.11.10/24 dev eth1",
            "addr add 2001:db8:1::10/64 dev eth1",
            "addr add 192.168.12.10/24 dev eth2",
            "route add default via 192.168.11.1 dev eth1 metric 100",
            "route add default via 192.168.12.1 dev eth2 metric 700",
        )
        self.site.ip(
            f"addr add {HOST}/24 dev lan",
            f"addr add {HOST6}/64 dev lan",
            "link set lan up",
            f"route add default via {SITE_GATEWAY}",
            "route add default via 2001:db8:1:100::1",
        )
        self.internet.ip(
            "link set ftth up",
            "link set cell up",
            "addr add 192.168.11.1/24 dev ftth",
            "addr add 2001:db8:1::1/64 dev ftth",
            "addr add 192.168.12.1/24 dev cell",
            f"addr add {SERVER}/32 dev lo",
            f"addr add {RESOLVER}/32 dev lo",
            f"addr add {SERVER6}/128 dev lo",
            "route add 2001:db8:1:100::/56 via 2001:db8:1::10",
        )

    @contextmanager
    def stream(self, port: int = 5060, server: str = SERVER, to: str | None = None) -> Iterator[Stream]:
        """Datagrams to ``server``, or to an address that is to be translated to it."""
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        made = Stream(
            self.site.call(lambda: socket.socket(family, socket.SOCK_DGRAM)),
            self.internet.call(lambda: socket.socket(family, socket.SOCK_DGRAM)),
            (to or server, port),
        )
        try:
            made.server.bind((server, port))
            yield made
        finally:
            made.close()

    def kill_way(self, interface: str) -> None:
        """The box keeps its cable and lets nothing through any more."""
        self.run(
            self.internet,
            "nft add table inet dead; nft add chain inet dead in "
            "'{ type filter hook prerouting priority raw; }'; "
            f"nft add rule inet dead in iifname {interface} drop",
        )

    def revive(self) -> None:
        """Every box lets everything through."""
        self.run(self.internet, "nft delete table inet dead")

    def shown(self) -> str:
        """All that the gateway's own tools say of rules, routes, filter and settings."""
        return self.run(self.gateway, SHOWN)

    def run(self, namespace: Namespace, script: str) -> str:
        """A shell's output inside a namespace.

        Raises:
            NamespaceError: with its words.
        """
        done = namespace.call(
            lambda: subprocess.run(
                ["sh", "-ec", script], capture_output=True, text=True, check=False, env=ENVIRONMENT
            )
        )
        if done.returncode != 0:
            raise NamespaceError(f"{namespace.name}: {script}: {done.stderr.strip()}")
        return done.stdout

    def close(self) -> None:
        """Let the kernel take everything away."""
        for namespace in (self.site, self.gateway, self.internet):
            namespace.close()
