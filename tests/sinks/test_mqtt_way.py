"""Which uplink the connection leaves by, and when it is tried again."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from broker_ground import snapshot
from hypothesis import given
from hypothesis import strategies as st

from agent.core.site import UplinkKind
from agent.core.snapshot_types import Health, Snapshot, UplinkView
from agent.sinks.mqtt.way import (
    LOYAL,
    RETURN_METERED_S,
    RETURN_S,
    SHUN_S,
    SUSPECT_S,
    Tries,
    candidates,
    choose,
    is_metered,
    uplink_at,
    usable,
)

NOW = 10_000.0
UP, DEGRADED, SUSPECT, DOWN, UNKNOWN = (
    Health.UP,
    Health.DEGRADED,
    Health.SUSPECT,
    Health.DOWN,
    Health.UNKNOWN,
)


def line(
    name: str, health: Health = UP, for_s: float = 5000.0, *, metered: bool = False, address: bool = True
) -> UplinkView:
    """An uplink that has been like this for so long."""
    return replace(
        snapshot().uplinks[0],
        name=name,
        kind=UplinkKind.OTHER,
        health=health,
        since=NOW - for_s,
        address=f"192.0.2.{len(name)}" if address else None,
        data_limit_bytes=50_000_000 if metered else None,
    )


def site(*lines: UplinkView) -> Snapshot:
    return replace(snapshot(), mono=NOW, uplinks=lines)


def test_the_first_way_is_one_that_works_and_costs_nothing():
    """Well before degraded, free before metered, then as configured; without address it is no way."""
    found = usable(
        site(
            line("4g", metered=True),
            line("sat", DEGRADED),
            line("gone", address=False),
            line("ftth"),
            line("dsl"),
            line("bad", SUSPECT),
            line("dead", DOWN),
            line("new", UNKNOWN),
        )
    )
    assert found == ("ftth", "dsl", "4g", "sat")


def test_while_nothing_is_known_to_work_the_system_decides_first():
    """At the start and in doubt: the system's way, then every uplink that may work; never a dead one."""
    assert candidates(None) == (None,)
    assert candidates(site(line("a", DOWN), line("b", UNKNOWN), line("c", SUSPECT))) == (None, "b", "c")
    assert candidates(site(line("a", DOWN), line("b", UNKNOWN, address=False))) == (None,)
    assert candidates(site(line("a"), line("b")), present="b") == ("b", "a")
    assert candidates(site(line("a"), line("b", DOWN)), present="b") == ("a",)


@pytest.mark.parametrize(
    ("health", "for_s", "leaves"),
    [
        (DOWN, 0.0, True),
        (SUSPECT, SUSPECT_S, True),
        (SUSPECT, SUSPECT_S - 0.1, False),
        (UNKNOWN, 99.0, False),
    ],
)
def test_a_way_is_left_when_it_does_not_work_and_another_does(health, for_s, leaves):
    """Down at once, in doubt after a while; and not for nothing: if no other works, it stays."""
    here = line("ftth", health, for_s)
    assert choose(site(here, line("4g", metered=True)), "ftth", calm=False) == ("4g" if leaves else "ftth")
    assert choose(site(here, line("4g", SUSPECT, metered=True)), "ftth") == "ftth"


def test_a_way_without_its_address_is_left():
    """The line may still be called up for a moment; the connection is dead with its address."""
    assert choose(site(line("ftth", address=False), line("4g")), "ftth") == "4g"


def test_a_connection_by_none_of_the_uplinks_is_left_alone():
    """A tunnel or the LAN: the watch knows nothing of it."""
    assert choose(site(line("ftth", DOWN), line("4g")), None) is None
    assert choose(site(line("ftth", DOWN), line("4g")), "vpn") == "vpn"


@pytest.mark.parametrize(("metered", "wait_s"), [(False, RETURN_S), (True, RETURN_METERED_S)])
def test_it_goes_back_after_a_while_and_only_in_calm(metered, wait_s):
    """Staying costs nothing but is not wished either: sooner where it costs data."""
    there = line("4g", metered=metered)
    early, late = (site(line("ftth", UP, wait_s + more), there) for more in (-1.0, 0.0))
    assert choose(early, "4g") == "4g"
    assert choose(late, "4g") == "ftth"
    assert choose(late, "4g", calm=False) == "4g"
    assert choose(late, "4g", shunned={"ftth"}) == "4g"


