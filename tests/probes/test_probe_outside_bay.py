"""Public addresses and routers on the way, asked for through real kernels; servers say what they like."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from check_bay import PUBLIC, WebOracle, bound, says
from probe_bay import OTHER, TARGET, Site, play

from agent.core.model import Link
from agent.core.outside import PathSeen, PublicAddress
from agent.probes.address_page import AddressPage, _context, ask_page_for_address
from agent.probes.outside import AddressRound, OutsidePlan, Servers, StunServer
from agent.probes.stun import USUAL_PORT, Mapped
from agent.probes.way import Way
from hardware.virtual.netns import Namespace
from hardware.virtual.voices import make_certificate

pytestmark = pytest.mark.bay
FIRST, SECOND = StunServer(TARGET, USUAL_PORT), StunServer(OTHER, USUAL_PORT)
PAGE = AddressPage(PUBLIC, 80, tls=False)
ADDRESS, ANOTHER = "81.2.69.160", "81.2.69.161"


class StunOracle:
    """A STUN server at one address; it says ``says``, or nothing."""

    def __init__(self, namespace: Namespace, address: str, says: str | None) -> None:
        self.says = says
        self.asked: list[float] = []
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = namespace.call(lambda: self._bound(address))
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    def _bound(self, address: str) -> socket.socket:
        if self._family == socket.AF_INET:
            return bound(socket.SOCK_DGRAM, address, USUAL_PORT)
        made = socket.socket(self._family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        made.bind((address, USUAL_PORT))
        return made

    def _hear(self) -> None:
        data, client = self._socket.recvfrom(2048)
        self.asked.append(time.monotonic())
        if self.says is not None:
            family = 2 if ":" in self.says else 1
            plain = socket.inet_pton(socket.AF_INET6 if family == 2 else socket.AF_INET, self.says)
            masked = bytes(a ^ b for a, b in zip(plain, data[4:20], strict=False))
            value = bytes([0, family, 0, 0]) + masked
            head = struct.pack("!HH", 0x0101, 4 + len(value)) + data[4:20]
            self._socket.sendto(head + struct.pack("!HH", 0x0020, len(value)) + value, client)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


Told = list[PublicAddress | PathSeen]


def asking(
    site: Site, servers: Servers, told: Told, path_to: str | None = None
) -> tuple[AddressRound, Counter[str]]:
    """A round through the first uplink, and what it costs."""
    spent: Counter[str] = Counter()

    def count(way: str, sent: int, received: int) -> None:
        spent[way] += sent + received

    plan = OutsidePlan("ftth", "e0", 60.0, path_to=path_to)
    return AddressRound(plan, servers, told.append, time.monotonic, count), spent


def addresses(told: Told) -> list[str | None]:
    return [one.address for one in told if isinstance(one, PublicAddress)]


def with_oracles(
    site: Site, first: str | None, second: str | None, story: Callable[[StunOracle, StunOracle], object]
) -> None:
    async def act() -> None:
        oracles = StunOracle(site.boxes[0], TARGET, first), StunOracle(site.boxes[0], OTHER, second)
        try:
            await story(*oracles)  # type: ignore[misc]
        finally:
            for oracle in oracles:
                oracle.close()

    play(site.pi, act)


def test_the_first_server_that_answers_says_the_address(site: Site) -> None:
    """The second is not asked for it, and a question with its answer is 108 bytes."""
    told: Told = []

    async def story(first: StunOracle, second: StunOracle) -> None:
        rounds, spent = asking(site, Servers((FIRST, SECOND)), told)
        await rounds.ask_all()
        assert (addresses(told), len(first.asked), second.asked) == ([ADDRESS], 1, [])
        assert spent == {"ftth": 28 + 20 + 28 + 32}

    with_oracles(site, ADDRESS, ANOTHER, story)
    (one,) = told
    assert isinstance(one, PublicAddress)
    assert (one.way, one.version, one.by, one.why) == ("ftth", 4, TARGET, "")


def test_a_silent_server_gets_company(site: Site) -> None:
    """The second is asked while the first is still being waited for."""
    told: Told = []

    async def story(first: StunOracle, second: StunOracle) -> None:
        await asking(site, Servers((FIRST, SECOND)), told)[0].ask_all()
        assert len(second.asked) == 1
        assert len(first.asked) >= 1

    with_oracles(site, None, ADDRESS, story)
    assert addresses(told) == [ADDRESS]


def test_another_address_needs_two_servers_that_agree(site: Site) -> None:
    """One that lies, or sees something else, changes nothing; and the disagreement is told."""
    told: Told = []

    async def story(first: StunOracle, second: StunOracle) -> None:
        rounds, _ = asking(site, Servers((FIRST, SECOND)), told)
        await rounds.ask_all()
        first.says = ANOTHER
        await rounds.ask_all()
        second.says = ANOTHER
        await rounds.ask_all()

    with_oracles(site, ADDRESS, ADDRESS, story)
    assert addresses(told) == [ADDRESS, None, ANOTHER]
    assert [one.why for one in told if isinstance(one, PublicAddress)][1] == (
        f"{TARGET} says {ANOTHER}, {OTHER} says {ADDRESS}"
    )


@pytest.mark.parametrize("lie", ["192.168.1.2", "100.64.0.9", "0.0.0.0", "203.0.113.9"])
def test_what_nobody_on_the_internet_can_have_is_not_believed(site: Site, lie: str) -> None:
    """A helper in between that answers in the place of the server knows no better."""
    told: Told = []

    async def story(_first: StunOracle, _second: StunOracle) -> None:
        await asking(site, Servers((FIRST,)), told)[0].ask_all()

    with_oracles(site, lie, None, story)
    (one,) = told
    assert isinstance(one, PublicAddress)
    assert (one.address, one.why) == (None, f"{lie} is no public address")


def test_a_page_tells_where_no_server_answers(site: Site) -> None:
    """An address in plain text; anything else is none."""
    told: Told = []

    async def story() -> None:
        for body in (f"{ADDRESS}\n", "<html>login</html>"):
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
            oracle = WebOracle(site.boxes[0], PUBLIC, says((head + body).encode()))
            await asking(site, Servers((), (PAGE,)), told)[0].ask_all()
            assert oracle.requests[0].startswith(b"GET / HTTP/1.1\r\nHost: 4.4.4.4\r\n")
            await oracle.close()

    play(site.pi, story)
    assert addresses(told) == [ADDRESS, None]


def test_ipv6_is_asked_of_servers_that_have_it(site: Site) -> None:
    """Where there never was any, nothing is said of it."""
    server = "2001:4860:4864:5:8000::1"
    told: Told = []
    site.boxes[0].ip(f"addr add {server}/64 dev lan nodad")

    async def story() -> None:
        rounds, _ = asking(site, Servers((StunServer(server, USUAL_PORT),)), told)
        await rounds.ask_all()
        assert [one.version for one in told if isinstance(one, PublicAddress)] == [4]
        site.pi.ip("addr add 2001:4860:4864:5:8000::2/64 dev e0 nodad")
        oracle = StunOracle(site.boxes[0], server, "2001:4860:4864:5:8000::2")
        await rounds.ask_all()
        oracle.close()

    play(site.pi, story)
    assert "2001:4860:4864:5:8000::2" in addresses(told)


def test_the_routers_on_the_way_are_seen(site: Site) -> None:
    """The box is the first; behind it this target answers itself."""
    told: Told = []

    async def story() -> None:
        await asking(site, Servers(()), told, path_to=TARGET)[0].ask_all()

    play(site.pi, story)
    (path,) = [one for one in told if isinstance(one, PathSeen)]
    assert path.hops[0] == TARGET, "the target is the box's own address here"


def test_nothing_is_asked_where_nothing_can_leave(site: Site) -> None:
    """Without address or gateway; and a change of either makes what is under way worthless."""
    told: Told = []

    async def story() -> None:
        rounds, spent = asking(site, Servers((FIRST,)), told)
        assert not rounds.link_changed(Link("ftth", True, True, None, None))
        await rounds.ask_all()
        assert rounds.link_changed(Link("ftth", True, True, "192.168.1.2", "192.168.1.1"))
        assert rounds.is_open
        assert not spent

    play(site.pi, story)
    assert told == []


def test_a_page_is_believed_only_with_a_certificate_that_the_system_trusts(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever stands in between can have any address told; by HTTPS that is seen, and said."""
    certificate, authority = make_certificate(tmp_path)
    found: list[Mapped] = []

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(ADDRESS)}\r\n\r\n{ADDRESS}".encode())
        writer.close()

    async def story() -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener = site.boxes[0].call(lambda: bound(socket.SOCK_STREAM, PUBLIC, 443))
        server = await asyncio.start_server(tell, sock=listener, ssl=context)
        page, way = AddressPage("mabbox.bytel.fr", 443), Way("ftth", "e0")
        found.append(await ask_page_for_address(way, page, PUBLIC))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        _context.cache_clear()
        found.append(await ask_page_for_address(way, page, PUBLIC))
        _context.cache_clear()
        server.close()

    play(site.pi, story)
    refused, believed = found
    assert refused.address is None
    assert refused.why.startswith("TLS: ")
    assert believed == Mapped(ADDRESS)
