"""``vigie signal`` from end to end: a real modem driver, watched, on a real control socket or alone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import pty
import socket as sockets
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from modem_ground import AtRig, HiLinkRig
from socket_server import agent

from agent.cli import control_client, signal
from agent.core.devices import Says
from agent.probes.devices import DeviceWatcher
from agent.runtime.board import Board
from agent.runtime.control import ControlSocket
from agent.runtime.signals import Signals, Source
from agent.runtime.trial import Trials
from hardware.virtual.at_modem import VirtualAtModem
from hardware.virtual.at_scripts import SCRIPTS

CONFIG = """
[site]
name = "dijon"
[[uplink]]
name = "lte"
interface = "lo"
kind = "cellular"
targets = ["1.1.1.1", "9.9.9.9"]
[[modem]]
name = "backup"
label = "Modem 4G"
uplink = "lte"
driver = "at"
device = "{device}"
"""


def control(path: Path, modems: dict[str, Source]) -> ControlSocket:
    async def nothing() -> dict[str, object]:
        return {}

    async def nobody(*_: object, **__: object) -> None:
        raise TimeoutError

    return ControlSocket(
        path,
        Board(),
        nobody,  # type: ignore[arg-type]
        time.monotonic,
        lambda _: {},
        nothing,
        Trials(),
        Signals(modems),
    )


@contextlib.contextmanager
def bay(path: Path, *rigs: AtRig | HiLinkRig) -> Iterator[list[DeviceWatcher]]:
    """Watchers and the control socket in a thread of their own, as another process would be."""
    ready, leave = threading.Event(), threading.Event()
    watchers: list[DeviceWatcher] = []

    async def work() -> None:
        for number, rig in enumerate(rigs, 1):
            watchers.append(DeviceWatcher(f"lte{number}", rig.modem, lambda _says: None))
        names = {f"modem{number}": Source(f"Modem {number}", one) for number, one in enumerate(watchers, 1)}
        tasks = [asyncio.create_task(one.run()) for one in (control(path, names), *watchers)]
        while not await asyncio.to_thread(path.exists):
            await asyncio.sleep(0.005)
        ready.set()
        await asyncio.to_thread(leave.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for watcher in watchers:
            await watcher.close()

    thread = threading.Thread(target=lambda: asyncio.run(work()))
    thread.start()
    try:
        assert ready.wait(20)
        yield watchers
    finally:
        leave.set()
        thread.join(20)
        for rig in rigs:
            rig.close()


def run(*given: str) -> int:
    parser = argparse.ArgumentParser()
    signal.add_arguments(parser)
    return signal.run(parser.parse_args(["--lang", "fr", *given]))


def eventually(fact: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.01)


# --- with an agent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rig", [lambda: AtRig("quectel"), HiLinkRig], ids=["at", "hilink"])
def test_a_reading_comes_from_the_modem_through_the_agent(
    rig: Callable[[], AtRig | HiLinkRig], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one JSON object a line, with the very figures of the modem."""
    device = rig()
    device.set(rsrp_dbm=-93, sinr_db=11)
    with bay(tmp_path / "s", device):
        assert run("--socket", str(tmp_path / "s"), "--json", "--count", "2") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 2
    for line in lines:
        assert (line["modem"], line["rsrp_dbm"], line["strength"]) == ("modem1", -93.0, "fair")
        assert abs(line["sinr_db"] - 11) <= 1
        assert (line["band"], line["network"], line["operator"]) == ("B20", "4G", "Exemple Mobile")


