"""Name servers of the bay: those of the internet, and the small one in every box that asks them.

The messages are those of RFC 1035. A box's server listens for every address, so that it also answers what
its walls (see ``wall``) bring to it, in the name of whoever was asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from hardware.virtual.sockets import bound

PORT: Final = 53
NO_ERROR, SERVFAIL, NXDOMAIN = 0, 2, 3
_HEADER: Final = struct.Struct("!HHHHHH")
_RECORD: Final = struct.Struct("!HHIH")
_PKTINFO: Final = struct.Struct("=i4s4s")
_IP_PKTINFO = 8  # <linux/in.h>
_ANSWER_FLAGS: Final = 0x8180
_A, _CNAME, _INTERNET = 1, 5, 1
_TTL_S: Final = 60
_LONGEST: Final = 512
_AT_ONCE: Final = 64
_UPSTREAM_S: Final = 5.0
"""How long a box's name server waits for the one that it asks."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question: its number, the name in lower case, and the question as it came."""

    ident: int
    name: str
    question: bytes


def parse(data: bytes) -> Query | None:
    """The question for an IPv4 address in a datagram; None if there is none."""
    labels = []
    at = _HEADER.size
    with contextlib.suppress(IndexError, UnicodeDecodeError, struct.error):
        ident, flags, questions, *_counts = _HEADER.unpack_from(data)
        while size := data[at]:
            labels.append(data[at + 1 : at + 1 + size].decode("ascii").lower())
            at += 1 + size
        question = data[_HEADER.size : at + 5]
        if struct.unpack_from("!HH", data, at + 1) == (_A, _INTERNET) and questions == 1 and flags < 0x8000:
            return Query(ident, ".".join(labels), question)
    return None


def answer(query: Query, addresses: Sequence[str], alias: str | None = None) -> bytes:
    """The addresses of the name that was asked for, or of its ``alias``."""
    owner = b"\xc0\x0c"
    records = b""
    if alias is not None:
        target = b"".join(bytes([len(label)]) + label.encode() for label in alias.split(".")) + b"\0"
        records += owner + _RECORD.pack(_CNAME, _INTERNET, _TTL_S, len(target)) + target
        owner = target
    for address in addresses:
        records += owner + _RECORD.pack(_A, _INTERNET, _TTL_S, 4) + socket.inet_aton(address)
    count = len(addresses) + (alias is not None)
    return _HEADER.pack(query.ident, _ANSWER_FLAGS, 1, count, 0, 0) + query.question + records


def failure(query: Query, code: int) -> bytes:
    """An answer that is only a code."""
    return _HEADER.pack(query.ident, _ANSWER_FLAGS | code, 1, 0, 0, 0) + query.question


Reply = Callable[[bytes], None]


class NameSocket:
    """Hands over every datagram that comes to port 53, with the way to answer it."""

    def __init__(self, listener: socket.socket, heard: Callable[[bytes, Reply], None]) -> None:
        self._listener = listener
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(listener, self._read)

    def _read(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data, extras, _flags, client = self._listener.recvmsg(2048, socket.CMSG_SPACE(64))
            except OSError:
                return
            self._heard(data, partial(self._send, client, extras))

    def _send(self, client: tuple[str, int], extras: list[tuple[int, int, bytes]], reply: bytes) -> None:
        """Answer from the address that was asked, whoever has it."""
        from_asked = []
        for level, kind, data in extras:
            if (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
                _index, _local, asked = _PKTINFO.unpack_from(data)
                from_asked.append((level, kind, _PKTINFO.pack(0, asked, bytes(4))))
        # The client may be out of reach by now; its answer is then lost like any other.
        with contextlib.suppress(OSError):
            self._listener.sendmsg([reply[:_LONGEST]], from_asked, 0, client)

    def close(self) -> None:
        """Listen no more. Safe to repeat."""
        if self._listener.fileno() >= 0:
            self._loop.remove_reader(self._listener)
            self._listener.close()


def listener(address: str) -> socket.socket:
    """A socket for port 53 of ``address``, which need not be there yet; empty is every address."""
    return bound(socket.SOCK_DGRAM, address, PORT, (socket.IPPROTO_IP, _IP_PKTINFO))


def resolver(zone: Mapping[str, Sequence[str]], aliases: Mapping[str, str]) -> Callable[[bytes, Reply], None]:
    """What a name server of the internet does with a datagram, given all names that there are."""

    def heard(data: bytes, reply: Reply) -> None:
        query = parse(data)
        if query is None:
            return
        alias = aliases.get(query.name)
        addresses = zone.get(alias or query.name)
        reply(failure(query, NXDOMAIN) if addresses is None else answer(query, addresses, alias))

    return heard


class Upstream:
    """Passes questions on to another name server, and its answers back."""

    def __init__(self, open_socket: Callable[[], socket.socket], server: str) -> None:
        self._open_socket = open_socket
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[socket.socket, asyncio.TimerHandle] = {}

    def ask(self, data: bytes, reply: Reply) -> None:
        """Pass one question on; nothing comes back if the server does not answer."""
        if len(self._waiting) >= _AT_ONCE:
            return
        asked = self._open_socket()
        self._waiting[asked] = self._loop.call_later(_UPSTREAM_S, self._forget, asked)
        try:
            asked.connect((self._server, PORT))
            asked.send(data)
        except OSError:
            self._forget(asked)
        else:
            self._loop.add_reader(asked, self._answered, asked, reply)

    def _answered(self, asked: socket.socket, reply: Reply) -> None:
        try:
            data = asked.recv(2048)
        except OSError:
            data = b""
        self._forget(asked)
        if data:
            reply(data)

    def _forget(self, asked: socket.socket) -> None:
        self._waiting.pop(asked).cancel()
        self._loop.remove_reader(asked)
        asked.close()

    def close(self) -> None:
        """Give up everything that is waited for."""
        for asked in list(self._waiting):
            self._forget(asked)
