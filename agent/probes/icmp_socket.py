"""One unprivileged ICMP socket that sends through one interface or not at all.

A source address does not choose the interface; only SO_BINDTODEVICE does. The kernel adds what a program
cannot know by itself: the instant a reply arrived, and who sent an ICMP error about which echo.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Final

import icmplib

from agent.probes.icmp_error import IP_RECVERR, ROOM, icmp_error
from agent.probes.way import bind_to_device

ECHO_REQUEST: Final = 8
ECHO_REPLY: Final = 0
USUAL_TTL: Final = 64

PAYLOAD: Final = b"vigie-echo------"
MOST_READS: Final = 1000
"""Datagrams taken in one go, so that a flood cannot keep the event loop."""

_SO_TIMESTAMPNS: Final = 35  # <asm-generic/socket.h>: not in Python's socket module

_HEADER: Final = struct.Struct("!BBHHH")
_TIMESPEC: Final = struct.Struct("@ll")
_ROOM: Final = socket.CMSG_SPACE(_TIMESPEC.size) + ROOM


@dataclass(frozen=True, slots=True)
class Reply:
    """An echo reply. ``stamp`` is the kernel's UNIX time of its arrival, if it told."""

    sequence: int
    sender: str
    stamp: float | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ICMP error about an echo to ``target``, sent by ``sender``.

    The sender is this machine itself when nobody answered ARP for the next hop. ``expired`` is true if the
    echo has only come to the end of its time to live.
    """

    sequence: int
    target: str
    sender: str
    expired: bool


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
    bind_to_device(made, interface)
    made.bind((source or "", 0))
    made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, USUAL_TTL)
    made.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0)
    made.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
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
        self._ttl = USUAL_TTL

    def fileno(self) -> int:
        """The descriptor to wait on; -1 once closed."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close the socket; more than once is fine."""
        self._icmp.close()

    def send(self, address: str, sequence: int, ttl: int = USUAL_TTL) -> None:
        """Send one echo request; the kernel fills in identifier and checksum.

        Args:
            address: IPv4 address to ask.
            sequence: comes back with the answer, 0 to 65535.
            ttl: hops that the echo may take, 1 to 255.

        Raises:
            OSError: nothing was sent. The number may be that of an ICMP error that answers an *earlier*
                echo, even to another host: read, and send again, before believing it.
        """
        if ttl != self._ttl:
            self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
            self._ttl = ttl
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
        error = icmp_error(extras)
        if error is None or len(data) < _HEADER.size:
            return None
        kind, _code, _checksum, ident, sequence = _HEADER.unpack_from(data)
        if kind != ECHO_REQUEST or ident != self.ident:
            return None
        return Refusal(sequence, target, error.sender, error.expired)


def _stamp(extras: list[tuple[int, int, bytes]]) -> float | None:
    for level, kind, data in extras:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return float(seconds + nanoseconds / 1e9)
    return None
