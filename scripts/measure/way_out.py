"""How soon an event is at the broker when the line that the connection used has died."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from agent.cli.bay_agent import BayAgent
from agent.cli.control_client import UnreachableError, ask
from hardware.virtual.bay import Bay, BayUplink
from hardware.virtual.plan import BROKER
from measure.console import ROOT, columns, say

PLAIN_S = 150.0
FAULTS = {
    "the line in use is cut behind its box, the default route stays": ("line_cut", "line_back"),
    "the cable in use is pulled": ("pull", "plug"),
}
"""Deed and remedy. The first is a doubt before it is a verdict, the second a verdict at once."""
WITHIN_S = 300.0
"""A line that was cut again and again is given longer and longer before it counts as down."""
UPLINKS = {"ftth": "wan0", "cell": "wan1"}
CONFIG = f"""
[site]
name = "bench"
[[uplink]]
name = "ftth"
interface = "wan0"
kind = "ftth"
[[uplink]]
name = "cell"
interface = "wan1"
kind = "cellular"
interval_s = 1
data_mb = 100_000
[mqtt]
host = "{BROKER}"
tls = false
"""
SUBSCRIBER = f"""
import json, time
import paho.mqtt.client as paho
def heard(client, data, message):
    print(json.dumps([time.monotonic(), message.topic, message.payload.decode()]), flush=True)
client = paho.Client(paho.CallbackAPIVersion.VERSION2)
client.on_connect = lambda client, *_: client.subscribe([("vigie/bench/#", 1), ("plain/#", 1)])
client.on_message = heard
client.connect("{BROKER}")
client.loop_forever()
"""
PLAIN = f"""
import time
import paho.mqtt.client as paho
client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="plain", clean_session=False)
client.connect("{BROKER}")
client.loop_start()
while True:
    client.publish("plain/at", str(time.monotonic()), qos=1)
    time.sleep(1)
"""


class Listening:
    """What a subscriber on the internet hears, with the instant of its callback."""

    def __init__(self) -> None:
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.plain: list[tuple[float, float]] = []
        self.offline = 0

    async def listen(self, bay: Bay) -> None:
        """Until cancelled."""
        argv, pipe = [sys.executable, "-c", SUBSCRIBER], asyncio.subprocess.PIPE
        process = await bay.spawn(bay.internet, argv, stdout=pipe, cwd=ROOT)
        assert process.stdout is not None
        async for row in process.stdout:
            at, topic, payload = json.loads(row)
            if topic == "plain/at":
                self.plain.append((at, float(payload)))
            elif topic.endswith("/event"):
                self.events.append((at, json.loads(payload)))
            elif topic.endswith("/availability"):
                self.offline += payload == "offline"

    def first(self, code: str, subject: str, after: float) -> float | None:
        """When it was first heard of it after an instant."""
        found = (
            at
            for at, event in self.events
            if event["code"] == code and event["subject"] == subject and at > after
        )
        return next(found, None)


async def _until(fact: Callable[[], Any]) -> Any:
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = fact()
            if found:
                return found
            await asyncio.sleep(0.02)


async def _view(agent: BayAgent, name: str) -> dict[str, Any]:
    while True:
        try:
            shot = (await ask(agent.socket, {"do": "status"}))["snapshot"]
        except UnreachableError:
            await asyncio.sleep(0.1)
            continue
        return next(dict(view) for view in shot["uplinks"] if view["name"] == name)


async def _until_health(agent: BayAgent, name: str, health: str) -> float:
    """Wait for a verdict; since when it stands, seconds of the machine's monotonic clock."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            view = await _view(agent, name)
            if view["health"] == health:
                return float(view["since"])
            await asyncio.sleep(0.02)


async def way_out(runs: int) -> None:
    """The line in use is cut, the other one works, the default route is left as it is; each in turn."""
    uplinks = [BayUplink("ftth", "wan0"), BayUplink("cell", "wan1", "cellular")]
    with tempfile.TemporaryDirectory() as name:
        async with Bay(Path(name), uplinks) as bay:
            if not await bay.start_broker():
                say("not measured, there is no mosquitto")
                return
            agent, heard = BayAgent(bay), Listening()
            agent.config.write_text(CONFIG, encoding="utf-8")
            listening = asyncio.create_task(heard.listen(bay))
            await agent.start()
            for uplink in UPLINKS:
                await _until_health(agent, uplink, "up")
            await asyncio.sleep(2.0)
            for what, deeds in FAULTS.items():
                lines = [("ftth", "cell")[run % 2] for run in range(runs)]
                _report(what, [await _outage(bay, agent, heard, line, deeds) for line in lines])
            _sum(heard)
            await _plain(bay, heard)
            listening.cancel()
            await agent.stop()


async def _outage(
    bay: Bay, agent: BayAgent, heard: Listening, line: str, deeds: tuple[str, str]
) -> tuple[float, float]:
    """Seconds from the verdict to the subscriber's callback, and from the cut."""
    cut_at = time.monotonic()
    await bay.do(deeds[0], on=line)
    verdict_at = await _until_health(agent, line, "down")
    told_at = await _until(lambda: heard.first("uplink_down", line, cut_at))
    back_at = time.monotonic()
    await bay.do(deeds[1], on=line)
    await _until_health(agent, line, "up")
    await _until(lambda: heard.first("uplink_up", line, back_at))
    await asyncio.sleep(2.0)
    return told_at - verdict_at, told_at - cut_at


def _report(what: str, rows: list[tuple[float, float]]) -> None:
    say(f"{what}, {len(rows)} times, fibre and standby in turn")
    cells = [
        (what, f"{statistics.median(column):.2f} s", f"{max(column):.2f} s")
        for what, column in zip(
            ("verdict to subscriber", "cut to subscriber"), zip(*rows, strict=True), strict=True
        )
    ]
    for line in columns(cells, ("", "median", "worst")):
        say(line)


def _sum(heard: Listening) -> None:
    seqs = list(dict.fromkeys(event["seq"] for _, event in heard.events))
    gaps = sum(later != one + 1 for one, later in pairwise(seqs))
    twice = len(heard.events) - len(seqs)
    say(f"  events {len(seqs)}, out of order or missing {gaps}, repeated {twice}, offline {heard.offline}")


async def _plain(bay: Bay, heard: Listening) -> None:
    """The same outage for paho as it comes: keepalive 60 s, reconnecting, one message a second.

    Boxes of the bay translate no addresses, so nothing could be learned here of a default route that moves.
    """
    client = await bay.spawn(bay.site, [sys.executable, "-c", PLAIN], cwd=ROOT)
    await _until(lambda: heard.plain)
    cut_at = time.monotonic()
    await bay.do("line_cut", on="ftth")
    await asyncio.sleep(PLAIN_S)
    during = [at for at, _ in heard.plain if at > cut_at + 1.0]
    told = f"first message after {during[0] - cut_at:.1f} s" if during else f"nothing in {PLAIN_S:.0f} s"
    say(f"paho as it comes, the fibre cut, the default route left as it is: {told}")
    client.terminate()
    await client.wait()
