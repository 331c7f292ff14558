"""Counts what the agent itself sends and receives through uplinks that have a data budget.

Echoes and checks tell their bytes as they pass. Connections that the system routes, such as that to the
broker, are looked at once a minute, and belong to the uplink whose address they have.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterable

from agent.core.model import Link
from agent.core.spending import Spent
from agent.probes.tcp_traffic import PARTING, Traffic, traffic_of

EVERY_S = 60.0


def uncounted(_uplink: str, _sent: int, _received: int) -> None:
    """Where nobody counts."""


class Meter:
    """Adds up, and posts a ``Spent`` for each uplink a minute if there is anything to post."""

    def __init__(self, uplinks: Iterable[str], post: Callable[[Spent], None]) -> None:
        """Count nothing yet.

        Args:
            uplinks: those that have a budget; others are not counted.
            post: takes each sum, in the event loop's thread.
        """
        self._sums = {uplink: Traffic() for uplink in uplinks}
        self._post = post
        self._addresses: dict[str, str] = {}
        self._seen: dict[socket.socket, Traffic] = {}
        self._lock = threading.Lock()
        """Connections are opened and closed in other threads."""

    def count(self, uplink: str, sent: int, received: int) -> None:
        """So many bytes have passed; in the event loop's thread."""
        before = self._sums.get(uplink)
        if before is not None:
            self._sums[uplink] = Traffic(before.sent + sent, before.received + received)

    def link_changed(self, link: Link) -> None:
        """Follow which address belongs to which uplink."""
        if link.address is not None:
            self._addresses = {at: name for at, name in self._addresses.items() if name != link.uplink}
            self._addresses[link.address] = link.uplink

    def opened(self, connection: socket.socket) -> None:
        """Count this TCP connection from its first packet on; in any thread."""
        with self._lock:
            self._seen[connection] = Traffic()

    def closed(self, connection: socket.socket) -> None:
        """It is about to be closed; in any thread."""
        with self._lock:
            if connection in self._seen:
                self._look(connection, PARTING)
                del self._seen[connection]

    def settle(self) -> None:
        """Post what has passed since the last time."""
        with self._lock:
            for connection in list(self._seen):
                self._look(connection)
                if connection.fileno() < 0:
                    del self._seen[connection]
            sums, self._sums = self._sums, dict.fromkeys(self._sums, Traffic())
        for uplink, traffic in sums.items():
            if any(traffic):
                self._post(Spent(uplink, traffic.sent, traffic.received))

    async def run(self) -> None:
        """Post once a minute until cancelled."""
        while True:
            await asyncio.sleep(EVERY_S)
            self.settle()

    def _look(self, connection: socket.socket, parting: int = 0) -> None:
        """Add what a connection has had since the last look; the lock is held."""
        before, now = self._seen[connection], traffic_of(connection)
        if now < before:
            # It is closed, or cannot be asked any more.
            return
        self._seen[connection] = now
        try:
            uplink = self._addresses.get(connection.getsockname()[0])
        except OSError:
            return
        if uplink is not None:
            self.count(uplink, now.sent - before.sent + parting, now.received - before.received + parting)
