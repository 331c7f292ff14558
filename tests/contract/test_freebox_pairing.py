"""Pairing with a Freebox: a person says yes on its display, and the token is kept where only we read it."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardware import freebox_pairing
from hardware.freebox import Freebox
from hardware.freebox_pairing import PATIENCE_S, Grant, Pairing, keep, main, pair
from hardware.ports import HardwareError, LoginRefusedError
from hardware.virtual.box_server import Answer, Fault, FaultKind
from hardware.virtual.freebox import VirtualFreebox


@pytest.fixture
def box() -> Iterator[VirtualFreebox]:
    built = VirtualFreebox()
    yield built
    built.stop()


class Person:
    """Stands before the box; each wait of the command is a second of hers."""

    def __init__(self, then: Callable[[], None], after_s: int) -> None:
        self._then = then
        self._after_s = after_s
        self.now_s = 0.0

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        if self.now_s == self._after_s:
            self._then()

    def clock(self) -> float:
        return self.now_s


def test_a_person_says_yes(box: VirtualFreebox, tmp_path: Path) -> None:
    """The token is in the file, readable by this user alone, and opens the box for reading."""
    path = tmp_path / "freebox.token"
    person = Person(box.press, 3)
    assert pair(box.endpoint(), path, clock=person.clock, wait=person.wait) is Grant.GRANTED
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["freebox.token"]
    assert Freebox(box.endpoint(), path.read_text().strip()).read().line_up is True
    question = json.loads(box.server.requests[1].body)
    assert (question["app_id"], question["app_name"]) == ("fr.vigie", "Vigie")


@pytest.mark.parametrize(("answer", "grant"), [("denied", Grant.DENIED), ("timeout", Grant.TIMEOUT)])
def test_a_person_says_no_or_nothing(box: VirtualFreebox, tmp_path: Path, answer: str, grant: Grant) -> None:
    """Nothing is kept, and an old token stays what it was."""
    path = tmp_path / "freebox.token"
    keep(path, "old")
    person = Person(lambda: box.press(answer), 2)
    assert pair(box.endpoint(), path, clock=person.clock, wait=person.wait) is grant
    assert path.read_text() == "old\n"


def test_nobody_is_there(box: VirtualFreebox, tmp_path: Path) -> None:
    """The command gives up after its own patience."""
    person = Person(lambda: None, 1)
    path = tmp_path / "freebox.token"
    assert pair(box.endpoint(), path, clock=person.clock, wait=person.wait) is Grant.PENDING
    assert person.now_s == pytest.approx(PATIENCE_S, abs=1.0)
    assert not path.exists()


def test_a_token_that_nobody_granted_opens_nothing(box: VirtualFreebox) -> None:
    """Before the press the box says "pending"; that counts as a refusal."""
    pairing = Pairing(box.endpoint(), "test")
    assert pairing.grant() is Grant.PENDING
    with pytest.raises(LoginRefusedError, match="nobody has granted"):
        Freebox(box.endpoint(), pairing.token).read()


def test_a_place_that_cannot_be_written_is_found_before_anybody_walks(
    box: VirtualFreebox, tmp_path: Path
) -> None:
    """The question is put only when the answer can be kept."""
    with pytest.raises(OSError, match="nowhere"):
        pair(box.endpoint(), tmp_path / "nowhere" / "freebox.token")
    assert box.server.requests == []


def test_a_token_is_kept_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up leaves the old token and no half of the new one."""
    path = tmp_path / "freebox.token"
    keep(path, "old")

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        keep(path, "new")
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["old\n"]


@pytest.mark.parametrize(
    "result", [{}, {"app_token": "a b\n", "track_id": 1}, {"app_token": "x", "track_id": "1"}]
)
def test_a_box_that_gives_no_token(box: VirtualFreebox, result: dict[str, object]) -> None:
    """Anything but a token and a number is an error."""
    plain = box.answer
    given = Answer(json.dumps({"success": True, "result": result}).encode())
    box.server.answer = lambda request: given if request.method == "POST" else plain(request)
    with pytest.raises(HardwareError):
        Pairing(box.endpoint(), "test")


def test_a_state_of_the_future_is_an_error(box: VirtualFreebox) -> None:
    """An unknown answer is not taken for a yes."""
    pairing = Pairing(box.endpoint(), "test")
    box.press("perhaps")
    with pytest.raises(HardwareError, match="unknown state"):
        pairing.grant()


def test_the_command_says_what_to_do(
    box: VirtualFreebox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In French and English, with an exit code, and without ever printing the token."""
    monkeypatch.setattr(freebox_pairing, "Endpoint", lambda _: box.endpoint())
    path = tmp_path / "freebox.token"
    person = Person(box.press, 1)
    monkeypatch.setattr(
        freebox_pairing, "pair", lambda e, p: pair(e, p, clock=person.clock, wait=person.wait)
    )
    assert main(["192.168.0.254", str(path)]) == 0
    said = capsys.readouterr()
    assert "acceptez « Vigie »" in said.out
    assert "Granted" in said.out
    assert path.read_text().strip() not in said.out + said.err
    box.server.fault = Fault(FaultKind.HTML)
    assert main(["192.168.0.254", str(path)]) == 1
    assert "web page instead of JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["192.168.0.254"], ["mafreebox.freebox.fr", "token"], ["a", "b", "c"]]
)
def test_bad_usage_is_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """An address and a file, nothing else."""
    assert main(arguments) == 2
    assert "ADDRESS FILE" in capsys.readouterr().err
