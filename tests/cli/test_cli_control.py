"""``status`` and ``watch`` against a real socket that speaks the agent's language."""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from socket_server import agent

from agent.cli import status, watch
from agent.cli.control_client import EventLine, RefusedError, UnreachableError, as_snapshot, ask
from agent.cli.control_client import watch as watch_socket
from agent.core.codes import Code, Severity
from agent.core.devices import DeviceKind, Says
from agent.core.site import UplinkKind
from agent.core.snapshot_types import DeviceView, FindingView, Health, Snapshot, UplinkView

FTTH = UplinkView(
    "ftth",
    "Fibre 1",
    UplinkKind.FTTH,
    Health.UP,
    0.0,
    "answers",
    True,
    True,
    True,
    None,
    None,
    8.0,
    0.0,
    0.0,
    (),
)
WELL = Snapshot(
    1, 10.0, 1.7e9, True, "demo", "Demo", True, None, None, None, None, Code.ALL_WELL, (FTTH,), (), ()
)
INFO = FindingView(Code.TARGET_PROBLEM, "1.1.1.1", "1.1.1.1", Severity.INFO, 0.0, {"target": "1.1.1.1"})
ALERT = FindingView(Code.BOX_HUNG, "ftth", "Fibre 1", Severity.ALERT, 0.0, {})
EVENT = {
    "id": "e1", "incident": None, "seq": 1, "code": "uplink_down", "severity": "warning", "subject": "ftth",
    "at": "2024-01-01T00:00:00Z", "clock": "synced", "args": {"why": "silent"},
    "text": {"fr": "Fibre 1 : en panne", "en": "Fibre 1: down"},
}  # fmt: skip


def line(answer: object) -> bytes:
    return msgspec.json.encode(answer) + b"\n"


def picture(shot: Snapshot) -> bytes:
    return line({"snapshot": msgspec.to_builtins(shot)})


def arguments(command: object, *given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)  # type: ignore[attr-defined]
    return parser.parse_args(given)


def run_status(path: Path, *given: str) -> int:
    return status.run(arguments(status, "--socket", str(path), "--lang", "fr", *given))


@pytest.mark.parametrize(
    ("shot", "code"),
    [
        (WELL, 0),
        (replace(WELL, findings=(INFO,)), 0),
        (replace(WELL, findings=(ALERT,)), 1),
        (replace(WELL, uplinks=(replace(FTTH, health=Health.DEGRADED),)), 1),
        (replace(WELL, uplinks=(replace(FTTH, health=Health.UNKNOWN),)), 1),
    ],
    ids=["well", "info only", "alert", "degraded", "unknown"],
)
def test_the_exit_code_of_status_tells_whether_all_is_well(
    shot: Snapshot, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 when all well, 1 when not; scripts need nothing else."""
    with agent(tmp_path / "s", lambda _: [picture(shot)]) as path:
        assert run_status(path) == code
    assert "Fibre 1" in capsys.readouterr().out


def test_status_in_json_is_the_snapshot_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And gives the same picture back when read."""
    with agent(tmp_path / "s", lambda _: [picture(WELL)]) as path:
        assert run_status(path, "--json") == 0
    assert as_snapshot({"snapshot": json.loads(capsys.readouterr().out)}) == WELL


def test_status_without_an_agent_says_so_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the socket and what to look at."""
    assert run_status(tmp_path / "absent") == 2
    assert (
        f"no agent: {tmp_path / 'absent'} does not exist (systemctl status vigie)" in capsys.readouterr().err
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([], "hung up without an answer"),
        ([b"hello\n"], "not the agent's language"),
        ([b"[1]\n"], "not the agent's language"),
        ([line({"snapshot": {"seq": 1}})], "makes no sense to this version"),
        ([line({"error": "more than 16 clients"})], "more than 16 clients"),
    ],
)
def test_an_answer_that_is_none_is_exit_2(
    answer: list[bytes], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, whatever stands behind the socket."""
    with agent(tmp_path / "s", lambda _: answer) as path:
        assert run_status(path) == 2
    assert words in capsys.readouterr().err


def test_a_socket_that_nobody_serves_is_unreachable(tmp_path: Path) -> None:
    """As after a kill -9: the file is left, the agent is not."""
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "s"))
    left.close()
    with pytest.raises(UnreachableError, match="no agent answers"):
        asyncio.run(ask(tmp_path / "s", {"do": "status"}))


