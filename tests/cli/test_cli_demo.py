"""``vigie demo``: its stages, its refusals, and whole plays in the virtual bay."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from agent.cli import demo
from agent.cli.control_client import EventLine
from agent.cli.stage import HeadlessStage, LiveStage
from agent.cli.timeline import deed_text
from agent.core.codes import Code
from agent.core.site import UplinkKind
from agent.core.snapshot_types import Health, Snapshot, UplinkView
from hardware.virtual.scenario import Deed, Scenario, ScenarioUplink

T = TypeVar("T")

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
HANG = Deed("hang", 5.0, "ftth", {"mode": "frozen"}, say={"fr": "La box se fige", "en": "The box hangs"})
PULL = Deed("pull", 9.0, "ftth")
STORY = Scenario(
    "story",
    {"fr": "Titre", "en": "Title"},
    {"fr": "Texte", "en": "Text"},
    30.0,
    (ScenarioUplink("ftth", "Fibre 1", "ftth", "wan0", "op"),),
    (HANG, PULL),
    (),
    (),
)
EVENT = EventLine(
    {
        "id": "e1",
        "code": "uplink_down",
        "severity": "warning",
        "subject": "ftth",
        "args": {},
        "text": {"fr": "panne", "en": "down"},
    }
)


def test_the_stream_begins_with_the_scenario_and_ends_with_the_verdict() -> None:
    """Between them one line for each thing that happened, with its time since the start."""
    progress, stream = io.StringIO(), io.StringIO()
    stage = HeadlessStage(STORY, "en", progress, stream)

    async def play() -> None:
        async with stage.open():
            stage.picture(0.0, WELL)
            stage.deed(5.01, HANG)
            stage.event(14.5, EVENT)
            stage.agent_gone()

    asyncio.run(play())
    stage.verdict(["it went wrong"])
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert lines[0] == {"t": 0, "scenario": "story", "duration_s": 30.0}
    assert lines[1] == {"t": 5.01, "deed": "hang", "on": "ftth", "args": {"mode": "frozen"}}
    assert lines[2] == {"t": 14.5, **EVENT.raw}
    assert (lines[3]["verdict"], lines[3]["failures"]) == ("failed", ["it went wrong"])
    assert len(lines) == 4
    assert [line.strip() for line in progress.getvalue().splitlines()] == [
        "Title (30 s)",
        "Text",
        "0.0 s    Fibre 1: works (answers)",
        "5.0 s  ▶ The box hangs",
        "14.5 s  down",
        "the agent does not answer",
    ]


def test_a_deed_without_words_is_told_by_its_name() -> None:
    """An installer's own scenario need not be a poem."""
    assert deed_text(STORY, HANG, "fr") == "La box se fige"
    assert deed_text(STORY, PULL, "fr") == "pull Fibre 1"


def test_the_live_stage_leaves_the_timeline_behind(capsys: pytest.CaptureFixture[str]) -> None:
    """The alternate screen vanishes; what happened must stay readable."""
    stage = LiveStage(STORY, "fr")
    stage.picture(0.0, WELL)
    stage.deed(5.0, HANG)
    stage.event(14.5, EVENT)
    stage.verdict([])
    said = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[-1] for line in said] == ["▶ La box se fige", "panne"]


# --- refusals -----------------------------------------------------------------------------------------------


def run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    return demo.run(parser.parse_args(given))


def test_an_unknown_scenario_is_exit_2_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is built for a typing error."""
    assert run("box_hugn") == 2
    assert "there are: box_hung, " in capsys.readouterr().err


def test_the_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    """With duration and title."""
    assert run("--list", "--lang", "en") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["box_hung", "68", "s", "Hung", "box"]
    assert len(lines) >= 11


def test_a_machine_without_ip_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Instead of a traceback from the depths of the bay."""
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "ip" else f"/bin/{name}")
    assert run() == 2
    assert "apt install iproute2" in capsys.readouterr().err


def test_a_scenario_for_the_core_is_played_at_once_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    """No namespaces, no waiting: what happened when, and the verdict."""
    assert run("hung_box", "--lang", "en") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Hung box"
    assert any(line.endswith("▶ The fibre's box hangs") for line in lines)
    assert lines[-1] == "Passed: everything that had to be seen was seen."


def test_a_scenario_for_the_core_that_goes_wrong_is_exit_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what was not seen."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'plays = "core"\nduration_s = 5\ntitle = { fr = "a", en = "a" }\ntext = { fr = "a", en = "a" }\n'
        '[[uplink]]\nname = "ftth"\n[[expect]]\nevent = "box_cut"\n',
        encoding="utf-8",
    )
    assert run(str(path), "--lang", "en") == 1
    assert "  - event box_cut must be seen, was seen never" in capsys.readouterr().out
    assert run(str(path), "--json") == 2
    assert "plays the core alone" in capsys.readouterr().err


