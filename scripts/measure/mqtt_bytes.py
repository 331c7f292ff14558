"""What the connection to the broker costs on a metered uplink: the real sink, a real broker, TCP_INFO.

Calm is measured in real time. An incident of an hour is played by the core in virtual time first; its
pictures and events then go through the same connection one after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.core.instant import Now
from agent.core.model import Event, Recorded
from agent.core.site import BoxSpec, Site, UplinkKind, UplinkSpec
from agent.core.snapshot_types import Snapshot
from agent.probes.tcp_traffic import PARTING, traffic_of
from agent.runtime.board import Board
from agent.simulation.world import World
from agent.sinks.mqtt.connecting import KEEPALIVE_METERED_S
from agent.sinks.mqtt.settings import MqttSettings
from agent.sinks.mqtt.sink import MqttSink
from agent.sinks.mqtt.topics import REFRESH_METERED_S
from agent.sinks.mqtt.way import Exit
from hardware.virtual.plan import TARGETS
from hardware.virtual.processes import find_program
from measure.console import columns, say

HERE, METERED = "127.0.0.1", "4g"
DAY_S, HOUR_S = 86_400.0, 3600.0
STEP_S = 0.02
MARGIN_S = 5.0


@dataclass
class Counter:
    """Every connection from its first packet to its last, by the kernel's count."""

    before: int = 0
    live: list[socket.socket] = field(default_factory=list)
    opened_times: int = 0

    def opened(self, connection: socket.socket) -> None:
        """It begins."""
        self.live.append(connection)
        self.opened_times += 1

    def closed(self, connection: socket.socket) -> None:
        """It ends."""
        self.live.remove(connection)
        self.before += sum(traffic_of(connection)) + 2 * PARTING

    @property
    def total(self) -> int:
        """Bytes both ways, IP headers included."""
        return self.before + sum(sum(traffic_of(one)) for one in self.live)


class Outbox:
    """Events as the store would give them."""

    def __init__(self) -> None:
        self._events: list[Recorded] = []
        self._acked: set[int] = set()

    def add(self, event: Event, now: Now) -> None:
        """One more."""
        seq = len(self._events) + 1
        self._events.append(Recorded(f"9f2c41d07be3-{seq}", seq, event, now.wall, synced=True))

    def pending(self, after: int, limit: int) -> list[Recorded]:
        """As ``agent.sinks.mqtt.ports.Outbox``."""
        waiting = (one for one in self._events if one.seq is not None and one.seq > after)
        return [one for one in waiting if one.seq not in self._acked][:limit]

    def acknowledge(self, seq: int) -> None:
        """As ``agent.sinks.mqtt.ports.Outbox``."""
        self._acked.add(seq)

    @property
    def count(self) -> int:
        """Events so far."""
        return len(self._events)


def _story() -> tuple[list[Snapshot], list[tuple[float, Event]]]:
    """An hour in which the fibre's operator is out and the standby carries the site, a picture a second."""
    fibre = UplinkSpec("ftth", "Fibre", UplinkKind.FTTH, TARGETS)
    mobile = UplinkSpec(METERED, "4G", UplinkKind.CELLULAR, TARGETS, 10.0, data_bytes=50_000_000)
    boxes = (BoxSpec("box-ftth", "Box", "ftth"), BoxSpec("box-4g", "Modem", METERED))
    world = World(Site("bench", "Bench", (fibre, mobile), boxes), record=False)
    world.play(900.0)
    world.events.clear()
    shots = [world.picture()]
    for change, seconds in (({"operator": False}, HOUR_S), ({"operator": True}, 120.0)):
        world.change("ftth", **change)
        for _ in range(int(seconds)):
            world.play(1.0)
            shots.append(world.picture())
    return [_at_home(shot, seq) for seq, shot in enumerate(shots, start=1)], list(world.events)


def _at_home(shot: Snapshot, seq: int) -> Snapshot:
    """The same, with the standby where the connection really leaves."""
    uplinks = (replace(view, address=HERE) if view.name == METERED else view for view in shot.uplinks)
    return replace(shot, seq=seq, uplinks=tuple(uplinks))


@contextlib.contextmanager
def _broker(folder: Path, *, tls: bool) -> Iterator[int]:
    program = find_program("mosquitto")
    assert program is not None
    with socket.create_server((HERE, 0)) as probe:
        port = probe.getsockname()[1]
    lines = [f"listener {port} {HERE}", "allow_anonymous true", "user root", "log_dest none"]
    if tls:
        lines += [f"certfile {folder / 'broker.pem'}", f"keyfile {folder / 'broker.key'}"]
    config = folder / f"{port}.conf"
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError), socket.create_connection((HERE, port), timeout=1):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


