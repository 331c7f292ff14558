"""Which way a question to a service takes, who is asked for its name, and what it costs, in a real bay."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
from check_bay import PUBLIC, NameOracle, bound, dns_reply
from probe_bay import Site, play, site_with
from service_ground import Datagrams, ask, plan, sip_reply

from agent.core.model import Link
from agent.core.service_words import SITE_WAY, Served, ServiceKind, Snag
from agent.probes.services.asker import Exit
from hardware.virtual.netns import Namespace

pytestmark = pytest.mark.bay
SIP = ServiceKind.SIP
EXITS = (Exit("way0", "e0"), Exit("way1", "e1"))


def link(number: int) -> Link:
    return Link(
        f"way{number}", present=True, carrier=True, address=f"192.168.1.{number + 2}", gateway="192.168.1.1"
    )


async def telephone(namespace: Namespace) -> Datagrams:
    """A telephone server at the public address of a box."""
    made = namespace.call(lambda: bound(socket.SOCK_DGRAM, PUBLIC, 5060))
    loop = asyncio.get_running_loop()
    _, server = await loop.create_datagram_endpoint(
        lambda: Datagrams(lambda data, _: [sip_reply(data)]), sock=made
    )
    return server


def names(namespace: Namespace, address: str, told: str) -> NameOracle:
    """A name server that gives every name this address."""

    def answer(query: bytes, say: Callable[[bytes], None]) -> None:
        say(dns_reply(query, told))

    return NameOracle(namespace, address, answer)


def test_a_service_is_asked_through_its_uplink_and_named_by_the_box_there() -> None:
    """Uplink 0 has the better route and is dead; the question leaves by uplink 1, its name too."""
    with site_with(2) as two:
        two.pi.sysctl("ipv4/conf/all/rp_filter", "2")
        for box in two.boxes:
            box.ip(f"addr add {PUBLIC}/32 dev lo")

        async def story() -> None:
            servers = [await telephone(box) for box in two.boxes]
            oracles = [names(box, "192.168.1.1", PUBLIC) for box in two.boxes]
            counted: dict[str, int] = {}

            def count(way: str, sent: int, received: int) -> None:
                counted[way] = counted.get(way, 0) + sent + received

            async def through(way: str) -> Served:
                what = plan(SIP, 5060, "sip.example.net")
                return await ask(what, 0.3, way, EXITS, (link(0), link(1)), ("9.9.9.9",), count)

            both = await through(SITE_WAY)
            assert (both.snag, both.via, both.by) == (None, "way0", PUBLIC)
            two.boxes[0].ip("link set lan down")
            well = await through("way1")
            assert (well.snag, well.way, well.via, well.by) == (None, "way1", None, PUBLIC)
            dead = await through("way0")
            assert dead.snag in (Snag.NAME, Snag.UNSENT)
            assert [len(server.asked) for server in servers] == [1, 1]
            assert [len(oracle.asked) for oracle in oracles] == [1, 1]
            assert set(counted) == {"way0", "way1"}
            # A question and its answer, by name: what docs/services.md says of it.
            assert 800 <= counted["way1"] <= 1200
            for server, oracle in zip(servers, oracles, strict=True):
                server.transport.close()
                oracle.close()

        play(two.pi, story)


def test_a_datagram_that_is_sent_back_tells_who_refused(site: Site) -> None:
    """The telephone server's own machine, or a router on the way there."""
    site.boxes[0].ip("route add unreachable 5.5.5.5")
    found: list[Served] = []

    async def story() -> None:
        found.extend([await ask(plan(SIP, 5060, host), 3.0, "way0", EXITS) for host in (PUBLIC, "5.5.5.5")])

    play(site.pi, story)
    assert [(served.snag, served.by) for served in found] == [
        (Snag.REFUSED, PUBLIC),
        (Snag.UNREACHABLE, "192.168.1.1"),
    ]


def test_a_name_that_nobody_knows_is_told_with_who_said_so(site: Site) -> None:
    """All name servers are asked before it is said."""
    found: list[Served] = []

    async def story() -> None:
        oracle = NameOracle(site.boxes[0], PUBLIC, lambda query, say: say(dns_reply(query, code=3)))
        found.append(
            await ask(plan(SIP, 5060, "gone.example.net"), 0.3, "way0", EXITS, servers=("9.9.9.9", PUBLIC))
        )
        oracle.close()

    play(site.pi, story)
    (served,) = found
    assert (served.snag, served.by) == (Snag.NAME, PUBLIC)
    assert served.detail == "no address of gone.example.net: says that the name does not exist"
