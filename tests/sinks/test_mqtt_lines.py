"""How a connection comes about and ends: sockets, names, deadlines, two brokers, orders and announcements."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from broker_ground import (
    MOSQUITTO,
    NOW,
    SETTINGS,
    TIMEOUT_S,
    Broker,
    Listener,
    event,
    first_heard,
    hear,
    listening,
    site,
    snapshot,
)

from agent.core.model import Part
from agent.core.snapshot_types import Health, Snapshot
from agent.runtime.board import Board
from agent.runtime.store import Store
from agent.sinks.mqtt import addresses, connecting, connection, dial, sink
from agent.sinks.mqtt.addresses import Addresses
from agent.sinks.mqtt.connection import Connection, Message
from agent.sinks.mqtt.dial import is_local
from agent.sinks.mqtt.orders import MOST_WAITING, Orders
from agent.sinks.mqtt.sink import MqttSink
from agent.sinks.mqtt.way import Exit, Route

CONNECTED = Part("mqtt", ok=True)
pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(MOSQUITTO is None, reason="no mosquitto binary"),
    pytest.mark.usefixtures("soon_again"),
]


# --- sockets -----------------------------------------------------------------------------------------------


def test_the_library_uses_our_sockets(broker, monkeypatch):
    """The hook that binds to an interface is a private method of paho; if it is renamed, this fails."""
    dialled: list[tuple[str, int, Route]] = []
    real = dial.dial

    def watched(host: str, port: int, route: Route) -> socket.socket:
        dialled.append((host, port, route))
        return real(host, port, route)

    monkeypatch.setattr("agent.sinks.mqtt.connection.dial", watched)
    assert "_create_socket_connection" in vars(paho.Client)
    route = Route(("127.0.0.1",))

    async def story() -> tuple[str | None, str | None]:
        link = Connection(
            replace(SETTINGS, host="broker.test", port=broker.port), asyncio.Event(), route=route
        )
        problem = await link.open()
        await link.close()
        return problem, link.peer

    assert asyncio.run(story()) == (None, "127.0.0.1")
    assert dialled == [("broker.test", broker.port, route)]


def test_a_socket_is_bound_before_it_connects_but_not_towards_the_lan():
    """To the interface, and of a shared one to the address; the LAN is reached as the system routes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with dial.dial("", port, Route(("127.0.0.1",), "lo", "127.0.0.9", always=True)) as bound:
            name = bound.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
            assert (name.rstrip(b"\0"), bound.getsockname()[0]) == (b"lo", "127.0.0.9")
            patience = bound.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert patience == dial.DEAD_AFTER_MS
        with dial.dial("", port, Route(("127.0.0.1",), "no-such-link", "192.0.2.1")) as free:
            assert free.getsockname()[0] == "127.0.0.1"
        with pytest.raises(OSError, match="No such device"):
            dial.dial("", port, Route(("127.0.0.1",), "no-such-link", always=True))


