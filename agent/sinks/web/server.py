"""HTTP for strangers on the network: GET and HEAD, one request a connection, nothing that could be changed.

Whoever is on the LAN may send what he likes, as fast as he likes; what that may cost is bounded here. A
connection is accepted only while fewer than ``CLIENTS`` are open, at most ``RATE`` a second, at most
``CLIENTS_EACH`` from one address; it may send ``REQUEST_BYTES`` within ``REQUEST_S`` and must take the answer
within ``ANSWER_S``. The kernel's short queue keeps the rest, and forgets what is beyond it.

Requests that name a host which is neither an address nor this machine are not answered: they come from a page
that has pointed a name of its own at this machine (DNS rebinding). The one file that imports h11.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address

import h11

log = logging.getLogger("vigie.web")

CLIENTS = 16
CLIENTS_EACH = 6
RATE = 40.0
BURST = 20.0
QUEUE = 16
REQUEST_BYTES = 8192
HEADERS = 64
REQUEST_S = 5.0
ANSWER_S = 10.0
LINGER_S = 1.0
LINGER_BYTES = 65_536
READ_BYTES = 4096
PAUSE_S = 1.0
NEAR = tuple(
    IPv4Network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
)
"""Who is answered: addresses of a LAN. An uplink may have a public one; the page is not for the internet."""
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    kind: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Handler = Callable[[str], Answer]
"""From a path without its query to the answer; called in the event loop, so it must be quick."""

SAFETY = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Connection", "close"),
)


def listen(address: str, port: int) -> socket.socket:
    """A listening socket.

    Args:
        address: an IPv4 address of this machine; empty: all of them.
        port: 0 for any.

    Raises:
        OSError: it cannot be had; the message names address and port.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((address, port))
        listener.listen(QUEUE)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"{address or '*'}:{port}: {error.strerror}") from error
    return listener


class Server:
    """Serves one listening socket until cancelled.

    Attributes:
        handler: makes the answers.
        names: host names under which this machine may be called, lower-case; addresses always are.
        policy: the Content-Security-Policy of every answer.
        clock: monotonic seconds.
        sleep: waits, where connections come too fast.
    """

    def __init__(
        self,
        handler: Handler,
        names: Collection[str],
        policy: str,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._handler = handler
        self._names = names
        self._headers = (*SAFETY, ("Content-Security-Policy", policy))
        self._clock = clock
        self._sleep = sleep
        self._open: Counter[str] = Counter()
        self._room = asyncio.Semaphore(CLIENTS)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, listener: socket.socket) -> None:
        """Accept and answer until cancelled; closes every connection at the end."""
        loop = asyncio.get_running_loop()
        tokens, counted_at = BURST, self._clock()
        try:
            while True:
                await self._room.acquire()
                now_at = self._clock()
                tokens = min(BURST, tokens + (now_at - counted_at) * RATE)
                counted_at = now_at
                if tokens < 1.0:
                    await self._sleep((1.0 - tokens) / RATE)
                tokens -= 1.0
                try:
                    client, (address, _) = await loop.sock_accept(listener)
                except OSError as error:
                    # Out of descriptors, or the client has gone again: neither is worth more than a pause.
                    log.debug("not accepted: %s", error)
                    self._room.release()
                    await self._sleep(PAUSE_S)
                    continue
                task = loop.create_task(self._served(client, address))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        finally:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _served(self, client: socket.socket, address: str) -> None:
        self._open[address] += 1
        try:
            if self._open[address] <= CLIENTS_EACH and _is_near(address):
                client.setblocking(False)
                await self._serve(client)
        except (OSError, TimeoutError) as error:
            log.debug("%s left: %s", address, error)
        except Exception:
            log.exception("%s was not answered", address)
        finally:
            client.close()
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
            self._room.release()

    async def _serve(self, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=REQUEST_BYTES)
        try:
            async with asyncio.timeout(REQUEST_S):
                request = await _request(client, connection)
            if request is None:
                return
            answer = self.answer(request)
        except h11.RemoteProtocolError as error:
            request, answer = None, Answer(error.error_status_hint, TEXT, b"Bad request.\n")
        with_body = request is None or request.method != b"HEAD"
        async with asyncio.timeout(ANSWER_S):
            await loop.sock_sendall(client, self._written(connection, answer, with_body=with_body))
        client.shutdown(socket.SHUT_WR)
        # Closing on unread bytes would take the answer back (RST).
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                left = LINGER_BYTES
                while left > 0 and (data := await loop.sock_recv(client, READ_BYTES)):
                    left -= len(data)

    def answer(self, request: h11.Request) -> Answer:
        """What a well-formed request gets."""
        if len(request.headers) > HEADERS:
            return Answer(431, TEXT, b"Too many headers.\n")
        if request.method not in (b"GET", b"HEAD"):
            return Answer(405, TEXT, b"Only GET and HEAD.\n", (("Allow", "GET, HEAD"),))
        hosts = [value.decode("latin-1") for name, value in request.headers if name == b"host"]
        if len(hosts) != 1 or not is_known_host(hosts[0], self._names):
            return Answer(421, TEXT, b"Call this machine by its address or its own name.\n")
        path = request.target.decode("latin-1").partition("?")[0]
        return self._handler(path)

    def _written(self, connection: h11.Connection, answer: Answer, *, with_body: bool) -> bytes:
        """The bytes of an answer."""
        headers = [("Content-Type", answer.kind), ("Content-Length", str(len(answer.body)))]
        sent = connection.send(
            h11.Response(status_code=answer.status, headers=[*headers, *self._headers, *answer.headers])
        )
        assert sent is not None
        return sent + answer.body if with_body else sent


async def _request(client: socket.socket, connection: h11.Connection) -> h11.Request | None:
    """The request, as soon as its headers are there; None if the client leaves before."""
    loop = asyncio.get_running_loop()
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        connection.receive_data(await loop.sock_recv(client, READ_BYTES))


def is_known_host(host: str, names: Collection[str]) -> bool:
    """True for an IP address or one of ``names``, each with or without a port."""
    if host.startswith("["):
        name, closed, rest = host[1:].partition("]")
        return bool(closed) and _is_port(rest) and _is_address(name, IPv6Address)
    name, colon, port = host.partition(":")
    if not _is_port(colon + port):
        return False
    return _is_address(name, IPv4Address) or name.lower().removesuffix(".") in names


def _is_port(text: str) -> bool:
    return text == "" or (text[0] == ":" and text[1:].isascii() and text[1:].isdigit() and len(text) <= 6)


def _is_address(text: str, kind: type[IPv4Address | IPv6Address]) -> bool:
    try:
        kind(text)
    except AddressValueError:
        return False
    return True


def _is_near(address: str) -> bool:
    ip = IPv4Address(address)
    return any(ip in net for net in NEAR)
