"""Asks a page that answers with the address of whoever asks, in plain text: where STUN does not get through.

By HTTPS the server's certificate is verified. A connection, its TLS and the answer are several kB on the
line, many times what STUN takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Final

from agent.probes.http_answer import MOST_BYTES, HttpError, is_complete, parse
from agent.probes.stun import Mapped
from agent.probes.tcp_traffic import PARTING, traffic_of
from agent.probes.way import Way, refusal_of, unsent

PATIENCE_S: Final = 8.0
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class AddressPage:
    """A page that answers with the asker's address and nothing else.

    Attributes:
        host: name or IPv4 address.
        port: TCP port, 1 to 65535.
        path: begins with ``/``.
        tls: by HTTPS.
    """

    host: str
    port: int
    path: str = "/"
    tls: bool = True

    def request(self) -> bytes:
        """What is sent to the server."""
        usual = 443 if self.tls else 80
        authority = self.host if self.port == usual else f"{self.host}:{self.port}"
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {authority}",
            "User-Agent: vigie",
            "Accept: text/plain",
            "Accept-Encoding: identity",
            "Connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


async def ask_page_for_address(way: Way, page: AddressPage, address: str) -> Mapped:
    """Ask the server at ``address`` for the page, within ``PATIENCE_S``."""
    try:
        asked = way.open(socket.SOCK_STREAM)
    except OSError as error:
        return Mapped(None, unsent(error).detail)
    with asked:
        try:
            async with asyncio.timeout(PATIENCE_S):
                return _read(await _fetch(asked, page, address))
        except TimeoutError:
            return Mapped(None, "no answer in time")
        except ssl.SSLError as error:
            return Mapped(None, f"TLS: {error.reason or error}")
        except OSError as error:
            refused = refusal_of(asked, error) if asked.fileno() >= 0 else None
            return Mapped(None, refused.detail if refused is not None else str(error.strerror or error))
        finally:
            sent, received = traffic_of(asked)
            parting = PARTING if received else 0
            way.spend(sent + parting, received + parting)


async def _fetch(asked: socket.socket, page: AddressPage, address: str) -> bytes:
    asked.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MOST_BYTES)
    await asyncio.get_running_loop().sock_connect(asked, (address, page.port))
    # The stream closes its socket; the one that is counted stays open.
    own = asked.dup()
    own.setblocking(False)
    context = _context() if page.tls else None
    host = page.host if page.tls else None
    try:
        reader, writer = await asyncio.open_connection(sock=own, ssl=context, server_hostname=host)
    except BaseException:
        own.close()
        raise
    try:
        writer.write(page.request())
        data = b""
        while len(data) < MOST_BYTES and not is_complete(data):
            piece = await reader.read(MOST_BYTES - len(data))
            if not piece:
                break
            data += piece
        return data
    finally:
        writer.close()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()


@cache
def _context() -> ssl.SSLContext:
    """Made once: everything that the system trusts is read for it, and meanwhile nothing else happens."""
    return ssl.create_default_context()


def _read(data: bytes) -> Mapped:
    """The address in an answer that is nothing but one."""
    try:
        answer = parse(data)
    except HttpError as error:
        return Mapped(None, f"no HTTP: {error}")
    if answer is None:
        return Mapped(None, f"answer not complete, {len(data)} bytes")
    if answer.status != _OK:
        return Mapped(None, f"answer {answer.status}")
    try:
        return Mapped(str(ip_address(answer.body.decode("ascii").strip())))
    except ValueError:
        return Mapped(None, "the answer is no address")
