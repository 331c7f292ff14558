"""One echo request from inside a namespace, as any program there could send it."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct

from hardware.virtual.netns import Namespace

_ECHO, _ECHO_REPLY = 8, 0
_numbers = itertools.count(1)


async def ping(
    namespace: Namespace, target: str, *, device: str | None = None, timeout_s: float = 1.0
) -> float | None:
    """Send one echo request and wait for its reply.

    Args:
        namespace: where to send it from; group 0 may ping there.
        target: IPv4 address.
        device: interface that it must leave by; None leaves it to the routes.
        timeout_s: longest wait.

    Returns:
        Round trip in milliseconds; None if it could not be sent, was refused or was not answered in time.
    """
    loop = asyncio.get_running_loop()
    number = next(_numbers) & 0xFFFF
    try:
        sender = namespace.call(lambda: _socket(device))
    except OSError:
        return None
    with sender:
        try:
            async with asyncio.timeout(timeout_s):
                sender.connect((target, 0))
                sent_at = loop.time()
                sender.send(struct.pack("!BBHHH", _ECHO, 0, 0, 0, number) + b"vigie".ljust(48, b"."))
                while True:
                    reply = await loop.sock_recv(sender, 2048)
                    if reply[0] == _ECHO_REPLY and struct.unpack_from("!H", reply, 6)[0] == number:
                        return (loop.time() - sent_at) * 1000
        except (OSError, TimeoutError):
            return None


def _socket(device: str | None) -> socket.socket:
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, socket.IPPROTO_ICMP)
    try:
        if device is not None:
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    except BaseException:
        sender.close()
        raise
    return sender