def test_the_addresses_of_a_name_are_tried_one_after_the_other():
    """The first that answers is taken; if none does, the last one's reason is told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with dial.dial("", port, Route(("127.0.0.77", "::1", "127.0.0.1"))) as made:
            assert made.getpeername()[0] == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        dial.dial("", port, Route(("127.0.0.1",)))


def test_what_is_local():
    """Private, shared, link-local and loopback addresses of both families; names are not."""
    local = [
        "10.1.2.3",
        "172.31.0.1",
        "192.168.8.1",
        "100.64.0.9",
        "169.254.1.1",
        "127.0.0.1",
        "::1",
        "fd00::1",
    ]
    assert all(map(is_local, [*local, "fe80::1%eth0"]))
    assert not any(map(is_local, ["203.0.113.10", "172.32.0.1", "2001:db8::1", "broker.lan", ""]))


@pytest.mark.own_words
def test_a_connection_that_was_given_up_does_not_come_after_all(broker, monkeypatch):
    """It would throw the one that counts out, because both have the same name at the broker."""
    go = threading.Event()
    real = dial.dial

    def slow(host: str, port: int, route: Route) -> socket.socket:
        if route.interface is not None:
            go.wait(TIMEOUT_S)
        return real(host, port, replace(route, interface=None))

    monkeypatch.setattr("agent.sinks.mqtt.connection.dial", slow)

    async def story() -> None:
        settings = replace(SETTINGS, port=broker.port)
        late = Connection(settings, asyncio.Event(), route=Route(interface="lo"))
        opening = asyncio.create_task(late.open())
        await asyncio.sleep(0.05)
        await late.close(farewell=False)
        link = Connection(settings, asyncio.Event())
        assert await link.open() is None
        go.set()
        await asyncio.wait([opening])
        assert opening.result() is not None
        told = link.publish(Message("vigie/garage/x", b"1"), "x")
        async with asyncio.timeout(TIMEOUT_S):
            while told in link.waiting:
                await asyncio.sleep(0.01)
        assert link.lost is None
        await link.close()

    asyncio.run(story())


# --- names -------------------------------------------------------------------------------------------------


async def now(call: Callable[..., Any], *args: object) -> Any:
    return call(*args)


def known(tmp_path: Path, system: Any, public: Any = (), host: str = "broker.test") -> Addresses:
    async def resolve(_host: str, _uplink: str) -> list[str]:
        if public is None:
            await asyncio.Event().wait()
        return list(public)

    return Addresses(host, now, resolve, tmp_path / "addresses.json", system)


def nobody(_host: str) -> list[str]:
    return []


def test_a_box_that_gives_every_name_its_own_address_is_not_believed(tmp_path):
    """Who is asked through the uplink that works knows the broker; the box comes after it, or not at all."""
    lying = known(tmp_path, lambda _: ["192.168.1.1"], ["203.0.113.10"])
    assert asyncio.run(lying.find("4g")) == ("203.0.113.10",)
    asyncio.run(lying.worked("203.0.113.10"))
    alone = known(tmp_path, lambda _: ["192.168.1.1"])
    assert asyncio.run(alone.find("4g")) == ("203.0.113.10", "192.168.1.1")


def test_a_name_of_the_lan_is_found_where_only_the_system_knows_it(tmp_path):
    """Public name servers know nothing of it, or answer with local addresses of their own."""
    for public in ((), ("127.0.0.1",)):
        inside = known(tmp_path, lambda _: ["192.168.1.9"], public)
        assert asyncio.run(inside.find("ftth")) == ("192.168.1.9",)
    assert asyncio.run(known(tmp_path, nobody, host="10.0.0.9").find("ftth")) == ("10.0.0.9",)


def test_what_worked_is_remembered_over_restarts_and_until_it_fails(tmp_path):
    """Then nobody needs to be asked; a failure asks again. Damage and another name count for nothing."""
    asked: list[str] = []

    def counted(host: str) -> list[str]:
        asked.append(host)
        return ["203.0.113.10", "203.0.113.11"]

    async def story() -> None:
        names = known(tmp_path, counted)
        assert await names.find(None) == ("203.0.113.10", "203.0.113.11")
        await names.worked("203.0.113.11")
        assert await names.find(None) == ("203.0.113.11",)
        assert len(asked) == 1
        names.doubt()
        assert await names.find(None) == ("203.0.113.10", "203.0.113.11")
        assert len(asked) == 2

    asyncio.run(story())
    assert asyncio.run(known(tmp_path, nobody).find(None)) == ("203.0.113.11",)
    assert asyncio.run(known(tmp_path, nobody, host="other.test").find(None)) == ()
    for damage in ("", "[", "[]", '{"host": "broker.test", "addresses": [1, "x"]}'):
        (tmp_path / "addresses.json").write_text(damage)
        assert asyncio.run(known(tmp_path, nobody).find(None)) == ()


def test_a_lookup_that_hangs_holds_nobody_up_and_is_heard_when_it_comes(tmp_path, monkeypatch):
    """Within a moment there is what is known; the late answer serves the next attempt."""
    monkeypatch.setattr(addresses, "LOOKUP_S", 0.05)
    go = threading.Event()

    def hanging(_host: str) -> list[str]:
        go.wait(TIMEOUT_S)
        return ["203.0.113.10"]

    async def story() -> None:
        names = known(tmp_path, hanging, None)
        assert await names.find("4g") == ()
        go.set()
        async with asyncio.timeout(TIMEOUT_S):
            while await names.find("4g") != ("203.0.113.10",):
                pass

    asyncio.run(story())


def test_a_name_that_only_public_servers_know_reaches_the_broker(tmp_path, broker):
    """The way that works is asked first, the connection is made to what it says, and that is remembered."""

    async def resolve(host: str, uplink: str) -> list[str]:
        assert (host, uplink) == ("broker.invalid", "ftth")
        return ["::ffff:7f00:1"]  # the loopback, under an address that does not look local

    working = replace(snapshot().uplinks[0], address="192.0.2.7")
    file = tmp_path / "mqtt-addresses.json"
    more = {"resolve": resolve, "remembered": file}
    ways = (Exit("ftth", "lo"),)

    async def story() -> None:
        async with site(tmp_path, broker.port, None, more, host="broker.invalid", exits=ways) as here:
            here.board.publish(replace(snapshot(2), uplinks=(working,)))
            await here.until(lambda: Part("mqtt", ok=True) in here.parts)

    asyncio.run(story())
    assert json.loads(file.read_text()) == {"host": "broker.invalid", "addresses": ["::ffff:127.0.0.1"]}


# --- deadlines ---------------------------------------------------------------------------------------------


def test_a_broker_that_acknowledges_nothing_is_left_and_tried_again(tmp_path, broker, monkeypatch):
    """Long before the keepalive ends; afterwards everything is there, in order, and presence never fell."""
    monkeypatch.setattr(sink, "ACK_WITHIN_S", 0.4)
    monkeypatch.setattr("agent.sinks.mqtt.connection.OPEN_WITHIN_S", 0.5)

    async def story() -> None:
        async with site(tmp_path, broker.port, keepalive_s=600) as here:
            with listening(broker) as listener:
                await here.append(1, 5)
                await hear(listener, lambda: listener.seqs() == [1, 2, 3, 4, 5])
                broker.signal(signal.SIGSTOP)
                await here.append(6, 40)
                await here.until(lambda: not here.parts[-1].ok)
                assert here.parts[-1].detail.endswith(": no acknowledgement for 0 s")
                broker.signal(signal.SIGCONT)
                await here.until(lambda: here.parts[-1:] == [CONNECTED])
                await here.until_sent()
                await hear(listener, lambda: 40 in listener.seqs())
                assert first_heard(listener.seqs()) == list(range(1, 41))
                assert b"offline" not in listener.of("availability")

    asyncio.run(story())


# --- there and back ----------------------------------------------------------------------------------------


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not true():
            await asyncio.sleep(0.01)


def test_it_moves_and_comes_back_without_a_gap(tmp_path, broker):
    """A connection for each way, events in order, and presence never falls."""
    opened: list[int] = []

    class Shown:
        def opened(self, connection: socket.socket) -> None:
            name = connection.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16)
            opened.append(len(name.rstrip(b"\0")))

        def closed(self, connection: socket.socket) -> None:
            pass

    async def resolve(_host: str, _uplink: str) -> list[str]:
        return ["::ffff:127.0.0.1"]  # the loopback, as if it were the internet

    def shot(seq: int, mono: float, fibre: Health, since: float, there: str) -> Snapshot:
        view, mine = snapshot().uplinks[0], "::ffff:127.0.0.1"
        at = {name: mine if name == there else "192.0.2.9" for name in ("ftth", "4g")}
        lines = (
            replace(view, name="ftth", health=fibre, since=since, address=at["ftth"]),
            replace(view, name="4g", since=0.0, address=at["4g"], data_limit_bytes=50_000_000),
        )
        return replace(snapshot(seq), mono=mono, uplinks=lines)

    async def story(listener: Listener) -> None:
        ways = (Exit("ftth", "lo"), Exit("4g", "lo"))
        more = {"resolve": resolve}
        async with site(tmp_path, broker.port, Shown(), more, host="broker.invalid", exits=ways) as here:
            here.board.publish(shot(2, 1000.0, Health.UP, 0.0, "ftth"))
            await here.append(1, 3)
            await hear(listener, lambda: listener.seqs() == [1, 2, 3])
            here.board.publish(shot(3, 1001.0, Health.DOWN, 1001.0, "ftth"))
            await here.append(4, 6)
            await hear(listener, lambda: 6 in listener.seqs())
            await until(lambda: len(opened) == 2)
            here.board.publish(shot(4, 1010.0, Health.UP, 1010.0, "4g"))
            await here.append(7, 7)
            await hear(listener, lambda: 7 in listener.seqs())
            assert len(opened) == 2
            await here.until_sent()
            here.board.publish(shot(5, 1200.0, Health.UP, 1010.0, "4g"))
            await until(lambda: len(opened) == 3)
            await here.append(8, 8)
            await hear(listener, lambda: 8 in listener.seqs())
            await here.until_sent()
            assert all(part.ok for part in here.parts if part != here.parts[0])

    with listening(broker) as listener:
        asyncio.run(story(listener))
        assert first_heard(listener.seqs()) == list(range(1, 9))
        assert set(listener.of("availability")[:-1]) == {b"online"}
        assert opened == [2, 2, 2]


def test_an_attempt_by_a_way_that_dies_is_not_waited_for(tmp_path, broker):
    """What answers there says nothing; the verdict comes, and the next attempt goes by the other uplink."""
    view = snapshot().uplinks[0]

    async def resolve(_host: str, uplink: str) -> list[str]:
        return ["::ffff:127.0.0.2" if uplink == "ftth" else "::ffff:127.0.0.1"]

    def shot(seq: int, fibre: Health) -> Snapshot:
        lines = (replace(view, name=name, address="192.0.2.9") for name in ("ftth", "4g"))
        fibre_line, mobile = lines
        return replace(snapshot(seq), uplinks=(replace(fibre_line, health=fibre, since=1000.0), mobile))

    async def story(mute: socket.socket) -> None:
        ways = (Exit("ftth", "lo"), Exit("4g", "lo"))
        settings = {"host": "broker.invalid", "exits": ways}
        async with site(tmp_path, broker.port, None, {"resolve": resolve}, **settings) as here:
            here.board.publish(shot(2, Health.UP))
            accepted = await asyncio.to_thread(mute.accept)
            here.board.publish(shot(3, Health.DOWN))
            await here.until(lambda: here.parts[-1:] == [CONNECTED])
            accepted[0].close()

    with socket.create_server(("127.0.0.2", broker.port)) as mute:
        began = time.monotonic()
        asyncio.run(story(mute))
        assert time.monotonic() - began < connection.OPEN_WITHIN_S


def ways_of(host: str, *names: str, via: str = "auto") -> connecting.Connecting:
    settings = replace(SETTINGS, host=host, via=via, exits=tuple(Exit(name, "lo") for name in names))
    return connecting.Connecting(settings, asyncio.Event(), now, None, Message("x", b""), None, None, None)


def test_an_uplink_that_works_again_is_tried_at_once():
    """Whatever pause an earlier failure by it has asked for, and also if nobody has finished waiting."""
    view = replace(snapshot().uplinks[0], address="192.0.2.7")

    def shot(seq: int, health: Health) -> Snapshot:
        return replace(snapshot(seq), uplinks=(replace(view, health=health),))

    async def story() -> None:
        ways = ways_of("203.0.113.10", "ftth")
        ways.follow(shot(1, Health.UP))
        await ways.until_due()
        ways._tries.failed("ftth", asyncio.get_running_loop().time(), 3600.0)
        ways._tries.failed(None, asyncio.get_running_loop().time(), 3600.0)
        waiting = asyncio.create_task(ways.until_due())
        await asyncio.sleep(0.01)
        assert not waiting.done()
        ways.follow(shot(2, Health.DOWN))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        ways.follow(shot(3, Health.UP))
        async with asyncio.timeout(TIMEOUT_S):
            await waiting
        assert ways._way == "ftth"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("via", "route"),
    [
        ("auto", Route(("10.9.9.9",), "lo")),
        ("system", Route(("10.9.9.9",))),
        ("4g", Route(("10.9.9.9",), "lo", always=True)),
    ],
)
def test_who_knows_better_may_say_how_to_leave(via, route):
    """As the system routes, or by one uplink whatever its state, also towards a private address."""
    view = replace(snapshot().uplinks[0], address="192.0.2.7")
    lines = (replace(view, name="ftth"), replace(view, name="4g", health=Health.DOWN))

    async def story() -> None:
        ways = ways_of("10.9.9.9", "ftth", "4g", via=via)
        ways.follow(replace(snapshot(), uplinks=lines))
        await ways.until_due()
        link = await ways.prepare()
        assert ways._way == {"auto": "ftth", "system": None, "4g": "4g"}[via]
        assert link._route == route
        link.address, link.peer = "192.0.2.7", "10.9.9.9"
        assert not ways.must_move(link, calm=True)

    asyncio.run(story())


def test_a_broker_that_throws_us_out_is_not_run_after_by_other_ways():
    """Two agents under one name: it is not the line's fault, and each attempt would cost data elsewhere."""
    view = replace(snapshot().uplinks[0], address="192.0.2.7")
    lines = (replace(view, name="ftth"), replace(view, name="4g", data_limit_bytes=50_000_000))

    async def story() -> None:
        ways = ways_of("203.0.113.10", "ftth", "4g")
        ways.follow(replace(snapshot(), uplinks=lines))
        for _ in range(5):
            await ways.until_due()
            assert ways._way == "ftth"
            link = await ways.prepare()
            ways._opened = True
            ways.ended(link, "connection lost: thrown out")
        assert ways._tries.refused == 5
        assert ways._tries.shunned(asyncio.get_running_loop().time()) == set()

    asyncio.run(story())


