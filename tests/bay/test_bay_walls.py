"""Names and pages of the bay's internet, and boxes that answer in their place, seen from the site."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path

import pytest
from bay_ground import TARGET, eventually, eventually_answers, play, silent

from hardware.virtual import names, world
from hardware.virtual.bay import Bay
from hardware.virtual.scenario_reader import ScenarioError, parse
from hardware.virtual.wall import NameMode, PageMode, Wall, portal

pytestmark = pytest.mark.bay
INTERFACES = {"ftth": "eth1", "cell": "wwan0"}
BOX = "192.168.11.1"
GSTATIC = "142.250.179.99"


def site_socket(bay: Bay, kind: socket.SocketKind, on: str) -> socket.socket:
    def make() -> socket.socket:
        made = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, INTERFACES[on].encode())
        return made

    return bay.site.call(make)


async def resolve(
    bay: Bay, name: str, server: str, on: str = "ftth", timeout_s: float = 0.3
) -> tuple[int, str] | None:
    """Code and last address that a name server gives for a name; None if it is silent."""
    question = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0\0\1\0\1"
    with site_socket(bay, socket.SOCK_DGRAM, on) as asked:
        asked.connect((server, 53))
        asked.send(struct.pack("!HHHHHH", 4711, 0x0100, 1, 0, 0, 0) + question)
        try:
            async with asyncio.timeout(timeout_s):
                data = await asyncio.get_running_loop().sock_recv(asked, 512)
        except (OSError, TimeoutError):
            return None
    ident, flags, _questions, count, _, _ = struct.unpack_from("!HHHHHH", data)
    assert ident == 4711
    assert data[12 : 12 + len(question)] == question
    return flags & 15, socket.inet_ntoa(data[-4:]) if count else ""


async def fetch(bay: Bay, address: str, host: str, path: str, on: str = "ftth", port: int = 80) -> str | None:
    """What a web server answers; None if no connection can be made."""
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    with site_socket(bay, socket.SOCK_STREAM, on) as asked:
        try:
            async with asyncio.timeout(0.5):
                loop = asyncio.get_running_loop()
                await loop.sock_connect(asked, (address, port))
                await loop.sock_sendall(asked, request.encode())
                answer = b""
                while piece := await loop.sock_recv(asked, 4096):
                    answer += piece
                return answer.decode()
        except (OSError, TimeoutError):
            return None


def test_names_are_answered_by_servers_and_boxes(tmp_path: Path) -> None:
    """All public servers, through every uplink, and each box by asking its operator's."""

    async def story(bay: Bay) -> None:
        for on in ("ftth", "cell"):
            for server in ("1.1.1.1", "8.8.8.8", "9.9.9.9", bay.plans[on].box):
                assert await resolve(bay, "cp.cloudflare.com", server, on) == (0, "104.16.132.229")
                # An alias comes first, and its address behind it.
                assert await resolve(bay, "detectportal.firefox.com", server, on) == (0, "34.107.221.82")
                assert await resolve(bay, "nowhere.example", server, on) == (3, "")

    play(tmp_path, story)


def test_a_box_resolves_only_as_long_as_its_operator_can_be_asked(tmp_path: Path) -> None:
    """Its own name server knows nothing by itself."""

    async def story(bay: Bay) -> None:
        for deed, back in (("line_cut", "line_back"), ("operator_out", "operator_back")):
            await bay.do(deed, on="ftth")
            assert await resolve(bay, "dns.google", BOX) is None
            await bay.do(back, on="ftth")
            assert await resolve(bay, "dns.google", BOX, timeout_s=3.0) is not None
        await bay.do("hang", on="ftth", mode="forwarding")
        assert await resolve(bay, "dns.google", BOX) is None
        await bay.do("target_out", target="9.9.9.9")
        assert await resolve(bay, "dns.google", "9.9.9.9", "cell") is None
        await bay.do("target_back", target="9.9.9.9")
        assert await resolve(bay, "dns.google", "9.9.9.9", "cell") is not None

    play(tmp_path, story)


