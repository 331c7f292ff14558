"""The published configuration of the broker does what it says: real mosquitto, real clients, every right."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

EXAMPLE = Path(__file__).parents[2] / "docs/examples/mosquitto"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
TIMEOUT_S = 20.0
END = b"end"
ACL = (EXAMPLE / "acl").read_text(encoding="utf-8")
SITES = ("garage-martin", "garage-other")
USERS = (*SITES, "it", "it-screen", "ha-garage-martin")

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto binary"),
]


def topics_of(site: str) -> list[str]:
    """Every topic that a site writes."""
    own = ("availability", "state", "uplink/4g", "box/ont", "modem/stick", "service/card", "event")
    return [f"vigie/{site}/{end}" for end in (*own, "command/result")] + [
        f"homeassistant/device/vigie_{site}/config"
    ]


def commands_of(site: str) -> list[str]:
    return [f"vigie/{site}/command/{verb}" for verb in ("cycle", "hold", "release", "report")]


ALL = [topic for site in SITES for topic in (*topics_of(site), *commands_of(site))] + ["homeassistant/status"]
STRANGE = ["vigie/garage-martin/other", "vigie/nobody/state", "elsewhere", "vigie/garage-martin/command/x"]
WRITES: dict[str, set[str]] = {
    "garage-martin": set(topics_of("garage-martin")),
    "garage-other": set(topics_of("garage-other")),
    "it": {*commands_of("garage-martin"), *commands_of("garage-other")},
    "it-screen": set(),
    "ha-garage-martin": {*commands_of("garage-martin"), "homeassistant/status"},
}
READS: dict[str, set[str]] = {
    **{site: {*commands_of(site), f"vigie/{site}/command/result"} for site in SITES},
    "it": {topic for topic in ALL if topic.startswith("vigie/")},
    "it-screen": {topic for topic in ALL if topic.startswith("vigie/")},
    "ha-garage-martin": {
        *topics_of("garage-martin"), *commands_of("garage-martin"), "homeassistant/status"
    },
}  # fmt: skip


class Client:
    """One user; MQTT 5, because that tells whether the broker passes a message on."""

    def __init__(self, port: int, ca: Path, user: str, password: str) -> None:
        self.heard: set[str] = set()
        self.ended = False
        self._said: dict[int, bool] = {}
        self._news = threading.Condition()
        self.connected: bool | None = None
        self._ready = False
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        self._client.tls_set_context(ssl.create_default_context(cafile=str(ca)))
        self._client.username_pw_set(user, password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._tell("_ready", True)
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, code: Any, _p: object) -> None:
        if not code.is_failure:
            client.subscribe("#", qos=1)
        self._tell("connected", not code.is_failure)

    def _on_publish(self, _client: object, _data: object, mid: int, code: Any, _props: object) -> None:
        with self._news:
            self._said[mid] = not code.is_failure
            self._news.notify_all()

    def _on_message(self, _client: object, _data: object, message: paho.MQTTMessage) -> None:
        with self._news:
            self.heard.add(message.topic)
            self.ended |= message.payload == END
            self._news.notify_all()

    def _tell(self, what: str, value: bool) -> None:
        with self._news:
            setattr(self, what, value)
            self._news.notify_all()

    def wait_ready(self) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self._ready, TIMEOUT_S)

    def is_let_in(self) -> bool:
        with self._news:
            assert self._news.wait_for(lambda: self.connected is not None, TIMEOUT_S)
            return bool(self.connected)

    def wait_for_end(self) -> None:
        with self._news:
            assert self._news.wait_for(lambda: self.ended, TIMEOUT_S)

    def passes(self, topics: list[str], payload: bytes = b"x") -> set[str]:
        """Those of these topics on which the broker takes a message."""
        sent = {self._client.publish(topic, payload, qos=1).mid: topic for topic in topics}
        with self._news:
            assert self._news.wait_for(lambda: sent.keys() <= self._said.keys(), TIMEOUT_S)
            return {topic for mid, topic in sent.items() if self._said[mid]}

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def openssl(*args: object) -> None:
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The broker of the example, with its own files elsewhere and on another port; and the authority."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    certificate, key = tmp_path / "broker.pem", tmp_path / "broker.key"
    names = "subjectAltName=IP:127.0.0.1"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=broker",
            "-addext", names, "-keyout", key, "-out", certificate)  # fmt: skip
    passwords = tmp_path / "passwords"
    passwords.touch()
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), user, f"secret of {user}"], check=True)
    shutil.copy(EXAMPLE / "acl", tmp_path / "acl")
    text = (EXAMPLE / "mosquitto.conf").read_text(encoding="utf-8")
    for old, new in {
        "listener 8883": f"listener {port} 127.0.0.1",
        "/etc/mosquitto/certs/broker.pem": str(certificate),
        "/etc/mosquitto/certs/broker.key": str(key),
        "/etc/mosquitto/passwords": str(passwords),
        "/etc/mosquitto/acl": str(tmp_path / "acl"),
        "/var/lib/mosquitto/": f"{tmp_path}/",
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    assert "/etc/" not in text.replace("# Replaces /etc/mosquitto/mosquitto.conf", "")
    # As root mosquitto would become another user, who may not read a test's folder.
    config = tmp_path / "mosquitto.conf"
    config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    assert MOSQUITTO is not None
    process = subprocess.Popen([MOSQUITTO, "-c", str(config)], stderr=subprocess.PIPE)
    try:
        end_at = time.monotonic() + TIMEOUT_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < end_at
            time.sleep(0.02)
        yield port, certificate
    finally:
        process.terminate()
        process.communicate()


def test_everybody_reads_and_writes_what_the_table_says_and_nothing_else(broker):
    """Each user tries every topic; each hears what it may of all that was written."""
    port, ca = broker
    clients = {user: Client(port, ca, user, f"secret of {user}") for user in USERS}
    try:
        for client in clients.values():
            client.wait_ready()
        for user, client in clients.items():
            assert client.passes([*ALL, *STRANGE]) == WRITES[user], user
        assert set().union(*WRITES.values()) == set(ALL)
        # The broker hands messages over in order: what anybody was not to hear would have come before this.
        clients["it"].passes([commands_of(site)[0] for site in SITES], END)
        for user, client in clients.items():
            client.wait_for_end()
            assert client.heard == READS[user], user
    finally:
        for client in clients.values():
            client.close()


def test_nobody_comes_in_without_name_password_and_encryption(broker):
    """A wrong password, no password, an unknown user, the clear."""
    port, ca = broker
    for user, password in (("it", "wrong"), ("it", ""), ("nobody", "secret of nobody"), ("", "")):
        client = Client(port, ca, user, password)
        try:
            assert not client.is_let_in(), user
        finally:
            client.close()
    plain = paho.Client(CallbackAPIVersion.VERSION2)
    ended = threading.Event()
    opened: list[object] = []
    plain.on_connect = lambda *args: opened.append(args)
    plain.on_disconnect = lambda *_: ended.set()
    plain.on_connect_fail = lambda *_: ended.set()
    plain.connect("127.0.0.1", port)
    plain.loop_start()
    assert ended.wait(TIMEOUT_S)
    plain.loop_stop()
    assert opened == []


def test_what_is_written_by_a_site_is_allowed_by_the_example():
    """Every kind of topic of a site stands among the patterns, and commands do not."""
    patterns = re.findall(r"^pattern write (\S+)$", ACL, re.MULTILINE)
    assert all("%u" in pattern for pattern in patterns)
    kinds = {pattern.split("/")[2] for pattern in patterns if pattern.startswith("vigie/")}
    assert kinds == {"availability", "state", "uplink", "box", "modem", "service", "event", "command"}