def _certificates(folder: Path) -> None:
    """An authority and a broker's certificate, with RSA keys of 2048 bits, as most have."""
    key = ("-newkey", "rsa:2048", "-nodes")
    ca = ("-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    request = ("-keyout", "broker.key", "-out", "broker.csr", "-subj", "/CN=broker.example.net")
    (folder / "names").write_text(f"subjectAltName=DNS:broker.example.net,IP:{HERE}\n", encoding="utf-8")
    sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
    for command in (
        ("req", "-x509", *key, *ca),
        ("req", *key, *request),
        ("x509", "-req", "-in", "broker.csr", *sign, "-out", "broker.pem"),
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True, cwd=folder)


async def mqtt_bytes(minutes: float) -> None:
    """Calm for so long, then an incident of an hour; without TLS and with it, at the same time."""
    if find_program("mosquitto") is None or shutil.which("openssl") is None:
        say("not measured, mosquitto or openssl is missing")
        return
    shots, events = _story()
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        _certificates(folder)
        ports = {tls: stack.enter_context(_broker(folder, tls=tls)) for tls in (False, True)}
        measured = await asyncio.gather(
            *(_measure(folder, port, shots, events, minutes, tls=tls) for tls, port in ports.items())
        )
    say(f"the connection on a metered uplink, both ways, IP headers included; calm lasted {minutes:g} min")
    say(f"keepalive {KEEPALIVE_METERED_S} s, state every {REFRESH_METERED_S:.0f} s")
    for line in columns(list(zip(LABELS, *measured, strict=True)), ("", "plain", "TLS")):
        say(line)


async def _measure(
    folder: Path,
    port: int,
    shots: list[Snapshot],
    events: list[tuple[float, Event]],
    minutes: float,
    *,
    tls: bool,
) -> list[str]:
    settings = MqttSettings(
        host=HERE,
        port=port,
        client_id="vigie-bench",
        site="bench",
        tls=tls,
        ca_file=folder / "ca.pem",
        via=METERED,
        exits=(Exit(METERED, "lo"),),
    )
    counter, outbox, board, wake = Counter(), Outbox(), Board(), asyncio.Event()

    async def now(call: Any, *args: object) -> Any:
        return call(*args)

    board.publish(shots[0])
    sink = MqttSink(settings, outbox, now, lambda _part: None, counter)
    task = asyncio.create_task(sink.run(board.snapshots(), wake))
    await asyncio.sleep(3.0)
    opened = counter.total
    began, seq = time.monotonic(), 10_000
    # A little longer, so that a state that is due at the very end is in it; the first came before.
    while (passed_s := time.monotonic() - began) < 60.0 * minutes + MARGIN_S:
        # Round trips move from second to second, and nothing else does.
        lines = tuple(replace(view, rtt_ms=20.0 + seq % 7) for view in shots[0].uplinks)
        seq += 1
        board.publish(replace(shots[0], seq=seq, mono=shots[0].mono + passed_s, uplinks=lines))
        await asyncio.sleep(1.0)
    calm = counter.total - opened
    before = counter.total
    await _incident(board, outbox, wake, shots, events)
    incident = counter.total - before
    task.cancel()
    await asyncio.wait([task])
    a_day, a_minute = calm / (60.0 * minutes) * DAY_S, calm / minutes
    pings = a_minute * HOUR_S / 60.0
    return [
        *(f"{n:.0f}" for n in (opened, calm, a_day, incident, a_day + incident, pings)),
        str(outbox.count),
        str(counter.opened_times),
    ]


async def _incident(
    board: Board,
    outbox: Outbox,
    wake: asyncio.Event,
    shots: list[Snapshot],
    events: list[tuple[float, Event]],
) -> None:
    """The hour, quickly: what is published does not depend on how fast it passes."""
    shift = 100_000.0
    waiting = list(events)
    for shot in shots:
        while waiting and waiting[0][0] <= shot.mono:
            outbox.add(waiting.pop(0)[1], Now(shot.mono, shot.wall, synced=True, boot="b"))
            wake.set()
        board.publish(replace(shot, seq=shot.seq + 50_000, mono=shot.mono + shift))
        await asyncio.sleep(STEP_S)
    await asyncio.sleep(1.0)


LABELS = (
    "a new connection, with all that is published on it",
    "calm, as measured",
    "a calm day",
    "an incident of an hour, its messages",
    "a day with it",
    "(calm per hour)",
    "events in it",
    "connections in all",
)
