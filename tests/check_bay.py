"""Servers for tests of checks: they live in a box's namespace, see what is asked, and answer as told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from hardware.virtual.netns import Namespace

PUBLIC = "4.4.4.4"
"""An address that a host on the internet could have; the tests give it to a box."""


class NameOracle:
    """A name server at one address; ``answer`` gets each datagram with the way to say something back."""

    def __init__(
        self, namespace: Namespace, address: str, answer: Callable[[bytes, Callable[[bytes], None]], None]
    ) -> None:
        self.asked: list[bytes] = []
        self.clients: list[tuple[str, int]] = []
        self._answer = answer
        self._socket = namespace.call(lambda: bound(socket.SOCK_DGRAM, address, 53))
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def _hear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                data, client = self._socket.recvfrom(2048)
                self.asked.append(data)
                self.clients.append(client)
                self._answer(data, lambda reply, client=client: self.say(reply, client))

    def say(self, reply: bytes, client: tuple[str, int]) -> None:
        self._socket.sendto(reply, client)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


def bound(kind: socket.SocketKind, address: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    return made


def dns_reply(query: bytes, *addresses: str, code: int = 0, ident: int | None = None) -> bytes:
    """An honest answer to a question, or one with another code or number."""
    number = struct.unpack_from("!H", query)[0] if ident is None else ident
    head = struct.pack("!HHHHHH", number, 0x8180 | code, 1, len(addresses), 0, 0)
    records = b"".join(
        struct.pack("!HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address) for address in addresses
    )
    return head + query[12:] + records


class WebOracle:
    """A web server at one address that does with each connection what it is told."""

    def __init__(
        self, namespace: Namespace, address: str, serve: Callable[[socket.socket], Awaitable[None]]
    ) -> None:
        self.requests: list[bytes] = []
        self._serve = serve
        self._loop = asyncio.get_running_loop()
        self._listener = namespace.call(lambda: bound(socket.SOCK_STREAM, address, 80))
        self._listener.listen()
        self._task = self._loop.create_task(self._accept())
        self._tasks: set[asyncio.Task[None]] = set()

    async def _accept(self) -> None:
        while True:
            connection, _client = await self._loop.sock_accept(self._listener)
            self._tasks.add(self._loop.create_task(self._one(connection)))

    async def _one(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += await self._loop.sock_recv(connection, 4096)
            self.requests.append(request)
            await self._serve(connection)

    async def close(self) -> None:
        for task in (self._task, *self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._listener.close()


def says(data: bytes) -> Callable[[socket.socket], Awaitable[None]]:
    """Send these bytes and close."""

    async def serve(connection: socket.socket) -> None:
        await asyncio.get_running_loop().sock_sendall(connection, data)

    return serve


async def resets(connection: socket.socket) -> None:
    """Break the connection off."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def hangs(_connection: socket.socket) -> None:
    """Say nothing, for longer than any test waits."""
    await asyncio.sleep(60)


def drips(data: bytes, between_s: float = 0.01) -> Callable[[socket.socket], Awaitable[Any]]:
    """Send a byte at a time, then the last one for ever."""

    async def serve(connection: socket.socket) -> None:
        at = 0
        while True:
            await asyncio.get_running_loop().sock_sendall(connection, data[at : at + 1])
            at = min(at + 1, len(data) - 1)
            await asyncio.sleep(between_s)

    return serve
