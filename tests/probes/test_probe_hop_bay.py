"""The operator's first hop through the whole virtual bay: found, asked again, lost, found anew."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from bay_ground import TARGET, TWO, play
from probe_bay import TARGET as NEAR_TARGET
from probe_bay import play as play_alone
from probe_bay import site_with

from agent.core.inquiries import Asked, Check, Said
from agent.probes.hop import Echoed, FirstHop, Hop, Shot, first_beyond, volley
from agent.probes.way import Way
from hardware.virtual.bay import Bay

pytestmark = pytest.mark.bay
FTTH = Way("ftth", "eth1")
HOP = "100.64.0.1"
BOX = "192.168.11.1"
NEVER = "2147483647"
"""Milliseconds between two ICMP errors: a router that does not answer."""


def hop_of(wait_s: float = 0.3) -> FirstHop:
    return FirstHop((TARGET, "8.8.8.8"), time.monotonic, wait_s)


def play_inside(folder: Path, story: Callable[[Bay], Awaitable[None]]) -> None:
    """Run ``story`` with its sockets at the bay's site."""

    async def act(bay: Bay) -> None:
        with bay.site.entered():
            await story(bay)

    play(folder, act, TWO)


def expired(by: str) -> Echoed:
    return Echoed(by, expired=True, reached=False, took_ms=1.0)


REACHED = Echoed(TARGET, expired=False, reached=True, took_ms=1.0)


@pytest.mark.parametrize(
    ("answers", "hop"),
    [
        ([expired(BOX), expired("10.0.0.1"), REACHED], Hop(2, "10.0.0.1")),
        ([expired(BOX), None, expired("80.10.1.1"), None], Hop(3, "80.10.1.1")),
        ([None, expired(BOX), expired("80.10.1.1")], Hop(3, "80.10.1.1")),
        ([expired("192.168.0.1"), expired("192.168.0.1"), expired("80.1.1.1")], Hop(3, "80.1.1.1")),
        ([None, expired("10.0.0.1"), None, None], Hop(2, "10.0.0.1")),
        ([expired(BOX), None, None, None], None),
        ([expired(BOX), REACHED, REACHED, REACHED], None),
        ([REACHED] * 4, None),
        ([expired(BOX), Echoed(BOX, expired=False, reached=False, took_ms=1.0)] * 2, None),
        ([None] * 4, None),
    ],
)
def test_the_first_hop_is_the_first_stranger_on_the_way(
    answers: list[Echoed | None], hop: Hop | None
) -> None:
    """Not the box, by whatever address it answers, and not the target."""
    assert first_beyond(BOX, answers) == hop


def test_every_hop_of_the_bay_answers_where_it_stands(tmp_path: Path) -> None:
    """Box, operator, target: an echo gets as far as it may, and whoever stops it says so."""

    async def story(bay: Bay) -> None:
        answers = await volley(FTTH, [Shot(TARGET, ttl) for ttl in (1, 2, 3)], time.monotonic, 1.0)
        seen = [(answer.by, answer.expired, answer.reached) for answer in answers if answer is not None]
        assert seen == [(BOX, True, False), (HOP, True, False), (TARGET, False, True)]

    play_inside(tmp_path, story)


def test_the_hop_is_found_and_asked_again(tmp_path: Path) -> None:
    """Behind both operators, whose addresses are private ones."""

    async def story(bay: Bay) -> None:
        for uplink, way in (("ftth", FTTH), ("cell", Way("cell", "wwan0"))):
            hop = hop_of()
            for _ in range(3):
                check = await hop.ask(way, bay.plans[uplink].box)
                assert isinstance(check, Check)
                assert check.took_ms is not None
                assert (check.uplink, check.asked, check.subject) == (uplink, Asked.HOP, "2")
                assert (check.said, check.by) == (Said.WELL, bay.plans[uplink].first_hop)

    play_inside(tmp_path, story)


def test_the_box_need_not_be_known(tmp_path: Path) -> None:
    """It is whoever answers first."""

    async def story(_bay: Bay) -> None:
        check = await hop_of().ask(FTTH, None)
        assert check is not None
        assert check.by == HOP

    play_inside(tmp_path, story)


def test_the_hop_tells_the_operators_outage_from_a_cut_line(tmp_path: Path) -> None:
    """It answers while nothing beyond does; behind a cut line it is silent, and stays known."""

    async def story(bay: Bay) -> None:
        hop = hop_of()
        await hop.ask(FTTH, BOX)
        await bay.do("operator_out", on="ftth")
        assert await bay.ping(TARGET, on="ftth", timeout_s=0.2) is None
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert (check.said, check.by) == (Said.WELL, HOP)
        await bay.do("operator_back", on="ftth")
        await bay.do("line_cut", on="ftth")
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert (check.said, check.subject, check.by) == (Said.SILENT, "2", None)
        assert check.detail == f"answered as {HOP} before"
        await bay.do("line_back", on="ftth")
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert check.said is Said.WELL

    play_inside(tmp_path, story)


