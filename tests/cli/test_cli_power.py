"""``vigie power`` against a real agent's control socket, and its parts."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from conftest import make_box, make_snapshot
from hypothesis import given
from hypothesis import strategies as st
from office import BOX, Office, at_work
from socket_server import agent

from agent.cli import main, power, words
from agent.cli.durations import parse
from agent.cli.power import Follower, countdown, status, status_lines
from agent.cli.who import login_name
from agent.core.snapshot_types import Phase
from agent.text import LANGUAGES


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with at_work(tmp_path) as office:
        yield office


def vigie(office: Office | Path, *given: str) -> int:
    path = office if isinstance(office, Path) else office.path
    return main.main(["power", *given, "--socket", str(path), "--lang", "en"])


def wait(fact: object) -> None:
    assert callable(fact)
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


# --- cycle ------------------------------------------------------------------------------------------------


def test_a_cycle_that_helps_is_followed_to_its_end(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into a pipe a plain line for each event, exit code 0."""
    office.pulled.add("ftth")
    wait(lambda: office.board.latest is not None and office.board.latest.uplinks[0].health == "down")
    assert vigie(office, "cycle", BOX, "--by", "Anne") == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert lines[0] == "Box ftth: Vigie is going to restart this box (“Cable or plug”), asked for by: Anne."
    assert "power cut" in lines[1]
    assert "power restored" in lines[2]
    assert "internet is back" in lines[3]
    assert "\r" not in said.out
    assert office.coils[BOX].history == [True, False]