def test_pages_are_served(tmp_path: Path) -> None:
    """Those that devices ask to find out whether they are on the internet."""

    async def story(bay: Bay) -> None:
        assert str(await fetch(bay, GSTATIC, "connectivitycheck.gstatic.com", "/generate_204")).startswith(
            "HTTP/1.1 204 "
        )
        text = await fetch(bay, "34.107.221.82", "detectportal.firefox.com", "/success.txt", "cell")
        assert str(text).endswith("\r\n\r\nsuccess\n")
        assert str(await fetch(bay, GSTATIC, "example.net", "/")).startswith("HTTP/1.1 404 ")

    play(tmp_path, story)


def test_datagrams_that_are_no_question_are_not_answered(tmp_path: Path) -> None:
    """Noise, half a question, an answer, another type."""
    good = struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + b"\3dns\6google\0\0\1\0\1"
    assert names.parse(good) is not None
    for bad in (
        b"",
        good[:-1],
        good[:2] + b"\x81\x80" + good[4:],
        good[:-4] + b"\0\x1c\0\1",
        good[:12] + b"\x3fa",
    ):
        assert names.parse(bad) is None


@pytest.mark.parametrize("pings", [True, False])
@pytest.mark.parametrize("pages", ["redirect", "login"])
def test_a_portal_answers_for_everybody(tmp_path: Path, pages: str, pings: bool) -> None:
    """Names lead to the box, pages are the box's, pings pass or not, nothing else does."""

    async def story(bay: Bay) -> None:
        await bay.do("portal", on="ftth", pages=pages, pings=pings)
        for server in ("1.1.1.1", "9.9.9.9", "4.4.4.4", BOX):
            assert await resolve(bay, "anything.example", server) == (0, BOX)
        expected = "HTTP/1.1 302 " if pages == "redirect" else "HTTP/1.1 200 "
        for address in (*world.WEB_SERVERS, BOX):
            page = await fetch(bay, address, "connectivitycheck.gstatic.com", "/generate_204")
            assert str(page).startswith(expected)
        assert "Connexion requise" in str(await fetch(bay, BOX, BOX, "/login"))
        assert await fetch(bay, "203.0.113.10", "x", "/", port=1883) is None
        assert await silent(bay, "ftth") is not pings
        assert await bay.ping(BOX, on="ftth") is not None
        assert await resolve(bay, "dns.google", "1.1.1.1", "cell") == (0, "8.8.4.4")
        await bay.do("portal_end", on="ftth")
        assert await bay.ping(TARGET, on="ftth") is not None
        assert await resolve(bay, "anything.example", BOX) == (3, "")
        assert str(await fetch(bay, GSTATIC, "x", "/generate_204")).startswith("HTTP/1.1 204 ")
        assert await fetch(bay, BOX, BOX, "/login") is None

    play(tmp_path, story)


def test_a_portal_of_a_modem_leaves_its_own_pages(tmp_path: Path) -> None:
    """The modem's web server goes on answering at the modem's address."""

    async def story(bay: Bay) -> None:
        await bay.do("portal", on="cell")
        box = bay.plans["cell"].box
        assert "HiLink" in str(await fetch(bay, box, box, "/", "cell"))
        page = await fetch(bay, GSTATIC, "connectivitycheck.gstatic.com", "/generate_204", "cell")
        assert f"Location: http://{box}/login" in str(page)

    play(tmp_path, story)


def test_a_portal_dies_and_comes_back_with_its_box(tmp_path: Path) -> None:
    """A restart pays no bill: who was behind a portal is behind it again."""

    async def story(bay: Bay) -> None:
        await bay.do("portal", on="ftth")
        await bay.do("hang", on="ftth", mode="frozen")
        assert await resolve(bay, "dns.google", "1.1.1.1") is None
        await bay.do("power_off")
        await bay.do("power_on")
        await eventually_answers(bay, "ftth")
        assert await resolve(bay, "dns.google", "1.1.1.1") == (0, BOX)

    play(tmp_path, story)


