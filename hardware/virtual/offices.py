"""What the business needs, in the bay's internet: a telephone server, one for cards, one for applications.

They are there only for a bay that is asked for them. Each can fail at its own end; that something on the
way through one uplink keeps it from answering is the box's doing (``wall``).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Final

from hardware.virtual.certificates import Authority
from hardware.virtual.netns import Namespace
from hardware.virtual.sockets import bound
from hardware.virtual.world import SERVICES, Office

_KEPT: Final = ("via:", "from:", "to:", "call-id:", "cseq:")
"""Headers that an answer takes over from its question (RFC 3261, 8.2.6.2)."""
_LONGEST: Final = 8192
_REUSE: Final = (socket.SOL_SOCKET, socket.SO_REUSEADDR)


class Failure(StrEnum):
    """How a service fails at its own end."""

    SILENT = "silent"
    """It takes every question and answers none."""
    REFUSED = "refused"
    """Nothing listens any more."""
    STATUS = "status"
    """It answers that it does not work."""


def sip_answer(question: bytes, failure: Failure | None) -> bytes:
    """What a telephone server answers to whom it does not know: 401, or 503 while it does not work."""
    status = "503 Service Unavailable" if failure is Failure.STATUS else "401 Unauthorized"
    lines = question.decode("utf-8", "replace").split("\r\n")
    kept = [line for line in lines if line.lower().startswith(_KEPT)]
    return "\r\n".join([f"SIP/2.0 {status}", *kept, "Content-Length: 0", "", ""]).encode()


class Offices:
    """The servers of some services. Needs a running event loop; ``start`` before anything else."""

    def __init__(self, namespace: Namespace, folder: Path, names: Iterable[str]) -> None:
        """Prepare.

        Args:
            namespace: where they live.
            folder: for the authority's certificate and theirs.
            names: of ``world.SERVICES``.
        """
        self._namespace = namespace
        self._folder = folder
        self._offices = {name: SERVICES[name] for name in names}
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._failures: dict[str, Failure] = {}
        self._open: dict[str, list[asyncio.Server | asyncio.DatagramTransport]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Serve all.

        Raises:
            NamespaceError: the program that makes certificates is missing.
        """
        secure = [office for office in self._offices.values() if office.kind != "sip"]
        authority = await asyncio.to_thread(Authority, self._folder) if secure else None
        for office in secure:
            assert authority is not None
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(await asyncio.to_thread(authority.issue, office.host))
            self._contexts[office.host] = context
        for name in self._offices:
            await self._serve(name)

    def fail(self, name: str, failure: Failure | None) -> None:
        """Let a service fail so from now on; None: let it be well again.

        Raises:
            ValueError: no such service in this bay.
        """
        if name not in self._offices:
            raise ValueError(f"no service {name!r}; there are: {', '.join(self._offices) or 'none'}")
        self._failures.pop(name, None)
        if failure is not None:
            self._failures[name] = failure
        if failure is Failure.REFUSED:
            self._shut(name)
        elif not self._open.get(name):
            task = asyncio.get_running_loop().create_task(self._serve(name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, name: str) -> None:
        office = self._offices[name]
        listener = self._namespace.call(
            partial(bound, socket.SOCK_STREAM, office.address, office.port, _REUSE)
        )
        loop = asyncio.get_running_loop()
        made: list[asyncio.Server | asyncio.DatagramTransport] = [
            await asyncio.start_server(
                partial(self._converse, name), sock=listener, ssl=self._contexts.get(office.host)
            )
        ]
        if office.kind == "sip":
            heard = self._namespace.call(partial(bound, socket.SOCK_DGRAM, office.address, office.port))
            transport, _ = await loop.create_datagram_endpoint(lambda: _Telephone(self, name), sock=heard)
            made.append(transport)
        self._open[name] = made

    async def _converse(self, name: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ssl.SSLError
        ):
            question = await reader.readuntil(b"\r\n\r\n")
            answer = self.answer(name, question)
            if answer is None:
                # It listens until whoever asks has had enough.
                while await reader.read(_LONGEST):
                    pass
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()

    def answer(self, name: str, question: bytes) -> bytes | None:
        """What a service says to a question; None: nothing."""
        failure = self._failures.get(name)
        if failure is Failure.SILENT:
            return None
        if self._offices[name].kind == "sip":
            return sip_answer(question, failure)
        status = "503 Service Unavailable" if failure is Failure.STATUS else "200 OK"
        return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()

    def _shut(self, name: str) -> None:
        for one in self._open.pop(name, []):
            one.close()

    def close(self) -> None:
        """No more answers. Safe to repeat."""
        for task in self._tasks:
            task.cancel()
        for name in list(self._open):
            self._shut(name)


class _Telephone(asyncio.DatagramProtocol):
    """The telephone server's ears for datagrams."""

    def __init__(self, offices: Offices, name: str) -> None:
        self._offices = offices
        self._name = name
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def datagram_received(self, data: bytes, client: tuple[str, int]) -> None:
        answer = self._offices.answer(self._name, data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, client)


__all__ = ["Failure", "Office", "Offices", "sip_answer"]
