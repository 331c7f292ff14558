"""The connection to the broker in the virtual bay: the real agent, a default route into a dead line."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_bay import ROOT, AgentBay, play
from bay_ground import default_routes

from hardware.virtual.plan import BROKER

pytestmark = [
    pytest.mark.bay,
    pytest.mark.broker,
    pytest.mark.skipif(
        shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/bin") is None, reason="no mosquitto"
    ),
]
NAME = "mqtt.example.net"
"""The bay's name servers know it. Those of the machine cannot be reached from the site at all."""

SUBSCRIBER = f"""
import json, sys, time
import paho.mqtt.client as paho
def heard(client, data, message):
    print(json.dumps([message.topic, message.payload.decode(), message.retain]), flush=True)
client = paho.Client(paho.CallbackAPIVersion.VERSION2)
client.on_connect = lambda client, *_: client.subscribe("vigie/#", qos=1)
client.on_message = heard
client.connect("{BROKER}")
client.loop_forever()
"""


class Heard:
    """What a subscriber on the internet hears, as it comes."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.presence: list[str] = []
        self._news = asyncio.Event()

    async def listen(self, site: AgentBay) -> None:
        argv = [sys.executable, "-c", SUBSCRIBER]
        pipe = asyncio.subprocess.PIPE
        process = await site.bay.spawn(site.bay.internet, argv, stdout=pipe, cwd=ROOT)
        assert process.stdout is not None
        async for row in process.stdout:
            topic, payload, _retained = json.loads(row)
            if topic.endswith("/event"):
                self.events.append(json.loads(payload))
            elif topic.endswith("/availability"):
                self.presence.append(payload)
            self._news.set()

    def firsts(self) -> list[int]:
        return list(dict.fromkeys(event["seq"] for event in self.events))

    def codes(self, subject: str) -> list[str]:
        return [event["code"] for event in self.events if event["subject"] == subject]

    async def until(self, fact: Callable[[], object], log: Callable[[], str]) -> None:
        try:
            async with asyncio.timeout(30.0):
                while not fact():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not heard: {self.codes('ftth')} {self.presence}\n{log()}") from None


def test_what_happens_is_told_over_the_line_that_works(tmp_path: Path) -> None:
    """Though the default route and the name servers are dead; there and back nothing is lost or out of order.

    The broker never believes the site to be gone.
    """

    async def story(site: AgentBay) -> None:
        assert await site.bay.start_broker()
        config = site.agent.config.read_text(encoding="utf-8")
        site.agent.config.write_text(config.replace(BROKER, NAME), encoding="utf-8")
        heard = Heard()
        listening = asyncio.create_task(heard.listen(site))
        log = site.agent.log_tail
        await site.started()
        await heard.until(lambda: heard.presence == ["online"], log)

        await site.bay.do("line_cut", on="ftth")
        await heard.until(lambda: "uplink_down" in heard.codes("ftth"), log)
        routes = default_routes(site.bay.site)
        assert routes["eth1"]["metric"] < routes["wwan0"]["metric"]
        assert await site.bay.ping(BROKER, timeout_s=0.2) is None

        await site.bay.do("line_back", on="ftth")
        await heard.until(lambda: "uplink_up" in heard.codes("ftth"), log)
        await site.bay.do("line_cut", on="cell")
        await heard.until(lambda: "uplink_down" in heard.codes("cell"), log)
        await site.bay.do("line_back", on="cell")
        await heard.until(lambda: "uplink_up" in heard.codes("cell"), log)

        assert heard.firsts() == list(range(heard.firsts()[0], heard.firsts()[-1] + 1))
        assert set(heard.presence) == {"online"}
        kept = json.loads((site.agent.state / "mqtt-addresses.json").read_text())
        assert kept == {"host": NAME, "addresses": [BROKER]}
        text = site.agent.log.read_text()
        assert "by ftth" in text
        assert "by cell" in text
        listening.cancel()

    play(tmp_path, story, mqtt=True)
