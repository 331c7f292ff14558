"""HTTP with strangers, on the loopback: what is answered, and what a hostile client cannot do."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from conftest import MONO, make_scenes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.core.model import Recorded
from agent.core.snapshot_types import Snapshot
from agent.sinks.web import server
from agent.sinks.web.server import (
    BURST,
    CLIENTS,
    CLIENTS_EACH,
    HEADERS,
    REQUEST_BYTES,
    SAFETY,
    TEXT,
    Answer,
    Server,
    is_known_host,
    listen,
)
from agent.sinks.web.sink import WebSettings, WebSink

GOOD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
BIG = b"x" * 4_000_000
"""More than both kernels' buffers hold."""

Talk = Callable[[int], Awaitable[None]]


def hello(path: str) -> Answer:
    """A site of one page, one that breaks, and one that is large."""
    if path == "/broken":
        raise ZeroDivisionError(path)
    if path == "/big":
        return Answer(200, TEXT, BIG)
    return Answer(200 if path == "/" else 404, TEXT, f"hello {path}".encode())


def serve(
    talk: Talk,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Serve ``hello`` while ``talk`` runs with its port."""

    async def run() -> None:
        made = Server(hello, {"vigie", "vigie.lan"}, "default-src 'none'", clock, sleep)
        with listen("127.0.0.1", 0) as listener:
            task = asyncio.create_task(made.run(listener))
            try:
                async with asyncio.timeout(30):
                    await talk(listener.getsockname()[1])
            finally:
                assert not task.done(), "no client ends the server"
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


async def ask(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer; status 0 if there is none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        await writer.drain()
        answer = await reader.read()
    except ConnectionError:
        answer = b""
    finally:
        await closed(writer)
    if not answer:
        return 0, {}, b""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split(" ")[1]), headers, body


async def closed(writer: asyncio.StreamWriter) -> None:
    """End a connection from this side."""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


def asked(request: bytes) -> tuple[int, dict[str, str], bytes]:
    """The same with a server of its own."""
    got: list[tuple[int, dict[str, str], bytes]] = []

    async def talk(port: int) -> None:
        got.append(await ask(port, request))

    serve(talk)
    return got[0]


# --- what is answered ---------------------------------------------------------------------------------------


def test_a_page_is_sent_with_every_safety_header() -> None:
    """And the connection ends with it."""
    status, headers, body = asked(GOOD)
    assert (status, body) == (200, b"hello /")
    for name, value in SAFETY:
        assert headers[name.lower()] == value
    assert headers["content-security-policy"] == "default-src 'none'"
    assert headers["content-length"] == "7"


def test_head_gets_the_same_headers_and_no_body() -> None:
    """Length included."""
    status, headers, body = asked(GOOD.replace(b"GET", b"HEAD"))
    assert (status, headers["content-length"], body) == (200, "7", b"")


@pytest.mark.parametrize(
    "method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"get"]
)
def test_nothing_but_looking_is_possible(method: bytes) -> None:
    """Every other method is refused, with what is allowed."""
    request = method + b" / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello"
    status, headers, _ = asked(request)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_parameters_are_ignored() -> None:
    """A query is not even looked at."""
    assert asked(GOOD.replace(b"GET /", b"GET /?cut=box&force=1"))[2] == b"hello /"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.0\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 2 * REQUEST_BYTES + b"\r\n\r\n", 431),
        (b"GET /" + b"y" * REQUEST_BYTES, 431),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"A: b\r\n" * HEADERS + b"\r\n", 431),
    ],
)
def test_what_is_wrong_is_answered_as_wrong(request_: bytes, status: int) -> None:
    """Briefly, and with the safety headers too."""
    got, headers, body = asked(request_)
    assert got == status
    assert headers["x-content-type-options"] == "nosniff"
    assert len(body) < 100


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:8080",
        "192.168.1.10:8080",
        "[fe80::1]",
        "[::1]:8080",
        "vigie",
        "VIGIE.lan:80",
        "vigie.lan.",
    ],
)
def test_the_machine_is_known_by_addresses_and_its_names(host: str) -> None:
    """With a port or without."""
    assert is_known_host(host, {"vigie", "vigie.lan"})


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":80",
        "evil.example",
        "vigie.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1:80:80",
        "127.0.0.1:x",
        "[::1",
        "::1",
        "[]",
        "[127.0.0.1]",
        "vigie@evil",
        "vigie:",
        "1.2.3",
        "127.0.0.1:٣",
        "127.0.0.1:1234567",
    ],
)
def test_other_names_are_not_known(host: str) -> None:
    """A page of somebody else that points its own name here gets nothing (DNS rebinding)."""
    assert not is_known_host(host, {"vigie", "vigie.lan"})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_any_host_is_known_or_not(host: str) -> None:
    """The check never raises."""
    assert is_known_host(host, {"vigie"}) in (True, False)


# --- what a hostile client cannot do --------------------------------------------------------------------


def test_an_answer_that_cannot_be_made_costs_one_connection(caplog: pytest.LogCaptureFixture) -> None:
    """The next one is served."""

    async def talk(port: int) -> None:
        assert (await ask(port, GOOD.replace(b"/ ", b"/broken ", 1)))[0] == 0
        assert (await ask(port, GOOD))[0] == 200

    serve(talk)
    assert "was not answered" in caplog.text


def test_one_address_cannot_take_every_place() -> None:
    """Those beyond its share are turned away at once, and the places come back."""

    async def talk(port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CLIENTS_EACH)]
        await asyncio.sleep(0)
        assert await ask(port, GOOD) == (0, {}, b"")
        for _, writer in idle:
            await closed(writer)
        while (await ask(port, GOOD))[0] != 200:
            pass

    serve(talk, ticking())


def ticking() -> Callable[[], float]:
    """A clock on which connections are never too many in a second."""
    seen = [0.0]

    def clock() -> float:
        seen[0] += 10.0
        return seen[0]

    return clock


def test_who_says_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """And who says it slowly, byte by byte, too."""
    monkeypatch.setattr(server, "REQUEST_S", 0.1)

    async def talk(port: int) -> None:
        silent, unused = await asyncio.open_connection("127.0.0.1", port)
        assert await silent.read() == b""
        await closed(unused)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        async def drip() -> None:
            with contextlib.suppress(ConnectionError):
                while True:
                    writer.write(b"G")
                    await writer.drain()
                    await asyncio.sleep(0.01)

        dripping = asyncio.create_task(drip())
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        dripping.cancel()
        await closed(writer)
        assert (await ask(port, GOOD))[0] == 200

    serve(talk)


def test_who_does_not_take_the_answer_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large answer does not wait for ever for its reader."""
    monkeypatch.setattr(server, "ANSWER_S", 0.1)

    async def talk(port: int) -> None:
        lazy = socket.create_connection(("127.0.0.1", port))
        lazy.sendall(GOOD.replace(b"/ ", b"/big ", 1))
        lazy.setblocking(False)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0.3)
        got = 0
        with contextlib.suppress(ConnectionError):
            while data := await loop.sock_recv(lazy, 1 << 16):
                got += len(data)
        lazy.close()
        assert got < len(BIG)

    serve(talk)


def test_no_more_clients_than_allowed_are_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait in the kernel's queue and are served when there is room."""
    monkeypatch.setattr(server, "CLIENTS_EACH", 1000)

    async def talk(port: int) -> None:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CLIENTS)]
        waiting = asyncio.create_task(ask(port, GOOD))
        done, _ = await asyncio.wait({waiting}, timeout=0.2)
        assert not done
        for _, writer in idle:
            await closed(writer)
        assert (await waiting)[0] == 200

    serve(talk, ticking())


def test_connections_are_accepted_at_a_bounded_rate() -> None:
    """A flood gets a burst, and then no more than time brings, whatever it sends."""
    waits: list[float] = []

    async def talk(port: int) -> None:
        flood = [asyncio.create_task(ask(port, GOOD)) for _ in range(60)]
        while not waits or sum(task.done() for task in flood) < BURST:
            await asyncio.sleep(0.005)
        assert sum(task.done() for task in flood) == BURST
        assert waits == [pytest.approx(1 / server.RATE)]
        for task in flood:
            task.cancel()
        await asyncio.gather(*flood, return_exceptions=True)

    async def stand_still(wait_s: float) -> None:
        waits.append(wait_s)
        await asyncio.Event().wait()

    serve(talk, lambda: 0.0, stand_still)


