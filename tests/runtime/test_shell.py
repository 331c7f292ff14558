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
from agent.core.model import Event, Part, Recorded
from agent.core.people import Answer, Verb
from agent.core.snapshot_types import Snapshot
from agent.runtime import supervise
from agent.runtime.board import EVENT_BACKLOG, Board
from agent.runtime.clock import SystemClock
from agent.runtime.control import CLIENTS, ControlSocket
from agent.runtime.sdnotify import Notifier
from agent.runtime.trial import Trials
from agent.runtime.versions import versions


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
        self.asked: list[tuple[object, ...]] = []
        self.reply: Answer | None = Answer("1", ok=True, until=1600.0)
        self.trials = Trials()

    async def about(self) -> dict[str, Any]:
        return {"vigie": "1.2.3"}

    async def core(self, verb: Verb, box: str | None, for_s: float | None, by: str, *, force: bool) -> Answer:
        """Stands where the core is: notes what arrives, and gives the reply that was laid out."""
        self.asked.append((verb, box, for_s, by, force))
        if self.reply is None:
            raise TimeoutError
        return self.reply

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
            served.path,
            served.board,
            served.core,
            lambda: 1000.0,
            lambda r: {"id": r.id},
            served.about,
            served.trials,
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


def test_what_people_ask_for_reaches_the_core_and_its_answer_comes_back(tmp_path: Path) -> None:
    """With whoever asked, and how long a hold or a refusal lasts from now."""

    async def body(served: Served) -> None:
        (held,) = await served.ask(b'{"do": "hold", "for_s": 600, "by": "Anne"}\n')
        assert held == {"ok": True, "reason": None, "for_s": 600.0, "order": None}
        served.reply = Answer("2", ok=False, reason="spacing", until=1012.34)
        (refused,) = await served.ask(b'{"do": "cycle", "box": "ont"}\n')
        assert refused == {"ok": False, "reason": "spacing", "for_s": 12.3, "order": None}
        served.reply = Answer("3", ok=True, order="run-7")
        (begun,) = await served.ask(b'{"do": "cycle", "box": "ont", "by": "Paul", "force": true}\n')
        assert begun == {"ok": True, "reason": None, "for_s": None, "order": "run-7"}
        await served.ask(b'{"do": "restore", "box": "ont"}\n')
        await served.ask(b'{"do": "hold"}\n')
        await served.ask(b'{"do": "release", "by": "Anne"}\n')

    nobody = "someone on the machine"
    assert serve(tmp_path, body).asked == [
        (Verb.HOLD, None, 600.0, "Anne", False),
        (Verb.CYCLE, "ont", None, nobody, False),
        (Verb.CYCLE, "ont", None, "Paul", True),
        (Verb.RESTORE, "ont", None, nobody, False),
        (Verb.HOLD, None, None, nobody, False),
        (Verb.RELEASE, None, None, "Anne", False),
    ]


def test_an_agent_tells_about_itself(tmp_path: Path) -> None:
    """What the shell knows goes out as it is."""

    async def body(served: Served) -> None:
        assert await served.ask(b'{"do": "about"}\n') == [{"about": {"vigie": "1.2.3"}}]

    serve(tmp_path, body)


def test_versions_are_texts(tmp_path: Path) -> None:
    """On a Pi, on another machine, and where nothing can be read."""
    (tmp_path / "model").write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    (tmp_path / "release").write_text('ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    said = versions(tmp_path / "model", tmp_path / "release")
    assert said["machine"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert said["system"] == "Debian GNU/Linux 12 (bookworm)"
    nothing = versions(tmp_path / "no", tmp_path / "no")
    assert set(nothing) == {"vigie", "python", "kernel", "system", "machine"}
    assert all(nothing.values())


def test_a_core_that_does_not_answer_is_an_error(tmp_path: Path) -> None:
    """Whoever asked must not believe that it was done."""

    async def body(served: Served) -> None:
        served.reply = None
        assert await served.ask(b'{"do": "release"}\n') == [{"error": "the agent does not decide any more"}]

    serve(tmp_path, body)


def test_watching_from_now_on_leaves_out_what_was_before(tmp_path: Path) -> None:
    """Who waits for the outcome of an order must not take an older one for it."""

    async def body(served: Served) -> None:
        served.board.tell(recorded(6))
        reader, writer = await asyncio.open_unix_connection(str(served.path))
        writer.write(b'{"do": "watch", "recent": false}\n')
        assert "snapshot" in json.loads(await reader.readline())
        served.board.tell(recorded(7))
        assert json.loads(await reader.readline()) == {"event": {"id": "i-7"}}
        writer.close()

    serve(tmp_path, body)


def test_the_sockets_file_says_who_may_ask(tmp_path: Path) -> None:
    """The agent's user and its group, nobody else."""

    async def body(served: Served) -> None:
        assert served.path.stat().st_mode & 0o777 == 0o660

    serve(tmp_path, body)


@pytest.mark.parametrize(
    "line",
    [
        b"nonsense\n",
        b"[]\n",
        b'{"do": "explode"}\n',
        b'{"do": ["hold"]}\n',
        b'{"do": "hold", "for_s": -1}\n',
        b'{"do": "hold", "for_s": true}\n',
        b'{"do": "hold", "for_s": "2h"}\n',
        b'{"do": "hold", "for_s": NaN}\n',
        b'{"do": "hold", "for_s": 1e999}\n',
        b'{"do": "release", "by": ""}\n',
        b'{"do": "release", "by": "a\\nb"}\n',
        b'{"do": "cycle"}\n',
        b'{"do": "cycle", "box": 7}\n',
        b'{"do": "cycle", "box": "ont", "force": "yes"}\n',
        b'{"do": "watch", "recent": 1}\n',
        b'{"do": "try", "led": "ftth"}\n',
        b'{"do": "try", "led": "ftth", "colour": "blue"}\n',
        b'{"do": "try", "led": 5, "colour": "red"}\n',
        b'{"do": "try", "led": "ftth", "colour": "red"}\n',
        b'{"do": "try", "screen": true}\n',
        b"\xff\xfe\n",
    ],
)
def test_bad_requests_get_an_error(tmp_path: Path, line: bytes) -> None:
    """And change nothing."""

    async def body(served: Served) -> None:
        (answer,) = await served.ask(line)
        assert list(answer) == ["error"]

    assert serve(tmp_path, body).asked == []


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
