"""Who sent an ICMP error, and what it says, as the kernel tells it in a socket's error queue."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

DESTINATION_UNREACHABLE: Final = 3
TIME_EXCEEDED: Final = 11
FRAGMENTATION_NEEDED: Final = 4

# <linux/in.h>, <linux/errqueue.h>: not in Python's socket module
IP_RECVERR: Final = 11
ROOM: Final = socket.CMSG_SPACE(64)
"""Bytes of ancillary data that one error needs."""
_FROM_ICMP: Final = 2
_MOST_READS: Final = 100
_ERROR: Final = struct.Struct("=IBBBBII")
_SOCKADDR_IN: Final = struct.Struct("=HH4s")


@dataclass(frozen=True, slots=True)
class IcmpError:
    """A verdict that a packet cannot arrive, by ``sender``: this machine itself if nobody answered ARP.

    ``expired`` is true if the packet has only come to the end of its time to live.
    """

    sender: str
    expired: bool


def icmp_error(extras: Iterable[tuple[int, int, bytes]]) -> IcmpError | None:
    """The verdict in the ancillary data; None for what is none (redirect, packet too big)."""
    for level, kind, data in extras:
        if level != socket.IPPROTO_IP or kind != IP_RECVERR or len(data) < _ERROR.size + _SOCKADDR_IN.size:
            continue
        _number, origin, icmp_type, icmp_code, _pad, _info, _data = _ERROR.unpack_from(data)
        expired = icmp_type == TIME_EXCEEDED
        final = expired or (icmp_type == DESTINATION_UNREACHABLE and icmp_code != FRAGMENTATION_NEEDED)
        if origin == _FROM_ICMP and final:
            sender = socket.inet_ntoa(_SOCKADDR_IN.unpack_from(data, _ERROR.size)[2])
            return IcmpError(sender, expired)
    return None


def queued_error(sock: socket.socket) -> IcmpError | None:
    """Read a socket's error queue without waiting; the last verdict in it, None if there is none."""
    found = None
    for _ in range(_MOST_READS):
        try:
            _data, extras, _flags, _target = sock.recvmsg(0, ROOM, socket.MSG_ERRQUEUE)
        except OSError:
            break
        found = icmp_error(extras) or found
    return found
