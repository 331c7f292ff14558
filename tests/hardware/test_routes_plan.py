"""The plan of route mode from any state of the kernel, and at every point of the way there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.routes_plan import difference, relevant_settings, table_of, wanted_rules
from hardware.routes_port import Deed, Wanted, Way
from hardware.routes_state import (
    FORWARD,
    FORWARD6,
    LOOSEST,
    OUR_TABLES,
    PRIORITY_MAIN,
    SITE_TABLE,
    KernelState,
    Route,
    Rule,
    Setting,
)
from hardware.routes_table import Table
from hardware.virtual.routes import VirtualRoutes, carry_out

NAMES = ("ftth", "dish", "cell")
INTERFACES = {"ftth": "eth1", "dish": "eth2", "cell": "wwan0"}


@st.composite
def some_way(draw: st.DrawFn, name: str, number: int) -> Way:
    with_address, with_ipv6 = draw(st.booleans()), draw(st.booleans())
    host = draw(st.integers(2, 4))
    return Way(
        name,
        INTERFACES[name],
        number,
        f"192.168.{number}.{host}" if with_address else None,
        f"192.168.{number}.1" if with_address and draw(st.booleans()) else None,
        f"2001:db8:{number}::{host}" if with_ipv6 else None,
        "fe80::1" if with_ipv6 and draw(st.booleans()) else None,
        f"2001:db8:{number}00::/56" if with_ipv6 and draw(st.booleans()) else None,
    )


@st.composite
def wishes(draw: st.DrawFn) -> Wanted:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
    ways = tuple(draw(some_way(name, NAMES.index(name) + 1)) for name in names)
    active = draw(st.sampled_from([None, *names]))
    dns = draw(st.sampled_from([(), ("9.9.9.9",), ("9.9.9.9", "1.1.1.1")]))
    return Wanted(("eth0",), ways, active, draw(st.booleans()), dns)


RULES = st.builds(
    Rule,
    st.sampled_from([4, 6]),
    st.sampled_from([0, 100, 7600, 7611, 7621, 7690, 32766]),
    st.sampled_from([254, 7600, 7601, 7602, 100]),
    mark=st.sampled_from([None, 0x76000001, 5]),
    interface=st.sampled_from([None, "eth1", "eth9"]),
    source=st.sampled_from([None, "192.168.1.2"]),
    without_default=st.booleans(),
    protocol=st.sampled_from([98, 2, 3]),
    other=st.sampled_from([(), (("FRA_IIFNAME", "eth0"),)]),
)
ROUTES = st.builds(
    Route,
    st.sampled_from([4, 6]),
    st.sampled_from(sorted(OUR_TABLES)),
    via=st.sampled_from([None, "192.168.1.1"]),
    interface=st.sampled_from([None, "eth1", "wwan0"]),
    metric=st.sampled_from([100, 5, 4278198272]),
    destination=st.sampled_from(["default", "198.51.100.0/24"]),
    protocol=st.sampled_from([98, 3]),
)
SETTINGS = {
    FORWARD: st.sampled_from("01"),
    FORWARD6: st.sampled_from("01"),
    LOOSEST: st.sampled_from("012"),
    "net/ipv4/conf/eth1/rp_filter": st.sampled_from("012"),
    "net/ipv6/conf/eth1/accept_ra": st.sampled_from("012"),
}
STATES = st.builds(
    KernelState,
    rules=st.lists(RULES, max_size=8).map(tuple),
    routes=st.lists(ROUTES, max_size=8, unique=True).map(tuple),
    interfaces=st.frozensets(st.sampled_from(sorted(INTERFACES.values()))),
    table=st.sampled_from([None, Table("[]"), Table("[]", ((FORWARD, "0"),))]),
    settings=st.fixed_dictionaries({}, optional=SETTINGS),
    has_ipv6=st.booleans(),
)


def brought(kernel: KernelState, wanted: Wanted | None) -> list[KernelState]:
    """The kernel after each step, its first state included."""
    states = [kernel]
    for step in difference(kernel, wanted):
        states.append(carry_out(states[-1], step))
    return states


def others(kernel: KernelState) -> list[Rule]:
    return [rule for rule in kernel.rules if not rule.is_ours]


@given(kernel=STATES, wanted=wishes())
@settings(max_examples=150, deadline=None)
def test_any_kernel_is_brought_to_what_is_wanted(kernel: KernelState, wanted: Wanted) -> None:
    """From any state, whatever its strays, two rounds are enough; what is not ours is not touched."""
    once = brought(kernel, wanted)[-1]
    twice = brought(once, wanted)[-1]
    assert difference(twice, wanted) == ()
    assert sorted(others(twice), key=repr) == sorted(others(kernel), key=repr)


@given(kernel=STATES, wanted=wishes())
@settings(max_examples=100, deadline=None)
def test_nothing_of_ours_is_left_of_anything(kernel: KernelState, wanted: Wanted) -> None:
    """Removal takes rules, routes and table, and puts the settings back that route mode has changed."""
    clean = replace(kernel, table=None, rules=tuple(others(kernel)), routes=())
    left = brought(brought(clean, wanted)[-1], None)[-1]
    assert left == replace(clean, rules=left.rules)
    assert sorted(left.rules, key=repr) == sorted(clean.rules, key=repr)
    strays = brought(kernel, None)[-1]
    assert (strays.routes, strays.table, strays.rules) == ((), None, tuple(others(kernel)))


@given(before=wishes(), after=wishes())
@settings(max_examples=150, deadline=None)
def test_every_point_between_two_wishes_is_safe(before: Wanted, after: Wanted) -> None:
    """Wherever a kill may hit, nothing is led astray.

    No rule leads to an empty table, the site's own networks come first, its default
    route is never missing, nothing is forwarded without a filter, and what settings were is not forgotten.
    """
    fresh = VirtualRoutes(("eth0", *INTERFACES.values())).kernel
    first = brought(fresh, before)[-1]
    states = brought(first, after)
    ways = [way for way in after.ways if way in before.ways]
    for kernel in (*brought(fresh, before), *states, *brought(states[-1], None)):
        changed = {path for path, value in kernel.settings.items() if value != fresh.settings[path]}
        assert changed <= {path for path, _ in (kernel.table.memory if kernel.table else ())}
        tables = {(route.family, route.table) for route in kernel.routes}
        for rule in kernel.rules:
            if rule.table in OUR_TABLES and rule.table != SITE_TABLE:
                assert (rule.family, rule.table) in tables
            if rule.table == SITE_TABLE:
                assert any(r.priority == PRIORITY_MAIN and r.family == rule.family for r in kernel.rules)
    for kernel in states:
        for way in ways:
            assert any(route.table == table_of(way) and route.interface is None for route in kernel.routes)
        if defaults(first) == defaults(states[-1]) == 1:
            assert defaults(kernel) == 1
    cut_short = states[len(states) // 2]
    assert set(brought(cut_short, after)[-1].routes) == set(states[-1].routes)


def defaults(kernel: KernelState) -> int:
    return sum(route.table == SITE_TABLE and route.family == 4 for route in kernel.routes)


def test_a_strict_interface_is_loosened_for_all() -> None:
    """The kernel takes the larger value, so 2 for all is enough, and only where one is strict."""
    uplink = "net/ipv4/conf/eth1/rp_filter"
    wanted = Wanted(("eth0",), (Way("ftth", "eth1", 1),))
    loose = KernelState(settings={FORWARD: "1", LOOSEST: "0", uplink: "0"}, has_ipv6=False)
    strict = replace(loose, settings={FORWARD: "1", LOOSEST: "0", uplink: "1"})
    assert not any(isinstance(step.thing, Setting) for step in difference(loose, wanted))
    assert [step.thing for step in difference(strict, wanted) if isinstance(step.thing, Setting)] == [
        Setting(LOOSEST, "2")
    ]
    assert uplink in relevant_settings(wanted, ())


def test_a_kernel_without_ipv6_is_not_asked_for_it() -> None:
    """Neither rules nor routes of a family that the kernel does not speak."""
    way = Way("ftth", "eth1", 1, "192.168.1.2", "192.168.1.1", "2001:db8::2")
    wanted = Wanted(("eth0",), (way,), "ftth")
    kernel = KernelState(interfaces=frozenset(["eth1"]), settings={FORWARD: "0"}, has_ipv6=False)
    assert {rule.family for rule in wanted_rules(kernel, wanted)} == {4}
    assert {step.thing.family for step in difference(kernel, wanted) if isinstance(step.thing, Route)} == {4}


def test_the_default_route_moves_in_one_step() -> None:
    """Another gateway by the same or another interface replaces; it is never taken away first."""
    ways = (Way("a", "eth1", 1, "192.168.1.2", "192.168.1.1"), Way("b", "eth2", 2, "192.168.2.2"))
    kernel = VirtualRoutes(("eth1", "eth2")).kernel
    on_a = brought(kernel, Wanted(("eth0",), ways, "a"))[-1]
    deeds = [step.deed for step in difference(on_a, Wanted(("eth0",), ways, "b"))]
    assert deeds == [Deed.REPLACE]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"number": 7}, "number 7; allowed: 1 to 6"),
        ({"number": 0}, "number 0"),
        ({"interface": "a-name-too-long-for-linux"}, "1 to 15 bytes"),
        ({"interface": "eth 1"}, "blank"),
        ({"address": "192.168.1.300"}, "192.168.1.300"),
        ({"address6": "2001:DB8::1"}, "2001:db8::1"),
        ({"prefix6": "2001:db8::1/56"}, "host bits"),
    ],
)
def test_a_way_that_cannot_be_is_refused(change: dict[str, object], words: str) -> None:
    """The message says what is wrong and what is allowed."""
    with pytest.raises(ValueError, match=words):
        replace(Way("ftth", "eth1", 1), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lan": ()}, "no interface"),
        ({"lan": ("eth1",)}, "interface: eth1, eth1; allowed: each only once"),
        ({"active": "dish"}, "active: dish; allowed: ftth"),
        ({"dns": ("dns.example",)}, "dns.example"),
        ({"ways": (Way("ftth", "eth1", 1), Way("cell", "eth2", 1))}, "number: 1, 1"),
    ],
)
def test_a_wish_that_contradicts_itself_is_refused(change: dict[str, object], words: str) -> None:
    """Before anything is done."""
    with pytest.raises(ValueError, match=words):
        replace(Wanted(("eth0",), (Way("ftth", "eth1", 1),)), **change)  # type: ignore[arg-type]
