"""Pages asked for through real kernels: hostile servers, refusals, and which way the connection takes."""

from __future__ import annotations

import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from check_bay import PUBLIC, WebOracle, drips, hangs, resets, says
from probe_bay import TARGET, Site, play, site_with

from agent.core.inquiries import Said
from agent.probes.http_answer import MOST_BYTES
from agent.probes.verdict import Verdict
from agent.probes.way import Way
from agent.probes.web import Page, ask_page
from hardware.virtual.netns import Namespace

pytestmark = pytest.mark.bay
WAY = Way("way0", "e0")
BOX = "192.168.1.1"
PAGE = Page("example.net", "/204")
WELL = b"HTTP/1.1 204 No Content\r\n\r\n"
Serving = Callable[[socket.socket], Awaitable[None]]


def fetch(
    site: Site,
    serve: Serving | None,
    page: Page = PAGE,
    way: Way = WAY,
    address: str = PUBLIC,
    timeout_s: float = 3.0,
) -> tuple[Verdict, list[bytes]]:
    """Ask for one page of a server that behaves so, or of none; what came of it, and the requests."""
    found: list[Verdict] = []
    requests: list[bytes] = []

    async def story() -> None:
        oracle = None if serve is None else WebOracle(site.boxes[0], address, serve)
        found.append(await ask_page(way, page, address, time.monotonic, timeout_s))
        if oracle is not None:
            requests.extend(oracle.requests)
            await oracle.close()

    play(site.pi, story)
    return found[0], requests


def received_bytes(namespace: Namespace, interface: str) -> int:
    """Bytes that have come in at an interface, by its kernel's own count."""
    with namespace.entered():
        table = Path("/proc/thread-self/net/dev").read_text()
    line = next(line for line in table.splitlines() if line.strip().startswith(f"{interface}:"))
    return int(line.partition(":")[2].split()[0])


def test_the_expected_answer_is_well_and_the_request_is_plain(site: Site) -> None:
    """The server is asked for by its name, at the address that was given."""
    fetched, requests = fetch(site, says(WELL))
    assert (fetched.said, fetched.by, fetched.detail) == (Said.WELL, PUBLIC, "")
    assert fetched.took_ms is not None
    head, _, rest = requests[0].partition(b"\r\n\r\n")
    assert head.splitlines() == [
        b"GET /204 HTTP/1.1",
        b"Host: example.net",
        b"User-Agent: vigie",
        b"Accept-Encoding: identity",
        b"Connection: close",
    ]
    assert rest == b""


def test_an_expected_text_is_well(site: Site) -> None:
    """Pages that answer with a text instead of nothing."""
    page = Page("example.net", "/success.txt", body="success")
    assert fetch(site, says(b"HTTP/1.1 200 OK\r\n\r\nsuccess\n"), page)[0].said is Said.WELL
    assert fetch(site, says(b"HTTP/1.1 200 OK\r\n\r\nlogin"), page)[0].said is Said.WRONG


def test_a_page_has_the_address_that_people_write() -> None:
    """With its port only where it is not the usual one."""
    assert Page("example.net", "/a").url == "http://example.net/a"
    assert Page("1.2.3.4", "/", 8080).url == "http://1.2.3.4:8080/"
    assert b"Host: 1.2.3.4:8080\r\n" in Page("1.2.3.4", "/", 8080).request()


def test_a_portal_is_told_with_where_it_leads(site: Site) -> None:
    """A redirection, a login page, a demand for authentication."""
    fetched, _ = fetch(site, says(b"HTTP/1.1 302 Found\r\nLocation: http://192.168.1.1/login\r\n\r\n"))
    assert (fetched.said, fetched.detail) == (Said.WRONG, "302 Location: http://192.168.1.1/login")
    fetched, _ = fetch(site, says(b"HTTP/1.1 200 OK\r\n\r\n<title>Recharge</title>"))
    assert (fetched.said, fetched.detail) == (Said.WRONG, "200 title: Recharge")
    assert fetch(site, says(b"HTTP/1.1 511 x\r\n\r\n"))[0].said is Said.WRONG


def test_even_the_expected_answer_is_wrong_from_a_private_address(site: Site) -> None:
    """Some portals know what devices want to hear."""
    fetched, _ = fetch(site, says(WELL), address=TARGET)
    assert (fetched.said, fetched.by) == (Said.WRONG, TARGET)
    assert fetched.detail == "not from a public address: the expected answer"
    fetched, _ = fetch(site, None, address=TARGET)
    assert fetched.said is Said.WRONG
    assert fetched.detail.startswith("not from a public address: connection refused")


def test_a_server_that_never_answers_is_silent(site: Site) -> None:
    """Connected, asked, nothing."""
    fetched, requests = fetch(site, hangs, timeout_s=0.3)
    assert fetched == Verdict(Said.SILENT, detail="answer not complete, 0 bytes")
    assert len(requests) == 1


def test_a_server_that_drips_cannot_hold_the_probe(site: Site) -> None:
    """A byte now and then, without end, does not make the wait longer."""
    fetched, _ = fetch(site, drips(WELL[:-2] + b"X"), timeout_s=0.5)
    assert fetched.said is Said.SILENT
    assert "not complete" in fetched.detail