def test_a_connection_goes_with_the_address_that_it_had():
    """A new lease ends it, though the uplink works; an address that was never the uplink's says nothing."""
    view = replace(snapshot().uplinks[0], address="192.0.2.7")

    async def story(own: str) -> list[bool]:
        ways = ways_of("203.0.113.10", "ftth")
        ways.follow(replace(snapshot(), uplinks=(view,)))
        await ways.until_due()
        link = await ways.prepare()
        link.address, link.peer = own, "203.0.113.10"
        moves = [ways.must_move(link, calm=True)]
        ways.follow(replace(snapshot(2), uplinks=(replace(view, address="192.0.2.8"),)))
        return [*moves, ways.must_move(link, calm=True)]

    assert asyncio.run(story("192.0.2.7")) == [False, True]
    assert asyncio.run(story("2001:db8::7")) == [False, False]


@pytest.mark.parametrize(
    ("address", "budget", "keepalive_s", "by"),
    [
        ("203.0.113.10", 50_000_000, 180, " (by ftth)"),
        ("203.0.113.10", None, 30, " (by ftth)"),
        ("192.168.1.9", 50_000_000, 30, ""),
    ],
)
def test_the_keepalive_is_longer_where_bytes_are_counted(address, budget, keepalive_s, by):
    """On the uplink that the connection is bound to; one to the LAN is bound to none."""
    view = replace(snapshot().uplinks[0], address="192.0.2.7", data_limit_bytes=budget)

    async def story() -> None:
        ways = ways_of(address, "ftth")
        ways.follow(replace(snapshot(), uplinks=(view,)))
        await ways.until_due()
        link = await ways.prepare()
        assert link._broker.keepalive_s == keepalive_s
        assert link._route == Route((address,), "lo")
        assert ways.by == by

    asyncio.run(story())


