"""Interfaces, addresses and routes as the kernel really tells them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace

import pytest
from probe_bay import Seen, Site, play, site_with

from agent.core.model import Link
from agent.probes.links import LinkWatcher

pytestmark = pytest.mark.bay
BOX = "192.168.1.1"
WELL = Link("ftth", present=True, carrier=True, address="192.168.1.2", gateway=BOX)


@pytest.fixture
def site() -> Iterator[Site]:
    with site_with(1) as made:
        yield made


class Links:
    """The links posted so far."""

    def __init__(self) -> None:
        self.all: list[Link] = []

    async def reach(self, link: Link) -> None:
        """Wait until the newest link is this one."""
        try:
            await Seen().until(lambda: self.all and self.all[-1] == link)
        except AssertionError:
            raise AssertionError(f"never reached {link}; told {self.all}") from None


@contextlib.asynccontextmanager
async def watching(
    interfaces: Mapping[str, str], gateways: Mapping[str, str] | None = None
) -> AsyncIterator[Links]:
    links = Links()
    task = asyncio.create_task(LinkWatcher(interfaces, links.all.append, gateways or {}).run())
    try:
        yield links
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_each_change_is_told_and_nothing_else(site: Site) -> None:
    """DHCP gives another address and gateway, the cable is pulled and put back, routes are replaced."""

    async def story() -> None:
        async with watching({"ftth": "e0"}) as links:
            await links.reach(WELL)
            site.pi.ip("addr add 10.55.0.1/24 dev lo", "route add 10.66.0.0/24 dev e0")
            await asyncio.sleep(0.3)  # that nothing is told can only be waited for
            site.pi.ip("addr del 192.168.1.2/24 dev e0", "addr add 192.168.1.50/24 dev e0")
            site.pi.ip("route replace default via 192.168.1.254 dev e0 metric 100")
            moved = Link("ftth", present=True, carrier=True, address="192.168.1.50", gateway="192.168.1.254")
            await links.reach(moved)
            # A replaced route is told by the kernel as an addition only.
            site.pi.ip("route replace default via 192.168.1.253 dev e0 metric 100")
            replaced = Link(
                "ftth", present=True, carrier=True, address=moved.address, gateway="192.168.1.253"
            )
            await links.reach(replaced)
            site.pi.ip("route add default via 192.168.1.252 dev e0 metric 50")
            best = Link("ftth", present=True, carrier=True, address=moved.address, gateway="192.168.1.252")
            await links.reach(best)
            site.boxes[0].ip("link set lan down")
            await links.reach(
                Link("ftth", present=True, carrier=False, address=moved.address, gateway="192.168.1.252")
            )
            site.boxes[0].ip("link set lan up")
            await links.reach(best)
            # Its routes vanish without a word.
            site.pi.ip("link set e0 down")
            await links.reach(Link("ftth", present=True, carrier=None, address=moved.address))
            assert all(before != after for before, after in itertools.pairwise(links.all))

    play(site.pi, story)


def test_interface_deleted_made_again_and_renamed(site: Site) -> None:
    """Only the name counts, as with a USB modem that is plugged again."""

    async def story() -> None:
        async with watching({"ftth": "e0"}) as links:
            await links.reach(WELL)
            site.pi.ip("link del e0")
            await links.reach(Link("ftth", present=False))
            site.plug(0, address="192.168.1.7")
            await links.reach(Link("ftth", present=True, carrier=True, address="192.168.1.7", gateway=BOX))
            site.pi.ip("link set e0 down", "link set e0 name spare")
            await links.reach(Link("ftth", present=False))
            site.pi.ip("link set spare name e0", "link set e0 up", f"route add default via {BOX} dev e0")
            await links.reach(Link("ftth", present=True, carrier=True, address="192.168.1.7", gateway=BOX))

    play(site.pi, story)


def test_uplinks_may_share_an_interface(site: Site) -> None:
    """Each with the gateway it was given; an interface that is absent keeps its configured gateway."""

    async def story() -> None:
        shared = {"ftth": "e0", "cellular": "e0", "spare": "e9"}
        async with watching(shared, {"cellular": "192.168.1.2", "spare": "10.0.0.1"}) as links:
            await links.reach(Link("spare", present=False, gateway="10.0.0.1"))
            assert links.all[0] == WELL
            assert links.all[1] == Link(
                "cellular", present=True, carrier=True, address="192.168.1.2", gateway="192.168.1.2"
            )

    play(site.pi, story)


def test_lost_events_lose_no_change(site: Site) -> None:
    """More events than the socket can hold, while nobody reads: the tables are read again."""

    async def story() -> None:
        async with watching({"ftth": "e0"}) as links:
            await links.reach(WELL)
            storm = [f"route add 10.{n // 250}.{n % 250}.0/24 dev e0" for n in range(4000)]
            site.pi.ip(*storm, "route replace default via 192.168.1.99 dev e0 metric 100")
            await links.reach(replace(WELL, gateway="192.168.1.99"))
            assert links.all == [WELL, replace(WELL, gateway="192.168.1.99")]

    play(site.pi, story)


def test_private_table_is_found_where_main_has_no_default(site: Site) -> None:
    """A profile with its own routing table still has a gateway."""
    site.pi.ip("route del default", f"route add default via {BOX} dev e0 table 102")

    async def story() -> None:
        async with watching({"ftth": "e0"}) as links:
            await links.reach(WELL)

    play(site.pi, story)
