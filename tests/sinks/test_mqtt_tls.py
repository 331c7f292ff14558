"""The encrypted connection to a real broker: every way in which it fails has its own words."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from broker_ground import (
    MOSQUITTO,
    SETTINGS,
    Broker,
    encrypted,
    make_ca,
    make_certificate,
    openssl,
    site,
)

from agent.sinks.mqtt.connection import Connection

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto binary"),
]
HERE = "IP:127.0.0.1,DNS:localhost"


class Ground:
    """Two authorities, and brokers as they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ours, self.other = make_ca(folder, "ours"), make_ca(folder, "other")
        self._stack = ExitStack()

    def certificate(self, name: str, names: str = HERE, **how: Any) -> Path:
        return make_certificate(self.folder, how.pop("ca", self.ours), name, names, **how)

    def broker(self, extra: str) -> Broker:
        folder = self.folder / f"broker-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        broker = Broker(folder, extra)
        self._stack.callback(broker.stop)
        broker.start()
        return broker

    def close(self) -> None:
        self._stack.close()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    ground = Ground(tmp_path_factory.mktemp("tls"))
    yield ground
    ground.close()


def tried(port: int, **changes: Any) -> str | None:
    """Why the connection failed; None if it did not."""

    async def story() -> str | None:
        settings = replace(SETTINGS, port=port, **{"tls": True, **changes})
        link = Connection(settings, asyncio.Event())
        try:
            return await link.open()
        finally:
            await link.close()

    return asyncio.run(story())


def test_only_a_valid_certificate_of_the_right_name_and_authority_is_believed(ground):
    """The right one works by address and by name; each other one is told apart."""
    good = ground.broker(encrypted(ground.certificate("good"))).port
    assert tried(good, ca_file=ground.ours) is None
    assert tried(good, ca_file=str(ground.ours), host="localhost") is None

    unknown = "certificate refused: signed by nobody who is believed here (unable to get local issuer"
    assert tried(good, ca_file=ground.other).startswith(unknown)
    assert tried(good, ca_file=None).startswith("certificate refused: signed by nobody")
    wrong = ground.broker(encrypted(ground.certificate("wrong", "IP:127.0.0.2"))).port
    assert tried(wrong, ca_file=ground.ours).startswith(
        "certificate refused: it is for another name (IP addr"
    )
    assert tried(wrong, ca_file=ground.ours, host="localhost").startswith(
        "certificate refused: it is for another name (Hostname mismatch"
    )
    old = ground.broker(encrypted(ground.certificate("old", days=(-2, -1)))).port
    assert tried(old, ca_file=ground.ours) == (
        "certificate refused: it has expired, or this machine's clock is ahead"
    )
    early = ground.broker(encrypted(ground.certificate("early", days=(1, 2)))).port
    assert tried(early, ca_file=ground.ours) == (
        "certificate refused: it is not valid yet, or this machine's clock is behind"
    )


def test_a_port_with_and_one_without_encryption_are_told_apart(ground):
    """TLS to a plain port, and plain MQTT to a TLS port: each says what to look at."""
    plain = ground.broker("").port
    answer = tried(plain, ca_file=ground.ours)
    assert answer in (
        "no encrypted connection: what answers there does not speak TLS; is it the port without?",
        "closed by the other side while connecting",
    )
    secret = ground.broker(encrypted(ground.certificate("secret"))).port
    assert tried(secret, tls=False) == (
        "closed before it answered the greeting; is it the port for encrypted connections?"
    )


@pytest.mark.parametrize("version", ["tlsv1.2", "tlsv1.3"])
def test_a_broker_that_wants_a_client_certificate(ground, version):
    """None and one of a stranger are refused in different words; the right one is let in."""
    mine = ground.certificate(f"site-{version}")
    stranger = ground.certificate(f"stranger-{version}", ca=ground.other)
    wants = (f"cafile {ground.ours}", "require_certificate true", f"tls_version {version}")
    port = ground.broker(encrypted(ground.certificate(f"server-{version}"), *wants)).port

    def with_own(certificate: Path) -> str | None:
        key = certificate.with_suffix(".key")
        return tried(port, ca_file=ground.ours, cert_file=certificate, key_file=key)

    assert with_own(mine) is None
    assert tried(port, ca_file=ground.ours).startswith("the broker wants a client certificate, see cert_file")
    assert with_own(stranger).startswith("the broker refuses the client certificate")


def test_files_that_cannot_be_used_are_named(ground):
    """Missing, no PEM, a key of another certificate, an encrypted key: said without asking anybody."""
    mine, folder = ground.certificate("mine"), ground.folder
    key, foreign = mine.with_suffix(".key"), ground.certificate("foreign").with_suffix(".key")
    locked, both, text = folder / "locked.key", folder / "both.pem", folder / "ca.conf"
    openssl("pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:horse")
    both.write_text(mine.read_text() + key.read_text())
    port = ground.broker(encrypted(ground.certificate("any"))).port
    missing = folder / "missing.pem"
    for files, words in (
        ({"ca_file": missing}, f"CA file {missing}: No such file or directory"),
        ({"ca_file": text}, f"CA file {text}: holds no certificate in PEM form"),
        ({"cert_file": missing}, f"certificate file {missing}: No such file or directory"),
        ({"cert_file": mine, "key_file": missing}, f"key file {missing}: No such file or directory"),
        ({"cert_file": mine, "key_file": foreign}, f"key file {foreign}: does not belong to certificate"),
        ({"cert_file": mine, "key_file": locked}, f"key file {locked}: is encrypted; only a plain key"),
        ({"cert_file": text, "key_file": key}, f"certificate file {text}, key file {key}: no certificate"),
        ({"cert_file": mine}, f"certificate file {mine}: no certificate with its private key"),
    ):
        assert tried(port, **{"ca_file": ground.ours, **files}).startswith(words), files
    assert tried(port, ca_file=ground.ours, cert_file=both) is None
    if os.geteuid() != 0:
        key.chmod(0)
        assert "Permission denied" in tried(port, ca_file=ground.ours, cert_file=mine, key_file=key)


def test_no_secret_is_in_what_is_said(ground, tmp_path, caplog):
    """Neither the log, at its most talkative, nor the report nor the settings in print show a password."""
    passwords = tmp_path / "passwords"
    passwords.touch()
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "garage", "right horse"], check=True)
    server = encrypted(ground.certificate("guarded"), f"password_file {passwords}")
    port = ground.broker(server.replace("allow_anonymous true", "allow_anonymous false")).port
    caplog.set_level(logging.DEBUG)

    async def story(password: str) -> list[object]:
        login = {"tls": True, "ca_file": ground.ours, "username": "garage", "password": password}
        async with site(tmp_path, port, **login) as here:
            await here.until(lambda: bool(here.parts))
            return [*here.parts, here.task]

    refused, accepted = asyncio.run(story("wrong horse")), asyncio.run(story("right horse"))
    assert "refused: not authorised" in str(refused)
    assert accepted[0].ok
    told = (caplog.text, str(refused), str(accepted), repr(replace(SETTINGS, password="right horse")))
    assert "horse" not in "".join(told)
