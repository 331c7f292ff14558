"""Ground for tests of the connection to the broker: a mosquitto, its listeners, a sink at work."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.model import Event, Part, Recorded
from agent.core.site import UplinkKind
from agent.core.snapshot_types import Health, Snapshot, UplinkView
from agent.runtime.board import Board
from agent.runtime.store import Store
from agent.sinks.mqtt.ports import Meter
from agent.sinks.mqtt.settings import MqttSettings
from agent.sinks.mqtt.sink import MqttSink

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
NOW = Now(mono=1000.0, wall=1_800_000_000.0, synced=True, boot="a")
SETTINGS = MqttSettings(
    host="127.0.0.1", port=0, client_id="vigie-garage", site="garage", tls=False, keepalive_s=30
)
TIMEOUT_S = 20.0


def snapshot(seq: int = 1, health: Health = Health.UP) -> Snapshot:
    uplink = UplinkView(
        "ftth", "Fibre", UplinkKind.FTTH, health, 0.0, "", True, True, True, None, None, 8.0, 0.0, 0.0, ()
    )
    return Snapshot(
        seq, 1000.0 + seq, NOW.wall + seq, True, "garage", "Garage", True, None, None, None, None,
        Code.ALL_WELL, (uplink,), (), (),
    )  # fmt: skip


def event(n: int) -> Event:
    return Event(Code.UPLINK_DOWN, "ftth", Severity.WARNING, "i1", {"label": "Fibre", "why": f"{n}"})


class Broker:
    """A mosquitto of its own on a free port of the loopback."""

    def __init__(self, folder: Path, extra: str = "") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._config = folder / "mosquitto.conf"
        user = "root" if os.geteuid() == 0 else ""
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\n{extra or 'allow_anonymous true'}\n"
            f"persistence false\nlog_dest none\n{'user ' + user if user else ''}\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        end_at = time.monotonic() + TIMEOUT_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert self._process.poll() is None, "mosquitto ended"
            assert time.monotonic() < end_at
            time.sleep(0.02)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


class Listener:
    """Hears everything below ``vigie/#`` on its own connection."""

    def __init__(self, port: int, **login: Any) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self._changed = threading.Condition()
        ready = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        if "username" in login:
            self._client.username_pw_set(login["username"], login["password"])
        if "ca_file" in login:
            self._client.tls_set_context(ssl.create_default_context(cafile=login["ca_file"]))
        self._client.on_connect = lambda client, *_: client.subscribe("vigie/#", qos=1)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.on_message = self._on_message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert ready.wait(TIMEOUT_S)

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.heard.append((message.topic.removeprefix("vigie/garage/"), message.payload, message.retain))
            self._changed.notify_all()

    def wait(self, true: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(true, TIMEOUT_S), self.heard

    def of(self, topic: str) -> list[bytes]:
        return [payload for name, payload, _ in self.heard if name == topic]

    def seqs(self) -> list[int]:
        return [json.loads(payload)["seq"] for payload in self.of("event")]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.contextmanager
def listening(broker: Broker, **login: Any) -> Iterator[Listener]:
    listener = Listener(broker.port, **login)
    try:
        yield listener
    finally:
        listener.close()


@dataclass
class Site:
    """A sink at work, with a real store and a real board."""

    board: Board
    store: Store
    parts: list[Part]
    task: asyncio.Task[None]
    wake: asyncio.Event
    disk: ThreadPoolExecutor
    reported: asyncio.Event
    handed: list[int | None]

    async def on_disk(self, call: Callable[..., Any], *args: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.disk, call, *args)

    async def append(self, first: int, last: int) -> None:
        await self.on_disk(self.store.append, [(event(n), NOW) for n in range(first, last + 1)])
        self.wake.set()

    async def pending(self) -> list[int | None]:
        return [item.seq for item in await self.on_disk(self.store.pending, "mqtt", 0, 1000)]

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for a report that makes it true."""
        async with asyncio.timeout(TIMEOUT_S):
            while not true():
                self.reported.clear()
                await self.reported.wait()

    async def until_handed(self, count: int) -> None:
        end_at = time.monotonic() + TIMEOUT_S
        while len(self.handed) < count:
            assert time.monotonic() < end_at
            await asyncio.sleep(0.01)

    async def until_sent(self) -> None:
        end_at = time.monotonic() + TIMEOUT_S
        while await self.pending():
            assert time.monotonic() < end_at
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def site(
    folder: Path,
    port: int,
    meter: Meter | None = None,
    more: Mapping[str, Any] | None = None,
    **changes: Any,
) -> AsyncIterator[Site]:
    """A sink with these settings; ``more`` is what else it is given."""
    disk = ThreadPoolExecutor(max_workers=1)
    store, parts, board, wake = Store.open(folder / "state", NOW, ("mqtt",)), [], Board(), asyncio.Event()
    reported = asyncio.Event()
    here: Site

    def report(part: Part) -> None:
        parts.append(part)
        reported.set()

    handed: list[int | None] = []

    async def run_blocking(call: Callable[..., Any], *args: object) -> Any:
        result = await here.on_disk(call, *args)
        handed.extend(item.seq for item in result or () if isinstance(item, Recorded))
        return result

    settings, outbox = replace(SETTINGS, port=port, **changes), store.outbox("mqtt")
    sink = MqttSink(settings, outbox, run_blocking, report, meter, **more or {})
    board.publish(snapshot())
    task = asyncio.create_task(sink.run(board.snapshots(), wake))
    here = Site(board, store, parts, task, wake, disk, reported, handed)
    try:
        yield here
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        disk.shutdown()
        store.close()


async def hear(listener: Listener, true: Callable[[], bool]) -> None:
    await asyncio.to_thread(listener.wait, true)


def first_heard(seqs: list[int]) -> list[int]:
    return list(dict.fromkeys(seqs))


def openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_ca(folder: Path, name: str) -> Path:
    """A certificate that may sign others, its key beside it as ``.key``."""
    paths = ("-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem")
    openssl("req", "-x509", *EC, "-days", 2, "-subj", f"/CN={name}", *paths)
    return folder / f"{name}.pem"


def make_certificate(
    folder: Path, ca: Path, name: str, names: str, *, days: tuple[int, int] = (-1, 1)
) -> Path:
    """A certificate signed by ``ca``, valid from and to so many days from now; its key beside it."""
    key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
    openssl("req", *EC, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    (folder / "ca.conf").write_text(
        f"[ca]\ndefault_ca=one\n[one]\ndatabase={folder}/index\nnew_certs_dir={folder}\nrand_serial=yes\n"
        f"default_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\n"
        f"[names]\nsubjectAltName={names}\n"
    )
    (folder / "index").touch()
    begin, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86_400 * day)) for day in days)
    signer = ("-cert", ca, "-keyfile", ca.with_suffix(".key"), "-config", folder / "ca.conf")
    dates = ("-startdate", begin, "-enddate", end, "-extensions", "names")
    openssl("ca", "-batch", "-notext", *signer, *dates, "-in", request, "-out", certificate)
    return certificate


def encrypted(certificate: Path, *more: str) -> str:
    """What mosquitto is told to speak TLS with this certificate."""
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {certificate.with_suffix('.key')}")
    return "\n".join((*lines, *more))
