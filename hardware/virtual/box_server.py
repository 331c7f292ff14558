"""A box's small web server, with the ways in which such servers fail.

It is a real server: a listening socket, anywhere (the loopback, or a namespace that the socket was made
in), a thread for each connection, one request a connection. What it answers is the device's own affair
(``Answer``); what then becomes of the bytes is the ``Fault``.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from hardware.lan_http import Endpoint

HUGE = 10 * 1024 * 1024
_LONGEST_REQUEST = 65_536
_REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
            404: "Not Found", 429: "Too Many Requests"}  # fmt: skip


class LineState(StrEnum):
    """How the line of a virtual box is."""

    WELL = "well"
    NO_LIGHT = "no_light"
    """Nothing comes out of the fibre; for a dish: it hears nothing."""
    NO_WAN = "no_wan"
    """Light and registration are there, internet is not."""
    BOOTING = "booting"


class FaultKind(StrEnum):
    """What becomes of an answer."""

    NONE = "none"
    HANG = "hang"
    """The connection is accepted and nothing is ever answered."""
    HTML = "html"
    """A web page comes, with status 200."""
    HUGE = "huge"
    """10 MB come."""
    DRIP = "drip"
    """The answer's head comes a byte at a time, without end."""
    REDIRECT = "redirect"
    ERROR = "error"
    """Status 500 and an empty JSON object."""
    ECHO = "echo"
    """The request comes back in place of an answer."""
    CUT = "cut"
    """The server hangs up after some bytes."""


class Framing(StrEnum):
    """How a client knows where an answer ends; none of them is a fault."""

    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"
    """By the end of the connection."""


