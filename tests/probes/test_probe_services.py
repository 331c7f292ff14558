"""Services asked through real sockets: honest servers, and servers that stop, hang up, lie and flood."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from check_bay import dns_reply
from service_ground import (
    HOME,
    Serving,
    ask,
    plan,
    server_context,
    silence,
    sip_reply,
    tcp_server,
    udp_server,
)

from agent.core.model import Link
from agent.core.service_words import SITE_WAY, Served, ServiceKind, Snag
from agent.probes.services.asker import Exit
from agent.probes.services.plan import Transport
from agent.probes.services.tls import MOST_BYTES
from hardware.virtual.certificates import Authority

SIP, TCP, TLS, HTTPS, DNS = (
    ServiceKind.SIP,
    ServiceKind.TCP,
    ServiceKind.TLS,
    ServiceKind.HTTPS,
    ServiceKind.DNS,
)
SHORT_S = 0.2


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pem(authority: Authority) -> Path:
    return authority.issue(HOME)


def says(data: bytes) -> Serving:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(data)
        await writer.drain()

    return serve


def asked(
    serve: Serving, kind: ServiceKind, service_s: float = 5.0, *, tls: Path | None = None, **more: object
) -> Served:
    """What comes of asking a TCP server that behaves so."""

    async def story() -> Served:
        async with tcp_server(serve, None if tls is None else server_context(tls)) as port:
            return await ask(plan(kind, port, **more), service_s)  # type: ignore[arg-type]

    return asyncio.run(story())


# --- connections ----------------------------------------------------------------------------------------


def test_a_connection_is_enough_for_a_tcp_service() -> None:
    """Nothing is said on it."""
    served = asked(silence, TCP)
    assert (served.service, served.way, served.snag, served.by, served.via) == (
        "desk",
        "lo",
        None,
        HOME,
        None,
    )
    assert served.took_ms is not None


def test_a_port_where_nobody_listens_refuses() -> None:
    """Its machine is there."""

    async def story() -> Served:
        async with tcp_server(silence) as port:
            pass
        return await ask(plan(TCP, port))

    served = asyncio.run(story())
    assert (served.snag, served.by) == (Snag.REFUSED, HOME)


def test_what_cannot_leave_says_nothing_of_the_service() -> None:
    """No such interface; and no name server to ask for a name."""
    gone = asyncio.run(ask(plan(TCP, 9), way="x", exits=(Exit("x", "vigie-none"),)))
    assert (gone.snag, gone.detail) == (Snag.UNSENT, "no_interface: No such device")
    nameless = asyncio.run(ask(plan(TCP, 9, "pay.example.net")))
    assert (nameless.snag, nameless.detail) == (Snag.UNSENT, "no name server to ask")


def test_the_site_way_is_not_bound_and_names_the_uplink_that_it_takes() -> None:
    """By the address that the system itself would send from."""

    async def story() -> Served:
        links = (Link("elsewhere", present=True, address="10.1.1.1"), Link("lo", present=True, address=HOME))
        async with tcp_server(silence) as port:
            return await ask(
                plan(TCP, port),
                way=SITE_WAY,
                exits=(Exit("elsewhere", "vigie-none"), Exit("lo", "lo")),
                links=links,
            )

    served = asyncio.run(story())
    assert (served.way, served.snag) == (SITE_WAY, None)


# --- telephone ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [
        "200 OK",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
        "405 No",
        "483 Too Many Hops",
        "501 Not Implemented",
        "603 Decline",
    ],
)
def test_any_final_answer_shows_that_telephony_is_there(status: str) -> None:
    """By both transports; a word that another answer follows is waited out."""

    async def story() -> list[Served]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            question = await reader.readuntil(b"\r\n\r\n")
            writer.write(sip_reply(question, "100 Trying", b"wait") + b"\r\n" + sip_reply(question, status))

        answers = lambda data, _: [sip_reply(data, "100 Trying"), sip_reply(data, status)]  # noqa: E731
        async with udp_server(answers) as (port, _), tcp_server(serve) as stream:
            return [await ask(plan(SIP, port)), await ask(plan(SIP, stream, transport=Transport.TCP))]

    for served in asyncio.run(story()):
        assert (served.snag, served.by, served.detail) == (None, HOME, status)


def test_a_server_that_says_that_it_does_not_work_does_not() -> None:
    """Errors of the server itself (RFC 3261, 21.5) are no sign of telephony."""

    async def story() -> Served:
        async with udp_server(lambda data, _: [sip_reply(data, "503 Service Unavailable")]) as (port, _):
            return await ask(plan(SIP, port))

    served = asyncio.run(story())
    assert (served.snag, served.detail) == (Snag.STATUS, "503 Service Unavailable")


def test_a_question_by_udp_is_repeated_until_it_is_answered() -> None:
    """The same question, half a second later at the earliest (T1 of RFC 3261)."""

    async def story() -> tuple[Served, list[tuple[float, bytes]]]:
        async with udp_server(lambda data, times: [sip_reply(data)] if times == 2 else []) as (port, heard):
            return await ask(plan(SIP, port)), heard.asked

    served, heard = asyncio.run(story())
    assert served.snag is None
    (first_at, first), (second_at, second) = heard
    assert first == second
    assert second_at - first_at >= 0.45


def test_strangers_datagrams_are_no_answer() -> None:
    """One for another question, garbage, half of one: silence, or not the protocol."""

    async def story(*replies: bytes | None) -> Served:
        def answers(data: bytes, _times: int) -> list[bytes]:
            return [
                sip_reply(data).replace(b"z9hG4bK", b"z9hG4bX") if one is None else one for one in replies
            ]

        async with udp_server(answers) as (port, _):
            return await ask(plan(SIP, port), SHORT_S)

    served = asyncio.run(story(None, b"SIP/2.0 200 OK\r\nVia"))
    assert (served.snag, served.detail) == (Snag.SILENT, "no answer, 2 datagrams that are no answer to it")
    served = asyncio.run(story(b"\xff\0 garbage"))
    assert (served.snag, served.by) == (Snag.NOT_SPOKEN, HOME)
    assert served.detail.isprintable()


@pytest.mark.parametrize(("hangs", "snag"), [(False, Snag.HUNG_UP), (True, Snag.SILENT)])
def test_an_answer_that_stops_at_any_byte_is_none(hangs: bool, snag: Snag) -> None:
    """Whoever hangs up has hung up, whoever just stops is waited for, for the time that is allowed."""

    async def story() -> list[Served]:
        sizes = iter(range(0, 200, 40 if hangs else 3))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            question = await reader.readuntil(b"\r\n\r\n")
            writer.write(sip_reply(question)[: next(sizes)])
            if hangs:
                await silence(reader, writer)

        async with tcp_server(serve) as port:
            what = plan(SIP, port, transport=Transport.TCP)
            return [await ask(what, SHORT_S if hangs else 5.0) for _ in range(5 if hangs else 66)]

    assert {served.snag for served in asyncio.run(story())} == {snag}


def test_whoever_never_stops_talking_is_not_listened_to_for_ever() -> None:
    """By the length that is read, not by the time: what is read is paid for."""

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SIP/2.0 200 OK\r\n")
        while True:
            writer.write(b"X: " + b"x" * 997 + b"\r\n")
            await writer.drain()

    counted: list[int] = []

    async def story() -> Served:
        async with tcp_server(flood) as port:
            return await ask(
                plan(SIP, port, transport=Transport.TCP),
                count=lambda _way, _sent, received: counted.append(received),
            )

    served = asyncio.run(story())
    assert (served.snag, served.detail) == (Snag.NOT_SPOKEN, "an answer without end")
    assert sum(counted) < 10 * 8192


# --- certificates and pages -----------------------------------------------------------------------------


def test_a_proven_server_tells_until_when_its_certificate_lasts(authority: Authority, pem: Path) -> None:
    """20 days, as it was issued."""
    served = asked(silence, TLS, tls=pem, ca_file=authority.certificate)
    assert (served.snag, served.detail) == (None, "")
    assert served.valid_until is not None
    assert 19.9 < (served.valid_until - time.time()) / 86400 <= 20.0


def test_a_server_that_cannot_prove_who_it_is_fails(authority: Authority, pem: Path) -> None:
    """Another's name, an authority that nobody knows, a certificate that has ended."""
    wrong = asked(silence, TLS, tls=authority.issue("pay.example.net"), ca_file=authority.certificate)
    assert (wrong.snag, wrong.by) == (Snag.CERTIFICATE, HOME)
    assert "mismatch" in wrong.detail
    unknown = asked(silence, TLS, tls=pem)
    assert (unknown.snag, unknown.detail) == (Snag.CERTIFICATE, "unable to get local issuer certificate")
    ended = asked(silence, TLS, tls=authority.issue(HOME, days=0), ca_file=authority.certificate)
    assert (ended.snag, ended.detail) == (Snag.CERTIFICATE, "certificate has expired")