# --- two brokers -------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def two(
    folder: Path, ports: list[int]
) -> AsyncIterator[tuple[Store, Any, list[Part], list[asyncio.Event]]]:
    """One store, one worker for it, and a sink for each broker."""
    disk = ThreadPoolExecutor(max_workers=1)
    store, board, parts = Store.open(folder / "state", NOW, ("mqtt", "mqtt2")), Board(), []

    async def on_disk(call: Callable[..., Any], *args: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(disk, call, *args)

    wakes = [asyncio.Event(), asyncio.Event()]
    board.publish(snapshot())
    tasks = []
    for part, port, wake in zip(("mqtt", "mqtt2"), ports, wakes, strict=True):
        settings = replace(SETTINGS, port=port, part=part)
        one = MqttSink(settings, store.outbox(part), on_disk, parts.append)
        tasks.append(asyncio.create_task(one.run(board.snapshots(), wake)))
    try:
        yield store, on_disk, parts, wakes
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        disk.shutdown()
        store.close()


def test_a_dead_broker_holds_the_other_one_up_in_nothing(tmp_path, broker):
    """Each gets everything, once, in order, when it can; the outbox forgets what both have."""
    (tmp_path / "second").mkdir()
    late = Broker(tmp_path / "second")

    async def story(first: Listener) -> None:
        async with two(tmp_path, [broker.port, late.port]) as (store, on_disk, parts, wakes):

            async def append(begin: int, end: int) -> None:
                await on_disk(store.append, [(event(n), NOW) for n in range(begin, end)])
                for wake in wakes:
                    wake.set()

            async def waiting() -> list[int | None]:
                return [one.seq for one in await on_disk(store.pending, "mqtt2", 0, 100)]

            await append(0, 30)
            await hear(first, lambda: len(first.seqs()) == 30)
            assert await waiting() == list(range(1, 31))
            async with asyncio.timeout(TIMEOUT_S):
                while not (refused := [part for part in parts if part.name == "mqtt2"]):
                    await asyncio.sleep(0.01)
            assert not any(part.ok for part in refused)
            await asyncio.to_thread(late.start)
            second = await asyncio.to_thread(Listener, late.port)
            await append(30, 35)
            async with asyncio.timeout(TIMEOUT_S):
                while await waiting():
                    await asyncio.sleep(0.02)
            await hear(first, lambda: len(first.seqs()) == 35)
            # What the second one got before its listener was there is lost to that listener alone.
            await hear(second, lambda: 35 in second.seqs())
            assert first.seqs() == list(range(1, 36))
            assert second.seqs() == list(range(second.seqs()[0], 36))
            await asyncio.to_thread(second.close)

    try:
        with listening(broker) as first:
            asyncio.run(story(first))
    finally:
        late.stop()


# --- orders and announcements ------------------------------------------------------------------------------


class Echo:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes, bool]] = []
        self.running = self.most = 0
        self.go = asyncio.Event()

    async def take(self, verb: str, payload: bytes, *, retained: bool) -> bytes:
        self.running += 1
        self.most = max(self.most, self.running)
        await self.go.wait()
        self.running -= 1
        self.taken.append((verb, payload, retained))
        return b"done " + payload


