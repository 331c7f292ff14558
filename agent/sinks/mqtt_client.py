"""The connection to the broker: the one file that imports paho.

Every attempt to connect gets a client of its own, so nothing of an earlier connection is left in the
library's memory: what the broker has not acknowledged is taken from the outbox again, in order, on the
next connection. Events therefore arrive at least once; receivers tell repeats by their ``id``.

paho works in a thread of its own. Its callbacks only hand over to the event loop; nothing here blocks it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.core.model import Part
from agent.core.snapshot_types import Snapshot
from agent.sinks.mqtt import (
    AVAILABILITY,
    EVENT,
    OFFLINE,
    ONLINE,
    Meter,
    Outbox,
    Publisher,
    RunBlocking,
    event_message,
    prefix,
    refresh_s,
)
from agent.sinks.mqtt_settings import MqttSettings
from agent.sinks.mqtt_tls import Tls, reason

IN_FLIGHT = 10
"""Events that may wait for the broker's acknowledgement at once."""
OPEN_WITHIN_S = 30.0
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
SETTLED_S = 60.0
"""A connection that held this long starts the backoff afresh."""
LOOK_AGAIN_S = 30.0
FAREWELL_S = 1.0
JOIN_S = 0.7

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
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._run_blocking = run_blocking
        self._report = report
        self._meter = meter
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
            connection = _Connection(self._settings, kick, self._meter)
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

    async def _serve(self, connection: _Connection, kick: asyncio.Event) -> None:
        """Publish over one connection until it is lost."""
        publisher = Publisher()
        self._handed, self._look = 0, True
        connection.publish(AVAILABILITY, ONLINE, retain=True)
        while connection.lost is None:
            kick.clear()
            await self._acknowledge(connection)
            if self._latest is not None:
                pace_s = refresh_s(self._latest, connection.address)
                for topic, payload in publisher.due(self._latest, connection.busy, pace_s).items():
                    connection.publish(topic, payload, retain=True)
            await self._send_events(connection)
            try:
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await kick.wait()
            except TimeoutError:
                self._look = True

    async def _acknowledge(self, connection: _Connection) -> None:
        while connection.acknowledged:
            await self._run_blocking(self._outbox.acknowledge, connection.acknowledged[0])
            connection.acknowledged.popleft()

    async def _send_events(self, connection: _Connection) -> None:
        room = IN_FLIGHT - len(connection.in_flight)
        if room <= 0 or not self._look:
            return
        self._look = False
        batch = await self._run_blocking(self._outbox.pending, self._handed, room)
        if len(batch) == room:
            self._look = True
        for recorded in batch:
            if connection.lost is not None:
                return
            connection.publish(EVENT, event_message(recorded), seq=recorded.seq)
            self._handed = recorded.seq

    def _tell(self, *, ok: bool, detail: str = "") -> None:
        part = Part("mqtt", ok=ok, detail=detail)
        if part != self._told:
            self._told = part
            _log.log(logging.INFO if ok else logging.WARNING, "MQTT %s", detail or "connected")
        self._report(part)  # each time: it says what is true now, whoever reported something else meanwhile


