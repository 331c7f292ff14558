"""One request to a device's own web server, bounded in time and size.

Such a server is a small program in a box that may be hung, booting or hostile. So: an address, never a
name (a name would need DNS through the very line in question); one deadline for the whole exchange, also
against a server that drips; a limit for the answer; redirects refused; an answer cut short is an error.

Encryption: plain HTTP unless ``Endpoint.tls`` is given, which only the owner's configuration does, never
an answer. With it the certificate must be valid for the given name; there is no way to switch that off.

Errors name the host and what happened, never a query, a header or a body, as these may carry secrets.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING

from hardware.ports import HardwareError

if TYPE_CHECKING:
    from ssl import SSLSocket

LONGEST_HEAD = 32_768
"""Most bytes of status line and headers."""
_SAFE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Tls:
    """How to know the device at the other end.

    Attributes:
        name: the certificate must be valid for this name; it is also what the device is asked for.
        authorities: PEM file with the certificates to trust instead of the system's.
    """

    name: str
    authorities: Path | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a device listens, and what it may cost to ask it.

    Attributes:
        host: IPv4 or IPv6 address.
        port: TCP port.
        tls: encryption; None is plain HTTP.
        device: network interface by which to leave; None leaves it to the routes.
        timeout_s: longest duration of one exchange, from the first packet to the last byte.
        longest: most bytes of an answer's body.

    Raises:
        ValueError: not an address, or a value out of range.
    """

    host: str
    port: int = 80
    tls: Tls | None = None
    device: str | None = None
    timeout_s: float = 4.0
    longest: int = 262_144

    def __post_init__(self) -> None:
        ipaddress.ip_address(self.host)
        if not (0 < self.port < 65_536 and 0 < self.timeout_s <= 60 and self.longest > 0):
            raise ValueError(f"{self}: port 1 to 65535, timeout above 0 and at most 60 s, longest above 0")

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer. ``headers`` are looked up in any case, several of one name by ``get_all``."""

    status: int
    headers: Message
    body: bytes


def ask(
    endpoint: Endpoint,
    method: str,
    target: str,
    *,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Reply:
    """Send one request on a connection of its own and return the whole answer.

    Args:
        endpoint: where to.
        method: GET or POST.
        target: path and query, already encoded.
        body: sent as it is.
        headers: in addition to Host, Connection and Content-Length.
        clock: monotonic seconds.

    Raises:
        HardwareError: no complete, acceptable answer in time.
    """
    wire = _Wire(endpoint, clock)
    fields = {"Host": _authority(endpoint), "Connection": "close", **(headers or {})}
    if body:
        fields["Content-Length"] = str(len(body))
    if not all(_SAFE.fullmatch(part) for part in (target, *fields, *fields.values())):
        raise HardwareError(f"{endpoint}: a request with unprintable characters is not sent")
    try:
        try:
            wire.open()
            head = "\r\n".join([f"{method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items())])
            wire.send(f"{head}\r\n\r\n".encode("ascii") + body)
            return _receive(endpoint, wire, method)
        finally:
            wire.close()
    except TimeoutError:
        raise HardwareError(f"{endpoint}: no complete answer within {endpoint.timeout_s:g} s") from None
    except OSError as error:
        raise HardwareError(f"{endpoint}: {error.strerror or error}") from error
    except (http.client.HTTPException, ValueError) as error:
        # The texts of these quote what was received, which may repeat a secret that was sent.
        raise HardwareError(f"{endpoint}: not an answer in HTTP ({type(error).__name__})") from None


def _authority(endpoint: Endpoint) -> str:
    if endpoint.tls is not None:
        return endpoint.tls.name
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return host if endpoint.port == 80 else f"{host}:{endpoint.port}"


def _receive(endpoint: Endpoint, wire: _Wire, method: str) -> Reply:
    response = http.client.HTTPResponse(wire, method=method)  # type: ignore[arg-type]
    with response:
        response.begin()
        if 300 <= response.status < 400:
            raise HardwareError(f"{endpoint}: redirects elsewhere, which is not followed")
        if response.length is not None and response.length > endpoint.longest:
            raise HardwareError(f"{endpoint}: an answer of {response.length} bytes is refused")
        wire.expect_body()
        body = bytearray()
        while part := response.read(65_536):
            body += part
            if len(body) > endpoint.longest:
                raise HardwareError(f"{endpoint}: an answer beyond {endpoint.longest} bytes is refused")
        if response.length:
            raise HardwareError(f"{endpoint}: hung up in the middle of its answer")
        return Reply(response.status, response.headers, bytes(body))


class _Wire(io.RawIOBase):
    """A connection whose every operation ends at the same instant; http.client reads it as a socket."""

    def __init__(self, endpoint: Endpoint, clock: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._ends_at = clock() + endpoint.timeout_s
        self._socket: socket.socket | SSLSocket | None = None
        self._allowance = LONGEST_HEAD
        self._in_head = True

    def open(self) -> None:
        """Connect, and encrypt where that is wanted."""
        endpoint = self._endpoint
        family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
        plain = self._socket = socket.socket(family, socket.SOCK_STREAM)
        if endpoint.device is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, endpoint.device.encode())
        plain.settimeout(self._left_s())
        plain.connect((endpoint.host, endpoint.port))
        if endpoint.tls is not None:
            import ssl  # an import that a site with plain boxes never pays for

            context = ssl.create_default_context(cafile=endpoint.tls.authorities)
            if endpoint.tls.authorities is not None:
                # Since Python 3.13 certificates must also be written to the letter of RFC 5280, which those
                # of a box maker need not be (freebox-api 1.3.1 found so). Chain, name and dates stay checked.
                context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            plain.settimeout(self._left_s())
            self._socket = context.wrap_socket(plain, server_hostname=endpoint.tls.name)

    def expect_body(self) -> None:
        """The head is in; allow for the body, and as much again for the framing of its chunks."""
        self._in_head = False
        self._allowance = self._endpoint.longest * 2 + LONGEST_HEAD

    def send(self, data: bytes) -> None:
        """Send all of it."""
        assert self._socket is not None
        self._socket.settimeout(self._left_s())
        self._socket.sendall(data)

    def _left_s(self) -> float:
        left_s = self._ends_at - self._clock()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    # --- what http.client wants of a socket and of its file -------------------------------------------------

    def makefile(self, mode: str) -> io.BufferedReader:
        """The answer as a file."""
        assert mode == "rb"
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Receive some bytes; 0 at the end.

        Raises:
            TimeoutError: the exchange has lasted too long.
            OSError: the connection broke or ended in the head, or too much came.
        """
        assert self._socket is not None
        self._socket.settimeout(self._left_s())
        count = self._socket.recv_into(buffer)
        if count == 0 and self._in_head:
            # http.client would take the headers so far for all of them.
            raise OSError("hung up before or in the middle of its answer")
        self._allowance -= count
        if self._allowance < 0:
            raise OSError("too many bytes")
        return count

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        super().close()