def test_a_hop_that_was_never_found_is_not_missed(tmp_path: Path) -> None:
    """Behind a cut line nothing can be learned, so nothing is said."""

    async def story(bay: Bay) -> None:
        await bay.do("line_cut", on="ftth")
        assert await hop_of().ask(FTTH, BOX) is None

    play_inside(tmp_path, story)


def test_a_hop_that_never_answers_is_no_fault(tmp_path: Path) -> None:
    """Nor is one that stops answering while the internet goes on."""

    async def story(bay: Bay) -> None:
        hop, operator = hop_of(), bay.operators["ftth"]
        await hop.ask(FTTH, BOX)
        operator.sysctl("ipv4/icmp_ratelimit", NEVER)
        assert await hop.ask(FTTH, BOX) is None
        assert hop.known is None
        assert await hop.ask(FTTH, BOX) is None
        operator.sysctl("ipv4/icmp_ratelimit", "0")
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert check.said is Said.WELL

    play_inside(tmp_path, story)


def test_another_hop_in_its_place_is_learned(tmp_path: Path) -> None:
    """Operators change their networks; the way is well all the time."""

    async def story(bay: Bay) -> None:
        hop, plan = hop_of(), bay.plans["ftth"]
        await hop.ask(FTTH, BOX)
        bay.operators["ftth"].ip(
            "address add 100.99.0.1/32 dev lo",
            f"route replace {plan.lan} via {plan.box_wan} dev access src 100.99.0.1",
        )
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert (check.said, check.by) == (Said.WELL, "100.99.0.1")
        assert hop.known == Hop(2, "100.99.0.1")

    play_inside(tmp_path, story)


def test_a_box_without_a_way_refuses(tmp_path: Path) -> None:
    """It says itself that it cannot reach the operator."""

    async def story(bay: Bay) -> None:
        hop = hop_of()
        await hop.ask(FTTH, BOX)
        bay.boxes["ftth"].namespace.ip("route replace unreachable default")
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert (check.said, check.by) == (Said.REFUSED, BOX)

    play_inside(tmp_path, story)


def test_nobody_at_the_next_hop_is_silence(tmp_path: Path) -> None:
    """Our own kernel gives up the box's hardware address; it takes its time, which cannot be passed in."""

    async def story(bay: Bay) -> None:
        hop = hop_of(wait_s=5.0)
        await hop.ask(FTTH, BOX)
        bay.site.ip("neigh flush dev eth1")
        await bay.do("hang", on="ftth", mode="lan")
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert (check.said, check.by, check.detail) == (
            Said.SILENT,
            None,
            "nobody answers ARP for the next hop",
        )

    play_inside(tmp_path, story)


def test_what_cannot_be_sent_says_nothing(tmp_path: Path) -> None:
    """Of a hop that is known it is told; of one that is not there is nothing to tell."""

    async def story(bay: Bay) -> None:
        hop = hop_of()
        await hop.ask(FTTH, BOX)
        bay.site.sysctl("ipv4/ping_group_range", "1 0")
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert (check.said, check.by) == (Said.UNSENT, None)
        assert check.detail.startswith("forbidden")
        assert await hop_of().ask(Way("x", "eth9"), BOX) is None

    play_inside(tmp_path, story)


def test_an_echo_never_leaves_by_another_uplink(tmp_path: Path) -> None:
    """The line is dead, the other uplink is well."""

    async def story(bay: Bay) -> None:
        hop = hop_of()
        await hop.ask(FTTH, BOX)
        await bay.do("line_cut", on="ftth")
        before = bay.facts()["cell"]
        check = await hop.ask(FTTH, BOX)
        assert check is not None
        assert check.said is Said.SILENT
        after = bay.facts()["cell"]
        assert (before["sent_bytes"], before["received_bytes"]) == (
            after["sent_bytes"],
            after["received_bytes"],
        )

    play_inside(tmp_path, story)


def test_a_target_right_behind_the_box_leaves_no_hop() -> None:
    """There is nobody between."""
    with site_with(1) as site:

        async def story() -> None:
            hop = FirstHop((NEAR_TARGET,), time.monotonic, 0.3)
            assert await hop.ask(Way("way0", "e0"), "192.168.1.1") is None

        play_alone(site.pi, story)
