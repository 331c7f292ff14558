"""`vigie fleet` and a real broker: what is seen once and live, and what is said when the broker goes."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from fleet_ground import ILL, WELL
from paho.mqtt.enums import CallbackAPIVersion

from agent.cli import fleet_link
from agent.cli.main import main
from agent.core.snapshot_types import Snapshot
from agent.sinks.payloads import state_payload, to_json
from hardware.virtual.processes import find_program

MOSQUITTO = find_program("mosquitto")
TIMEOUT_S = 20.0
ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto binary"),
]


class Broker:
    """A mosquitto on a port of the loopback, as Debian ships it."""

    def __init__(self, folder: Path, extra: str = "allow_anonymous true") -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        user = "user root\n" if os.geteuid() == 0 else ""
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {self.port} 127.0.0.1\n{extra}\nlog_dest none\n{user}")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert MOSQUITTO is not None
        self._process = subprocess.Popen([MOSQUITTO, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        wait(lambda: self._listens() or self._process is None or self._process.poll() is not None)
        assert self._process.poll() is None

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None


def wait(true: Callable[[], object]) -> None:
    end_at = time.monotonic() + TIMEOUT_S
    while not true():
        assert time.monotonic() < end_at
        time.sleep(0.02)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(autouse=True)
def _short_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the loopback nothing is late."""
    monkeypatch.setattr(fleet_link, "QUIET_S", 0.2)
    monkeypatch.setattr(fleet_link, "NOTHING_S", 0.5)


