"""The connection to a real broker: what arrives, what survives, what is said when it does not work."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broker_ground import (
    MOSQUITTO,
    NOW,
    SETTINGS,
    TIMEOUT_S,
    Broker,
    Listener,
    event,
    first_heard,
    hear,
    listening,
    site,
    snapshot,
)
from jsonschema import Draft202012Validator

from agent.core.model import Part
from agent.core.snapshot_types import Health
from agent.runtime.board import Board
from agent.runtime.store import Store
from agent.sinks.mqtt import connection
from agent.sinks.mqtt.sink import MqttSink

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto binary"),
    pytest.mark.usefixtures("soon_again"),
]


# --- presence and state ----------------------------------------------------------------------------------


def test_presence_and_state_are_retained(tmp_path, broker):
    """Whoever subscribes later gets ``online`` and the newest state; after a stop ``offline``."""

    async def story():
        async with site(tmp_path, broker.port) as here:
            await here.until(lambda: here.parts == [Part("mqtt", ok=True)])
            with listening(broker) as first:
                await hear(first, lambda: bool(first.of("state")))
                here.board.publish(snapshot(2, Health.DOWN))
                await hear(first, lambda: len(first.of("state")) == 2)
            with listening(broker) as second:
                await hear(second, lambda: len(second.heard) >= 3)
                assert all(retained for _, _, retained in second.heard)
                assert second.of("availability") == [b"online"]
                assert json.loads(second.of("state")[0])["uplinks"][0]["health"] == "down"
                assert json.loads(second.of("uplink/ftth")[0])["health"] == "down"
                began = time.monotonic()
                here.task.cancel()
                await asyncio.wait([here.task])
                assert time.monotonic() - began < 2
                await hear(second, lambda: second.of("availability") == [b"online", b"offline"])

    asyncio.run(story())
    with listening(broker) as after:
        after.wait(lambda: after.of("availability") == [b"offline"])


def test_every_connection_is_shown_to_the_meter(tmp_path, broker):
    """From its opening to just before it is closed, by its own socket."""
    seen: list[tuple[str, str, int]] = []

    class Shown:
        def opened(self, connection: socket.socket) -> None:
            seen.append(("opened", connection.getsockname()[0], connection.fileno()))

        def closed(self, connection: socket.socket) -> None:
            seen.append(("closed", connection.getsockname()[0], connection.fileno()))

    async def main():
        with listening(broker) as listener:
            async with site(tmp_path, broker.port, Shown()):
                await hear(listener, lambda: any(topic == "state" for topic, *_ in listener.heard))

    asyncio.run(main())
    assert [(what, address) for what, address, _ in seen] == [
        ("opened", "127.0.0.1"),
        ("closed", "127.0.0.1"),
    ]
    assert seen[0][2] == seen[1][2] > 0


def test_calm_seconds_publish_nothing(tmp_path, broker):
    """Fifty snapshots that differ only in numbers cause no publication."""

    async def story():
        with listening(broker) as listener:
            async with site(tmp_path, broker.port) as here:
                await hear(listener, lambda: bool(listener.of("state")))
                for seq in range(2, 52):
                    here.board.publish(replace(snapshot(seq), mono=1001.0 + seq / 10))
                    await asyncio.sleep(0.002)
                here.board.publish(replace(snapshot(60, Health.DOWN), mono=1010.0))
                await hear(listener, lambda: len(listener.of("state")) == 2)
                assert json.loads(listener.of("state")[1])["uplinks"][0]["health"] == "down"

    asyncio.run(story())


SENDER = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
sys.path[:0] = [{root!r}, {here!r}]
from agent.runtime.board import Board
from agent.runtime.store import Store
from agent.sinks.mqtt import connecting, connection
from agent.sinks.mqtt.ports import Meter
from agent.sinks.mqtt.sink import MqttSink
from dataclasses import replace
from broker_ground import NOW, SETTINGS, event, snapshot
folder, port, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
connecting.BACKOFF_S = (0.1, 0.2)
async def main():
    store = Store.open(folder / "state", NOW, ("mqtt",))
    disk = ThreadPoolExecutor(max_workers=1)
    def on_disk(call, *args):
        return asyncio.get_running_loop().run_in_executor(disk, call, *args)
    written = await on_disk(store.append, [(event(n), NOW) for n in range(count)])
    print(*[item.seq for item in written], flush=True)
    board = Board()
    board.publish(snapshot())
    sink = MqttSink(replace(SETTINGS, port=port), store.outbox("mqtt"), on_disk, lambda part: None)
    await sink.run(board.snapshots(), asyncio.Event())
asyncio.run(main())
"""


