"""One unprivileged ICMP socket that sends through one interface or not at all.

A source address does not choose the interface; only SO_BINDTODEVICE does. The kernel adds what a program
cannot know by itself: the instant a reply arrived, and who sent an ICMP error about which echo.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from dataclasses import dataclass
from typing import Final

import icmplib

ECHO_REQUEST: Final = 8
ECHO_REPLY: Final = 0
DESTINATION_UNREACHABLE: Final = 3
TIME_EXCEEDED: Final = 11
FRAGMENTATION_NEEDED: Final = 4

PAYLOAD: Final = b"vigie-echo------"
MOST_READS: Final = 1000
"""Datagrams taken in one go, so that a flood cannot keep the event loop."""

# <linux/in.h>, <asm-generic/socket.h>, <linux/errqueue.h>: not in Python's socket module
_IP_RECVERR: Final = 11
_SO_TIMESTAMPNS: Final = 35
_FROM_ICMP: Final = 2
_INTERFACE_NAME_BYTES: Final = 15

_HEADER: Final = struct.Struct("!BBHHH")
_ERROR: Final = struct.Struct("=IBBBBII")
_SOCKADDR_IN: Final = struct.Struct("=HH4s")
_TIMESPEC: Final = struct.Struct("@ll")
_ROOM: Final = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(64)


@dataclass(frozen=True, slots=True)
class Reply:
    """An echo reply. ``stamp`` is the kernel's UNIX time of its arrival, if it told."""

    sequence: int
    sender: str
    stamp: float | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ICMP error about an echo to ``target``, sent by ``sender``.

    The sender is this machine itself when nobody answered ARP for the next hop.
    """

    sequence: int
    target: str
    sender: str


class BoundSocket(icmplib.ICMPv4Socket):  # type: ignore[misc]
    """icmplib's socket, bound to an interface before its first use."""

    __slots__ = ("_interface", "_source")

    def __init__(self, interface: str, source: str | None) -> None:
        self._interface = interface
        self._source = source
        super().__init__(address=None, privileged=False)

    def _create_socket(self, kind: int) -> socket.socket:
        """Make the socket; icmplib has no public way to bind it to a device."""
        made: socket.socket = super()._create_socket(kind)
        try:
            _prepare(made, self._interface, self._source)
        except BaseException:
            made.close()
            raise
        return made


def _prepare(made: socket.socket, interface: str, source: str | None) -> None:
    name = os.fsencode(interface)
    if not 0 < len(name) <= _INTERFACE_NAME_BYTES:
        # The kernel would cut the name short and take whatever interface bears the rest.
        raise OSError(errno.ENODEV, f"no interface can be named {interface!r}")
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name + b"\0")
    made.bind((source or "", 0))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 64)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)
    made.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    made.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    made.setblocking(False)


def _bound(interface: str, source: str | None) -> BoundSocket:
    try:
        return BoundSocket(interface, source)
    except icmplib.ICMPLibError as error:
        # icmplib's errors drop the number that tells a missing interface from a missing address.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


class EchoSocket:
    """Sends echo requests to many hosts through one interface and reads what comes back."""

    def __init__(self, interface: str, source: str | None = None) -> None:
        """Open the socket.

        Raises:
            PermissionError: EACCES if ``net.ipv4.ping_group_range`` excludes us, EPERM if the kernel
                wants CAP_NET_RAW for binding to a device (before Linux 5.7).
            OSError: ENODEV without such an interface, EADDRNOTAVAIL if ``source`` is not ours.
        """
        self._icmp = _bound(interface, source)
        self._sock: socket.socket = self._icmp.sock
        self.ident: int = self._sock.getsockname()[1]

    def fileno(self) -> int:
        """The descriptor to wait on; -1 once closed."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the socket; more than once is fine."""
        self._icmp.close()

    def send(self, address: str, sequence: int) -> None:
        """Send one echo request; the kernel fills in identifier and checksum.

        Raises:
            OSError: nothing was sent. The number may be that of an ICMP error that answers an *earlier*
                echo, even to another host: read, and send again, before believing it.
        """
        packet = _HEADER.pack(ECHO_REQUEST, 0, 0, self.ident, sequence) + PAYLOAD
        self._sock.sendto(packet, (address, 0))

    def read(self) -> list[Reply | Refusal]:
        """Everything that has arrived, without waiting."""
        found: list[Reply | Refusal] = []
        announced = False
        for _ in range(MOST_READS):
            try:
                data, extras, _flags, sender = self._sock.recvmsg(256, _ROOM)
            except BlockingIOError:
                break
            except OSError:
                # An ICMP error is announced here, once, instead of data; its story is in the error queue.
                announced = True
                continue
            reply = self._reply(data, extras, sender[0])
            if reply is not None:
                found.append(reply)
        if announced or not found:
            self._read_errors(found)
        return found

    def _reply(self, data: bytes, extras: list[tuple[int, int, bytes]], sender: str) -> Reply | None:
        if len(data) < _HEADER.size:
            return None
        kind, _code, _checksum, ident, sequence = _HEADER.unpack_from(data)
        if kind != ECHO_REPLY or ident != self.ident:
            return None
        return Reply(sequence, sender, _stamp(extras))

    def _read_errors(self, found: list[Reply | Refusal]) -> None:
        for _ in range(MOST_READS):
            try:
                data, extras, _flags, target = self._sock.recvmsg(256, _ROOM, socket.MSG_ERRQUEUE)
            except OSError:
                return
            refusal = self._refusal(data, extras, target[0])
            if refusal is not None:
                found.append(refusal)

    def _refusal(self, data: bytes, extras: list[tuple[int, int, bytes]], target: str) -> Refusal | None:
        """The error as an answer to our echo; ``data`` is the echo that it quotes."""
        sender = _offender(extras)
        if sender is None or len(data) < _HEADER.size:
            return None
        kind, _code, _checksum, ident, sequence = _HEADER.unpack_from(data)
        if kind != ECHO_REQUEST or ident != self.ident:
            return None
        return Refusal(sequence, target, sender)


def _stamp(extras: list[tuple[int, int, bytes]]) -> float | None:
    for level, kind, data in extras:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return float(seconds + nanoseconds / 1e9)
    return None


def _offender(extras: list[tuple[int, int, bytes]]) -> str | None:
    """Who says that the echo cannot arrive; None for what is no such verdict (redirect, too big)."""
    for level, kind, data in extras:
        if level != socket.IPPROTO_IP or kind != _IP_RECVERR or len(data) < _ERROR.size + _SOCKADDR_IN.size:
            continue
        _number, origin, icmp_type, icmp_code, _pad, _info, _data = _ERROR.unpack_from(data)
        final = icmp_type == TIME_EXCEEDED or (
            icmp_type == DESTINATION_UNREACHABLE and icmp_code != FRAGMENTATION_NEEDED
        )
        if origin == _FROM_ICMP and final:
            return socket.inet_ntoa(_SOCKADDR_IN.unpack_from(data, _ERROR.size)[2])
    return None
