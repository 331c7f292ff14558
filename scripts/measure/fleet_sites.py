"""Many sites that do not exist, each with a connection, a last will and the product's own messages."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.core.codes import FINDINGS, Code, Severity
from agent.core.devices import DeviceKind, Radio, Says, Sim, Strength
from agent.core.site import UplinkKind
from agent.core.snapshot_types import (
    BoxView,
    DeviceView,
    FindingView,
    Health,
    Phase,
    Snapshot,
    UplinkView,
)
from agent.sinks.mqtt.topics import AVAILABILITY, OFFLINE, ONLINE, REFRESH_S, Publisher, prefix

KEEPALIVE_S = 30
MISC_S = 1.0
TOWNS = ("Dijon", "Beaune", "Auxerre", "Nevers", "Chalon", "Mâcon", "Dole", "Sens", "Autun", "Avallon")
TROUBLES = (
    Code.BOX_HUNG, Code.LINE_OR_OPERATOR, Code.DEGRADED, Code.SIGNAL_WEAK, Code.EVERYTHING_DOWN,
    Code.NEEDS_HUMAN,
)  # fmt: skip


@contextlib.contextmanager
def broker() -> Any:
    """A mosquitto of its own, as Debian ships it; yields its port and its process."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError("mosquitto is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "mosquitto.conf"
        user = "user root\n" if os.geteuid() == 0 else ""
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nlog_dest none\n{user}")
        with subprocess.Popen([found, "-c", str(config)], stderr=subprocess.DEVNULL) as process:
            try:
                while process.poll() is None:
                    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                        break
                    time.sleep(0.02)
                yield port, process
            finally:
                process.terminate()


class Site:
    """One agent as the broker sees it. All of it belongs to the event loop's thread.

    Attributes:
        name: its slug.
        label: its name for people.
        snapshot: what it says next.
    """

    def __init__(self, number: int, port: int, chance: random.Random) -> None:
        self.name = f"site-{number:04d}"
        self.label = f"{TOWNS[number % len(TOWNS)]} {number:04d}"
        self.snapshot = _snapshot(self.name, self.label, chance)
        self.is_silent = False
        """It still has its connection, but nothing comes over it any more, as if its line were cut."""
        self._chance = chance
        self._publisher = Publisher()
        self._prefix = prefix("vigie", self.name)
        self._loop = asyncio.get_running_loop()
        self.connected = asyncio.Event()
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"vigie-{self.name}",
            clean_session=False,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
        )
        client.will_set(self._prefix + AVAILABILITY, OFFLINE, qos=1, retain=True)
        client.on_socket_open = self._opened
        client.on_socket_close = self._closed
        client.on_socket_register_write = self._has_more
        client.on_socket_unregister_write = self._has_all
        client.on_connect = lambda *_: self.connected.set()
        client.connect("127.0.0.1", port, KEEPALIVE_S)
        self._client = client

    def _opened(self, client: paho.Client, _data: object, sock: Any) -> None:
        self._loop.add_reader(sock.fileno(), client.loop_read)

    def _closed(self, _client: object, _data: object, sock: Any) -> None:
        self._loop.remove_reader(sock.fileno())

    def _has_more(self, client: paho.Client, _data: object, sock: Any) -> None:
        self._loop.add_writer(sock.fileno(), client.loop_write)

    def _has_all(self, _client: object, _data: object, sock: Any) -> None:
        self._loop.remove_writer(sock.fileno())

    def begin(self) -> None:
        """Say that it is there, and everything else."""
        self._send(AVAILABILITY, ONLINE)
        self.say()

    def say(self) -> None:
        """What the agent would publish now."""
        if self.is_silent:
            return
        for topic, payload in self._publisher.due(self.snapshot).items():
            self._send(topic, payload)

    def live(self) -> None:
        """Time passes; round trips tremble."""
        shot = self.snapshot
        uplinks = tuple(
            replace(view, rtt_ms=8.0 + self._chance.random() * 30) if view.rtt_ms is not None else view
            for view in shot.uplinks
        )
        wall = time.time()
        self.snapshot = replace(
            shot, seq=shot.seq + 1, mono=shot.mono + wall - shot.wall, wall=wall, uplinks=uplinks
        )
        self.say()

    def keep(self) -> None:
        """What a client does beside: pings."""
        if not self.is_silent:
            self._client.loop_misc()

    def fall_ill(self, code: Code) -> None:
        """A finding opens an incident, and is told at once."""
        shot, first = self.snapshot, self.snapshot.uplinks[0]
        severity, wall = FINDINGS[code].severity, time.time()
        mono = shot.mono + wall - shot.wall
        finding = FindingView(code, first.name, first.label, severity, mono - 8.0, {})
        down = replace(first, health=Health.DOWN, rtt_ms=None, loss_pct=100.0, silent_s=8.0, why="silent 8 s")
        gone = down if severity is Severity.ALERT else replace(first, health=Health.DEGRADED)
        others = shot.uplinks[1:]
        if code is Code.EVERYTHING_DOWN:
            others = tuple(replace(one, health=Health.DOWN, rtt_ms=None) for one in others)
        phase = Phase.BOOTING if code is Code.BOX_HUNG else Phase.POWERED
        boxes = tuple(replace(box, phase=phase, until=mono + 60.0) for box in shot.boxes)
        self.snapshot = replace(
            shot, mono=mono, wall=wall, headline=code, incident=f"run-{shot.seq}", incident_since=mono - 8.0,
            findings=(finding,), uplinks=(gone, *others), boxes=boxes,
        )  # fmt: skip
        self.say()

    def die(self) -> None:
        """Killed: the machine closes the connection, and nobody says goodbye."""
        sock: Any = self._client.socket()
        self.is_silent = True
        if sock is not None:
            self._loop.remove_reader(sock.fileno())
            sock.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Its line is cut: the connection stands, and nothing comes any more."""
        self.is_silent = True

    def hold(self) -> None:
        """A person withholds automatic restarts."""
        shot = self.snapshot
        self.snapshot = replace(shot, armed=False, unarmed_why="hold", hold_until=shot.mono + 3600.0)
        self.say()

    def _send(self, topic: str, payload: bytes) -> None:
        self._client.publish(self._prefix + topic, payload, qos=1, retain=True)


@contextlib.asynccontextmanager
async def fleet(count: int, port: int, seed: int = 1) -> AsyncIterator[list[Site]]:
    """So many sites, all connected, at their own rhythm: each says its numbers every half minute."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chance = random.Random(seed)
    sites: list[Site] = []
    tasks = [asyncio.create_task(_keep(sites))]
    try:
        for number in range(count):
            sites.append(Site(number, port, chance))
            await sites[-1].connected.wait()
            sites[-1].begin()
        tasks.append(asyncio.create_task(_live(sites)))
        yield sites
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(sites: list[Site]) -> None:
    while True:
        await asyncio.sleep(MISC_S)
        for site in sites:
            site.keep()


