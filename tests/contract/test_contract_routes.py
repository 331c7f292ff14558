"""What every ``Routes`` does: the real driver in a network namespace, and the kernel in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

import pytest
from routes_ground import ground

from hardware.ports import HardwareError
from hardware.routes import KernelRoutes
from hardware.routes_port import Change, Deed, Part, Routes, Wanted, Way
from hardware.routes_state import FORWARD, LOOSEST, KernelState, Route, Rule
from hardware.routes_table import Table
from hardware.virtual.route_bay import CELL, FTTH, ON_CELL, ON_FTTH, RouteBay
from hardware.virtual.routes import VirtualRoutes

SWITCHES = 20


@dataclass(frozen=True)
class Stray:
    """A change that somebody else makes: for the kernel in memory, and as commands."""

    in_memory: Callable[[KernelState], KernelState]
    commands: str
    part: Part


def without_rule(kernel: KernelState) -> KernelState:
    return replace(kernel, rules=tuple(rule for rule in kernel.rules if rule.priority != 7621))


def with_rule(kernel: KernelState) -> KernelState:
    stray = Rule(4, 7500, 7602, source="10.0.0.9", protocol=3)
    return replace(kernel, rules=(stray, *kernel.rules))


def without_route(kernel: KernelState) -> KernelState:
    return replace(kernel, routes=tuple(route for route in kernel.routes if route.table != 7601))


def with_other_default(kernel: KernelState) -> KernelState:
    other = Route(4, 7600, "192.168.12.1", "eth2", protocol=3)
    return replace(
        kernel, routes=tuple(other if route.key == other.key else route for route in kernel.routes)
    )


def with_route(kernel: KernelState) -> KernelState:
    stray = Route(4, 7600, "192.168.12.1", "eth2", destination="198.51.100.0/24", protocol=3)
    return replace(kernel, routes=(*kernel.routes, stray))


def without_table(kernel: KernelState) -> KernelState:
    return replace(kernel, table=None)


def with_table_changed(kernel: KernelState) -> KernelState:
    assert kernel.table is not None
    return replace(kernel, table=Table("[]", kernel.table.memory))


def not_forwarding(kernel: KernelState) -> KernelState:
    return replace(kernel, settings={**kernel.settings, FORWARD: "0"})


def strict(kernel: KernelState) -> KernelState:
    return replace(kernel, settings={**kernel.settings, LOOSEST: "1"})


STRAYS = {
    "rule_gone": Stray(without_rule, "ip rule del priority 7621", Part.RULE),
    "rule_added": Stray(with_rule, "ip rule add from 10.0.0.9 lookup 7602 priority 7500", Part.RULE),
    "routes_gone": Stray(
        without_route, "ip route flush table 7601; ip -6 route flush table 7601", Part.ROUTE
    ),
    "default_replaced": Stray(
        with_other_default,
        "ip route replace default via 192.168.12.1 dev eth2 table 7600 metric 100",
        Part.ROUTE,
    ),
    "route_added": Stray(with_route, "ip route add 198.51.100.0/24 via 192.168.12.1 table 7600", Part.ROUTE),
    "table_gone": Stray(without_table, "nft delete table inet vigie", Part.TABLE),
    "table_changed": Stray(with_table_changed, "nft flush chain inet vigie translation", Part.TABLE),
    "not_forwarding": Stray(not_forwarding, "echo 0 >/proc/sys/net/ipv4/ip_forward", Part.SETTING),
    "strict": Stray(strict, "echo 1 >/proc/sys/net/ipv4/conf/all/rp_filter", Part.SETTING),
}


class VirtualRig:
    """The kernel in memory."""

    def __init__(self) -> None:
        self.virtual = VirtualRoutes(("eth0", "eth1", "eth2"))
        self.routes: Routes = self.virtual

    def shown(self) -> object:
        return self.virtual.kernel

    def disturb(self, stray: Stray) -> None:
        self.virtual.kernel = stray.in_memory(self.virtual.kernel)

    def lose(self, interface: str) -> None:
        self.virtual.lose_interface(interface)

    def give_back(self, interface: str) -> None:
        self.virtual.return_interface(interface)


class Inside:
    """The real driver, every call inside the gateway."""

    def __init__(self, made: RouteBay) -> None:
        self._call = made.gateway.call
        self._routes = KernelRoutes()
        self.forget, self.close = self._routes.forget, self._routes.close

    def apply(self, wanted: Wanted, dead: Collection[Way] = ()) -> tuple[Change, ...]:
        return self._call(lambda: self._routes.apply(wanted, dead))

    def differences(self, wanted: Wanted) -> tuple[Change, ...]:
        return self._call(lambda: self._routes.differences(wanted))

    def remove(self) -> tuple[Change, ...]:
        return self._call(self._routes.remove)


class KernelRig:
    """This machine's own kernel, in a network namespace."""

    def __init__(self, made: RouteBay) -> None:
        self._ground = made
        self.routes: Routes = Inside(made)

    def shown(self) -> object:
        return self._ground.shown()

    def disturb(self, stray: Stray) -> None:
        self._ground.run(self._ground.gateway, stray.commands)

    def lose(self, interface: str) -> None:
        self._ground.gateway.ip(f"link set {interface} down")

    def give_back(self, interface: str) -> None:
        self._ground.gateway.ip(f"link set {interface} up")


Rig = VirtualRig | KernelRig


