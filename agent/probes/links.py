"""Carrier, address and gateway of every uplink's interface, told whenever they change.

The kernel's events are only a nudge to read its tables again. Following the events themselves goes wrong:
a replaced route is told as an addition, and routes that vanish with their interface are not told at all.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from agent.core.model import Link
from agent.probes.netlink import GROUPS, RELEVANT, Tables, messages, read_tables

SETTLE_S: Final = 0.01
"""An event seldom comes alone; the tables are read once the kernel has finished its sentence."""
SPACING_S: Final = 0.1
"""A storm of events costs one reading per this time."""
RECHECK_S: Final = 30.0
_BUFFER: Final = 1 << 16
_NO_GATEWAYS: Final[Mapping[str, str]] = MappingProxyType({})


def link_of(uplink: str, name: str, tables: Tables, gateway: str | None) -> Link:
    """What ``tables`` say of the interface ``name``; a configured ``gateway`` overrides the routes."""
    interface = tables.interfaces.get(name)
    if interface is None:
        return Link(uplink, present=False, gateway=gateway)
    address = tables.address_of(interface)
    return Link(
        uplink,
        present=True,
        carrier=interface.carrier,
        address=address.address if address is not None else None,
        gateway=gateway if gateway is not None else tables.gateway_of(interface),
    )


class LinkWatcher:
    """Posts a ``Link`` per uplink at the start, and then on each change."""

    def __init__(
        self,
        interfaces: Mapping[str, str],
        post: Callable[[Link], None],
        gateways: Mapping[str, str] = _NO_GATEWAYS,
    ) -> None:
        """Watch nothing before ``run``.

        Args:
            interfaces: uplink to interface name; several uplinks may share an interface.
            post: takes each change, in the event loop's thread.
            gateways: uplink to gateway, where it is configured rather than found.
        """
        self._interfaces = dict(interfaces)
        self._post = post
        self._gateways = dict(gateways)
        self._told: dict[str, Link] = {}
        self._nudge = asyncio.Event()

    async def run(self) -> None:
        """Watch until cancelled.

        Raises:
            OSError: netlink is not available.
        """
        loop = asyncio.get_running_loop()
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        with socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE) as events:
            events.bind((0, GROUPS))
            loop.add_reader(events.fileno(), self._drain, events)
            try:
                while True:
                    self._nudge.clear()
                    self._tell(read_tables())
                    await asyncio.sleep(SPACING_S)
                    await self._nudged()
                    await asyncio.sleep(SETTLE_S)
            finally:
                loop.remove_reader(events.fileno())

    async def _nudged(self) -> None:
        try:
            async with asyncio.timeout(RECHECK_S):
                await self._nudge.wait()
        except TimeoutError:
            return

    def _drain(self, events: socket.socket) -> None:
        while True:
            try:
                data, sender = events.recvfrom(_BUFFER)
            except BlockingIOError:
                return
            except OSError:
                # ENOBUFS: events were lost, but the tables were not.
                self._nudge.set()
                return
            from_kernel = sender[0] == 0
            if from_kernel and any(message.kind in RELEVANT for message in messages(data)):
                self._nudge.set()

    def _tell(self, tables: Tables) -> None:
        for uplink, name in self._interfaces.items():
            link = link_of(uplink, name, tables, self._gateways.get(uplink))
            if link != self._told.get(uplink):
                self._told[uplink] = link
                self._post(link)