def test_a_code_that_no_agent_says_is_exit_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is played."""
    path = tmp_path / "mine.toml"
    path.write_text(
        'duration_s = 5\ntitle = { fr = "a", en = "a" }\ntext = { fr = "a", en = "a" }\n'
        '[[uplink]]\nname = "ftth"\n[[never]]\nevent = "box_cutt"\n',
        encoding="utf-8",
    )
    assert run(str(path)) == 2
    assert "mine.toml: event: 'box_cutt' is unknown; did you mean 'box_cut'?" in capsys.readouterr().err


def test_a_folder_with_an_earlier_play_is_not_used_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its cycles would count against the budget of the new play."""
    (tmp_path / "vigie.toml").touch()
    assert run("--keep", str(tmp_path)) == 2
    assert "holds an earlier play" in capsys.readouterr().err


# --- whole plays --------------------------------------------------------------------------------------------

SHORT = """
duration_s = 9
title = { fr = "Court", en = "Short" }
text = { fr = "Un câble", en = "A cable" }
[[uplink]]
name = "ftth"
label = "Fibre 1"
[[uplink]]
name = "cellular"
kind = "cellular"
[[do]]
at_s = 4
what = "pull"
on = "ftth"
name = "pull"
[[expect]]
event = "uplink_down"
subject = "ftth"
after = "pull"
by_s = 3
[[expect]]
health = "up"
uplink = "cellular"
[[expect]]
health = "{health}"
uplink = "ftth"
"""


def start(folder: Path, *given: str) -> subprocess.Popen[str]:
    """The command, in a process group of its own, with its own place for temporary folders."""
    environment = {**os.environ, "TMPDIR": str(folder), "LC_ALL": "en_GB.UTF-8"}
    command = [sys.executable, "-m", "agent", "demo", *given]
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def children(pid: int) -> list[int]:
    """Every living descendant."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found + [grandchild for child in found for grandchild in children(child)]


@pytest.mark.bay
@pytest.mark.parametrize(("health", "code", "verdict"), [("down", 0, "passed"), ("up", 1, "failed")])
def test_a_play_is_judged_by_the_exit_code_and_the_last_line(
    health: str, code: int, verdict: str, tmp_path: Path
) -> None:
    """The real agent in the bay, seen only through its socket."""
    story = tmp_path / "short.toml"
    story.write_text(SHORT.replace("{health}", health), encoding="utf-8")
    process = start(tmp_path, str(story), "--headless", "--json")
    out, err = process.communicate(timeout=60)
    lines = [json.loads(line) for line in out.splitlines()]
    assert process.returncode == code, err
    assert (lines[0]["scenario"], lines[-1]["verdict"]) == ("short", verdict)
    assert "uplink_down" in [line.get("code") for line in lines]
    assert [path.name for path in tmp_path.iterdir()] == ["short.toml"]


def wait_for(what: Callable[[], T]) -> T:
    """What ``what`` finds, as soon as it finds something."""
    deadline = time.monotonic() + 20
    while not (found := what()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return found


def agents(pid: int) -> list[int]:
    """The agents among the descendants."""
    return [child for child in children(pid) if b"run" in command_line(child)]


@pytest.mark.bay
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", ["while it starts", "while it plays"])
def test_a_signal_ends_the_demo_without_a_trace(number: signal.Signals, when: str, tmp_path: Path) -> None:
    """During the start as in the middle: exit 130, no process and no folder left."""
    process = start(tmp_path, "box_hung", "--headless")
    wait_for(lambda: list(tmp_path.iterdir()))
    if when == "while it plays":
        assert process.stderr is not None
        wait_for(lambda: process.stderr is not None and " 0.0 s " in process.stderr.readline())
        assert agents(process.pid)
    started = children(process.pid)
    process.send_signal(number)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.bay
def test_an_agent_that_dies_by_itself_is_told_with_its_last_words(tmp_path: Path) -> None:
    """A demo that just stands still would explain nothing."""
    story = tmp_path / "short.toml"
    story.write_text(SHORT.replace("{health}", "down"), encoding="utf-8")
    kept = tmp_path / "kept"
    process = start(tmp_path, str(story), "--headless", "--keep", str(kept))
    wait_for(lambda: (kept / "run" / "control.sock").exists())
    os.kill(agents(process.pid)[0], signal.SIGKILL)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "the agent died (exit code -9)" in err
    assert (kept / "vigie.toml").exists()
    assert (kept / "agent.log").exists()


def command_line(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []
