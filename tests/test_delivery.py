"""From the configuration to the connections: which brokers, as whom, by which ways, and with which names."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import pytest
from broker_ground import NOW, event

from agent import delivery
from agent.config.reader import parse
from agent.delivery import FIRST, SECOND, PublicNames, brokers, settings_of
from agent.probes import names
from agent.runtime.board import Board
from agent.runtime.history import History
from agent.runtime.store import Store
from agent.sinks.mqtt.way import Exit

MINIMAL = resources.files("agent.config").joinpath("minimal.toml").read_text(encoding="utf-8")
TWO = """
[mqtt]
host = "one.example.net"
username = "garage"
cert_file = "/etc/vigie/garage.pem"
key_file = "mqtt-key"
root = "north/vigie"
via = "4g"
[mqtt.second]
host = "two.example.net"
tls = false
username = "other"
keepalive_s = 60
"""


def test_each_broker_gets_its_own_settings_and_secrets(tmp_path, monkeypatch):
    """Host, login, key and way are each one's own; the site and the root are common."""
    for name in ("mqtt-password", "mqtt2-password", "mqtt-key"):
        (tmp_path / name).write_text(f"secret of {name}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    config = parse(MINIMAL + TWO)
    assert list(brokers(config)) == [FIRST, SECOND]
    assert list(brokers(parse(MINIMAL + '[mqtt]\nhost = "one.example.net"\n'))) == [FIRST]
    assert brokers(parse(MINIMAL)) == {}
    first, second = settings_of(config, FIRST), settings_of(config, SECOND)
    assert (first.part, first.host, first.port, first.password) == (
        "mqtt", "one.example.net", 8883, "secret of mqtt-password",
    )  # fmt: skip
    assert (first.cert_file, first.key_file, first.via) == (
        "/etc/vigie/garage.pem", tmp_path / "mqtt-key", "4g",
    )  # fmt: skip
    assert (second.part, second.host, second.port, second.password) == (
        "mqtt2", "two.example.net", 1883, "secret of mqtt2-password",
    )  # fmt: skip
    assert (second.key_file, second.via, second.keepalive_s) == (None, "auto", 60)
    assert first.root == second.root == "north/vigie"
    assert first.exits == (Exit("ftth", "eth0"), Exit("4g", "eth1"))
    assert "secret" not in repr(first) + repr(second)


def test_uplinks_of_one_interface_are_told_apart_by_their_address():
    """Each is marked, so that its connection also takes its address."""
    text = MINIMAL.replace('"eth1"', '"eth0"\nsource = "192.168.1.20"').replace(
        'interface = "eth0"', 'interface = "eth0"\ngateway = "192.168.1.1"', 1
    )
    config = parse(text + '[mqtt]\nhost = "one.example.net"\n')
    assert settings_of(config, FIRST).exits == (
        Exit("ftth", "eth0", None, shared=True),
        Exit("4g", "eth0", "192.168.1.20", shared=True),
    )


# --- names -------------------------------------------------------------------------------------------------


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A name server on the loopback that says nothing by itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        monkeypatch.setattr(names, "PORT", made.getsockname()[1])
        yield made


def test_public_servers_are_asked_through_the_uplink_and_their_bytes_counted(server, monkeypatch):
    """The first that knows an address is believed; one that says nothing delays nobody."""
    monkeypatch.setattr(delivery, "NAMES_S", 0.3)
    uplink = parse(MINIMAL.replace('"eth0"', '"lo"')).uplink[0]
    counted: list[tuple[str, int, int]] = []
    ask = PublicNames([uplink], ("127.0.0.1",), lambda *one: counted.append(one))

    async def answered() -> list[str]:
        loop = asyncio.get_running_loop()
        asking = asyncio.create_task(ask("Broker.example.net", uplink.name))
        data, asker = await loop.sock_recvfrom(server, 512)
        head = data[:2] + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
        record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + socket.inet_aton("203.0.113.10")
        await loop.sock_sendto(server, head + data[12:] + record, asker)
        return await asking

    assert asyncio.run(answered()) == ["203.0.113.10"]
    assert {name for name, _, _ in counted} == {uplink.name}
    assert sum(sent + received for _, sent, received in counted) > 100
    assert asyncio.run(ask("silent.example.net", uplink.name)) == []


@pytest.mark.parametrize("host", ["broker", "broker.lan", "broker.local", "no such.name", "192.168.1.9"])
def test_names_of_the_house_are_asked_of_nobody_outside(host, server):
    """Nor is what DNS cannot be asked for, or an uplink that does not exist."""
    uplink = parse(MINIMAL.replace('"eth0"', '"lo"')).uplink[0]
    ask = PublicNames([uplink], ("127.0.0.1",), lambda *_: None)
    assert asyncio.run(ask(host, uplink.name)) == []
    assert asyncio.run(ask("broker.example.net", "nowhere")) == []
    with pytest.raises(BlockingIOError):
        server.recv(512)


# --- what waits --------------------------------------------------------------------------------------------


def test_everybody_who_listens_hears_that_there_is_something_to_send(tmp_path: Path) -> None:
    """Each has an event of its own, and clears only that."""

    async def story() -> None:
        disk = ThreadPoolExecutor(max_workers=1)
        history = History(Store.open(tmp_path, NOW), disk, Board(), lambda _part: None)
        one, two = history.listen(), history.listen()
        history.tell([(event(1), NOW)])
        async with asyncio.timeout(5):
            await one.wait()
            one.clear()
            await two.wait()
        assert not one.is_set()
        await history.close()
        disk.shutdown()

    asyncio.run(story())
