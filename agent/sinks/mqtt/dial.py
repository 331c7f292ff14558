"""A TCP connection by a chosen way: bound to an interface, address after address, within seconds."""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from typing import Final

from agent.sinks.mqtt.way import Route

CONNECT_S: Final = 5.0
"""For one address; a SYN that is lost goes again after 1 and 3 seconds."""
ALL_S: Final = 12.0
"""For all addresses of a name."""
DEAD_AFTER_MS: Final = 15_000
"""What was sent and stays unacknowledged by TCP this long ends the connection; the kernel's own patience is
a quarter of an hour (tcp_retries2)."""
_LOCAL: Final = tuple(
    ipaddress.ip_network(net)
    for net in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)
"""RFC 1918, 6598, 3927, 4193, 4291: not reached over the internet, but on a LAN or through a tunnel."""


class BindError(OSError):
    """The kernel does not let this process choose the interface (before Linux 5.7 without CAP_NET_RAW)."""


def is_address(host: str) -> bool:
    """True for an IP address, false for a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(address: str) -> bool:
    """Whether the internet has nothing to do with this address; false for what is none."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return any(parsed.version == net.version and parsed in net for net in _LOCAL)


def dial(host: str, port: int, route: Route) -> socket.socket:
    """Connect to the first address that answers; blocks for ``ALL_S`` at most, a lookup by the system apart.

    IPv4 comes first, because it is what the uplinks are watched with.

    Raises:
        OSError: none answered; why the last one that was tried did not.
    """
    end = time.monotonic() + ALL_S
    last: OSError | None = None
    for address in route.addresses or (host,):
        left_s = end - time.monotonic()
        if left_s <= 0:
            break
        try:
            found = sorted(
                socket.getaddrinfo(address, port, type=socket.SOCK_STREAM),
                key=lambda one: one[0] != socket.AF_INET,
            )
        except OSError as error:
            last = error
            continue
        for family, kind, proto, _name, target in found:
            try:
                return _connect(
                    socket.socket(family, kind, proto),
                    target,
                    route,
                    min(CONNECT_S, max(0.1, end - time.monotonic())),
                )
            except OSError as error:
                last = error
    raise last or TimeoutError("no time left")


def _connect(made: socket.socket, target: tuple[object, ...], route: Route, within_s: float) -> socket.socket:
    try:
        # Of an interface that is shared, the source address chooses the uplink; alone it would choose none.
        if route.interface is not None and (route.always or not is_local(str(target[0]))):
            _bind(made, route.interface)
            if route.source is not None and made.family == socket.AF_INET:
                made.bind((route.source, 0))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER_MS)
        made.settimeout(within_s)
        made.connect(target)
    except BaseException:
        made.close()
        raise
    return made


def _bind(made: socket.socket, interface: str) -> None:
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, os.fsencode(interface) + b"\0")
    except PermissionError as error:
        raise BindError(error.errno, f"may not bind to {interface}") from error
