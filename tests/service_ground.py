"""Servers on the loopback that answer as services do, as far as a test lets them, and how they are asked."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from agent.core.model import Link
from agent.core.service_words import Served, ServiceKind
from agent.probes.services.asker import Exit, Patience, ServiceAsker
from agent.probes.services.plan import ServicePlan

HOME = "127.0.0.1"
LO = Exit("lo", "lo")
"""A way that is bound as every other, to the loopback."""
Serving = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def tcp_server(serve: Serving, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that does so with each connection, its port."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, HOME, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Datagrams(asyncio.DatagramProtocol):
    """A server that answers each datagram with what ``answer`` makes of it, in this order."""

    def __init__(self, answer: Callable[[bytes, int], list[bytes]]) -> None:
        self.asked: list[tuple[float, bytes]] = []
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, client: tuple[str | Any, int]) -> None:
        self.asked.append((time.monotonic(), data))
        for reply in self._answer(data, len(self.asked)):
            self.transport.sendto(reply, client)


@contextlib.asynccontextmanager
async def udp_server(answer: Callable[[bytes, int], list[bytes]]) -> AsyncIterator[tuple[int, Datagrams]]:
    """A server for datagrams: its port, and what it was asked."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Datagrams(answer), (HOME, 0))
    try:
        yield transport.get_extra_info("sockname")[1], protocol
    finally:
        transport.close()


def plan(kind: ServiceKind, port: int, host: str = HOME, **more: Any) -> ServicePlan:
    return ServicePlan("desk", kind, host, port, **more)


async def ask(
    what: ServicePlan,
    service_s: float = 5.0,
    way: str = "lo",
    exits: tuple[Exit, ...] = (LO,),
    links: tuple[Link, ...] = (),
    servers: tuple[str, ...] = (),
    count: Callable[[str, int, int], None] = lambda *_: None,
) -> Served:
    """Ask once, and wait for what comes of it."""
    answer: asyncio.Future[Served] = asyncio.get_running_loop().create_future()
    patience = Patience(name_s=service_s, service_s=service_s)
    asker = ServiceAsker([what], exits, servers, answer.set_result, count=count, patience=patience)
    for link in links:
        asker.link_changed(link)
    task = asyncio.create_task(asker.run())
    asker.ask(what.name, way)
    try:
        return await asyncio.wait_for(answer, 30)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def server_context(pem: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def sip_reply(question: bytes, status: str = "200 OK", body: bytes = b"") -> bytes:
    """An answer as RFC 3261 (8.2.6.2) wants it: the question's own headers, in its order."""
    kept = [
        line
        for line in question.decode().split("\r\n")
        if line.lower().startswith(("via:", "from:", "to:", "call-id:", "cseq:"))
    ]
    return "\r\n".join([f"SIP/2.0 {status}", *kept, f"Content-Length: {len(body)}", "", ""]).encode() + body


async def silence(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Listen, and say nothing."""
    while await reader.read(4096):
        pass
