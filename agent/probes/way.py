"""One uplink as a way out: sockets that send through its interface or not at all."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.core.inquiries import Said
from agent.core.model import Why
from agent.probes.icmp_error import IP_RECVERR, queued_error
from agent.probes.meter import uncounted
from agent.probes.verdict import Verdict

_INTERFACE_NAME_BYTES: Final = 15
_DISCARD: Final = 9
_CLASS_NET: Final = Path("/sys/class/net")
_POINT_TO_POINT, _NO_ARP = 0x10, 0x80  # <linux/if.h>
UDP_HEADERS: Final = 28
"""IPv4 and UDP."""
_REASONS: Final = {
    errno.ENODEV: Why.NO_INTERFACE,
    errno.ENXIO: Why.NO_INTERFACE,
    errno.EADDRNOTAVAIL: Why.NO_ADDRESS,
    errno.ENETUNREACH: Why.NO_ROUTE,
    errno.EHOSTUNREACH: Why.NO_ROUTE,
    errno.EPERM: Why.FORBIDDEN,
    errno.EACCES: Why.FORBIDDEN,
}


@dataclass(frozen=True, slots=True)
class Way:
    """How to leave: by ``interface``, from ``source`` if that is given, else from the interface's address.

    ``count`` takes the uplink and the bytes sent and received, IP headers included.
    """

    uplink: str
    interface: str
    source: str | None = None
    count: Callable[[str, int, int], None] = field(default=uncounted, compare=False)

    def spend(self, sent: int, received: int) -> None:
        """So many bytes have passed."""
        self.count(self.uplink, sent, received)

    def open(self, kind: socket.SocketKind, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
        """A new socket of ``kind`` that is bound to this way and never blocks; ``source`` is for IPv4 alone.

        Raises:
            OSError: ENODEV without such an interface, EADDRNOTAVAIL if ``source`` is not ours, EPERM if the
                kernel wants CAP_NET_RAW for binding to a device (before Linux 5.7).
        """
        made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        try:
            bind_to_device(made, self.interface)
            if family == socket.AF_INET:
                if self.source is not None:
                    made.bind((self.source, 0))
                # ICMP errors are told at once, and with their sender.
                made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        except BaseException:
            made.close()
            raise
        return made

    def address_towards(self, target: str) -> str | None:
        """This machine's own address on the way to ``target``; None if there is none. Nothing is sent."""
        try:
            with self.open(socket.SOCK_DGRAM) as asked:
                asked.connect((target, _DISCARD))
                address: str = asked.getsockname()[0]
        except OSError:
            return None
        return address


@dataclass(frozen=True, slots=True)
class SystemWay(Way):
    """The way that the system's own routes choose, as any program on this machine takes it.

    ``uplink`` is the one that is known to be chosen, for the count; empty if that cannot be told.
    """

    uplink: str = ""
    interface: str = ""

    def open(self, kind: socket.SocketKind, family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
        """A new socket of ``kind`` that never blocks.

        Raises:
            OSError: no socket can be made.
        """
        made = socket.socket(family, kind | socket.SOCK_NONBLOCK)
        if family == socket.AF_INET:
            made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        return made


def bind_to_device(made: socket.socket, interface: str) -> None:
    """Let a new socket use one interface only. A source address alone does not choose the uplink.

    Raises:
        OSError: as for ``Way.open``.
    """
    name = os.fsencode(interface)
    if not 0 < len(name) <= _INTERFACE_NAME_BYTES:
        # The kernel would cut the name short and take whatever interface bears the rest.
        raise OSError(errno.ENODEV, f"no interface can be named {interface!r}")
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name + b"\0")


def refusal_of(asked: socket.socket, error: OSError) -> Verdict | None:
    """The ICMP error that ``error`` of a connected socket stands for; None if it stands for none."""
    sent_back = queued_error(asked)
    if sent_back is None:
        return None
    if sent_back.sender == asked.getsockname()[0]:
        return Verdict(Said.SILENT, detail="nobody answers ARP for the next hop")
    return Verdict(Said.REFUSED, by=sent_back.sender, detail=f"ICMP error: {error.strerror}")


def unsent(error: OSError) -> Verdict:
    """Nothing was sent, and why, for people who know networks."""
    return Verdict(Said.UNSENT, detail=f"{reason_of(error)}: {error.strerror}")


def reason_of(error: OSError) -> Why:
    """Why nothing was sent."""
    return _REASONS.get(error.errno or 0, Why.SOCKET_ERROR)


def is_lan(interface: str, folder: Path = _CLASS_NET) -> bool:
    """Neighbours stand on this interface, as a box does; on a modem's own, everything goes out by radio."""
    try:
        flags = int((folder / interface / "flags").read_text(), 16)
    except (OSError, ValueError):
        return True
    return not flags & (_POINT_TO_POINT | _NO_ARP)