def test_into_a_pipe_it_writes_plain_lines_and_what_came_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Word and figures in the language asked for, no control characters; with --name a place too."""
    device = AtRig("quectel")
    device.set(rsrp_dbm=-93, sinr_db=14)
    record = tmp_path / "r.jsonl"
    with bay(tmp_path / "s", device):
        options = ("--socket", str(tmp_path / "s"), "--count", "1", "--record", str(record), "--name", "toit")
        assert run("modem1", *options) == 0
        assert run("modem1", *options) == 0
    out = capsys.readouterr().out
    assert "moyen  RSRP -93 dBm, SINR 14 dB  4G  B20" in out
    assert "meilleur : RSRP -93 dBm" in out
    assert "\x1b" not in out
    kept = [json.loads(line) for line in record.read_text().splitlines()]
    assert [(line["kind"], line["place"]) for line in kept] == [
        ("place", "toit"),
        ("reading", "toit"),
        ("place", "toit 2"),
        ("reading", "toit 2"),
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((), "plusieurs modems, lequel ? vigie signal NOM, avec : modem1 (Modem 1), modem2 (Modem 2)"),
        (("starlink",), "pas de modem « starlink » ; il y a : modem1 (Modem 1), modem2 (Modem 2)"),
    ],
)
def test_a_modem_that_is_not_clear_is_asked_for_with_the_choice(
    given: tuple[str, ...], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two modems without a name, or a name that none has."""
    with bay(tmp_path / "s", AtRig("quectel"), AtRig("simcom")):
        assert run(*given, "--socket", str(tmp_path / "s"), "--count", "1") == 2
    assert words in capsys.readouterr().err


def test_a_site_without_a_modem_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And what the configuration needs."""
    with bay(tmp_path / "s"):
        assert run("--socket", str(tmp_path / "s")) == 2
    assert "[[modem]]" in capsys.readouterr().err


def test_a_modem_that_never_answers_is_an_error_that_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After three tries, exit code 1; the driver's own reason is in it."""
    device = AtRig("quectel")
    device.unplug()
    with bay(tmp_path / "s", device):
        assert run("--socket", str(tmp_path / "s"), "--json") == 1
    told = capsys.readouterr()
    assert "Modem 1: Le modem ne répond pas." in told.err
    assert "does not exist" in told.err
    assert "Vérifier qu'il est branché" in told.err
    assert [json.loads(line)["heard"] for line in told.out.splitlines()] == [False] * 3


def test_an_agent_that_goes_ends_it_with_what_came_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, after the summary."""
    says = {"uplink": "lte", "heard": True, "radio": {"rsrp_dbm": -93, "sinr_db": 14}}
    answer = [{"ok": True, "modem": "m", "label": "M"}, {"says": says}]
    with agent(tmp_path / "s", lambda _: [json.dumps(line).encode() + b"\n" for line in answer]) as path:
        assert run("--socket", str(path)) == 2
    told = capsys.readouterr()
    assert "l'agent a disparu" in told.err
    assert "meilleur : RSRP -93 dBm, SINR 14 dB" in told.out


@pytest.mark.parametrize(
    "lines",
    [
        [b"[1]\n"],
        [b'{"x": 1}\n'],
        [b'{"ok": true, "modem": "m", "label": "M"}\n', b'{"says": {"heard": 7}}\n'],
        [],
    ],
)
def test_an_answer_that_is_none_is_exit_2(
    lines: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, whatever stands behind the socket."""
    with agent(tmp_path / "s", lambda _: lines) as path:
        assert run("--socket", str(path)) == 2
    assert capsys.readouterr().err.startswith("vigie signal: ")


# --- the attention ------------------------------------------------------------------------------------------


