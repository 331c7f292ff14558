"""Two dishes with one and the same address, each asked through its own cable, in namespaces."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from hardware.lan_http import Endpoint
from hardware.ports import HardwareError
from hardware.starlink import DISH, Starlink
from hardware.virtual.box_server import LineState
from hardware.virtual.dish import VirtualDish
from hardware.virtual.netns import Namespace, veth

pytestmark = pytest.mark.bay


class Site:
    """A site with two uplinks, ``eth1`` and ``eth2``, whose dishes both are 192.168.100.1:9201."""

    def __init__(self) -> None:
        self.inside = Namespace("site")
        self.dishes: dict[str, VirtualDish] = {}
        self.places: list[Namespace] = []
        for number, uplink in enumerate(("eth1", "eth2"), 1):
            place = Namespace(uplink)
            self.places.append(place)
            veth(self.inside, uplink, place, "lan")
            place.ip(f"address add {DISH.host}/24 dev lan", "link set lan up")
            self.inside.ip(
                f"address add 192.168.100.1{number}/24 dev {uplink}",
                f"link set {uplink} up",
                f"route replace {DISH.host} dev {uplink} metric {number}",
            )
            for interface in (uplink, "all"):
                self.inside.sysctl(f"ipv4/conf/{interface}/rp_filter", "0")
            listener = place.call(lambda: socket.create_server((DISH.host, DISH.port)))
            self.dishes[uplink] = VirtualDish(listener)

    def close(self) -> None:
        for dish in self.dishes.values():
            dish.stop()
        for namespace in (self.inside, *self.places):
            namespace.close()


@pytest.fixture
def site() -> Iterator[Site]:
    built = Site()
    yield built
    built.close()


def ask(site: Site, uplink: str, timeout_s: float = 20.0) -> bool | None:
    driver = Starlink(Endpoint(DISH.host, DISH.port, device=uplink, timeout_s=timeout_s))
    with site.inside.entered():
        return driver.read().line_up


def test_each_dish_is_asked_through_its_own_uplink(site: Site) -> None:
    """The interface decides which of the two answers, not the route."""
    site.dishes["eth2"].be(LineState.BOOTING)
    assert [ask(site, "eth1"), ask(site, "eth2")] == [True, False]
    assert [len(dish.server.requests) for dish in site.dishes.values()] == [1, 1]


def test_a_dish_behind_a_dead_cable_is_not_replaced_by_the_other(site: Site) -> None:
    """Without a carrier on its own uplink nothing is asked elsewhere."""
    site.places[1].ip("link set lan down")
    with pytest.raises(HardwareError):
        ask(site, "eth2", timeout_s=0.2)
    assert site.dishes["eth1"].server.requests == []
    assert ask(site, "eth1") is True