class Sign:
    """Announces one thing, and takes it back when the uplink is down."""

    def __init__(self) -> None:
        self._last: bytes | None = None

    def begin(self) -> None:
        self._last = None

    def due(self, shot: Snapshot) -> dict[str, bytes]:
        payload = b"here" if shot.uplinks[0].health is Health.UP else b""
        due = {} if payload == self._last else {"vigie/elsewhere/sign": payload}
        self._last = payload
        return due


@pytest.mark.own_words
def test_orders_reach_the_inbox_and_answers_come_back(tmp_path, broker):
    """Over each connection, a few at a time, and what the broker had kept is marked as such."""

    async def story() -> None:
        echo = Echo()
        async with site(
            tmp_path, broker.port, None, {"inbox": echo, "announcer": Sign()}, commands=True
        ) as here:
            with listening(broker) as listener:
                await here.until(lambda: here.parts[-1:] == [CONNECTED])
                await hear(listener, lambda: bool(listener.of("vigie/elsewhere/sign")))
                say = listener._client.publish
                say("vigie/garage/command/hold", b"kept", qos=1, retain=True)
                for n in range(9):
                    say("vigie/garage/command/cut", b"%d" % n, qos=1)
                async with asyncio.timeout(TIMEOUT_S):
                    while echo.running < 4:
                        await asyncio.sleep(0.01)
                echo.go.set()
                await hear(listener, lambda: len(listener.of("command/result")) == 10)
                assert echo.most == 4
                assert [verb for verb, _, _ in echo.taken] == ["hold", *["cut"] * 9]
                assert not any(kept for topic, _, kept in listener.heard if topic == "command/result")
                assert set(listener.of("command/result")) == {
                    b"done kept",
                    *(b"done %d" % n for n in range(9)),
                }
                here.board.publish(snapshot(2, Health.DOWN))
                await hear(listener, lambda: listener.of("vigie/elsewhere/sign") == [b"here", b""])
                # The broker forgets its sessions; the next connection subscribes anew.
                await asyncio.to_thread(broker.stop)
                await asyncio.to_thread(broker.start)
                await here.until(lambda: here.parts[-1:] == [CONNECTED])
            with listening(broker) as again:
                async with asyncio.timeout(TIMEOUT_S):
                    while not again.of("command/result"):
                        again._client.publish("vigie/garage/command/hold", b"late", qos=1)
                        await asyncio.sleep(0.1)

    asyncio.run(story())


