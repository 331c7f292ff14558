"""TCP connections of probes: opened on a socket that is bound already, with what a failure means.

The wait is the caller's to bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket

from agent.core.inquiries import Said
from agent.probes.tcp_traffic import PARTING, traffic_of
from agent.probes.verdict import Verdict
from agent.probes.way import Way, refusal_of, unsent


def account(way: Way, asked: socket.socket) -> None:
    """Count what the connection has cost, and its end, which is still to come."""
    sent, received = traffic_of(asked)
    parting = PARTING if received else 0
    way.spend(sent + parting, received + parting)


async def connect(asked: socket.socket, address: str, port: int) -> Verdict | None:
    """Connect; None if that went well."""
    number = asked.connect_ex((address, port))
    if number == errno.EINPROGRESS:
        await writable(asked)
        number = asked.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            return refused(asked, OSError(number, os.strerror(number)), address)
    if number:
        return unsent(OSError(number, os.strerror(number)))
    return None


def refused(asked: socket.socket, error: OSError, address: str) -> Verdict:
    """What a connection that failed after its first packet has left means."""
    sent_back = refusal_of(asked, error)
    if sent_back is not None:
        return sent_back
    if isinstance(error, ConnectionRefusedError):
        # The machine at that address is there, so the way to it is open.
        return Verdict(Said.REFUSED, by=address, detail="connection refused: the server is reached")
    return Verdict(Said.SILENT, detail=f"no connection: {error.strerror}")


async def writable(asked: socket.socket) -> None:
    """Wait until the connection stands or has failed."""
    loop = asyncio.get_running_loop()
    settled = loop.create_future()

    def settle() -> None:
        if not settled.done():
            settled.set_result(None)

    loop.add_writer(asked, settle)
    try:
        await settled
    finally:
        with contextlib.suppress(OSError):
            loop.remove_writer(asked)