class _Connection:
    """One client, used for one connection. All its state belongs to the event loop's thread."""

    def __init__(self, settings: MqttSettings, kick: asyncio.Event, meter: Meter | None) -> None:
        self._settings = settings
        self._meter = meter
        self.address: str | None = None
        """This machine's own, of the connection; None while there is none."""
        self._kick = kick
        self._loop = asyncio.get_running_loop()
        self._prefix = prefix(settings.root, settings.site)
        self._client: paho.Client | None = None
        self._opened: asyncio.Future[str | None] = self._loop.create_future()
        self._retained: dict[int, str] = {}
        self._farewell: int | None = None
        self._tls: Tls | None = None
        self._said = asyncio.Event()
        self.lost: str | None = None
        self.in_flight: dict[int, int] = {}
        """Message id to number of the event."""
        self.acknowledged: deque[int] = deque()

    @property
    def busy(self) -> set[str]:
        """Retained topics whose last message is not acknowledged yet."""
        return set(self._retained.values())

    async def open(self) -> str | None:
        """Connect; None, or why it did not work."""
        try:
            self._client = self._new_client()
        except (OSError, ValueError) as error:  # SSLError is an OSError
            return f"CA file {self._settings.ca_file}: {getattr(error, 'strerror', None) or error}"
        self._client.connect_async(self._settings.host, self._settings.port, self._settings.keepalive_s)
        self._client.loop_start()
        await asyncio.wait([self._opened], timeout=OPEN_WITHIN_S)
        return self._opened.result() if self._opened.done() else f"no answer within {OPEN_WITHIN_S:.0f} s"

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, seq: int | None = None) -> int:
        """Hand one message to the network thread and return its id; only after ``open``."""
        assert self._client is not None
        sent = self._client.publish(self._prefix + topic, payload, qos=1, retain=retain)
        if seq is not None:
            self.in_flight[sent.mid] = seq
        else:
            self._retained[sent.mid] = topic
        return sent.mid

    async def close(self) -> None:
        """Say goodbye if there is somebody to hear it, and end the network thread."""
        client, self._client = self._client, None
        if client is None:
            return
        if self._opened.done() and self._opened.result() is None and self.lost is None:
            self._client = client
            self._farewell = self.publish(AVAILABILITY, OFFLINE, retain=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await self._said.wait()
            self._client = None
        client.disconnect()
        # Nothing can interrupt a name lookup or a handshake: the thread gets a moment, then is left alone.
        done = asyncio.Event()
        threading.Thread(target=self._join, args=(client, done), daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(JOIN_S):
                await done.wait()

    def _join(self, client: paho.Client, done: asyncio.Event) -> None:
        client.loop_stop()
        self._hand_over(done.set)

    def _new_client(self) -> paho.Client:
        settings = self._settings
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=settings.client_id,
            clean_session=False,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if settings.tls:
            self._tls = Tls.believing(settings.ca_file)
            client.tls_set_context(self._tls)
        client.will_set(self._prefix + AVAILABILITY, OFFLINE, qos=1, retain=True)
        client.max_inflight_messages_set(0)  # bounded here, by topic and by ``IN_FLIGHT``
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        return client

    # --- called by paho, in its thread -----------------------------------------------------------------

    def _hand_over(self, call: Callable[..., None], *args: object) -> None:
        with suppress(RuntimeError):  # the loop has ended meanwhile
            self._loop.call_soon_threadsafe(call, *args)

    def _on_connect(
        self, _client: object, _data: object, _flags: object, answer: Any, _props: object
    ) -> None:
        refused = f"refused: {answer}" if answer.is_failure else None
        self._hand_over(self._set_opened, refused)

    def _on_socket_open(self, _client: object, _data: object, opened: Any) -> None:
        with suppress(OSError):
            self.address = opened.getsockname()[0]
        if self._meter is not None:
            self._meter.opened(opened)

    def _on_socket_close(self, _client: object, _data: object, ended: Any) -> None:
        if self._meter is not None:
            self._meter.closed(ended)

    def _on_connect_fail(self, _client: object, _data: object) -> None:
        # paho calls this while it handles the exception, and does not pass it on.
        self._hand_over(self._set_opened, reason(sys.exc_info()[1]))
        if self._tls is not None:
            self._tls.close_last()

    def _on_disconnect(
        self, _client: object, _data: object, _flags: object, reason: object, _props: object
    ) -> None:
        self._hand_over(self._set_lost, str(reason))

    def _on_publish(self, _client: object, _data: object, mid: int, _reason: object, _props: object) -> None:
        self._hand_over(self._set_published, mid)

    # --- the same, in the event loop -------------------------------------------------------------------

    def _set_opened(self, problem: str | None) -> None:
        if not self._opened.done():
            self._opened.set_result(problem)

    def _set_lost(self, reason: str) -> None:
        self._set_opened(f"closed before it answered ({reason})")
        self.lost = reason
        self._said.set()
        self._kick.set()

    def _set_published(self, mid: int) -> None:
        self._retained.pop(mid, None)
        seq = self.in_flight.pop(mid, None)
        if seq is not None:
            self.acknowledged.append(seq)
        if mid == self._farewell:
            self._said.set()
        self._kick.set()
