"""Asks a web server for a page whose answer is known, to find out who stands in the way.

Plain HTTP on purpose: whoever intercepts an encrypted connection only breaks it. The connection is bound to
the uplink, takes ``MOST_BYTES`` of an answer at most and ends after a fixed time, whatever the server does.
A page costs about 1 kB on the line.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from agent.core.inquiries import Said
from agent.probes.http_answer import MOST_BYTES, is_complete, judge
from agent.probes.public import is_public
from agent.probes.tcp import account, connect, refused
from agent.probes.verdict import Verdict
from agent.probes.way import Way, unsent

USUAL_PORT: Final = 80


@dataclass(frozen=True, slots=True)
class Page:
    """A page with a known answer.

    Attributes:
        host: name or IPv4 address.
        path: begins with ``/``.
        port: TCP port, 1 to 65535.
        body: the exact content of an answer 200; None expects 204 and nothing.
    """

    host: str
    path: str
    port: int = USUAL_PORT
    body: str | None = None

    @property
    def url(self) -> str:
        """Its address as people write it."""
        return f"http://{self._authority}{self.path}"

    @property
    def _authority(self) -> str:
        return self.host if self.port == USUAL_PORT else f"{self.host}:{self.port}"

    def request(self) -> bytes:
        """What is sent to the server."""
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {self._authority}",
            "User-Agent: vigie",
            "Accept-Encoding: identity",
            "Connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


async def ask_page(
    way: Way, page: Page, address: str, clock: Callable[[], float], timeout_s: float
) -> Verdict:
    """Ask the server at ``address`` for ``page``; ``timeout_s`` at most.

    Whatever a server says that has no public address, it cannot be the one that was asked.

    Args:
        way: the uplink to ask through.
        page: what to ask for.
        address: IPv4 address of the page's host, as far as name servers told the truth.
        clock: monotonic seconds.
        timeout_s: longest time for everything from the connection to the last byte that is looked at.
    """
    try:
        asked = way.open(socket.SOCK_STREAM)
    except OSError as error:
        return unsent(error)
    with asked:
        began_at = clock()
        try:
            verdict = await _fetch(asked, page, address, timeout_s)
        finally:
            account(way, asked)
        took_ms = None if verdict.by is None else round((clock() - began_at) * 1000, 2)
    said, detail = verdict.said, verdict.detail
    if verdict.by == address and said is not Said.WRONG and not is_public(address):
        said, detail = Said.WRONG, f"not from a public address: {detail or 'the expected answer'}"
    return Verdict(said, took_ms, verdict.by, detail)


async def _fetch(asked: socket.socket, page: Page, address: str, timeout_s: float) -> Verdict:
    # A small window: of ten megabytes that a server pushes, hardly more than is read is ever sent.
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MOST_BYTES)
    loop = asyncio.get_running_loop()
    data = b""
    ended = connected = False
    try:
        async with asyncio.timeout(timeout_s):
            refusal = await connect(asked, address, page.port)
            if refusal is not None:
                return refusal
            connected = True
            await loop.sock_sendall(asked, page.request())
            while not ended and not is_complete(data) and len(data) < MOST_BYTES:
                piece = await loop.sock_recv(asked, MOST_BYTES - len(data))
                data += piece
                ended = not piece
    except TimeoutError:
        if not connected:
            return Verdict(Said.SILENT, detail="no connection")
    except (ConnectionResetError, BrokenPipeError):
        ended = True
        if not data:
            return Verdict(Said.REFUSED, by=address, detail="connected, then reset")
    except OSError as error:
        return refused(asked, error, address)
    said, detail = judge(data, page.body, ended=ended)
    return Verdict(said, by=address if data or ended else None, detail=detail)
