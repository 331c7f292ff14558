"""The connection that a view of the fleet hangs on: made, lost, made again."""

from __future__ import annotations

import asyncio
import random
import time

from agent.fleet.fleet import Fleet
from agent.fleet.record import Moment
from agent.sinks.mqtt.connection import Connection, Message
from agent.sinks.mqtt.settings import Broker

QUIET_S = 1.0
"""MQTT does not say when all has come that the broker had kept: after so long without more of it, it has."""
NOTHING_S = 5.0
"""The same, while nothing has come at all."""
QOS = 0
"""A broker drops what it queues beyond so many messages of QoS 1 for one client (mosquitto:
``max_queued_messages`` 1000), and a state that is missed comes again by itself."""
MOST_ASKED = 500
"""Topics asked for one by one, at once, that should have come and have not."""
LOOK_S = 0.1
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0)


def present() -> Moment:
    """Now, by this machine's clocks."""
    return Moment(time.monotonic(), time.time())


class FleetLink:
    """Feeds a fleet from one broker for as long as ``run`` runs.

    Attributes:
        changed: set whenever something came, or the connection changed.
        problem: why there is no connection; None while there is one, empty before the first attempt ended.
        since: when that became so, monotonic seconds.
        joined: there has been a connection.
    """

    def __init__(self, broker: Broker, fleet: Fleet) -> None:
        """Prepare; for the event loop's thread."""
        self.changed = asyncio.Event()
        self.problem: str | None = ""
        self.since = time.monotonic()
        self.joined = False
        self._broker = broker
        self._fleet = fleet

    async def run(self) -> None:
        """Connect and listen, for ever."""
        failures = 0
        while True:
            woken = asyncio.Event()
            connection = Connection(self._broker, woken, receive=self._receive)
            try:
                problem = await connection.open()
                if problem is None:
                    failures = 0
                    await self._listen(connection, woken)
                    problem = str(connection.lost)
            finally:
                await connection.close()
            self._turn(problem)
            pause_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)] * random.uniform(0.75, 1.25)
            failures += 1
            await asyncio.sleep(pause_s)

    async def _listen(self, connection: Connection, woken: asyncio.Event) -> None:
        """Take in what comes over one connection until it is lost."""
        self._fleet.joined()
        self.joined = True
        self._turn(None)
        connection.subscribe(*self._fleet.filters, qos=QOS)
        asked: set[str] = set()
        asked_at = time.monotonic()
        while connection.lost is None:
            if not self._fleet.settled and self._is_quiet(asked_at):
                if more := [topic for topic in self._fleet.missed() if topic not in asked][:MOST_ASKED]:
                    connection.subscribe(*more, qos=QOS)
                    asked |= set(more)
                    asked_at = time.monotonic()
                else:
                    self._fleet.settle()
                    self.changed.set()
            woken.clear()
            try:
                async with asyncio.timeout(None if self._fleet.settled else LOOK_S):
                    await woken.wait()
            except TimeoutError:
                continue

    def _is_quiet(self, asked_at: float) -> bool:
        """Nothing kept has come any more since it was asked for."""
        now, kept_at = time.monotonic(), self._fleet.kept_at
        return now - asked_at > NOTHING_S if kept_at is None else now - max(kept_at, asked_at) > QUIET_S

    def _receive(self, message: Message) -> None:
        if self._fleet.take(message.topic, message.payload, present(), kept=message.retained) is not None:
            self.changed.set()

    def _turn(self, problem: str | None) -> None:
        """The connection is there, or it is not; since when is kept while it stays as it is."""
        if (self.problem is None) != (problem is None):
            self.since = time.monotonic()
        self.problem = problem
        self.changed.set()