@pytest.mark.parametrize(("mode", "code"), [("silent", None), ("servfail", 2), ("nxdomain", 3)])
@pytest.mark.parametrize("box_only", [True, False])
def test_only_names_fail(tmp_path: Path, mode: str, code: int | None, box_only: bool) -> None:
    """At the box, or at every server; pages and pings go on."""

    async def story(bay: Bay) -> None:
        await bay.do("dns_out", on="ftth", mode=mode, box_only=box_only)
        failure = None if code is None else (code, "")
        assert await resolve(bay, "dns.google", BOX) == failure
        well = (0, "8.8.4.4")
        assert await resolve(bay, "dns.google", "1.1.1.1") == (well if box_only else failure)
        assert await resolve(bay, "dns.google", "1.1.1.1", "cell") == well
        assert await bay.ping(TARGET, on="ftth") is not None
        assert str(await fetch(bay, GSTATIC, "x", "/generate_204")).startswith("HTTP/1.1 204 ")
        await bay.do("dns_back", on="ftth")
        assert await resolve(bay, "dns.google", BOX, timeout_s=3.0) == well

    play(tmp_path, story)


def test_an_outage_of_the_operator_can_be_told_twice(tmp_path: Path) -> None:
    """And ended where there is none."""

    async def story(bay: Bay) -> None:
        await bay.do("operator_back", on="ftth")
        assert await bay.ping(TARGET, on="ftth") is not None
        for _ in range(2):
            await bay.do("operator_out", on="ftth")
        assert await silent(bay, "ftth")
        await bay.do("operator_back", on="ftth")
        await eventually_answers(bay, "ftth")

    play(tmp_path, story)


def test_a_bay_behind_walls_ends_cleanly(tmp_path: Path) -> None:
    """With questions and connections under way."""

    async def story(bay: Bay) -> None:
        await bay.do("portal", on="ftth")
        await bay.do("line_cut", on="cell")
        waiting = [
            asyncio.create_task(resolve(bay, "dns.google", bay.plans["cell"].box, "cell", timeout_s=5.0)),
            asyncio.create_task(fetch(bay, GSTATIC, "x", "/")),
        ]
        await eventually(lambda: waiting[1].done())
        await bay.stop()
        waiting[0].cancel()
        await asyncio.wait(waiting)

    play(tmp_path, story)


def test_a_wall_is_told_to_the_kernel_in_order() -> None:
    """What is answered comes before what is dropped."""
    assert Wall().rules() == ()
    assert Wall(NameMode.SERVFAIL).rules() == ()
    assert [rule.split(" lan ")[1] for rule in portal(PageMode.LOGIN).rules()] == [
        "ipproto udp dport 53 lookup 53",
        "ipproto tcp dport 80 lookup 53",
        "ipproto icmp lookup main",
        "blackhole",
    ]


SCENARIO = """
duration_s = 10
[title]
fr = "a"
en = "a"
[text]
fr = "a"
en = "a"
[[uplink]]
name = "ftth"
[[do]]
at_s = 1
what = "{what}"
on = "ftth"
args = {args}
"""


@pytest.mark.parametrize(
    ("what", "args"),
    [
        ("portal", '{ pages = "login", pings = false }'),
        ("portal", "{}"),
        ("portal_end", "{}"),
        ("dns_out", '{ mode = "servfail", box_only = true }'),
        ("dns_back", "{}"),
    ],
)
def test_walls_can_be_told_in_scenarios(what: str, args: str) -> None:
    """As every deed."""
    (deed,) = parse(SCENARIO.format(what=what, args=args), "walls").deeds
    assert (deed.what, deed.on) == (what, "ftth")


@pytest.mark.parametrize(
    ("what", "args", "said"),
    [
        ("portal", '{ pages = "pay" }', "allowed: redirect, login"),
        ("portal", "{ pings = 1 }", "allowed: true, false"),
        ("dns_out", '{ mode = "slow" }', "allowed: silent, servfail, nxdomain"),
        ("dns_back", "{ now = true }", "unknown key"),
    ],
)
def test_impossible_walls_are_told(what: str, args: str, said: str) -> None:
    """With what is allowed."""
    with pytest.raises(ScenarioError, match=said):
        parse(SCENARIO.format(what=what, args=args), "walls")