def test_it_moves_from_a_degraded_way_only_once_that_has_lasted():
    """The other one has been well for hours; the present one has been bad for as long as it has."""
    for for_s, chosen in ((RETURN_S - 1, "ftth"), (RETURN_S, "4g")):
        assert choose(site(line("ftth", DEGRADED, for_s), line("4g")), "ftth") == chosen
    # The preferred one is better whatever becomes of the present one.
    assert choose(site(line("ftth"), line("4g", DEGRADED, 1.0)), "4g") == "ftth"


def test_a_shunned_way_is_better_than_a_dead_one():
    """If nothing else works, what failed lately is tried all the same."""
    shot = site(line("ftth", DOWN), line("4g"), line("sat"))
    assert choose(shot, "ftth", shunned={"4g"}) == "sat"
    assert choose(shot, "ftth", shunned={"4g", "sat"}) == "4g"


VIEWS = st.lists(
    st.builds(
        lambda health, for_s, metered, address: (health, for_s, metered, address),
        st.sampled_from(list(Health)),
        st.floats(0, 5000),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


@given(VIEWS, st.integers(0, 5), st.booleans())
def test_whatever_happens_a_choice_is_stable(views, place, calm):
    """It is the present way or one that works; and choosing again from there stays there."""
    lines = [
        line(f"u{n}", health, for_s, metered=metered, address=address)
        for n, (health, for_s, metered, address) in enumerate(views)
    ]
    shot, present = site(*lines), f"u{place}"
    chosen = choose(shot, present, calm=calm)
    assert chosen == present or chosen in usable(shot)
    assert choose(shot, chosen, calm=calm) == chosen


def test_what_is_known_of_the_way_in_use():
    """By its name whether it costs data, by the connection's address which it is."""
    shot = site(line("ftth"), line("4g", metered=True))
    assert is_metered(shot, "4g")
    assert not is_metered(shot, "ftth")
    assert not is_metered(shot, None)
    assert not is_metered(None, "4g")
    assert uplink_at(shot, "192.0.2.2") == "4g"
    assert uplink_at(shot, "198.51.100.1") is None


def test_a_restarting_broker_does_not_drive_the_connection_to_another_way():
    """One failure is waited out; the second opens the other ways, each with waits of its own."""
    tries, ways = Tries(), ("ftth", "4g")
    assert tries.next(ways, 0.0) == ("ftth", 0.0)
    for failure in range(1, LOYAL):
        tries.failed("ftth", 0.0, 1.0)
        assert tries.next(ways, 0.0) == ("ftth", 1.0), failure
    tries.failed("ftth", 1.0, 2.0)
    assert tries.next(ways, 1.0) == ("4g", 0.0)
    tries.failed("4g", 1.5, 1.0)
    assert tries.next(ways, 1.5) == ("4g", 1.0)
    assert tries.next(ways, 3.0) == ("ftth", 0.0)


def test_a_way_that_works_again_is_tried_at_once():
    """A failover does not wait for what an earlier failure asked for."""
    tries = Tries()
    tries.failed("4g", 0.0, 60.0)
    assert tries.next(("4g",), 1.0) == ("4g", 59.0)
    assert tries.shunned(SHUN_S - 1) == {"4g"}
    assert tries.shunned(SHUN_S) == set()
    tries.forget("4g")
    assert tries.next(("4g",), 1.0) == ("4g", 0.0)
    assert tries.shunned(1.0) == set()


def test_a_broker_that_refuses_is_not_asked_by_other_ways():
    """It would say the same, and each question costs data."""
    tries = Tries()
    tries.refuse(0.0, 8.0)
    assert tries.next(("ftth", "4g"), 3.0) == ("ftth", 5.0)
    assert tries.next(("ftth", "4g"), 8.0) == ("ftth", 0.0)
    tries.refuse(8.0, 60.0)
    tries.hurry()
    assert tries.next(("4g",), 9.0) == ("4g", 0.0)
    assert tries.refused == 2
    tries.accept()
    assert (tries.refused, tries.refused_until) == (0, -inf)
