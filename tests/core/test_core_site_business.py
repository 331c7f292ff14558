"""What the site's own way out means for the business, and what its opening hours mean for the return."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import TARGETS, World, example_site

from agent.core import business
from agent.core.business import Means
from agent.core.codes import Code, Severity
from agent.core.failover_rules import FailoverRules
from agent.core.instant import DAY_S, Now
from agent.core.opening import WEEK_S, Hours, closes_in_s, is_open, opens_in_s
from agent.core.steering import Wait, Why

RULES = FailoverRules(path_targets=TARGETS, expect_s=30.0, fail_back_closed=True)
WEEKDAYS = Hours((0, 1, 2, 3, 4), 8 * 3600.0, 18 * 3600.0)
FRIDAY_17 = 1_800_032_400.0
"""15 January 2027, 17:00 UTC."""


def site_at(wall: float, **router: float) -> World:
    site = replace(example_site(boxes=()), failover=RULES, opening=(WEEKDAYS,))
    world = World(site, wall=wall)
    for key, value in {"switches_after_s": inf, **router}.items():
        setattr(world.router, key, value)
    world.play(120)
    return world


def meaning(world: World) -> tuple[Severity, Means]:
    said = business.meaning(world.state, world.now())
    return said.severity, said.means


def test_a_switch_that_does_not_come_is_an_outage_of_the_site() -> None:
    """While the router has its time it is taken to switch; after that the site has no internet."""
    world = site_at(FRIDAY_17)
    world.change("ftth", light=False)
    world.play(20)
    assert meaning(world) == (Severity.WARNING, Means.ON_BACKUP)
    world.play(40)
    assert meaning(world) == (Severity.ALERT, Means.NO_INTERNET)
    assert world.picture().incident_severity is Severity.ALERT
    world.router.active = "fibre2"
    world.play(20)
    assert meaning(world) == (Severity.WARNING, Means.ON_BACKUP)


def test_a_dead_router_is_an_outage_by_day_and_can_wait_by_night() -> None:
    """All uplinks work all the same."""
    for wall, said in (
        (FRIDAY_17, (Severity.ALERT, Means.NO_INTERNET)),
        (FRIDAY_17 + 6 * 3600, (Severity.WARNING, Means.CLOSED)),
    ):
        world = site_at(wall)
        world.router.works = False
        world.play(60)
        assert meaning(world) == said


def test_the_machines_own_cable_is_no_outage_of_the_site() -> None:
    """The uplink that carries the site serves, whatever is seen of it from here."""
    world = site_at(FRIDAY_17)
    world.change("ftth", cable=False)
    world.play(60)
    assert Code.CABLE_OR_POWER in {code for code, _ in world.findings()}
    assert meaning(world) == (Severity.INFO, Means.NOTHING)


def test_the_return_waits_until_the_site_closes() -> None:
    """It is said until when; then the better uplink is the one to use."""
    world = site_at(FRIDAY_17, switches_after_s=5.0)
    world.change("ftth", light=False)
    world.play(60)
    world.change("ftth", light=True)
    world.play(1200)
    choice = world.state.steering.choice
    assert choice is not None
    assert (choice.why, choice.waits_for, choice.next) == (Why.WAITING, Wait.CLOSING, "ftth")
    assert choice.until is not None
    assert choice.until - world.now().mono == pytest.approx(FRIDAY_17 + 3600 - world.now().wall)
    world.play(2400)
    choice = world.state.steering.choice
    assert choice is not None
    assert (choice.why, choice.wanted) == (Why.BACK, "ftth")


HOURS = st.builds(
    Hours,
    st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(tuple),
    st.integers(0, 1439).map(lambda minute: minute * 60.0),
    st.integers(1, 1440).map(lambda minute: minute * 60.0),
)


@given(st.lists(HOURS, min_size=1, max_size=4).map(tuple), st.integers(0, 20_000))
def test_a_site_closes_when_it_is_closed(opening: tuple[Hours, ...], minute: int) -> None:
    """Not a minute sooner, whichever stretches overlap; one that never does has no such time."""
    now = Now(0.0, 1_800_000_000.0 + minute * 60.0, synced=True)
    left_s = closes_in_s(opening, now)
    if left_s is None:
        assert all(is_open(opening, replace(now, wall=now.wall + hour * 3600)) for hour in range(168))
        return
    assert 0.0 <= left_s < WEEK_S
    assert not is_open(opening, replace(now, wall=now.wall + left_s))
    assert (left_s == 0.0) is not is_open(opening, now)
    for share in (0.1, 0.5, 0.999):
        assert left_s == 0.0 or opens_in_s(opening, replace(now, wall=now.wall + left_s * share)) == 0.0


def test_without_hours_or_a_clock_nobody_knows_when_it_closes() -> None:
    """Then the return does not wait for it."""
    assert closes_in_s((), Now(0.0, FRIDAY_17, synced=True)) is None
    assert closes_in_s((WEEKDAYS,), Now(0.0, FRIDAY_17)) is None
    assert closes_in_s((Hours(tuple(range(7)), 0.0, DAY_S),), Now(0.0, FRIDAY_17, synced=True)) is None
