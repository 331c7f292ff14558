"""From the wish for a connection to one: which way, which address, when, and when to leave it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt.addresses import Addresses
from agent.sinks.mqtt.connection import Connection, Message
from agent.sinks.mqtt.dial import is_local
from agent.sinks.mqtt.ports import Meter, Resolve, RunBlocking
from agent.sinks.mqtt.settings import MqttSettings
from agent.sinks.mqtt.way import Route, Tries, address_of, candidates, choose, is_metered, uplink_at, usable

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
BACKOFF_METERED_S = (*BACKOFF_S, 120.0, 300.0)
SETTLED_S = 60.0
"""A connection that held this long starts the backoff afresh."""
KEEPALIVE_METERED_S = 180
"""A sign of life and its answer are some 200 bytes with TLS: every 30 s they would be 0.6 MB a day. Operators
forget a connection that is silent for longer than some minutes."""


class Connecting:
    """Makes one connection after the other; all of it belongs to the event loop's thread."""

    def __init__(
        self,
        settings: MqttSettings,
        kick: asyncio.Event,
        run_blocking: RunBlocking,
        meter: Meter | None,
        will: Message,
        receive: Callable[[Message], None] | None,
        resolve: Resolve | None,
        remembered: Path | None,
    ) -> None:
        self._settings = settings
        self._kick = kick
        self._meter = meter
        self._will = will
        self._receive = receive
        free = settings.via != "system"
        self._exits = {one.uplink: one for one in settings.exits if free}
        self._addresses = Addresses(settings.host, run_blocking, resolve if self._exits else None, remembered)
        self._tries = Tries()
        self._usable: frozenset[str] = frozenset()
        self._news = asyncio.Event()
        """Another uplink works, or one does no longer."""
        self._way: str | None = None
        self._present: str | None = None
        """The uplink that the connection has turned out to use."""
        self._seen_at = False
        """The connection's own address was that uplink's."""
        self._known = True
        self._is_bound = False
        self._began_at = 0.0
        self._opened = False
        self.snapshot: Snapshot | None = None

    @property
    def by(self) -> str:
        """Which uplink it is bound to, as the end of a message."""
        return f" (by {self._way})" if self._is_bound else ""

    @property
    def _is_fixed(self) -> bool:
        """There is one uplink that it may take."""
        return self._settings.via in self._exits

    def follow(self, snapshot: Snapshot) -> None:
        """Take in the newest picture."""
        self.snapshot = snapshot
        now = frozenset(usable(snapshot))
        for name in now - self._usable:
            self._tries.forget(name)
        if now != self._usable:
            self._usable = now
            self._tries.hurry()
            self._news.set()

    # --- before ----------------------------------------------------------------------------------------

    async def until_due(self) -> None:
        """Wait for the next attempt, and choose its way; another verdict about an uplink chooses anew."""
        loop = asyncio.get_running_loop()
        while True:
            self._news.clear()
            self._way, wait_s = self._tries.next(self._ways(), loop.time())
            if wait_s <= 0:
                return
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                pass

    def _ways(self) -> tuple[str | None, ...]:
        if not self._exits:
            return (None,)
        if self._is_fixed:
            return (self._settings.via,)
        return tuple(way for way in candidates(self.snapshot, self._way) if way is None or way in self._exits)

    async def prepare(self) -> Connection:
        """A connection by the chosen way, to be opened and closed by the caller."""
        self._began_at, self._opened = asyncio.get_running_loop().time(), False
        self._present, self._seen_at = self._way, False
        addresses = await self._addresses.find(self._way)
        self._known = bool(addresses)
        self._is_bound = self._way is not None and (self._is_fixed or not all(map(is_local, addresses)))
        settings = self._settings
        if self._is_bound and is_metered(self.snapshot, self._way):
            settings = replace(settings, keepalive_s=max(settings.keepalive_s, KEEPALIVE_METERED_S))
        return Connection(
            settings,
            self._kick,
            self._meter,
            will=self._will,
            receive=self._receive,
            route=self._route(addresses),
        )

    def _route(self, addresses: tuple[str, ...]) -> Route:
        if self._way is None:
            return Route(addresses)
        way = self._exits[self._way]
        source = way.source
        if source is None and way.shared and self.snapshot is not None:
            source = address_of(self.snapshot, way.uplink)
        return Route(addresses, way.interface, source, always=self._is_fixed)

    async def open(self, connection: Connection) -> str | None:
        """Open it; None, or why it did not work. A way that dies meanwhile is not waited for."""
        if not self._known:
            return "no address is known for this name"
        opening = asyncio.ensure_future(connection.open())
        try:
            while not opening.done():
                self._news.clear()
                if self._is_dead():
                    return "the uplink stopped working"
                news = asyncio.ensure_future(self._news.wait())
                await asyncio.wait((opening, news), return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            opening.cancel()
        problem = opening.result()
        if problem is None:
            self._opened = True
            await self._addresses.worked(connection.peer)
        return problem

    def _is_dead(self) -> bool:
        """The way that is being tried does no longer work, and another one does."""
        return (
            self._is_bound
            and not self._is_fixed
            and bool(self._usable & self._exits.keys())
            and self._way not in self._usable
        )

    # --- while it lasts --------------------------------------------------------------------------------

    def must_move(self, connection: Connection, *, calm: bool) -> bool:
        """Whether to leave a connection that stands for another way."""
        snapshot = self.snapshot
        if snapshot is None or not self._exits or self._is_fixed:
            return False
        if connection.peer is not None and is_local(connection.peer):
            return False
        # Two boxes may give this machine the same address: what the socket is bound to is surer than that.
        present = self._way or uplink_at(snapshot, connection.address) or self._present
        self._present = present
        is_at = connection.address is not None and address_of(snapshot, present) == connection.address
        gone = self._seen_at and not is_at
        self._seen_at = self._seen_at or is_at
        now = asyncio.get_running_loop().time()
        chosen = choose(snapshot, present, shunned=self._tries.shunned(now), calm=calm)
        # An address that was lost takes its connections along, also where there is another one.
        if (chosen == present and not gone) or chosen not in self._exits:
            return False
        self._way = chosen
        self._tries.forget(chosen)
        return True

    # --- after -----------------------------------------------------------------------------------------

    def ended(self, connection: Connection, problem: str | None) -> None:
        """It did not open, or is over; without a ``problem`` another way was chosen."""
        if problem is None:
            return
        now = asyncio.get_running_loop().time()
        if connection.unbindable:
            # Never mind which uplink, then; the system's routes are better than nothing.
            self._exits = {}
        if not self._opened:
            self._addresses.doubt()
        if self._opened and now - self._began_at > SETTLED_S:
            self._tries.accept()
            self._tries.forget(self._way)
        # A fleet that lost its broker must not come back all in the same second.
        chance = random.uniform(0.75, 1.25)
        steps = BACKOFF_METERED_S if is_metered(self.snapshot, self._way) else BACKOFF_S
        if connection.refused or self._opened:
            self._tries.refuse(now, _step(steps, self._tries.refused) * chance)
        elif not self._is_dead():
            pause_s = _step(steps, self._tries.failures.get(self._way, 0)) * chance
            self._tries.failed(self._way, now, pause_s)


def _step(steps: tuple[float, ...], count: int) -> float:
    return steps[min(count, len(steps) - 1)]
