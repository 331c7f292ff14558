"""The small parts of the shell: control socket, supervision, notifications, clock."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from world import World, example_site

from agent.core.codes import Code, Severity
from agent.core.model import Event, Hold, Observation, Part, Recorded
from agent.core.snapshot_types import Snapshot
from agent.runtime import supervise
from agent.runtime.board import EVENT_BACKLOG, Board
from agent.runtime.clock import SystemClock
from agent.runtime.control import CLIENTS, ControlSocket
from agent.runtime.sdnotify import Notifier


def recorded(number: int) -> Recorded:
    return Recorded(f"i-{number}", number, Event(Code.UPLINK_UP, "ftth", Severity.INFO), 1.8e9, synced=True)


class Served:
    """A control socket with one snapshot on its board."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "control.sock"
        self.board = Board()
        world = World(example_site())
        world.play(5.0)
        self.picture = world.picture()
        self.board.publish(self.picture)
        self.posted: list[Observation] = []

    async def ask(self, *lines: bytes, answers: int = 1) -> list[dict[str, Any]]:
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(b"".join(lines))
        await writer.drain()
        got = [json.loads(await reader.readline()) for _ in range(answers)]
        writer.close()
        return got


def serve(folder: Path, body: Callable[[Served], Awaitable[None]]) -> Served:
    async def run() -> Served:
        served = Served(folder)
        control = ControlSocket(
            served.path, served.board, served.posted.append, lambda: 1000.0, lambda r: {"id": r.id}
        )
        task = asyncio.create_task(control.run())
        while not served.path.exists():
            await asyncio.sleep(0.005)
        await body(served)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return served

    return asyncio.run(run())


def test_status_gives_the_whole_picture(tmp_path: Path) -> None:
    """And it reads back as the same snapshot."""

    async def body(served: Served) -> None:
        (answer,) = await served.ask(b'{"do": "status"}\n')
        assert msgspec.convert(answer["snapshot"], Snapshot) == served.picture

    assert not serve(tmp_path, body).path.exists(), "the socket's file goes with the agent"


def test_watch_streams_pictures_and_events(tmp_path: Path) -> None:
    """Both on one connection, as they come."""

    async def body(served: Served) -> None:
        reader, writer = await asyncio.open_unix_connection(str(served.path))
        writer.write(b'{"do": "watch"}\n')
        assert "snapshot" in json.loads(await reader.readline())
        served.board.tell(recorded(7))
        assert json.loads(await reader.readline()) == {"event": {"id": "i-7"}}
        served.board.publish(replace(served.picture, seq=2))
        assert json.loads(await reader.readline())["snapshot"]["seq"] == 2
        writer.close()

    serve(tmp_path, body)


def test_hold_and_release_are_posted(tmp_path: Path) -> None:
    """A hold ends by itself, so it always carries its end."""

    async def body(served: Served) -> None:
        assert await served.ask(b'{"do": "hold", "for_s": 600, "by": "Anne"}\n') == [{"ok": True}]
        assert await served.ask(b'{"do": "release", "by": "Anne"}\n') == [{"ok": True}]

    assert serve(tmp_path, body).posted == [Hold(1600.0, "Anne"), Hold(None, "Anne")]


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[]\n",
        b'{"do": "explode"}\n',
        b'{"do": "hold"}\n',
        b'{"do": "hold", "for_s": -1}\n',
        b'{"do": "hold", "for_s": true}\n',
        b'{"do": "hold", "for_s": 1e9}\n',
        b'{"do": "release", "by": ""}\n',
        b"\xff\xfe\n",
    ],
)
def test_bad_requests_get_an_error(tmp_path: Path, line: bytes) -> None:
    """And change nothing."""

    async def body(served: Served) -> None:
        (answer,) = await served.ask(line)
        assert list(answer) == ["error"]

    assert serve(tmp_path, body).posted == []


def test_a_line_without_end_is_not_collected_for_ever(tmp_path: Path) -> None:
    """The client is dropped, the others are served."""

    async def body(served: Served) -> None:
        reader, writer = await asyncio.open_unix_connection(str(served.path))
        writer.write(b"x" * 100_000)
        assert await reader.read() == b""
        writer.close()
        assert await served.ask(b'{"do": "status"}\n')

    serve(tmp_path, body)


def test_too_many_clients_are_refused(tmp_path: Path) -> None:
    """One script gone wild must not use up the agent's descriptors."""

    async def body(served: Served) -> None:
        watchers = [await asyncio.open_unix_connection(str(served.path)) for _ in range(CLIENTS)]
        for reader, writer in watchers:
            writer.write(b'{"do": "watch"}\n')
            await reader.readline()
        (answer,) = await served.ask(b'{"do": "status"}\n')
        assert "clients" in answer["error"]
        for _, writer in watchers:
            writer.close()

    serve(tmp_path, body)


def test_a_slow_reader_of_events_loses_the_oldest() -> None:
    """It never holds up the engine."""

    async def body() -> list[int | None]:
        board = Board()
        stream = board.events()
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        for number in range(EVENT_BACKLOG + 50):
            board.tell(recorded(number))
        await first
        return [(await anext(stream)).seq for _ in range(EVENT_BACKLOG - 1)]

    seqs = asyncio.run(body())
    assert seqs[-1] == EVENT_BACKLOG + 49


def test_a_late_reader_of_snapshots_gets_the_newest() -> None:
    """It shows a state, not a history."""

    async def body() -> int:
        world = World(example_site())
        world.play(1.0)
        board = Board()
        for seq in range(5):
            board.publish(replace(world.picture(), seq=seq))
        return (await anext(board.snapshots())).seq

    assert asyncio.run(body()) == 4


def test_an_ornament_is_restarted_and_its_failure_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen that dies never stops the watch; it is said once it works again."""
    monkeypatch.setattr(supervise, "BACKOFF_S", (0.0,))
    monkeypatch.setattr(supervise, "RECOVERED_S", 0.05)
    reports: list[Part] = []
    starts = 0

    async def work() -> None:
        nonlocal starts
        starts += 1
        if starts < 3:
            raise OSError("bus is gone")
        await asyncio.Event().wait()

    async def body() -> None:
        task = asyncio.create_task(supervise.keep_running("screen", work, reports.append))
        while not (reports and reports[-1].ok):
            await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(body())
    assert [(part.ok, part.detail) for part in reports] == [
        (False, "OSError: bus is gone"),
        (False, "OSError: bus is gone"),
        (True, ""),
    ]


def test_systemd_is_told(tmp_path: Path) -> None:
    """Ready, alive and stopping arrive at the socket that systemd names."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(path))
        receiver.settimeout(5.0)
        notifier = Notifier({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "30000000"})
        assert notifier.watchdog_s == 30.0
        notifier.ready()
        notifier.status("well")
        notifier.alive()
        notifier.stopping()
        notifier.close()
        assert [receiver.recv(100) for _ in range(4)] == [
            b"READY=1",
            b"STATUS=well",
            b"WATCHDOG=1",
            b"STOPPING=1",
        ]


def test_without_systemd_nothing_is_told() -> None:
    """The same agent runs in a terminal."""
    notifier = Notifier({})
    notifier.ready()
    assert notifier.watchdog_s is None


def test_a_lost_notification_does_not_stop_the_watch(tmp_path: Path) -> None:
    """The socket may be gone."""
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    notifier.alive()
    notifier.close()


def test_the_clock_never_goes_back_and_names_the_boot() -> None:
    """Two readings are in order and of the same boot."""
    clock = SystemClock()
    first, second = clock.now(), clock.now()
    assert first.mono <= second.mono
    assert first.boot == second.boot
    assert len(first.boot) == 36


def test_a_synchronised_clock_is_known_by_its_mark(tmp_path: Path) -> None:
    """systemd-timesyncd leaves a file once it has set the clock."""
    mark = tmp_path / "synchronized"
    mark.touch()
    assert SystemClock(timesync=mark).now().synced
