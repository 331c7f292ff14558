"""Keeps the broker informed, through one connection after the other.

What the broker has not acknowledged when a connection is lost is taken from the outbox again, in order, on
the next one. Events therefore arrive at least once; receivers tell repeats by their ``id``.

A connection that was bound to an uplink is left for another uplink as soon as the watch says that this one
does not work, and made anew at once. By which way the next one goes is decided by ``way``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from math import inf
from pathlib import Path

from agent.core.model import Part
from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt.connecting import Connecting
from agent.sinks.mqtt.connection import Connection, Message
from agent.sinks.mqtt.orders import Orders
from agent.sinks.mqtt.ports import Announcer, Inbox, Meter, Outbox, Resolve, RunBlocking
from agent.sinks.mqtt.settings import MqttSettings
from agent.sinks.mqtt.topics import (
    AVAILABILITY,
    EVENT,
    OFFLINE,
    ONLINE,
    REFRESH_S,
    Publisher,
    event_message,
    prefix,
    refresh_s,
)

IN_FLIGHT = 10
"""Events that may wait for the broker's acknowledgement at once."""
LOOK_AGAIN_S = 30.0
ACK_WITHIN_S = 20.0
"""A broker that takes messages and acknowledges none for so long is left, and connected to anew."""

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
        resolve: Resolve | None = None,
        remembered: Path | None = None,
    ) -> None:
        """Prepare; nothing is sent before ``run``.

        Args:
            settings: the broker, and how to leave for it.
            outbox: events that it must get.
            run_blocking: runs what may block.
            report: takes whether the connection works.
            meter: counts what it costs.
            inbox: takes what people ask for, where ``settings.commands`` allows it.
            announcer: tells others at the broker what is where.
            resolve: finds the broker's name through an uplink.
            remembered: file for the addresses of the broker's name.
        """
        self._settings = settings
        self._outbox = outbox
        self._run_blocking = run_blocking
        self._report = report
        self._announcer = announcer
        self._prefix = prefix(settings.root, settings.site)
        self._kick = asyncio.Event()
        self._orders = (
            Orders(inbox, self._prefix, self._kick.set) if inbox is not None and settings.commands else None
        )
        will = Message(self._prefix + AVAILABILITY, OFFLINE, retained=True)
        receive = None if self._orders is None else self._orders.receive
        self._ways = Connecting(settings, self._kick, run_blocking, meter, will, receive, resolve, remembered)
        self._afresh = False
        self._told: tuple[Part, str] | None = None
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
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow(snapshots))
                group.create_task(self._listen(wake))
                group.create_task(self._keep_connected())
        except Exception as error:  # noqa: BLE001 (ornamental: the watch goes on without it)
            _log.error("MQTT stopped", exc_info=error)
            cause = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            self._tell(ok=False, detail=f"{type(cause).__name__}: {cause}")
        finally:
            if self._orders is not None:
                self._orders.close()

    def publish_afresh(self) -> None:
        """Publish everything that is retained once more, now or as soon as there is a connection."""
        self._afresh = True
        self._kick.set()

    async def _follow(self, snapshots: AsyncIterator[Snapshot]) -> None:
        async for snapshot in snapshots:
            self._ways.follow(snapshot)
            self._kick.set()

    async def _listen(self, wake: asyncio.Event) -> None:
        while True:
            await wake.wait()
            wake.clear()
            self._look = True
            self._kick.set()

    async def _keep_connected(self) -> None:
        while True:
            await self._ways.until_due()
            connection = await self._ways.prepare()
            farewell = True
            try:
                problem = await self._ways.open(connection)
                if problem is None:
                    self._tell(ok=True)
                    problem = await self._serve(connection)
                farewell = False  # another connection follows at once
            finally:
                await connection.close(farewell=farewell)
                await self._acknowledge(connection)
                if self._orders is not None:
                    self._orders.take_back(connection)
            if problem is not None:
                where = f"{self._settings.host}:{self._settings.port}"
                self._tell(ok=False, detail=f"{where}: {problem}{self._ways.by}")
            self._ways.ended(connection, problem)

    async def _serve(self, connection: Connection) -> str | None:
        """Publish over one connection; what ended it, or None if another way is to be taken."""
        publisher = Publisher()
        self._handed, self._look = 0, True
        if self._orders is not None:
            connection.subscribe(self._orders.filter)
        if self._announcer is not None:
            self._announcer.begin()
        self._retain(connection, self._prefix + AVAILABILITY, ONLINE)
        while connection.lost is None:
            self._kick.clear()
            await self._acknowledge(connection)
            self._publish_due(connection, publisher)
            await self._send_events(connection)
            calm = not self._look and not connection.waiting
            if self._ways.must_move(connection, calm=calm):
                return None
            if self._is_overdue(connection):
                return f"no acknowledgement for {ACK_WITHIN_S:.0f} s"
            try:
                async with asyncio.timeout(
                    LOOK_AGAIN_S if connection.oldest_at is None else ACK_WITHIN_S / 4
                ):
                    await self._kick.wait()
            except TimeoutError:
                self._look = True
        return f"connection lost: {connection.lost}"

    def _is_overdue(self, connection: Connection) -> bool:
        oldest_at = connection.oldest_at
        return oldest_at is not None and asyncio.get_running_loop().time() - oldest_at >= ACK_WITHIN_S

    def _publish_due(self, connection: Connection, publisher: Publisher) -> None:
        """Retained messages: those of the site, and whatever is announced to others."""
        snapshot = self._ways.snapshot
        if snapshot is None:
            return
        if self._afresh:
            self._afresh = False
            publisher.forget()
            if self._announcer is not None:
                self._announcer.begin()
        busy = {token.removeprefix(self._prefix) for token in _topics(connection)}
        pace_s = refresh_s(snapshot, connection.address)
        if pace_s == REFRESH_S:
            due = publisher.due(snapshot, busy, pace_s)
        else:
            # Where bytes are counted, one message a time proves that the agent lives, and holds everything.
            due = publisher.due(snapshot, busy | {_STATE}, inf)
            if _STATE not in busy:
                due |= publisher.due(snapshot, _AllBut(_STATE), pace_s)
        for topic, payload in due.items():
            self._retain(connection, self._prefix + topic, payload)
        if self._announcer is not None:
            for topic, payload in self._announcer.due(snapshot).items():
                self._retain(connection, topic, payload)
        if self._orders is not None:
            self._orders.send(connection)

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
        connection.publish(Message(topic, payload, retained=True), topic)

    def _tell(self, *, ok: bool, detail: str = "") -> None:
        part = Part(self._settings.part, ok=ok, detail=detail)
        if (part, self._ways.by) != self._told:
            self._told = (part, self._ways.by)
            _log.log(
                logging.INFO if ok else logging.WARNING, "MQTT %s", detail or f"connected{self._ways.by}"
            )
        self._report(part)  # each time: it says what is true now, whoever reported something else meanwhile


_STATE = "state"


class _AllBut:
    """Every topic but one."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def __contains__(self, topic: object) -> bool:
        return topic != self._topic


def _topics(connection: Connection) -> set[str]:
    """Retained topics whose last message is not acknowledged yet."""
    return {token for token in connection.waiting.values() if isinstance(token, str)}