async def _live(sites: list[Site]) -> None:
    """One after the other, so that each has its turn every half minute."""
    clock = asyncio.get_running_loop().time
    began, turn = clock(), 0
    while True:
        sites[turn % len(sites)].live()
        turn += 1
        await asyncio.sleep(max(0.0, began + turn * REFRESH_S / len(sites) - clock()))


def _snapshot(name: str, label: str, chance: random.Random) -> Snapshot:
    """A site that is well: fibre, a second line or a dish, 4G with a modem that speaks of itself."""
    kinds = [("ftth", "Fibre", UplinkKind.FTTH), ("cellular", "4G", UplinkKind.CELLULAR)]
    if chance.random() < 0.4:
        kinds.insert(1, ("starlink", "Starlink", UplinkKind.STARLINK))
    mono = chance.uniform(1e4, 1e7)
    uplinks = tuple(
        UplinkView(
            uplink, shown, kind, Health.UP, mono - 5000.0, "answers in 12 ms", place == 0, True, True,
            f"192.168.{place + 1}.10", f"192.168.{place + 1}.1", 8.0 + chance.random() * 30, 0.0, 0.0, (),
            usual_ms=11.0, jitter_ms=0.8, mos=4.3, pace_s=1.0,
        )
        for place, (uplink, shown, kind) in enumerate(kinds)
    )  # fmt: skip
    box = BoxView(
        "box-ftth", "Box Fibre", "ftth", True, Phase.POWERED, mono - 5000.0, None, 0, None, None, 1.8e9
    )
    radio = Radio(network="4G", band="B20", cell=27447297, rsrp_dbm=-97.0, rsrq_db=-11.0, sinr_db=9.0)
    says = Says("cellular", heard=True, operator="Orange F", radio=radio, sim=Sim.READY, model="E3372h-320")
    modem = DeviceView(
        "cle-4g", "Clé 4G", "cellular", DeviceKind.MODEM, mono - 20.0, True, mono - 20.0, says, Strength.GOOD
    )
    return Snapshot(
        1, mono, time.time(), True, name, label, True, None, None, None, None, Code.ALL_WELL,
        uplinks, (box,), (), (modem,),
    )  # fmt: skip