@dataclass(frozen=True, slots=True)
class Fault:
    """How the server fails.

    Attributes:
        kind: what happens.
        after: bytes of the answer that still come, for ``CUT``.
        request: number of the request that it happens to, from 0; None is every request.
        framing: how answers show their end.
    """

    kind: FaultKind = FaultKind.NONE
    after: int = 0
    request: int | None = None
    framing: Framing = Framing.LENGTH


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    raw: bytes = b""
    """All of it, as it came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the device answers."""

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self, framing: Framing = Framing.LENGTH) -> bytes:
        """The bytes on the wire."""
        reason = _REASONS.get(self.status, "Status")
        lines = [f"HTTP/1.1 {self.status} {reason}", f"Content-Type: {self.kind}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        body = self.body
        if framing is Framing.LENGTH:
            lines.append(f"Content-Length: {len(body)}")
        elif framing is Framing.CHUNKED:
            lines.append("Transfer-Encoding: chunked")
            half = len(body) // 2
            parts = [part for part in (body[:half], body[half:]) if part]
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in [*parts, b""])
        else:
            lines.append("Connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def loopback() -> socket.socket:
    """A listening socket on a free port of the loopback."""
    return socket.create_server(("127.0.0.1", 0))


@dataclass
class BoxServer:
    """Serves ``answer`` on a socket until stopped.

    Attributes:
        answer: called by one connection at a time.
        listener: bound and listening; closed by ``stop``. None makes one on a free port of the loopback.
        tls: encryption of every connection; None is none.
        fault: how it fails now; may be replaced at any time.
        requests: what was asked, oldest first.
        sizes: bytes of each answer as it would have been without a fault.
    """

    answer: Callable[[Request], Answer]
    listener: socket.socket = field(default_factory=loopback)
    tls: ssl.SSLContext | None = None
    fault: Fault = Fault()
    requests: list[Request] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.listener.getsockname()[1])

    def forget(self) -> None:
        """Count requests from 0 again."""
        with self._lock:
            self.requests.clear()
            self.sizes.clear()

    def stop(self) -> None:
        """Hang up everywhere and wait for every thread. Safe to repeat."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc_info: object) -> None:
        self.stop()

    # --- connections ----------------------------------------------------------------------------------------

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="virtual box", daemon=True)
        self._threads = [*(t for t in self._threads if t.is_alive()), thread]
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            self._start(lambda c=connection: self._serve(c))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        try:
            with (
                connection if self.tls is None else self.tls.wrap_socket(connection, server_side=True) as talk
            ):
                request = _read(talk)
                if request is not None and not self._stopping.is_set():
                    self._reply(talk, request)
        except (OSError, ValueError):
            pass  # the client hung up or speaks no HTTP: so does the box
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _reply(self, connection: socket.socket, request: Request) -> None:
        with self._lock:
            fault, count = self.fault, len(self.requests)
            data = self.answer(request).encoded(fault.framing)
            self.requests.append(request)
            self.sizes.append(len(data))
        kind = fault.kind if fault.request in (None, count) else FaultKind.NONE
        if kind is FaultKind.HANG:
            self._stopping.wait()
        elif kind is FaultKind.DRIP:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self._stopping.wait(0.01):
                connection.sendall(b".")
        elif kind is FaultKind.CUT:
            connection.sendall(data[: fault.after])
        elif kind is FaultKind.ECHO:
            connection.sendall(request.raw)
        else:
            connection.sendall(_BROKEN[kind]() if kind in _BROKEN else data)


class VirtualDevice(ABC):
    """A device on a line of its own with a server of its own.

    Attributes:
        server: its faults and what it was asked.
        line: how its line is.
        ran_s: seconds since its start; None: a day, or some seconds while it is booting.
        rx_dbm: light that it receives while there is any; None: what such a device usually does.
        locked: it lets nobody in any more, whatever the password.
        refresh: called before each answer, to bring all that up to date.
    """

    def __init__(self, listener: socket.socket | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.line = LineState.WELL
        self.ran_s: float | None = None
        self.rx_dbm: float | None = None
        self.locked = False
        self.refresh: Callable[[], None] = lambda: None
        self.server = BoxServer(self._answer_now, listener or loopback(), tls)

    def _answer_now(self, request: Request) -> Answer:
        self.refresh()
        return self.answer(request)

    @property
    def uptime_s(self) -> int:
        """Seconds since its start, as it tells them."""
        if self.ran_s is not None:
            return int(self.ran_s)
        return 20 if self.line is LineState.BOOTING else 86_400

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """What the device answers; called by one connection at a time."""

    def endpoint(self, timeout_s: float = 10.0) -> Endpoint:
        """Where to ask it."""
        return Endpoint(self.server.listener.getsockname()[0], self.server.port, timeout_s=timeout_s)

    def be(self, line: LineState) -> None:
        """Have the line be so."""
        self.line = line

    def stop(self) -> None:
        """Stop answering."""
        self.server.stop()


_PAGE = b"<!DOCTYPE html><html><head><title>Box</title></head><body><p>Bienvenue</p></body></html>"
_BROKEN: dict[FaultKind, Callable[[], bytes]] = {
    FaultKind.HTML: lambda: Answer(_PAGE, kind="text/html").encoded(),
    FaultKind.ERROR: lambda: Answer(b"{}", 500).encoded(),
    FaultKind.HUGE: lambda: Answer(b"[" + b"1," * (HUGE // 2)).encoded(Framing.CLOSE),
    FaultKind.REDIRECT: lambda: Answer(
        b"", 302, headers=(("Location", "http://127.0.0.1:9/elsewhere"),)
    ).encoded(),
}


def _read(connection: socket.socket) -> Request | None:
    """The connection's request; None if the client hung up before it was complete.

    Raises:
        ValueError: not a request.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65_536)
        data += part
        if not part or len(data) > _LONGEST_REQUEST:
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length", "0"))
    while len(body) < length <= _LONGEST_REQUEST:
        part = connection.recv(65_536)
        if not part:
            return None
        body += part
    path, _, query = target.partition("?")
    return Request(method, path, query, headers, body, b"\r\n\r\n".join((head, body)))