def test_orders_are_not_taken_where_this_broker_may_not_give_any(tmp_path, broker):
    """Nothing is subscribed to."""

    async def story() -> None:
        echo = Echo()
        echo.go.set()
        async with site(tmp_path, broker.port, None, {"inbox": echo}) as here:
            with listening(broker) as listener:
                await here.until(lambda: here.parts[-1:] == [CONNECTED])
                listener._client.publish("vigie/garage/command/cut", b"x", qos=1)
                await here.append(1, 1)
                await hear(listener, lambda: listener.seqs() == [1])
                assert echo.taken == []

    asyncio.run(story())


def test_a_flood_of_orders_is_bounded(caplog):
    """What comes on top is dropped and said; a defect of the inbox ends nothing."""

    class Broken:
        async def take(self, verb: str, payload: bytes, *, retained: bool) -> bytes:
            raise RuntimeError("no")

    async def story() -> None:
        orders = Orders(Broken(), "vigie/garage/", lambda: None)
        for _ in range(MOST_WAITING + 1):
            orders.receive(Message("vigie/garage/command/cut", b""))
        orders.receive(Message("vigie/garage/command/result", b""))
        await asyncio.sleep(0.05)
        orders.receive(Message("vigie/garage/command/cut", b""))
        orders.close()

    asyncio.run(story())
    assert caplog.text.count("command dropped: 32 are waiting") == 1
    assert caplog.text.count("MQTT command failed") == MOST_WAITING