class Agent:
    """One site's connection, with its last will."""

    def __init__(self, broker: Broker, site: str, **login: str) -> None:
        self._prefix = f"vigie/{site}/"
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"vigie-{site}", reconnect_on_failure=False
        )
        if login:
            self._client.username_pw_set(**login)
        self._client.will_set(f"{self._prefix}availability", b"offline", qos=1, retain=True)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        self.publish("availability", b"online")

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(self._prefix + topic, payload, qos=1, retain=True).wait_for_publish(TIMEOUT_S)

    def say(self, shot: Snapshot = WELL, **changed: Any) -> None:
        payload = state_payload(replace(shot, wall=time.time()))
        self.publish("state", to_json({**payload, **changed}))

    def die(self) -> None:
        """Without a goodbye."""
        found: Any = self._client.socket()
        found.shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def agents(broker: Broker) -> Iterator[Callable[[str], Agent]]:
    made: list[Agent] = []

    def make(site: str) -> Agent:
        made.append(Agent(broker, site))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def test_a_check_says_what_the_broker_keeps(
    broker: Broker, agents: Callable[[str], Agent], capsys: pytest.CaptureFixture[str]
) -> None:
    """And exits as Nagios wants it: nothing, well, away, ill, missing."""
    check = ["fleet", "--broker", broker.url, "--once", "--lang", "en"]
    assert main(check) == 3
    assert "UNKNOWN - nothing was heard below vigie/+/availability" in capsys.readouterr().out
    garage, dole = agents("garage"), agents("dole")
    garage.say()
    dole.say(label="Dole")
    assert main(check) == 0
    assert capsys.readouterr().out.startswith("VIGIE OK - 2 sites: all well | sites=2 ")
    dole.die()
    wait(lambda: main(check) == 1)
    assert "? Dole (dole): out of sight" in capsys.readouterr().out
    garage.say(ILL)
    assert main([*check, "--expect", "garage,beaune", "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["complete"]) == ("critical", True)
    assert [site["standing"] for site in found["sites"]] == ["silent", "alert", "lost"]
    assert main([*check, "--site", "d*"]) == 1


def test_a_check_without_a_broker_is_unknown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Live it is an error like any other command's, in plain words and not on a screen."""
    gone = Broker(tmp_path).url
    assert main(["fleet", "--broker", gone, "--once", "--lang", "en"]) == 3
    assert "VIGIE UNKNOWN - no connection to 127.0.0.1:" in capsys.readouterr().out
    assert main(["fleet", "--broker", gone, "--lang", "en"]) == 2
    assert "no connection to 127.0.0.1:" in capsys.readouterr().err


def test_a_password_is_read_from_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong one is told as that."""
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    subprocess.run(["mosquitto_passwd", "-c", "-b", str(passwords), "it", "hunter2"], check=True)
    passwords.chmod(0o644)
    secret.write_text("hunter2\n")
    broker = Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}")
    broker.start()
    try:
        agent = Agent(broker, "garage", username="it", password="hunter2")
        agent.say()
        check = [
            "fleet",
            "--broker",
            broker.url.replace("//", "//it@"),
            "--once",
            "--password-file",
            str(secret),
        ]
        assert main(check) == 0
        secret.write_text("hunter3")
        assert main(check) == 3
        assert "refused" in capsys.readouterr().out
        agent.close()
    finally:
        broker.stop()


def keep(broker: Broker, count: int) -> None:
    """The broker keeps what so many sites have said."""
    agent = Agent(broker, "x/y")  # below no root that is looked at
    said = to_json(state_payload(replace(WELL, wall=time.time())))
    for number in range(count):
        for topic, payload in (("availability", b"online"), ("state", said)):
            last = agent._client.publish(f"vigie/s{number}/{topic}", payload, qos=1, retain=True)
    last.wait_for_publish(TIMEOUT_S)
    agent.close()


def test_more_sites_than_a_broker_queues_for_one_client_are_all_seen(
    broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    """Mosquitto drops what it queues beyond 1,000 messages of QoS 1."""
    keep(broker, 1100)
    assert main(["fleet", "--broker", broker.url, "--once", "--lang", "en"]) == 0
    assert capsys.readouterr().out.startswith("VIGIE OK - 1100 sites: all well")


def test_what_a_broker_has_dropped_is_asked_for_again(
    broker: Broker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At QoS 1 nearly all states are lost, and an expected site altogether."""
    monkeypatch.setattr(fleet_link, "QOS", 1)
    keep(broker, 1030)
    check = ["fleet", "--broker", broker.url, "--once", "--lang", "en"]
    lost = [f"s{number}" for number in range(1030)]
    assert main([*check, "--expect", ",".join(lost), "--wait", "20"]) == 0
    assert capsys.readouterr().out.startswith("VIGIE OK - 1030 sites: all well")


class View:
    """``vigie fleet`` in a process of its own; its lines as they come."""

    def __init__(self, broker: Broker, *options: str) -> None:
        self.lines: list[str] = []
        argv = [sys.executable, "-m", "agent", "fleet", "--broker", broker.url, "--lang", "en", *options]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)

    def wait(self, true: Callable[[dict[str, Any]], object]) -> None:
        """Until such a line has come; it and what came before it do not count for the next."""
        wait(lambda: any(true(json.loads(line)) for line in self.lines))
        found = next(place for place, line in enumerate(self.lines) if true(json.loads(line)))
        del self.lines[: found + 1]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(TIMEOUT_S)
        self._thread.join(TIMEOUT_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture
def view(broker: Broker) -> Iterator[View]:
    view = View(broker, "--json")
    yield view
    if view.process.poll() is None:
        view.process.kill()
        view.end()


def test_live_changes_come_as_lines_and_a_lost_broker_is_told(
    broker: Broker, agents: Callable[[str], Agent], view: View
) -> None:
    """An incident, a killed agent, the broker's end and its return."""
    garage, dole = agents("garage"), agents("dole")
    garage.say()
    dole.say()
    view.wait(lambda line: line.get("site") == "garage" and line["standing"] == "well")
    garage.say(ILL)
    view.wait(lambda line: line.get("site") == "garage" and line["cause"]["code"] == "box_hung")
    dole.die()
    view.wait(lambda line: line.get("site") == "dole" and line["standing"] == "lost")
    broker.stop()
    view.wait(lambda line: line.get("ok") is False and line["problem"])
    broker.start()
    agents("garage").say()
    view.wait(lambda line: line.get("ok") is True)
    view.wait(lambda line: line.get("site") == "garage" and line["standing"] == "well")
    assert view.end() == 0


def test_a_terminal_gets_a_table_and_nothing_that_a_site_wants_it_to_obey(
    broker: Broker, agents: Callable[[str], Agent]
) -> None:
    """And is left as it was."""
    agents("garage").say(label="\x1b]0;owned\x07\x1b[2JGarage")
    mine, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "agent", "fleet", "--broker", broker.url, "--lang", "fr"],
        stdin=its, stdout=its, stderr=its, cwd=ROOT, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(its)
    written = b""
    end_at = time.monotonic() + TIMEOUT_S
    while b"1 va bien" not in written and time.monotonic() < end_at:
        written += os.read(mine, 1 << 16)
    process.terminate()
    with contextlib.suppress(OSError):
        while more := os.read(mine, 1 << 16):
            written += more
    assert process.wait(TIMEOUT_S) == 0
    os.close(mine)
    assert b"1 va bien" in written
    assert "\ufffd]0;owned\ufffd".encode() in written
    assert b"\x1b]0" not in written
    assert b"\x07" not in written
    assert written.rstrip().endswith(b"\x1b[?25h") or b"\x1b[?1049l" in written