def sender(folder: Path, port: int, count: int) -> subprocess.Popen[str]:
    code = SENDER.format(root=str(ROOT), here=str(ROOT / "tests"))
    command = [sys.executable, "-c", code, str(folder), str(port), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_last_will_when_the_agent_is_killed(tmp_path, broker):
    """After kill -9 the broker itself says ``offline``, retained."""
    with listening(broker) as listener, sender(tmp_path, broker.port, 0) as process:
        listener.wait(lambda: listener.of("availability") == [b"online"])
        process.kill()
        listener.wait(lambda: listener.of("availability") == [b"online", b"offline"])
    with listening(broker) as after:
        after.wait(lambda: after.of("availability") == [b"offline"])


# --- events ----------------------------------------------------------------------------------------------


def test_events_arrive_in_order_exactly_the_pending_ones(tmp_path, broker):
    """Sixty waiting events and two more arrive once each, in order, and then the outbox is empty."""
    store = Store.open(tmp_path / "state", NOW, ("mqtt",))
    store.append([(event(n), NOW) for n in range(64)])
    for seq in (1, 2):
        store.acknowledge("mqtt", seq)
    store.close()

    async def story(listener: Listener) -> None:
        async with site(tmp_path, broker.port) as here:
            await hear(listener, lambda: len(listener.seqs()) == 62)
            await here.append(64, 65)
            await hear(listener, lambda: len(listener.seqs()) == 64)
            await here.until_sent()
        async with site(tmp_path, broker.port) as here:
            await here.append(66, 66)
            await here.until_sent()

    with listening(broker) as listener:
        asyncio.run(story(listener))
        assert listener.seqs() == list(range(3, 68))
        payload = json.loads(listener.of("event")[0])
        schema = json.loads((ROOT / "docs/schemas/event.json").read_text())
        Draft202012Validator(schema).validate(payload)
        assert not any(retained for topic, _, retained in listener.heard if topic == "event")


def test_broker_restart_loses_nothing(tmp_path, broker):
    """What happened while the broker was away arrives afterwards, in order; its state is complete again."""

    async def story() -> None:
        async with site(tmp_path, broker.port) as here:
            with listening(broker) as before:
                await here.append(1, 3)
                await hear(before, lambda: before.seqs() == [1, 2, 3])
                await here.until_sent()
            await asyncio.to_thread(broker.stop)
            await here.until(lambda: not here.parts[-1].ok)
            await here.append(4, 40)
            here.board.publish(snapshot(2, Health.DOWN))
            await here.until(lambda: "Connection refused" in here.parts[-1].detail)
            await asyncio.to_thread(broker.start)
            with listening(broker) as after:
                await here.until(lambda: here.parts[-1].ok)
                await hear(after, lambda: bool(after.of("state")))
                assert json.loads(after.of("state")[-1])["uplinks"][0]["health"] == "down"
                assert after.of("availability")[-1] == b"online"
                await here.append(41, 42)
                await hear(after, lambda: 42 in after.seqs())
                await here.until_sent()
                assert first_heard(after.seqs()) == sorted(after.seqs())[-len(first_heard(after.seqs())) :]

    asyncio.run(story())


def test_events_of_an_outage_arrive_in_order(tmp_path, broker):
    """A subscriber that is there first gets all events of the outage, once, in order."""
    broker.stop()

    async def story() -> None:
        async with site(tmp_path, broker.port) as here:
            await here.append(1, 30)
            await here.until(lambda: len(here.parts) >= 2)
            assert await here.pending() == list(range(1, 31))
            broker.start()
            with listening(broker) as listener:
                await here.append(31, 31)
                await here.until_sent()
                await hear(listener, lambda: 31 in listener.seqs())
                heard = listener.seqs()
                assert heard == list(range(heard[0], 32))

    asyncio.run(story())


def test_frozen_broker_is_noticed_and_survived(tmp_path, broker):
    """A broker that stops answering is given up after the keepalive; afterwards nothing is missing."""

    async def story() -> None:
        async with site(tmp_path, broker.port, keepalive_s=2) as here:
            with listening(broker) as listener:
                await here.append(1, 5)
                await hear(listener, lambda: listener.seqs() == [1, 2, 3, 4, 5])
                broker.signal(signal.SIGSTOP)
                await here.append(6, 40)
                for seq in range(2, 30):
                    here.board.publish(snapshot(seq, Health.DOWN if seq % 2 else Health.UP))
                await here.until(lambda: not here.parts[-1].ok)
                assert "Keep alive timeout" in here.parts[-1].detail
                assert 6 in await here.pending()
                broker.signal(signal.SIGCONT)
                await here.until(lambda: here.parts[-1].ok)
                await here.until_sent()
                await hear(listener, lambda: 40 in listener.seqs())
                assert first_heard(listener.seqs()) == list(range(1, 41))

    asyncio.run(story())


def test_outbox_survives_killed_senders(tmp_path, broker):
    """However often the sender is killed while it sends, every event arrives, in order of first arrival."""
    total = 0
    with listening(broker) as listener:
        for delay_s in (0.0, 0.01, 0.03, 0.06):
            with sender(tmp_path, broker.port, 40) as process:
                assert process.stdout is not None
                total = int(process.stdout.readline().split()[-1])
                until = time.monotonic() + delay_s
                listener.wait(lambda until=until: len(listener.seqs()) > 0 and time.monotonic() >= until)
                process.kill()
        with sender(tmp_path, broker.port, 1) as process:
            listener.wait(lambda: total + 1 in listener.seqs())
            process.kill()
        assert total == 160
        assert first_heard(listener.seqs()) == list(range(1, 162))
        ids = {json.loads(payload)["seq"]: json.loads(payload)["id"] for payload in listener.of("event")}
        assert len(set(ids.values())) == 161
        assert {(json.loads(p)["seq"], json.loads(p)["id"]) for p in listener.of("event")} == set(ids.items())


def test_events_written_without_a_broker_survive_kill(tmp_path, broker):
    """Events of a killed agent that never saw the broker are sent by the next one."""
    broker.stop()
    with sender(tmp_path, broker.port, 25) as process:
        assert process.stdout is not None
        assert len(process.stdout.readline().split()) == 25
        process.kill()
    broker.start()

    async def story(listener: Listener) -> None:
        async with site(tmp_path, broker.port) as here:
            await here.until_sent()
            await hear(listener, lambda: listener.seqs() == list(range(1, 26)))

    with listening(broker) as listener:
        asyncio.run(story(listener))


# --- what is said when it does not work --------------------------------------------------------------------


def test_no_broker_is_said_and_the_stop_is_quick(tmp_path):
    """A port where nobody listens: reported, retried, and left within two seconds."""

    async def story() -> None:
        async with site(tmp_path, 1) as here:
            await here.until(lambda: len(here.parts) >= 3)
            assert set(here.parts) == {Part("mqtt", ok=False, detail="127.0.0.1:1: Connection refused")}
            began = time.monotonic()
            here.task.cancel()
            await asyncio.wait([here.task])
            assert time.monotonic() - began < 2

    asyncio.run(story())


def test_stop_is_quick_and_nothing_blocks_while_the_broker_is_frozen(tmp_path, broker):
    """With a broker that takes nothing the event loop goes on, and the stop takes at most two seconds."""

    async def story() -> None:
        longest_s, running = 0.0, True

        async def beat() -> None:
            nonlocal longest_s
            while running:
                began = time.monotonic()
                await asyncio.sleep(0.01)
                longest_s = max(longest_s, time.monotonic() - began)

        async with site(tmp_path, broker.port) as here:
            await here.until(lambda: bool(here.parts))
            broker.signal(signal.SIGSTOP)
            heart = asyncio.create_task(beat())
            await here.append(1, 200)
            for seq in range(2, 200):
                here.board.publish(snapshot(seq, Health.DOWN if seq % 2 else Health.UP))
                await asyncio.sleep(0)
            await here.until_handed(10)
            began = time.monotonic()
            here.task.cancel()
            await asyncio.wait([here.task])
            assert time.monotonic() - began < 2
            running = False
            await heart
            assert longest_s < 0.5
            assert here.handed == list(range(1, 11))
            assert await here.pending() == list(range(1, 201))

    asyncio.run(story())


def test_name_that_does_not_resolve(tmp_path):
    """A broker whose name is unknown is a fault like any other."""

    async def story() -> None:
        async with site(tmp_path, 1883, host="broker.invalid") as here:
            await here.until(lambda: bool(here.parts))
            assert not here.parts[0].ok
            assert here.parts[0].detail.startswith("broker.invalid:1883: ")

    asyncio.run(story())


def test_silent_server_is_given_up(tmp_path, monkeypatch):
    """A server that takes the connection and says nothing is reported, and the loop never waits for it."""
    monkeypatch.setattr(connection, "OPEN_WITHIN_S", 0.5)

    async def story(port: int) -> None:
        async with site(tmp_path, port) as here:
            await here.until(lambda: bool(here.parts))
            assert here.parts[0].detail.endswith("no answer within 0 s")

    with socket.create_server(("127.0.0.1", 0)) as server:
        asyncio.run(story(server.getsockname()[1]))


def test_failure_of_the_outbox_ends_the_run_without_raising(tmp_path, broker):
    """An unforeseen error is reported, and the same sink can be run again."""

    class Brittle:
        calls = itertools.count()

        def pending(self, after: int, limit: int) -> list[Any]:
            if next(self.calls) == 0:
                raise RuntimeError("disk on fire")
            return []

        def acknowledge(self, seq: int) -> None:
            raise AssertionError(seq)

    async def now(call: Callable[..., Any], *args: object) -> Any:
        return call(*args)

    async def story() -> None:
        parts: list[Part] = []
        works = asyncio.Event()

        def report(part: Part) -> None:
            parts.append(part)
            if part.ok:
                works.set()

        sink = MqttSink(replace(SETTINGS, port=broker.port), Brittle(), now, report)
        await sink.run(Board().snapshots(), asyncio.Event())
        assert parts[-1] == Part("mqtt", ok=False, detail="RuntimeError: disk on fire")
        works.clear()
        again = asyncio.create_task(sink.run(Board().snapshots(), asyncio.Event()))
        async with asyncio.timeout(TIMEOUT_S):
            await works.wait()
        again.cancel()
        await asyncio.wait([again])

    asyncio.run(story())


def test_wrong_password_is_refused_and_never_shown(tmp_path):
    """The reason is said, the secret is not; with the right one everything works."""
    passwords = tmp_path / "passwords"
    passwords.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "garage", "right horse"], check=True)
    guarded = Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}")
    guarded.start()

    async def refused() -> None:
        async with site(tmp_path, guarded.port, username="garage", password="wrong horse") as here:
            await here.append(1, 3)
            await here.until(lambda: len(here.parts) >= 2)
            assert set(here.parts) == {
                Part(
                    "mqtt",
                    ok=False,
                    detail=f"127.0.0.1:{guarded.port}: refused: not authorised: "
                    "user name, password or certificate are not accepted",
                )
            }
            assert await here.pending() == [1, 2, 3]

    async def accepted() -> None:
        async with site(tmp_path, guarded.port, username="garage", password="right horse") as here:
            await here.until_sent()

    try:
        asyncio.run(refused())
        asyncio.run(accepted())
    finally:
        guarded.stop()
    assert "horse" not in repr(replace(SETTINGS, password="right horse"))