def test_watching_gives_pictures_and_events_until_the_end(tmp_path: Path) -> None:
    """The request says what is wanted; a torn last line is not a message."""
    asked: list[dict[str, object]] = []

    def answer(request: dict[str, object]) -> list[bytes]:
        asked.append(request)
        return [picture(WELL), line({"event": EVENT}), b'{"snap']

    async def gather(path: Path) -> list[Snapshot | EventLine]:
        return [message async for message in watch_socket(path)]

    with agent(tmp_path / "s", answer) as path:
        shot, event = asyncio.run(gather(path))
    assert asked == [{"do": "watch"}]
    assert shot == WELL
    assert isinstance(event, EventLine)
    assert (event.code, event.subject, event.args) == ("uplink_down", "ftth", {"why": "silent"})
    assert (event.text("fr"), event.text("xx")) == ("Fibre 1 : en panne", "uplink_down")


def test_watching_is_refused_in_the_agents_words(tmp_path: Path) -> None:
    """An error line is an error, not a message."""

    async def first(path: Path) -> object:
        return await anext(watch_socket(path))

    with (
        agent(tmp_path / "s", lambda _: [line({"error": "no"})]) as path,
        pytest.raises(RefusedError, match="no"),
    ):
        asyncio.run(first(path))


def test_watch_into_a_pipe_writes_a_line_for_each_event_and_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plain text; a second connection that is refused ends it."""
    down = replace(WELL, uplinks=(replace(FTTH, health=Health.DOWN, why="silent 12 s"),))
    answers = iter(
        [[picture(WELL), picture(WELL), line({"event": EVENT}), picture(down)], [line({"error": "enough"})]]
    )
    with agent(tmp_path / "s", lambda _: next(answers)) as path:
        code = watch.run(arguments(watch, "--socket", str(path), "--lang", "fr"))
    said = [text.split("  ", 1)[1] for text in capsys.readouterr().out.splitlines()]
    assert said == [
        "✓ Fibre 1: fonctionne (answers)",
        "Fibre 1 : en panne",
        "✗ Fibre 1: en panne (silent 12 s)",
        "l'agent ne répond pas",
    ]
    assert code == 2


def test_watch_into_a_pipe_tells_of_a_device_on_news(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line at first, when it falls silent, and after the agent was gone; none for figures that move."""
    says = Says("ftth", heard=True, rx_dbm=-21.3)
    box = DeviceView("ont", "Box", "ftth", DeviceKind.BOX, 9.0, True, 9.0, says)
    moved = replace(box, says=replace(says, rx_dbm=-21.4))
    silent = replace(box, heard=False, says=Says("ftth", heard=False, why="no route"))
    shots = [replace(WELL, devices=(device,)) for device in (box, moved, silent, silent)]
    answers = iter([[picture(shot) for shot in shots], [picture(shots[-1])], [line({"error": "enough"})]])
    with agent(tmp_path / "s", lambda _: next(answers)) as path:
        watch.run(arguments(watch, "--socket", str(path), "--lang", "en"))
    said = [text.split("  ", 1)[1] for text in capsys.readouterr().out.splitlines()]
    assert said == [
        "✓ Fibre 1: works (answers)",
        "  Box  light -21.3 dBm",
        "  Box  does not answer, last answer 1 s ago: no route",
        "the agent does not answer",
        "✓ Fibre 1: works (answers)",
        "  Box  does not answer, last answer 1 s ago: no route",
        "the agent does not answer",
    ]


def test_watch_without_an_agent_says_so_and_exits_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It does not wait for an agent that was never there."""
    assert watch.run(arguments(watch, "--socket", str(tmp_path / "absent"))) == 2
    assert "does not exist" in capsys.readouterr().err
