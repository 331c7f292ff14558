"""The page on the local network as a part of the agent: its history, its restart, and what it loads."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import pytest

from agent.config.reader import parse
from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.model import Event
from agent.core.snapshot_types import Snapshot
from agent.lan_page import LanPage
from agent.runtime.board import Board
from agent.runtime.history import History
from agent.runtime.past import past_events
from agent.runtime.store import Store
from agent.runtime.store_codec import TroubleError

MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
NOW = Now(100.0, 1.7e9, True, "boot")
OPENED = Event(Code.INCIDENT_OPENED, "ftth", Severity.ALERT, "i1", {"label": "Fibre", "finding": "line_down"})


def store(folder: Path, *events: Event) -> Store:
    """A state folder with these events on the disk."""
    made = Store.open(folder, NOW)
    made.append([(event, NOW) for event in events])
    return made


def test_past_events_are_read_beside_the_open_store(tmp_path: Path) -> None:
    """The newest, oldest first, also those that are in the log alone; and the store goes on writing."""
    kept = store(tmp_path, *(Event(Code.UPLINK_UP, f"u{number}", Severity.INFO) for number in range(5)))
    assert [recorded.event.subject for recorded in past_events(tmp_path, 3)] == ["u2", "u3", "u4"]
    (written,) = kept.append([(OPENED, NOW)])
    assert past_events(tmp_path, 1) == [written]
    kept.close()


def test_an_event_that_makes_no_sense_is_left_out(tmp_path: Path) -> None:
    """The others are still told."""
    store(tmp_path, OPENED, OPENED).close()
    with sqlite3.connect(tmp_path / "vigie.db") as db:
        db.execute("UPDATE events SET body = '{' WHERE seq = 1")
    db.close()
    assert [recorded.seq for recorded in past_events(tmp_path, 10)] == [2]


@pytest.mark.parametrize("content", [None, b"not a database" * 100])
def test_a_history_that_cannot_be_read_is_trouble_of_one_kind(tmp_path: Path, content: bytes | None) -> None:
    """And nothing is made where there was nothing."""
    if content is not None:
        (tmp_path / "vigie.db").write_bytes(content)
    with pytest.raises(TroubleError):
        past_events(tmp_path, 10)
    assert (tmp_path / "vigie.db").exists() is (content is not None)


async def _answer(port: int) -> bytes:
    """The page, once somebody serves it."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.005)
            continue
        writer.write(b"GET /fr HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer


def test_the_part_serves_history_and_present_and_can_be_run_again(
    tmp_path: Path, example_snapshot: Callable[..., Snapshot]
) -> None:
    """After a failure it goes on with what it knew, without reading the disk anew."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = parse(f'{MINIMAL}\n[panel]\nweb = "127.0.0.1:{port}"\n')

    async def run() -> list[bytes]:
        disk, board = ThreadPoolExecutor(1), Board()
        history = History(store(tmp_path, OPENED), disk, board, lambda part: None)
        board.publish(example_snapshot())
        part = LanPage(config, tmp_path, history, board, lambda: 1000.0)
        got = []
        for _ in range(2):
            task = asyncio.create_task(part.run())
            async with asyncio.timeout(20):
                got.append(await _answer(port))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            (tmp_path / "vigie.db").unlink(missing_ok=True)
        await history.close()
        disk.shutdown()
        return got

    for answer in asyncio.run(run()):
        assert answer.startswith(b"HTTP/1.1 200")
        assert "Ligne coupée (Fibre)".encode() in answer


def test_the_agent_without_the_page_loads_nothing_of_it() -> None:
    """Neither the library nor our own modules cost memory where nobody asked for the page."""
    code = (
        "import sys, agent.app; print(*[m for m in sys.modules if m.startswith(('h11', 'agent.sinks.web'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