@pytest.mark.parametrize("noise", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0" * 3000, b"SSH-2.0-x\r\n"])
def test_what_speaks_no_tls_is_told_so(noise: bytes, authority: Authority) -> None:
    """Whatever it says instead."""
    served = asked(says(noise), TLS, ca_file=authority.certificate)
    assert (served.snag, served.by) == (Snag.NOT_SPOKEN, HOME)
    assert served.detail.startswith("no TLS: ")


def test_a_certificate_file_that_is_not_there_is_no_fault_of_the_service(tmp_path: Path) -> None:
    """It is told, and nothing is judged."""
    served = asked(silence, TLS, ca_file=tmp_path / "gone.pem")
    assert (served.snag, "gone.pem: No such file" in served.detail) == (Snag.UNSENT, True)


@asynccontextmanager
async def cut(port: int, sizes: Iterator[int], *, hangs: bool) -> AsyncIterator[int]:
    """A way to a server on which only so many of its bytes come through."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = next(sizes)
        near, far = await asyncio.open_connection(HOME, port)

        async def there() -> None:
            while data := await reader.read(4096):
                far.write(data)

        task = asyncio.create_task(there())
        while left > 0 and (data := await near.read(min(left, 4096))):
            writer.write(data)
            left -= len(data)
        if hangs:
            await silence(asyncio.StreamReader(), writer) if task.done() else await task
        task.cancel()
        far.close()

    async with tcp_server(relay) as made:
        yield made


def test_a_handshake_that_stops_at_any_byte_proves_nothing(authority: Authority, pem: Path) -> None:
    """A handshake is some 1000 bytes; the rest of it is not guessed."""

    async def story(sizes: list[int], service_s: float, *, hangs: bool) -> list[Served]:
        what = {"ca_file": authority.certificate}
        async with (
            tcp_server(silence, server_context(pem)) as port,
            cut(port, iter(sizes), hangs=hangs) as made,
        ):
            return [await ask(plan(TLS, made, **what), service_s) for _ in sizes]

    closed = asyncio.run(story([*range(12), *range(50, 700, 50)], 5.0, hangs=False))
    assert {served.snag for served in closed} == {Snag.HUNG_UP}
    stopped = asyncio.run(story([0, 3, 400], SHORT_S, hangs=True))
    assert {served.snag for served in stopped} == {Snag.SILENT}


def page(status: str, *more: str) -> Serving:
    return says("\r\n".join([f"HTTP/1.1 {status}", *more, "", ""]).encode())


def test_a_page_is_judged_by_its_status_alone(authority: Authority, pem: Path) -> None:
    """Below 500 the server works; where a status is expected, only this one will do."""
    secure = {"tls": pem, "ca_file": authority.certificate}
    for status in ("200 OK", "302 Found", "401 Unauthorized", "501 Not Implemented"):
        assert asked(page(status), HTTPS, **secure).snag is None  # type: ignore[arg-type]
    sick = asked(page("503 Busy"), HTTPS, **secure)  # type: ignore[arg-type]
    assert (sick.snag, sick.detail) == (Snag.STATUS, "status 503")
    moved = asked(page("302 Found"), HTTPS, status=200, **secure)  # type: ignore[arg-type]
    assert (moved.snag, moved.detail) == (Snag.STATUS, "status 302, not 200")


def test_of_a_page_nothing_is_downloaded(authority: Authority, pem: Path) -> None:
    """HEAD asks for none; a server that sends ten megabytes all the same is hung up on."""
    counted: list[int] = []
    requests: list[bytes] = []

    async def push(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        for _ in range(100):
            writer.write(b"x" * 100_000)
            await writer.drain()

    async def story() -> Served:
        async with tcp_server(push, server_context(pem)) as port:
            what = plan(HTTPS, port, path="/login", ca_file=authority.certificate)
            return await ask(what, count=lambda _way, _sent, received: counted.append(received))

    assert asyncio.run(story()).snag is None
    assert requests[0].startswith(b"HEAD /login HTTP/1.1\r\nHost: 127.0.0.1:")
    assert sum(counted) < MOST_BYTES


def test_a_web_server_that_talks_nonsense_fails(authority: Authority, pem: Path) -> None:
    """Another protocol, a head without end, half an answer, and none."""
    secure = {"tls": pem, "ca_file": authority.certificate}
    assert asked(says(b"220 mail\r\n"), HTTPS, **secure).snag is Snag.NOT_SPOKEN  # type: ignore[arg-type]
    endless = asked(says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000), HTTPS, **secure)  # type: ignore[arg-type]
    assert (endless.snag, endless.detail) == (Snag.NOT_SPOKEN, "a head without end")
    assert asked(says(b"HTTP/1.1 20"), HTTPS, **secure).snag is Snag.HUNG_UP  # type: ignore[arg-type]
    assert asked(silence, HTTPS, SHORT_S, **secure).snag is Snag.SILENT  # type: ignore[arg-type]


# --- names ----------------------------------------------------------------------------------------------


def test_a_name_server_as_a_service_must_know_the_name() -> None:
    """Any address is one, also a private one: such a server may be the business's own."""

    async def story(code: int, *addresses: str) -> Served:
        async with udp_server(lambda data, _: [dns_reply(data, *addresses, code=code)]) as (port, _):
            return await ask(plan(DNS, port, question="dms.example.net"))

    assert asyncio.run(story(0, "10.2.3.4")).snag is None
    unknown = asyncio.run(story(3))
    assert (unknown.snag, unknown.detail) == (Snag.STATUS, "says that the name does not exist")
    assert asyncio.run(story(2)).detail == "SERVFAIL"


def test_a_silent_name_server_is_silent() -> None:
    async def story() -> Served:
        async with udp_server(lambda *_: []) as (port, _):
            return await ask(plan(DNS, port, question="dms.example.net"), SHORT_S)

    assert asyncio.run(story()).snag is Snag.SILENT


def test_questions_are_asked_side_by_side_and_never_twice_at_once() -> None:
    """A way that is silent does not keep the others waiting."""

    async def story() -> list[float]:
        async with udp_server(lambda *_: []) as (port, heard):
            await asyncio.gather(ask(plan(SIP, port), SHORT_S), ask(plan(SIP, port), SHORT_S))
            return [at for at, _ in heard.asked]

    times = asyncio.run(story())
    assert len(times) == 2
    assert all(later - earlier < SHORT_S for earlier, later in pairwise(times))