def test_a_server_that_drips_the_whole_answer_is_well(site: Site) -> None:
    """Slow is not wrong."""
    assert fetch(site, drips(WELL, 0.001))[0].said is Said.WELL


def test_of_ten_megabytes_hardly_more_than_is_read_is_sent(site: Site) -> None:
    """The uplink may be paid for by the megabyte."""
    huge = b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n<title>all you can read</title>"
    before = received_bytes(site.pi, "e0")
    fetched, _ = fetch(site, says(huge + b"x" * 10_000_000))
    assert (fetched.said, fetched.detail) == (Said.WRONG, "200 title: all you can read")
    assert received_bytes(site.pi, "e0") - before < 8 * MOST_BYTES


@pytest.mark.parametrize("noise", [b"\x00\xff" * 3000, b"220 mail.example.net ESMTP\r\n", b"<html>"])
def test_garbage_is_no_answer_of_a_web_server(site: Site, noise: bytes) -> None:
    """Told in printable characters."""
    fetched, _ = fetch(site, says(noise))
    assert fetched.said is Said.WRONG
    assert fetched.detail.startswith("no HTTP: ")
    assert fetched.detail.isprintable()


def test_a_server_that_hangs_up_is_a_refusal(site: Site) -> None:
    """Without a word, in the middle, or by a reset."""
    fetched, _ = fetch(site, says(b""))
    assert (fetched.said, fetched.by) == (Said.REFUSED, PUBLIC)
    assert fetch(site, says(WELL[:10]))[0].said is Said.REFUSED
    fetched, _ = fetch(site, resets)
    assert (fetched.said, fetched.by, fetched.detail) == (Said.REFUSED, PUBLIC, "connected, then reset")


def test_a_closed_port_proves_that_the_server_is_reached(site: Site) -> None:
    """Its machine has refused by itself."""
    fetched, _ = fetch(site, None)
    assert (fetched.said, fetched.by) == (Said.REFUSED, PUBLIC)
    assert "the server is reached" in fetched.detail


@pytest.mark.parametrize("kind", ["unreachable", "prohibit"])
def test_a_router_that_refuses_is_named(site: Site, kind: str) -> None:
    """The box has no way to the server and says so."""
    site.boxes[0].ip(f"route add {kind} 5.5.5.5")
    fetched, _ = fetch(site, None, address="5.5.5.5")
    assert (fetched.said, fetched.by) == (Said.REFUSED, BOX)
    assert "ICMP error" in fetched.detail


def test_nobody_at_all_is_silence(site: Site) -> None:
    """The first packet of the connection is lost, again and again."""
    site.boxes[0].ip("route add blackhole 5.5.5.5")
    fetched, _ = fetch(site, None, address="5.5.5.5", timeout_s=0.3)
    assert fetched == Verdict(Said.SILENT, detail="no connection")


def test_nobody_at_the_next_hop_is_silence(site: Site) -> None:
    """Our own kernel gives up the hardware address; nobody has refused anything.

    It takes the kernel some seconds, which cannot be passed in.
    """
    site.pi.ip("route replace default via 192.168.1.77 dev e0 metric 100")
    fetched, _ = fetch(site, None, timeout_s=8.0)
    assert fetched == Verdict(Said.SILENT, detail="nobody answers ARP for the next hop")


@pytest.mark.parametrize(
    ("way", "address", "detail"),
    [
        (Way("x", "e9"), PUBLIC, "no_interface: No such device"),
        (Way("x", "e0", "10.20.30.40"), PUBLIC, "no_address: Cannot assign requested address"),
        (Way("x", "e1"), PUBLIC, "no_route: Network is unreachable"),
        (Way("x", "e0"), "255.255.255.255", "no_route: Network is unreachable"),
    ],
)
def test_what_did_not_leave_says_nothing(site: Site, way: Way, address: str, detail: str) -> None:
    """A local fault is never taken for one of the uplink."""
    site.pi.ip("link add e1 type veth peer name e2")
    assert fetch(site, None, way=way, address=address)[0] == Verdict(Said.UNSENT, detail=detail)


def test_a_connection_never_leaves_by_another_uplink() -> None:
    """Uplink 1 is dead, uplink 0 is well and has the better route and the same server."""
    with site_with(2) as two:
        two.pi.sysctl("ipv4/conf/all/rp_filter", "2")
        for box in two.boxes:
            box.ip(f"addr add {PUBLIC}/32 dev lo")

        async def story() -> None:
            oracles = [WebOracle(box, PUBLIC, says(WELL)) for box in two.boxes]
            assert (await ask_page(Way("way1", "e1"), PAGE, PUBLIC, time.monotonic, 2.0)).said is Said.WELL
            two.boxes[1].ip("link set lan down")
            dead = await ask_page(Way("way1", "e1"), PAGE, PUBLIC, time.monotonic, 0.5)
            assert dead.said in (Said.SILENT, Said.UNSENT)
            assert [len(oracle.requests) for oracle in oracles] == [0, 1]
            assert (await ask_page(Way("way0", "e0"), PAGE, PUBLIC, time.monotonic, 2.0)).said is Said.WELL
            for oracle in oracles:
                await oracle.close()

        play(two.pi, story)
