"""Web servers of the bay: pages of the internet whose answer is known, and a box's portal in their place."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final

from hardware.virtual.sockets import bound
from hardware.virtual.wall import PageMode

PORT: Final = 80
_LONGEST_HEAD: Final = 8192
_PATIENCE_S: Final = 10.0

Answer = Callable[[str, str], bytes]
"""From host and path to the whole answer."""


def page(status: str, body: str = "", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", *headers, "Connection: close"]
    if not status.startswith("204"):
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join([*lines, "", body]).encode()


def internet_page(host: str, path: str) -> bytes:
    """What the web servers of the internet answer: those that devices ask to find portals, and no other."""
    match host, path:
        case _, "/generate_204":
            return page("204 No Content")
        case "detectportal.firefox.com", "/success.txt":
            return page("200 OK", "success\n", "Content-Type: text/plain")
    return page("404 Not Found", "<title>Not Found</title>", "Content-Type: text/html")


def portal_page(mode: PageMode, box: str) -> Answer:
    """What a box with this address answers in the place of every web server."""
    login = page("200 OK", "<html><title>Connexion requise</title></html>", "Content-Type: text/html")

    def answer(host: str, path: str) -> bytes:
        if mode is PageMode.LOGIN or (host, path) == (box, "/login"):
            return login
        return page("302 Found", "", f"Location: http://{box}/login")

    return answer


def listener(address: str) -> socket.socket:
    """A socket for port 80 of ``address``, which need not be there; empty is every address."""
    return bound(socket.SOCK_STREAM, address, PORT, (socket.SOL_SOCKET, socket.SO_REUSEADDR))


class WebServer:
    """Answers one request for each connection. Needs a running event loop."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._loop = asyncio.get_running_loop()
        self._listeners: list[socket.socket] = []
        self._serving: set[asyncio.Task[None]] = set()

    def listen(self, made: socket.socket) -> None:
        """Serve at one more socket.

        Raises:
            OSError: somebody else listens there.
        """
        made.listen()
        self._listeners.append(made)
        self._loop.add_reader(made, self._accept, made)

    def _accept(self, made: socket.socket) -> None:
        # Whoever has hung up already is none of ours.
        with contextlib.suppress(OSError):
            connection, _client = made.accept()
            task = self._loop.create_task(self._serve(connection))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)

    async def _serve(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        with connection, contextlib.suppress(OSError, IndexError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                head = b""
                while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
                    piece = await self._loop.sock_recv(connection, _LONGEST_HEAD)
                    if not piece:
                        return
                    head += piece
                lines = head.decode("latin-1").split("\r\n")
                headers = dict(line.lower().partition(": ")[::2] for line in lines[1:])
                answer = self._answer(headers.get("host", ""), lines[0].split(" ")[1])
                await self._loop.sock_sendall(connection, answer)

    def close(self) -> None:
        """Listen no more and hang up. Safe to repeat."""
        while self._listeners:
            made = self._listeners.pop()
            self._loop.remove_reader(made)
            made.close()
        for task in self._serving:
            task.cancel()
