"""A STUN server of the bay's internet (RFC 8489), which also stands for the address translation of the boxes.

The bay's boxes translate no addresses: each LAN has one of its own, and answers find their way back. What a
server outside would see is therefore told by the operator from whom a question comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from functools import partial
from typing import Final

from hardware.virtual.netns import Namespace
from hardware.virtual.sockets import bound

PORTS: Final = (3478, 19302)
_COOKIE: Final = 0x2112A442
_HEADER: Final = struct.Struct("!HHI12s")
_PKTINFO: Final = struct.Struct("=i4s4s")
_IP_PKTINFO = 8  # <linux/in.h>
_REQUEST, _SUCCESS, _XOR_MAPPED, _IPV4 = 0x0001, 0x0101, 0x0020, 1


def answer(request: bytes, address: str, port: int) -> bytes | None:
    """The answer to a binding request: it came from this address and port; None if it is none."""
    if len(request) < _HEADER.size:
        return None
    kind, length, cookie, ident = _HEADER.unpack_from(request)
    if kind != _REQUEST or cookie != _COOKIE or length != len(request) - _HEADER.size:
        return None
    (number,) = struct.unpack("!I", socket.inet_aton(address))
    value = struct.pack("!BBHI", 0, _IPV4, port ^ (_COOKIE >> 16), number ^ _COOKIE)
    body = struct.pack("!HH", _XOR_MAPPED, len(value)) + value
    return _HEADER.pack(_SUCCESS, len(body), _COOKIE, ident) + body


class StunServer:
    """Answers on every address of the internet. Needs a running event loop.

    Attributes:
        public: by the internet's port to an operator, the address that packets from there have.
    """

    def __init__(self, namespace: Namespace, public: Mapping[str, str]) -> None:
        self.public = dict(public)
        self._namespace = namespace
        self._loop = asyncio.get_running_loop()
        self._sockets = [
            namespace.call(partial(bound, socket.SOCK_DGRAM, "", port, (socket.IPPROTO_IP, _IP_PKTINFO)))
            for port in PORTS
        ]
        for listener in self._sockets:
            self._loop.add_reader(listener, self._read, listener)

    def _read(self, listener: socket.socket) -> None:
        try:
            data, extras, _flags, client = listener.recvmsg(2048, socket.CMSG_SPACE(64))
        except OSError:
            return
        for level, kind, info in extras:
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
                index, _local, asked = _PKTINFO.unpack_from(info)
                came_by = self._namespace.call(partial(socket.if_indextoname, index))
                reply = answer(data, self.public.get(came_by, client[0]), client[1])
                if reply is not None:
                    back = [(level, kind, _PKTINFO.pack(0, asked, bytes(4)))]
                    # The client may be out of reach by now; its answer is then lost like any other.
                    with contextlib.suppress(OSError):
                        listener.sendmsg([reply], back, 0, client)

    def close(self) -> None:
        """Listen no more. Safe to repeat."""
        for listener in self._sockets:
            if listener.fileno() >= 0:
                self._loop.remove_reader(listener)
                listener.close()
