"""What a real agent says to a real broker while a box hangs: every message as published."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from agent_bay import TWO_FIBRES, AgentBay, play
from mqtt_schemas import check_message, schema_of
from paho.mqtt.enums import CallbackAPIVersion

from hardware.virtual.bay import Bay
from hardware.virtual.broker import PORT
from hardware.virtual.plan import BROKER

pytestmark = [
    pytest.mark.bay,
    pytest.mark.skipif(
        shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/bin") is None, reason="no mosquitto"
    ),
]
WITHIN_S = 60.0


class Listener(paho.Client):
    """Hears everything at the broker of the bay; its socket is made where the broker is."""

    def __init__(self, bay: Bay) -> None:
        super().__init__(CallbackAPIVersion.VERSION2)
        self._bay = bay
        self.heard: list[tuple[str, bytes]] = []
        self._news = threading.Condition()
        self.ready = threading.Event()
        self.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self.on_subscribe = lambda *_: self.ready.set()
        self.on_message = self._hear

    def _create_socket_connection(self) -> socket.socket:
        return self._bay.internet.call(lambda: socket.create_connection((BROKER, PORT), timeout=5))

    def _hear(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._news:
            self.heard.append((message.topic, message.payload))
            self._news.notify_all()

    def wait(self, true: Callable[[], bool]) -> None:
        with self._news:
            assert self._news.wait_for(true, WITHIN_S), [topic for topic, _ in self.heard]

    def codes(self) -> list[str]:
        return [json.loads(payload)["code"] for topic, payload in self.heard if topic.endswith("/event")]


@contextmanager
def listening(bay: Bay) -> Iterator[Listener]:
    listener = Listener(bay)
    listener.connect(BROKER, PORT)
    listener.loop_start()
    try:
        assert listener.ready.wait(WITHIN_S)
        yield listener
    finally:
        listener.disconnect()
        listener.loop_stop()


def test_all_that_an_agent_says_is_as_published(tmp_path: Path) -> None:
    """From its start through a cut that was asked for to its stop: each message fits its topic's schema."""

    async def story(site: AgentBay) -> None:
        assert await site.bay.start_broker()
        with listening(site.bay) as listener:
            await site.started()
            await site.ask(do="cycle", box="cell", by="Anne", force=True)
            await asyncio.to_thread(listener.wait, lambda: "box_restored" in listener.codes())
            await site.agent.stop()
            await asyncio.to_thread(listener.wait, lambda: listener.heard[-1][1] == b"offline")
        for topic, payload in listener.heard:
            check_message(topic, payload)
        assert {schema_of(topic) for topic, _ in listener.heard} == {
            "availability", "state", "uplink", "box", "event"
        }  # fmt: skip
        assert {"agent_started", "cycle_ordered", "box_cut"} <= set(listener.codes())

    play(tmp_path, story, TWO_FIBRES, mqtt=True)