class Clock:
    """Monotonic seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, wait_s: float) -> None:
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.now + wait_s, waking))
        await waking

    async def advance(self, seconds: int) -> None:
        """Second by second; whatever is due in one is done before the next."""
        for _ in range(seconds):
            self.now += 1.0
            for at, waking in self._sleepers:
                if at <= self.now and not waking.done():
                    waking.set_result(None)
            await until(self.asleep)

    def asleep(self) -> bool:
        """Whoever uses this clock waits for it again."""
        self._sleepers = [one for one in self._sleepers if not one[1].done()]
        return bool(self._sleepers)


async def until(fact: Callable[[], bool]) -> None:
    """Wait for what another thread or task does."""
    async with asyncio.timeout(20):
        while not fact():
            await asyncio.sleep(0.001)


def test_the_modem_is_asked_each_second_only_while_a_client_stays(tmp_path: Path) -> None:
    """Through socket, watcher and driver; two clients count as one, and the last that goes ends it."""
    device = HiLinkRig()
    clock, heard = Clock(), list[Says]()

    async def body() -> None:
        watcher = DeviceWatcher("lte", device.modem, heard.append, lambda: clock.now, clock.sleep)
        serving = control(tmp_path / "s", {"m": Source("M", watcher)})
        tasks = [asyncio.create_task(serving.run()), asyncio.create_task(watcher.run())]
        await until(clock.asleep)
        await clock.advance(4)
        assert len(heard) == 1, "the first look, two seconds after the start"
        await clock.advance(10)
        assert len(heard) == 1, "nobody looks on"
        clients = []
        for _ in range(2):
            reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
            writer.write(b'{"do": "signal"}\n')
            assert json.loads(await reader.readline()) == {"ok": True, "modem": "m", "label": "M"}
            clients.append((reader, writer))
        await until(lambda: len(heard) == 2 and len(watcher._attended) == 2 and clock.asleep())
        await clock.advance(5)
        assert len(heard) == 2 + 5, "two who look on are no reason to ask twice"
        lines = [json.loads(await reader.readline()) for reader, _ in clients for _ in range(5)]
        assert all(line["says"]["radio"]["rsrp_dbm"] == -97.0 for line in lines)
        left = 2
        for _, writer in clients:
            assert len(watcher._attended) == left
            writer.close()
            left -= 1
            await until(lambda: len(watcher._attended) == left)  # noqa: B023 - called at once
            before = len(heard)
            await clock.advance(3)
            assert len(heard) - before == (3 if left else 0)
        before = len(heard)
        await clock.advance(20)
        assert len(heard) == before, "it is left in peace"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await watcher.close()

    try:
        asyncio.run(body())
    finally:
        device.close()


# --- without an agent ---------------------------------------------------------------------------------------


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[VirtualAtModem]:
    """A modem on a port of its own, in a configuration."""
    device = VirtualAtModem(tmp_path / "usb-modem", SCRIPTS["quectel"])
    (tmp_path / "vigie.toml").write_text(CONFIG.format(device=device.path))
    with device:
        yield device


def test_an_installer_aims_before_any_agent_runs(
    modem: VirtualAtModem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The driver of the configuration is opened; also beside the socket that a killed agent has left."""
    modem.state = replace(modem.state, rsrp_dbm=-88, sinr_db=16)
    left = sockets.socket(sockets.AF_UNIX)
    left.bind(str(tmp_path / "left"))
    left.close()
    for path in (tmp_path / "absent", tmp_path / "left"):
        options = ("--socket", str(path), "--config", str(tmp_path / "vigie.toml"), "--count", "1")
        assert run(*options) == 0
        assert "bon  RSRP -88 dBm, SINR 16 dB" in capsys.readouterr().out


def test_the_port_is_never_opened_beside_an_agent(
    modem: VirtualAtModem,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not if it answers for another modem, not if it is stuck and does not answer at all."""
    monkeypatch.setattr(control_client, "ANSWER_S", 0.2)
    config = str(tmp_path / "vigie.toml")
    with bay(tmp_path / "s", AtRig("simcom")):
        assert run("backup", "--socket", str(tmp_path / "s"), "--config", config, "--count", "1") == 2
    assert "modem1 (Modem 1)" in capsys.readouterr().err
    stuck = sockets.socket(sockets.AF_UNIX)
    stuck.bind(str(tmp_path / "stuck"))
    stuck.listen()
    with contextlib.closing(stuck):
        assert run("--socket", str(tmp_path / "stuck"), "--config", config, "--count", "1") == 2
    assert "il n'est pas ouvert" in capsys.readouterr().err
    assert modem.heard == []


def test_without_agent_and_configuration_it_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which socket, and which option."""
    assert run("--socket", str(tmp_path / "absent")) == 2
    told = capsys.readouterr().err
    assert "absent does not exist" in told
    assert "--config" in told


def test_a_bad_configuration_is_exit_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With every mistake of the file."""
    (tmp_path / "bad.toml").write_text(CONFIG.format(device="relative"))
    assert run("--config", str(tmp_path / "bad.toml")) == 78
    assert "device" in capsys.readouterr().err


def test_a_beep_without_a_terminal_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody would hear it."""
    assert run("--beep") == 2
    assert "--beep" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["[site]\nname = 'x'\n", "hello\n"])