def test_a_cycle_that_does_not_help_is_exit_1(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, one object with the outcome."""
    office.cures = False
    office.pulled.add("ftth")
    wait(lambda: office.board.latest is not None and office.board.latest.uplinks[0].health == "down")
    assert vigie(office, "cycle", BOX, "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["ok"], result["outcome"]) == (True, "cycle_did_not_help")


def test_a_refusal_says_why_and_what_could_be_done(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is cut, exit code 1; the way around is named where there is one."""
    assert vigie(office, "cycle", BOX) == 1
    assert capsys.readouterr().out == (
        "Box ftth: no restart, this connection works. "
        "Whoever is on site and knows better can override this with --force.\n"
    )
    assert vigie(office, "cycle", "livebox") == 1
    assert capsys.readouterr().out == 'no box "livebox"; there are: box-ftth, box-fibre2\n'
    assert vigie(office, "cycle", BOX, "--json") == 1
    assert json.loads(capsys.readouterr().out) == {
        "ok": False,
        "reason": "works",
        "for_s": None,
        "order": None,
    }
    assert office.coils[BOX].history == []


def test_what_force_cannot_override_is_not_advertised(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """While one box is being restarted, another one has to wait; the end is told."""
    assert vigie(office, "cycle", BOX, "--force", "--no-wait") == 0
    assert capsys.readouterr().out == "box-ftth: restart accepted (order run-1).\n"
    assert vigie(office, "cycle", "box-fibre2", "--force") == 1
    said = capsys.readouterr().out
    assert re.fullmatch(
        r"Box fibre2: no restart, another box is already restarting\. Possible in \d s\.\n", said
    )


def test_a_terminal_sees_the_countdown(office: Office) -> None:
    """It is taken away again before each line, and at the end."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    follower = Follower("en", stream)
    cut = make_snapshot(boxes=(make_box(phase=Phase.CUT, until=1008.0),))
    follower.picture(cut)
    follower.tick()
    follower.line("Power cut.")
    follower.picture(replace(cut, boxes=(make_box(phase=Phase.POWERED),)))
    follower.tick()
    follower.clear()
    assert stream.getvalue() == "Box ftth: without power, 8 s left\r\x1b[KPower cut.\n"


def test_the_power_is_given_back_for_the_asking(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """Safe for a box that has it, refused for one that is none."""
    assert vigie(office, "restore", BOX) == 0
    assert vigie(office, "restore", "nothing") == 1
    assert "no box" in capsys.readouterr().out


# --- hold and release -------------------------------------------------------------------------------------


def test_hold_and_release(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    """The status tells it, and its exit code too."""
    assert vigie(office, "hold", "--for", "1h30", "--by", "Anne") == 0
    assert capsys.readouterr().out == "Automatic restarts are on hold for 1 h 30 min.\n"
    assert vigie(office, "status") == 1
    assert "held by a person" in capsys.readouterr().out
    assert vigie(office, "status", "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["unarmed_why"] == "hold"
    assert 5390 < shown["hold_for_s"] <= 5400
    assert vigie(office, "release") == 0
    assert capsys.readouterr().out == "Automatic restarts are allowed again.\n"
    assert vigie(office, "status") == 0


def test_a_hold_that_is_too_long_is_refused_with_what_is_allowed(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    """The agent decides that, not the command."""
    assert vigie(office, "hold", "--for", "25h") == 1
    assert capsys.readouterr().out == "No hold: a pause lasts 24 h at most.\n"
    assert vigie(office, "hold", "--for", "1d") == 0


# --- what cannot be done ----------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", [("status",), ("cycle", BOX), ("restore", BOX), ("hold",), ("release",)])
def test_without_an_agent_it_says_so(
    deed: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and what to look at."""
    assert vigie(tmp_path / "absent", *deed) == 2
    assert "no agent" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [(), ("explode",), ("cycle",), ("hold", "--for", "2"), ("hold", "--for", "soon")]
)
def test_bad_usage_is_exit_2(given: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is asked."""
    with pytest.raises(SystemExit) as end:
        main.main(["power", *given])
    assert end.value.code == 2
    assert "usage: vigie power" in capsys.readouterr().err


def test_an_agent_that_dies_in_the_middle_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2: nobody knows what came of it; the relay gives the power back by itself."""
    codes: list[int] = []
    with at_work(tmp_path) as office:
        asking = threading.Thread(target=lambda: codes.append(vigie(office, "cycle", BOX, "--force")))
        asking.start()
        wait(lambda: office.coils[BOX].energised)
    asking.join(20)
    assert codes == [2]
    assert "the agent has gone in the middle of a restart" in capsys.readouterr().err
    assert office.coils[BOX].history == [True, False]


def test_an_older_outcome_is_not_taken_for_that_of_the_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is still on its way when the order is given belongs to another cycle."""

    def event(code: str) -> bytes:
        return json.dumps({"event": {"code": code, "subject": BOX, "severity": "info", "text": {}}}).encode()

    picture = msgspec.json.encode({"snapshot": make_snapshot()})
    watched = [picture, *map(event, ("cycle_helped", "cycle_ordered", "cycle_did_not_help"))]
    accepted = [b'{"ok": true, "reason": null, "for_s": null, "order": "run-2"}']

    def answer(request: dict[str, object]) -> list[bytes]:
        return [line + b"\n" for line in (watched if request["do"] == "watch" else accepted)]

    with agent(tmp_path / "s", answer) as path:
        assert vigie(path, "cycle", BOX, "--json") == 1
    assert json.loads(capsys.readouterr().out)["outcome"] == "cycle_did_not_help"


# --- pictures ---------------------------------------------------------------------------------------------


def test_the_status_has_a_row_for_each_box() -> None:
    """State, countdown, count, and why a wanted restart does not happen."""
    shot = make_snapshot(
        boxes=(
            make_box("ont", phase=Phase.CUT, until=1004.2, cycles_today=2, proven_at=1_699_963_200.0),
            make_box("dish", "starlink", refusal="spacing", refused_until=1120.0),
            make_box("modem", "cellular", wired=False),
        )
    )
    assert status_lines(shot, "fr") == [
        "redémarrage automatique armé",
        "box                   état                 redémarrages en 24 h  relais essayé",
        "Box ftth (ont)        coupée (encore 5 s)  2                     2023-11-14",
        "Box starlink (dish)   sous tension         0                     jamais",
        "Box cellular (modem)  sans relais          –                     –",
        "⏸ Box starlink\u00a0: pas de redémarrage\u00a0: dernier essai trop récent (encore 2 min)",
    ]
    boxes = status(shot)["boxes"]
    assert boxes[0]["proven_at"] == "2023-11-14T12:00:00Z"
    assert boxes[1]["refused_for_s"] == 120.0


def test_a_site_without_boxes_says_so() -> None:
    """Rather than an empty table."""
    shot = make_snapshot(boxes=(), armed=False, unarmed_why="no_relay")
    assert status_lines(shot, "en")[-1] == "no box in the configuration"


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (make_box(phase=Phase.ORDERED), "Box ftth: about to be cut"),
        (make_box(phase=Phase.CUT, until=1009.1), "Box ftth: without power, 10 s left"),
        (make_box(phase=Phase.CUT, until=999.0), "Box ftth: without power, 0 s left"),
        (make_box(phase=Phase.BOOTING, until=1080.0), "Box ftth: booting, about 1 min 20 s left"),
        (make_box(phase=Phase.BOOTING, until=999.0), "Box ftth: booting, slower than expected"),
    ],
)
def test_the_countdown_of_each_phase(box: object, said: str) -> None:
    """A cut counts to its end, a boot may take longer."""
    assert countdown(box, 1000.0, "en") == said  # type: ignore[arg-type]


# --- durations, names, words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2h", 7200),
        ("90min", 5400),
        ("90m", 5400),
        ("45s", 45),
        ("1h30", 5400),
        ("1 h 30 min", 5400),
        ("1H05", 3900),
        ("1d", 86400),
        ("1j", 86400),
        (" 1h 2min 3s ", 3723),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: float) -> None:
    """In French and in English."""
    assert parse(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "2", "0h", "h", "-1h", "1.5h", "2h 3h", "3min 1h", "1h60", "2 weeks", "1e3s"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Nothing is guessed: a number alone may be minutes or hours."""
    with pytest.raises(ValueError, match="not a duration"):
        parse(text)


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    """And never anything else."""
    with contextlib.suppress(ValueError):
        assert parse(text) > 0


@given(st.integers(0, 99), st.integers(0, 59), st.integers(0, 59))
def test_a_written_duration_is_read_back(hours: int, minutes: int, seconds: int) -> None:
    """Whatever parts it has."""
    total = hours * 3600 + minutes * 60 + seconds
    parts = [f"{n}{u}" for n, u in ((hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    if total:
        assert parse(" ".join(parts)) == total


def test_the_person_behind_sudo_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not root; and a user without a name is a number."""
    assert login_name({"SUDO_USER": "anne"}) == "anne"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert login_name({})
    monkeypatch.setattr("getpass.getuser", lambda: (_ for _ in ()).throw(KeyError("uid")))
    assert re.fullmatch(r"uid \d+", login_name({}))


def test_the_words_are_complete_in_both_languages() -> None:
    """With the same holes."""
    for key, entry in words.table().items():
        assert set(entry) == set(LANGUAGES), key
        holes = {language: sorted(re.findall(r"\{(\w+)\}", text)) for language, text in entry.items()}
        assert holes["fr"] == holes["en"], key


def test_the_options_of_every_deed_are_parsed() -> None:
    """``--by`` where a person acts, not where one looks."""
    parser = argparse.ArgumentParser()
    power.add_arguments(parser)
    assert parser.parse_args(["cycle", "x", "--by", "Anne"]).by == "Anne"
    assert not hasattr(parser.parse_args(["status"]), "by")