def test_only_machines_of_a_lan_are_answered() -> None:
    """An uplink may have a public address, and the page is not for the internet."""
    near = ("10.1.2.3", "172.16.0.1", "192.168.1.44", "169.254.3.4", "127.0.0.1")
    far = ("8.8.8.8", "172.32.0.1", "100.64.0.1", "192.169.0.1", "0.0.0.0")
    assert [server._is_near(address) for address in (*near, *far)] == [True] * 5 + [False] * 5


PIECES = st.sampled_from(
    [
        b"GET ",
        b"HEAD ",
        b"/",
        b"/broken",
        b"?x",
        b" HTTP/1.1",
        b" HTTP/9.9",
        b"\r\n",
        b"\n",
        b"Host: 127.0.0.1",
        b"Host:",
        b"Content-Length: 999999999",
        b"Content-Length: -1",
        b"Transfer-Encoding: chunked",
        b"5\r\nhello\r\n",
        b"Expect: 100-continue",
        b"Connection: keep-alive, Upgrade",
        b"Upgrade: h2c",
        b"\x00",
        b"\xff\xfe",
        b": ",
        b" ",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"A" * 3000,
        b"\r\n\r\n",
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.one_of(PIECES, st.binary(max_size=40)), max_size=12), min_size=1, max_size=4))
def test_no_bytes_break_the_server(requests: list[list[bytes]]) -> None:
    """Whatever is sent, each client gets an HTTP answer or the end of the connection, and the next a page."""

    async def talk(port: int) -> None:
        for pieces in requests:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                writer.write_eof()
                answer = await reader.read()
                assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
            await closed(writer)
        assert (await ask(port, GOOD))[2] == b"hello /"

    serve(talk)


def test_every_connection_is_closed_with_the_server() -> None:
    """A client that is still there sees the end."""
    left: list[asyncio.StreamReader] = []

    async def both() -> None:
        made = Server(hello, set(), "")
        with listen("127.0.0.1", 0) as listener:
            task = asyncio.create_task(made.run(listener))
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.getsockname()[1])
            while not made._tasks:
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert await reader.read() == b""
            await closed(writer)
        left.append(reader)

    asyncio.run(both())
    assert left


# --- the whole sink -------------------------------------------------------------------------------------


def test_an_address_that_is_taken_is_named() -> None:
    """What fails is said with address and port, and the sink can be run again."""
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        sink = WebSink(WebSettings("127.0.0.1", port, (), "fr", "x"), [], lambda: MONO)
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            asyncio.run(sink.run(_none(), _none()))


async def _none() -> AsyncIterator[Any]:
    await asyncio.Event().wait()
    yield


def test_the_sink_serves_what_it_is_told() -> None:
    """Snapshots come in, pages and JSON go out."""

    async def run() -> None:
        with listen("127.0.0.1", 0) as free:
            port = free.getsockname()[1]
        sink = WebSink(WebSettings("127.0.0.1", port, ("page.lan",), "fr", "x"), [], lambda: MONO)

        async def snapshots() -> AsyncIterator[Snapshot]:
            yield make_scenes()["box_hung"]
            await asyncio.Event().wait()

        async def events() -> AsyncIterator[Recorded]:
            await asyncio.Event().wait()
            yield  # type: ignore[misc]

        task = asyncio.create_task(sink.run(snapshots(), events()))
        try:
            async with asyncio.timeout(10):
                while not (got := await _tried(port, b"GET /state.json HTTP/1.1\r\nHost: page.lan\r\n\r\n"))[
                    0
                ]:
                    await asyncio.sleep(0.005)
            status, headers, body = got
            assert (status, headers["content-type"]) == (200, "application/json")
            assert json.loads(body)["headline"] == "box_hung"
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


async def _tried(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    try:
        return await ask(port, request)
    except ConnectionError:
        return 0, {}, b""