def test_a_file_that_is_no_record_is_left_alone(
    content: str, modem: VirtualAtModem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readings are not added to somebody's configuration."""
    other = tmp_path / "other"
    other.write_text(content)
    options = ("--config", str(tmp_path / "vigie.toml"), "--socket", str(tmp_path / "absent"))
    assert run(*options, "--record", str(other), "--count", "1") == 2
    assert str(other) in capsys.readouterr().err
    assert other.read_text() == content


def test_a_record_that_cannot_be_written_is_told(
    modem: VirtualAtModem, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """At once, by its name: a folder that does not exist, a disk that is full."""
    options = ("--config", str(tmp_path / "vigie.toml"), "--socket", str(tmp_path / "absent"), "--count", "1")
    for path in (tmp_path / "no" / "r.jsonl", Path("/dev/full")):
        assert run(*options, "--record", str(path)) == 2
        assert str(path) in capsys.readouterr().err


# --- on a terminal ------------------------------------------------------------------------------------------


class Terminal:
    """The command on a pseudo-terminal."""

    def __init__(self, width: int, height: int, *given: str) -> None:
        self._master, slave = pty.openpty()
        self.shown = ""
        self.resize(width, height)
        command = [sys.executable, "-m", "agent", "signal", "--lang", "fr", *given]
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path(__file__).parents[2])}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        self._before = termios.tcgetattr(slave)
        self._slave = slave
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, key: str) -> None:
        os.write(self._master, key.encode())

    @property
    def restored(self) -> bool:
        """The terminal is as it was."""
        return termios.tcgetattr(self._slave) == self._before

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._slave)
        self._thread.join(5)
        os.close(self._master)

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                self.shown += data.decode("utf-8", "replace")


def test_the_live_view_follows_keys_and_leaves_the_terminal_as_it_was(
    modem: VirtualAtModem, tmp_path: Path
) -> None:
    """The word, a place by the space bar, another size, q, and what came of it."""
    modem.state = replace(modem.state, rsrp_dbm=-88, sinr_db=16)
    record = tmp_path / "r.jsonl"
    options = ("--config", str(tmp_path / "vigie.toml"), "--socket", str(tmp_path / "absent"), "--beep")
    terminal = Terminal(40, 20, *options, "--record", str(record))
    try:
        eventually(lambda: " BON " in terminal.shown)
        assert not terminal.restored, "keys are heard without Enter"
        terminal.press(" ")
        eventually(lambda: "endroit 1: ne bougez plus" in terminal.shown.replace(" :", ":"))
        eventually(lambda: '"place": "endroit 1", "heard": true' in record.read_text())
        eventually(lambda: "\a" in terminal.shown)
        terminal.resize(80, 24)
        eventually(lambda: "┊excellent" in terminal.shown)
        terminal.press("q")
        assert terminal.process.wait(20) == 0, terminal.shown[-3000:]
        assert terminal.restored
        eventually(lambda: "meilleur : RSRP -88 dBm" in terminal.shown.split("\x1b[?1049l")[-1])
    finally:
        terminal.close()


def test_ctrl_c_ends_with_what_came_of_it(modem: VirtualAtModem, tmp_path: Path) -> None:
    """Exit code 0: the modem answers."""
    terminal = Terminal(
        80, 24, "--config", str(tmp_path / "vigie.toml"), "--socket", str(tmp_path / "absent")
    )
    try:
        eventually(lambda: "RSRP -97 dBm" in terminal.shown)
        terminal.process.send_signal(2)
        assert terminal.process.wait(20) == 0
        assert terminal.restored
        eventually(lambda: "dernier : RSRP -97 dBm" in terminal.shown.split("\x1b[?1049l")[-1])
        assert "Traceback" not in terminal.shown
    finally:
        terminal.close()
