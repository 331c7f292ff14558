"""How many bytes a TCP connection has put on the wire, as the kernel itself counts them.

``TCP_INFO`` (struct tcp_info of <linux/tcp.h>) has the segments of each direction, whatever they carry, and
the bytes in them, retransmitted ones included: since Linux 4.19 nothing must be guessed. Of each segment the
IPv4 header is 20 bytes and the TCP header 20, 12 more with timestamps; the SYN and its answer carry 20 bytes
of options (maximum segment size, selective acknowledgement, timestamps, window scale, one to fill up).
"""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple

_OPTIONS_AT: Final = 5
_TIMESTAMPS: Final = 1
_RECEIVED: Final = struct.Struct("=Q"), 128
_SEGMENTS: Final = struct.Struct("=II"), 136
_SENT: Final = struct.Struct("=Q"), 200
_ENOUGH: Final = 208
_ROOM: Final = 256

HEADERS: Final = 40
STAMPS: Final = 12
SYN_OPTIONS: Final = 20
PARTING: Final = 2 * (HEADERS + STAMPS)
"""Each way, after the last look before an orderly end: a FIN, and the acknowledgement of the other's."""


class Traffic(NamedTuple):
    """Bytes on the wire, IP headers included."""

    sent: int = 0
    received: int = 0


def traffic_of(connection: socket.socket) -> Traffic:
    """What has passed so far; nothing if the socket is closed or the kernel does not say."""
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ROOM)
    except OSError:
        return Traffic()
    if len(info) < _ENOUGH:
        return Traffic()
    (received,), (sent,) = _at(_RECEIVED, info), _at(_SENT, info)
    segments_out, segments_in = _at(_SEGMENTS, info)
    stamps = STAMPS if info[_OPTIONS_AT] & _TIMESTAMPS else 0
    return Traffic(_wire(segments_out, sent, stamps), _wire(segments_in, received, stamps))


def _at(place: tuple[struct.Struct, int], info: bytes) -> tuple[int, ...]:
    form, offset = place
    return form.unpack_from(info, offset)


def _wire(segments: int, payload: int, stamps: int) -> int:
    if segments == 0:
        return 0
    return segments * (HEADERS + stamps) + SYN_OPTIONS - stamps + payload
