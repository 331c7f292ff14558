"""What a real agent says to a real broker while a box hangs: every message as published."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from agent_bay import ROOT, TWO_FIBRES, AgentBay, play
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

    def said(self, payload: bytes) -> int:
        return sum(payload == heard for _, heard in self.heard)

    def payloads(self, end: str) -> list[Any]:
        return [json.loads(payload) for topic, payload in self.heard if topic.endswith(end) and payload]

    def codes(self) -> list[str]:
        return [event["code"] for event in self.payloads("/event")]


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


def command(listener: Listener, verb: str, name: str, **more: object) -> dict[str, Any]:
    """Give a command as somebody at the broker would, and wait for its answer."""
    expires = (datetime.now(UTC) + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"id": name, "expires": expires, "by": "Anne", **more}
    listener.publish(f"vigie/bay/command/{verb}", json.dumps(body), qos=1)

    def answers() -> list[dict[str, Any]]:
        return [answer for answer in listener.payloads("/command/result") if answer["id"] == name]

    listener.wait(lambda: bool(answers()))
    return answers()[0]


@pytest.fixture
def clock_is_set(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent that is started takes this machine's clock for right, whether or not somebody keeps it so."""
    folder = tmp_path_factory.mktemp("clock")
    (folder / "sitecustomize.py").write_text(
        "from agent.runtime.clock import SystemClock\nSystemClock._kernel_says_synced = lambda self: True\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{folder}:{ROOT}")


@pytest.mark.usefixtures("clock_is_set")
def test_commands_are_carried_out_and_the_site_is_announced(tmp_path: Path) -> None:
    """A hold, what it forbids, its end, a report, a repeat after a restart; Home Assistant knows the site."""

    async def story(site: AgentBay) -> None:
        config = site.agent.config
        more = 'commands = true\nhome_assistant = "homeassistant"\n'
        config.write_text(config.read_text(encoding="utf-8") + more, encoding="utf-8")
        assert await site.bay.start_broker()
        with listening(site.bay) as listener:

            async def give(verb: str, name: str, **keys: object) -> dict[str, Any]:
                return await asyncio.to_thread(command, listener, verb, name, **keys)

            await site.started()
            await asyncio.to_thread(listener.wait, lambda: listener.said(b"online") == 1)
            assert (await give("hold", "a", for_s=600))["ok"]
            assert (await site.snapshot())["hold_until"] is not None
            refused = await give("cycle", "b", box="ftth")
            assert (refused["ok"], refused["reason"]) == (False, "works")
            assert (await give("release", "c"))["ok"]
            states = len(listener.payloads("/state"))
            report = await give("report", "d")
            assert report["state"]["uplinks"] == {"ftth": "up", "cell": "up"}
            await asyncio.to_thread(listener.wait, lambda: len(listener.payloads("/state")) > states)
            await site.agent.stop()
            await site.agent.start()
            await asyncio.to_thread(listener.wait, lambda: listener.said(b"online") == 2)
            assert (await give("hold", "a"))["ok"], "the first answer of that id is the one that was found"
            await asyncio.to_thread(listener.wait, lambda: len(listener.payloads("/command/result")) == 5)
            assert listener.payloads("/command/result")[-1]["reason"] == "replayed"
        for topic, payload in listener.heard:
            if not topic.endswith(("/hold", "/cycle", "/release", "/report")):
                check_message(topic, payload)
        (device,) = {topic for topic, _ in listener.heard if topic.startswith("homeassistant/")}
        assert device == "homeassistant/device/vigie_bay/config"
        assert [
            event["args"]["by"] for event in listener.payloads("/event") if event["code"] == "hold_set"
        ] == ["mqtt:Anne"]

    play(tmp_path, story, TWO_FIBRES, mqtt=True)