@pytest.fixture(params=["virtual", "kernel"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "virtual":
        yield VirtualRig()
        return
    with ground() as made:
        yield KernelRig(made)


def test_what_is_wanted_is_done_once(rig: Rig) -> None:
    """A dry run tells all that is done and changes nothing; once done, nothing differs."""
    untouched = rig.shown()
    told = rig.routes.differences(ON_FTTH)
    assert rig.shown() == untouched
    assert {change.part for change in told} == set(Part)
    assert rig.routes.apply(ON_FTTH) == told
    assert rig.routes.differences(ON_FTTH) == ()
    assert rig.routes.apply(ON_FTTH) == ()


def test_a_switch_replaces_the_default_route_and_nothing_else(rig: Rig) -> None:
    """One replacement per family; without IPv6 by the new way the site is told that there is none."""
    rig.routes.apply(ON_FTTH)
    assert rig.routes.apply(ON_CELL) == (
        Change(
            Deed.REPLACE, Part.ROUTE, "IPv4 route default via 192.168.12.1 dev eth2 table 7600 metric 100"
        ),
        Change(Deed.REPLACE, Part.ROUTE, "IPv6 route default unreachable table 7600 metric 100"),
    )


def test_a_dead_way_is_left_at_once(rig: Rig) -> None:
    """With the switch, and also with a wish that changes more; the active way is never taken for dead."""
    rig.routes.apply(ON_FTTH)
    assert [change.part for change in rig.routes.apply(ON_CELL, [FTTH])] == [Part.ROUTE, Part.ROUTE]
    assert rig.routes.apply(replace(ON_FTTH, dns=()), [CELL]) != ()
    first = rig.shown()
    with pytest.raises(ValueError, match="ftth is the active way"):
        rig.routes.apply(ON_FTTH, [FTTH])
    assert rig.shown() == first


def test_many_switches_leave_exactly_the_first_state(rig: Rig) -> None:
    """Rules, routes, filter and settings are the same, each time that the same way is the active one."""
    rig.routes.apply(ON_FTTH)
    first = rig.shown()
    for _ in range(SWITCHES // 2):
        rig.routes.apply(ON_CELL)
        rig.routes.apply(ON_FTTH)
    assert rig.shown() == first


def test_stray_changes_are_told_and_mended(rig: Rig) -> None:
    """Whatever somebody changes of ours is as before after the next call, which says what it was."""
    rig.routes.apply(ON_FTTH)
    first = rig.shown()
    for name, stray in STRAYS.items():
        rig.disturb(stray)
        told = rig.routes.differences(ON_FTTH)
        assert stray.part in {change.part for change in told}, name
        mended = rig.routes.apply(ON_FTTH)
        assert set(told) <= set(mended), name
        # The last one: the table remembers from now on that a setting has been found strict.
        assert name == "strict" or rig.shown() == first, name
        assert rig.routes.differences(ON_FTTH) == (), name


def test_new_addresses_are_followed(rig: Rig) -> None:
    """An address and a gateway from a new lease replace the old ones, and nothing of the old is left."""
    rig.routes.apply(ON_FTTH)
    moved = replace(FTTH, address="192.168.11.77", gateway="192.168.11.254")
    changes = rig.routes.apply(replace(ON_FTTH, ways=(moved, CELL)))
    assert [change.deed for change in changes] == [Deed.REPLACE, Deed.REPLACE, Deed.ADD, Deed.REMOVE]
    assert "192.168.11.10 " not in " ".join(str(change) for change in changes[:3])
    first = rig.shown()
    rig.routes.apply(ON_FTTH)
    rig.routes.apply(replace(ON_FTTH, ways=(moved, CELL)))
    assert rig.shown() == first


def test_a_way_without_address_keeps_its_place(rig: Rig) -> None:
    """While a lease is missing the way's table says unreachable, and the site goes by the system's routes."""
    rig.routes.apply(ON_FTTH)
    first = rig.shown()
    bare = replace(FTTH, address=None, gateway=None, address6=None, gateway6=None)
    rig.routes.apply(replace(ON_FTTH, ways=(bare, CELL)))
    rig.routes.apply(ON_FTTH)
    assert rig.shown() == first


def test_an_interface_may_vanish_and_return(rig: Rig) -> None:
    """Its routes are missed by nobody while it is away and are back after it."""
    rig.routes.apply(ON_CELL)
    told = rig.routes.differences(ON_CELL)
    rig.lose("eth2")
    rig.routes.apply(ON_CELL)
    rig.routes.apply(ON_FTTH)
    assert rig.routes.differences(ON_FTTH) == ()
    rig.give_back("eth2")
    back = rig.routes.apply(ON_CELL)
    assert "IPv4 route default via 192.168.12.1 dev eth2 table 7602 metric 100" in {c.what for c in back}
    assert rig.routes.differences(ON_CELL) == told == ()


def test_an_uplink_may_be_added_and_taken_away(rig: Rig) -> None:
    """Nothing is left of an uplink that is not configured any more."""
    alone = Wanted(("eth0",), (FTTH,), "ftth", dns=ON_FTTH.dns)
    rig.routes.apply(alone)
    first = rig.shown()
    rig.routes.apply(ON_CELL)
    rig.routes.apply(alone)
    assert rig.shown() == first


def test_removal_leaves_nothing(rig: Rig) -> None:
    """Also from another process than the one that has made it all; settings are as they were."""
    untouched = rig.shown()
    rig.routes.apply(ON_FTTH)
    removed = rig.routes.remove()
    assert {change.part for change in removed} == set(Part)
    assert rig.shown() == untouched
    assert rig.routes.remove() == ()


def test_closing_leaves_the_sites_traffic_alone(rig: Rig) -> None:
    """The agent that is stopped leaves the last good route; it answers nothing any more."""
    rig.routes.apply(ON_CELL)
    first = rig.shown()
    rig.routes.close()
    rig.routes.close()
    assert rig.shown() == first
    with pytest.raises(HardwareError, match="closed"):
        rig.routes.apply(ON_CELL)
