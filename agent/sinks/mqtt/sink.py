"""Keeps the broker informed, through one connection after the other.

What the broker has not acknowledged when a connection is lost is taken from the outbox again, in order, on
the next one. Events therefore arrive at least once; receivers tell repeats by their ``id``.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable

from agent.core.model import Part
from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt.connection import Connection, Message
from agent.sinks.mqtt.ports import Announcer, Inbox, Meter, Outbox, RunBlocking
from agent.sinks.mqtt.settings import MqttSettings
from agent.sinks.mqtt.topics import (
    AVAILABILITY,
    EVENT,
    OFFLINE,
    ONLINE,
    Publisher,
    event_message,
    prefix,
    refresh_s,
)

IN_FLIGHT = 10
"""Events that may wait for the broker's acknowledgement at once."""
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
SETTLED_S = 60.0
"""A connection that held this long starts the backoff afresh."""
LOOK_AGAIN_S = 30.0

_log = logging.getLogger("vigie.mqtt")


class MqttSink:
    """Keeps the broker informed for as long as ``run`` runs."""

    def __init__(
        self,
        settings: MqttSettings,
        outbox: Outbox,
        run_blocking: RunBlocking,
        report: Callable[[Part], None],
        meter: Meter | None = None,
        *,
        inbox: Inbox | None = None,
        announcer: Announcer | None = None,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._run_blocking = run_blocking
        self._report = report
        self._meter = meter
        self._inbox = inbox
        self._announcer = announcer
        self._asked: set[asyncio.Task[None]] = set()
        self._prefix = prefix(settings.root, settings.site)
        self._told: Part | None = None
        self._latest: Snapshot | None = None
        self._look = True
        self._handed = 0

    async def run(self, snapshots: AsyncIterator[Snapshot], wake: asyncio.Event) -> None:
        """Connect, publish, and connect again, until cancelled; may be called again after it ended.

        Ends without raising if something unforeseen fails, after reporting it. When cancelled it says
        ``offline`` and leaves within two seconds.

        Args:
            snapshots: pictures of the site; only the newest counts.
            wake: set whenever the outbox may have more; cleared here.
        """
        kick = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(snapshots, kick))
                group.create_task(self._listen(wake, kick))
                group.create_task(self._keep_connected(kick))
        except Exception as error:  # noqa: BLE001 (ornamental: the watch goes on without it)
            _log.error("MQTT stopped", exc_info=error)
            cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            self._tell(ok=False, detail=f"{type(cause).__name__}: {cause}")

    async def _follow(self, snapshots: AsyncIterator[Snapshot], kick: asyncio.Event) -> None:
        async for snapshot in snapshots:
            self._latest = snapshot
            kick.set()

    async def _listen(self, wake: asyncio.Event, kick: asyncio.Event) -> None:
        while True:
            await wake.wait()
            wake.clear()
            self._look = True
            kick.set()

    async def _keep_connected(self, kick: asyncio.Event) -> None:
        failures = 0
        while True:
            will = Message(self._prefix + AVAILABILITY, OFFLINE, retained=True)
            connection = Connection(self._settings, kick, self._meter, will=will)
            began_at = asyncio.get_running_loop().time()
            try:
                problem = await connection.open()
                if problem is None:
                    self._tell(ok=True)
                    await self._serve(connection, kick)
                    problem = f"connection lost: {connection.lost}"
            finally:
                await connection.close()
                await self._acknowledge(connection)
            self._tell(ok=False, detail=f"{self._settings.host}:{self._settings.port}: {problem}")
            if asyncio.get_running_loop().time() - began_at > SETTLED_S:
                failures = 0
            # A fleet that lost its broker must not come back all in the same second.
            pause_s = BACKOFF_S[min(failures, len(BACKOFF_S) - 1)] * random.uniform(0.75, 1.25)
            failures += 1
            await asyncio.sleep(pause_s)

    async def _serve(self, connection: Connection, kick: asyncio.Event) -> None:
        """Publish over one connection until it is lost."""
        publisher = Publisher()
        self._handed, self._look = 0, True
        self._retain(connection, AVAILABILITY, ONLINE)
        while connection.lost is None:
            kick.clear()
            await self._acknowledge(connection)
            if self._latest is not None:
                pace_s = refresh_s(self._latest, connection.address)
                for topic, payload in publisher.due(self._latest, _topics(connection), pace_s).items():
                    self._retain(connection, topic, payload)
            await self._send_events(connection)
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await kick.wait()
            except TimeoutError:
                self._look = True

    async def _acknowledge(self, connection: Connection) -> None:
        while connection.acknowledged:
            token = connection.acknowledged[0]
            if isinstance(token, int):
                await self._run_blocking(self._outbox.acknowledge, token)
            connection.acknowledged.popleft()

    async def _send_events(self, connection: Connection) -> None:
        room = IN_FLIGHT - sum(isinstance(token, int) for token in connection.waiting.values())
        if room <= 0 or not self._look:
            return
        self._look = False
        batch = await self._run_blocking(self._outbox.pending, self._handed, room)
        if len(batch) == room:
            self._look = True
        for recorded in batch:
            if connection.lost is not None:
                return
            connection.publish(Message(self._prefix + EVENT, event_message(recorded)), recorded.seq)
            self._handed = recorded.seq

    def _retain(self, connection: Connection, topic: str, payload: bytes) -> None:
        connection.publish(Message(self._prefix + topic, payload, retained=True), topic)

    def _tell(self, *, ok: bool, detail: str = "") -> None:
        part = Part("mqtt", ok=ok, detail=detail)
        if part != self._told:
            self._told = part
            _log.log(logging.INFO if ok else logging.WARNING, "MQTT %s", detail or "connected")
        self._report(part)  # each time: it says what is true now, whoever reported something else meanwhile


def _topics(connection: Connection) -> set[str]:
    """Retained topics whose last message is not acknowledged yet."""
    return {token for token in connection.waiting.values() if isinstance(token, str)}
