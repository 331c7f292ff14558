"""One unary gRPC call as gRPC-Web over plain HTTP/1.1, the way a device's own web page makes it.

A body of gRPC-Web is a row of frames: one byte of flags, four bytes of length, the content. Bit 7 marks
the trailers, which are written like HTTP headers and say how the call ended; bit 0 marks compression,
which is refused because it was not offered. A call without any response sends its trailers as headers.
Source: github.com/grpc/grpc, doc/PROTOCOL-WEB.md; status codes: doc/statuscodes.md there.
"""

from __future__ import annotations

from hardware.box_port import NotOfferedError
from hardware.lan_http import Endpoint, Reply, ask
from hardware.ports import HardwareError

_TRAILERS, _COMPRESSED = 0x80, 0x01
_HEAD = 5
_UNIMPLEMENTED = "12"
STATUSES = {
    "4": "deadline exceeded",
    "7": "permission denied",
    "8": "resource exhausted",
    "12": "unimplemented",
    "13": "internal error",
    "14": "unavailable",
    "16": "unauthenticated",
}


def call(endpoint: Endpoint, method: str, request: bytes) -> bytes:
    """Call ``method`` (``/package.Service/Method``) with an encoded message, return the encoded response.

    Raises:
        NotOfferedError: the device does not know this call.
        HardwareError: no complete answer, or the device refused.
    """
    headers = {
        "Content-Type": "application/grpc-web+proto",
        "Accept": "application/grpc-web+proto",
        "X-Grpc-Web": "1",
    }
    reply = ask(endpoint, "POST", method, body=frame(request), headers=headers)
    if reply.status != 200:
        raise HardwareError(f"{endpoint}: status {reply.status} instead of gRPC-Web")
    try:
        message, trailers = split(reply.body)
    except ValueError as error:
        raise HardwareError(f"{endpoint}: not gRPC-Web: {error}") from None
    _check_status(endpoint, reply, trailers)
    if message is None:
        raise HardwareError(f"{endpoint}: gRPC-Web without a message")
    return message


def _check_status(endpoint: Endpoint, reply: Reply, trailers: dict[str, str]) -> None:
    status = trailers.get("grpc-status", (reply.headers.get("grpc-status") or "").strip())
    if status == "0":
        return
    if not status:
        raise HardwareError(f"{endpoint}: gRPC-Web that does not say how the call ended")
    why = f"{endpoint}: refused: {STATUSES.get(status, 'gRPC status ' + status[:3])}"
    raise NotOfferedError(why) if status == _UNIMPLEMENTED else HardwareError(why)


def frame(content: bytes, flags: int = 0) -> bytes:
    """One frame."""
    return bytes([flags]) + len(content).to_bytes(4, "big") + content


def trailers_frame(status: int) -> bytes:
    """The last frame of a call, as a server sends it."""
    return frame(f"grpc-status: {status}\r\n".encode("ascii"), _TRAILERS)


def split(body: bytes) -> tuple[bytes | None, dict[str, str]]:
    """The message, None if there is none, and the trailers by lower-case name.

    Raises:
        ValueError: no frames, a compressed or cut one, or more than one message.
    """
    message: bytes | None = None
    trailers: dict[str, str] = {}
    at = 0
    while at < len(body):
        flags = body[at]
        end = at + _HEAD + int.from_bytes(body[at + 1 : at + _HEAD], "big")
        if at + _HEAD > len(body) or end > len(body):
            raise ValueError("cut short in a frame")
        content, at = body[at + _HEAD : end], end
        if flags == _TRAILERS:
            for line in content.decode("latin-1").splitlines():
                name, _, value = line.partition(":")
                trailers[name.strip().lower()] = value.strip()
        elif flags == _COMPRESSED:
            raise ValueError("a compressed frame")
        elif flags != 0 or message is not None:
            raise ValueError("more than one message")
        else:
            message = content
    return message, trailers