def test_answers_that_were_not_delivered_are_kept_for_the_next_connection():
    """In their order, before those that came since; what else was under way is others' business."""

    async def story() -> list[bytes]:
        orders = Orders(Echo(), "vigie/garage/", lambda: None)
        orders._answers.append(b"three")
        link = Connection(SETTINGS, asyncio.Event())
        link.waiting = {1: "state", 2: b"one", 3: 7, 4: b"two"}
        orders.take_back(link)
        return list(orders._answers)

    assert asyncio.run(story()) == [b"one", b"two", b"three"]


# --- what costs data ---------------------------------------------------------------------------------------


def test_where_bytes_are_counted_only_the_whole_state_is_repeated(tmp_path, broker):
    """Moving numbers come once in ten minutes, in one message; news of an uplink comes at once in its own."""
    metered = replace(snapshot().uplinks[0], address="127.0.0.1", data_limit_bytes=5_000_000)

    def shot(seq: int, mono: float, **changes: Any) -> Snapshot:
        return replace(snapshot(seq), mono=mono, uplinks=(replace(metered, **changes),))

    async def story(listener: Listener) -> None:
        async with site(tmp_path, broker.port) as here:
            here.board.publish(shot(2, 1000.0))
            await hear(listener, lambda: bool(listener.of("state")))
            here.board.publish(shot(3, 1599.0, rtt_ms=1.0))
            here.board.publish(shot(4, 1601.0, rtt_ms=2.0))
            await hear(listener, lambda: len(listener.of("state")) == 2)
            here.board.publish(shot(5, 1602.0, rtt_ms=3.0, health=Health.DOWN))
            await hear(listener, lambda: len(listener.of("state")) == 3)

    with listening(broker) as listener:
        asyncio.run(story(listener))
        assert [json.loads(one)["health"] for one in listener.of("uplink/ftth")] == ["up", "down"]


@pytest.mark.own_words
def test_time_is_not_lost_in_saying_goodbye_where_another_connection_follows(broker):
    """A connection that is left for another one says nothing: presence must not fall."""

    async def story(listener: Listener) -> None:
        will = Message("vigie/garage/availability", b"offline", retained=True)
        link = Connection(replace(SETTINGS, port=broker.port), asyncio.Event(), will=will)
        assert await link.open() is None
        began = time.monotonic()
        await link.close(farewell=False)
        assert time.monotonic() - began < 0.5
        other = Connection(replace(SETTINGS, port=broker.port), asyncio.Event())
        assert await other.open() is None
        other.publish(Message("vigie/garage/x", b"1"))
        await hear(listener, lambda: listener.of("x") == [b"1"])
        await other.close()

    with listening(broker) as listener:
        asyncio.run(story(listener))
        assert listener.of("availability") == []
