"""The site path told as stories: a router that switches well, late, never, back too early, or to and fro."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import pytest
from world import TARGETS, World, example_site

from agent.core.codes import Code
from agent.core.failover_rules import FailoverRules
from agent.core.outside import Outer
from agent.core.path_view import PathState
from agent.core.spending import Spent

RULES = FailoverRules(path_targets=TARGETS, expect_s=30.0, by_hand="page 3 du classeur")


def calm_world(after_s: float = 5.0, returns_after_s: float = 60.0, **kwargs: object) -> World:
    """A site whose router uses the first fibre, watched for two minutes."""
    site = example_site(boxes=())
    metered = replace(site.uplinks[2], data_bytes=50_000_000, interval_s=10.0)
    world = World(replace(site, uplinks=(*site.uplinks[:2], metered), failover=RULES), **kwargs)  # type: ignore[arg-type]
    world.router.switches_after_s, world.router.returns_after_s = after_s, returns_after_s
    world.play(120)
    path = world.picture().site_path
    assert path is not None
    assert (path.state, path.active, path.witness) == (PathState.WORKS, "ftth", "address")
    world.events.clear()
    return world


def told(world: World, *codes: Code) -> list[tuple[str, dict[str, object]]]:
    return [(event.code, dict(event.args)) for _, event in world.events if event.code in codes]


SWITCHES = (Code.FAILOVER, Code.FAILBACK, Code.SITE_INTERRUPTED)


def test_a_switch_is_told_with_the_seconds_without_internet() -> None:
    """From the first echo without an answer to the first with one, and who carried the site before."""
    world = calm_world(after_s=5.0)
    cut_at = world.t
    world.change("ftth", light=False)
    world.play(60)
    ((code, args),) = told(world, *SWITCHES)
    assert (code, args["from"], args["to"], args["to_label"]) == ("failover", "ftth", "fibre2", "FIBRE2")
    assert isinstance(args["silent_s"], float)
    assert 5.0 <= args["silent_s"] <= 6.5
    assert world.when(Code.FAILOVER) - cut_at <= args["silent_s"] + 1.5, "told as soon as it is known"
    path = world.picture().site_path
    assert path is not None
    assert path.active == "fibre2"
    assert not {code for code, _ in world.findings()} & {Code.FAILOVER_MISSING, Code.SITE_PATH_DOWN}


def test_the_return_is_told_as_one_and_costs_what_it_costs() -> None:
    """A router that goes back without losing an echo has cost nothing."""
    world = calm_world(after_s=5.0, returns_after_s=120.0)
    world.change("ftth", light=False)
    world.play(60)
    world.change("ftth", light=True)
    world.events.clear()
    world.play(300)
    ((code, args),) = told(world, *SWITCHES)
    assert (code, args["from"], args["to"], args["silent_s"]) == ("failback", "fibre2", "ftth", 0.0)


def test_a_switch_that_does_not_come_is_a_finding_with_what_to_do() -> None:
    """Once its time is over, and until the site has internet again."""
    world = calm_world(after_s=inf)
    cut_at = world.t
    world.change("ftth", light=False)
    world.play(600)
    assert world.when(Code.FAILOVER_MISSING) - cut_at == pytest.approx(30.0, abs=1.5)
    finding = world.picture().findings[0]
    assert finding.code is Code.FAILOVER_MISSING
    assert finding.evidence[:2] == (
        "site path: silent for 30 s, the router 192.168.10.1 answers",
        "site path: carried by ftth before, as its address told",
    )
    assert (finding.args["from"], finding.args["to"], finding.args["by_hand"]) == (
        "ftth",
        "fibre2",
        "page 3 du classeur",
    )
    assert world.incident is not None
    assert (world.incident.code, world.incident.subject) == (Code.LINE_OR_OPERATOR, "ftth"), "its cause"
    world.router.active = "fibre2"
    world.play(10)
    ((code, args),) = told(world, *SWITCHES)
    assert code == "failover"
    assert isinstance(args["silent_s"], float)
    assert args["silent_s"] == pytest.approx(600.0, abs=2.0)
    assert Code.FAILOVER_MISSING not in {code for code, _ in world.findings()}


def test_a_router_that_forwards_nothing_is_another_finding() -> None:
    """Every uplink works, so it is not one of them; the box is not cut for it."""
    world = calm_world()
    world.router.works = False
    world.play(60)
    (finding,) = world.picture().findings
    assert (finding.code, finding.args["router"]) == (Code.SITE_PATH_DOWN, "192.168.10.1")
    world.router.works = True
    world.play(60)
    ((code, args),) = told(world, *SWITCHES)
    assert (code, args["uplink"]) == ("site_interrupted", "ftth")
    assert world.findings() == set()


def test_an_outage_of_everything_says_nothing_of_the_router() -> None:
    """It cannot switch to what is not there; how long the site was without internet is told."""
    world = calm_world()
    for name in world.lines:
        world.change(name, light=False)
    world.play(300)
    assert {code for code, _ in world.findings()} == {Code.EVERYTHING_DOWN}
    for name in world.lines:
        world.change(name, light=True)
    world.play(60)
    ((code, args),) = told(world, *SWITCHES)
    assert code == "site_interrupted"
    assert args["silent_s"] == pytest.approx(300.0, abs=3.0)


def test_the_machines_own_cable_says_nothing_of_the_site() -> None:
    """It is told as what it is, and no switch is made of it."""
    world = calm_world()
    world.router.plug(plugged=False)
    world.play(300)
    (finding,) = world.picture().findings
    assert (finding.code, finding.args["part"]) == (Code.PART_FAILED, "site_path")
    world.router.plug(plugged=True)
    world.play(60)
    assert told(world, *SWITCHES) == []
    path = world.picture().site_path
    assert path is not None
    assert (path.state, path.active) == (PathState.WORKS, "ftth")


def test_the_box_that_carries_the_site_is_never_cut() -> None:
    """From here its cable is out, and the site is on the internet through it all the same."""
    site = example_site(boxes=("ftth",))
    world = World(replace(site, failover=RULES))
    world.play(200)
    world.events.clear()
    world.change("ftth", cable=False)
    world.play(900)
    assert world.cuts == []
    (box,) = world.picture().boxes
    assert box.refusal == "works"


def test_an_uplink_with_a_new_address_is_recognised_again() -> None:
    """The fibre is connected anew: told as a changed address, not as a switch."""
    world = calm_world()
    world.change("ftth", light=False)
    world.play(3)
    world.change("ftth", light=True, public="81.2.69.77")
    world.play(120)
    ((code, args),) = told(world, Code.PUBLIC_ADDRESS_CHANGED, *SWITCHES[:2])
    assert (code, args["old"], args["new"]) == ("public_address_changed", "81.2.69.1", "81.2.69.77")
    path = world.picture().site_path
    assert path is not None
    assert path.active == "ftth"


def test_a_shared_address_is_told_once_and_its_changes_are_not() -> None:
    """An address that many have is the operator's business."""
    world = calm_world()
    world.change("4g", carrier_grade=True)
    world.play(1900)
    world.change("4g", public="81.2.69.99")
    world.play(3700)
    events = told(world, Code.ADDRESS_SHARED, Code.PUBLIC_ADDRESS_CHANGED)
    assert [(code, args["label"]) for code, args in events] == [("address_shared", "4G")]
    shown = {uplink.name: uplink for uplink in world.picture().uplinks}
    assert (shown["4g"].shared, shown["4g"].public_address) == (True, "81.2.69.99")
    assert world.outers["4g"] == Outer("81.2.69.99", True)


def test_what_was_known_before_a_restart_is_compared() -> None:
    """The address changed while nobody watched."""
    world = calm_world()
    world.stop()
    world.change("ftth", public="81.2.69.77")
    world.start()
    world.play(60)
    assert [code for code, _ in told(world, Code.PUBLIC_ADDRESS_CHANGED)] == ["public_address_changed"]


def test_a_router_that_spreads_the_traffic_makes_no_switches() -> None:
    """Each question may leave by another uplink: then nobody carries the site alone, and that is said."""
    world = calm_world()
    world.router.spreads = True
    world.play(3600)
    assert len(told(world, *SWITCHES)) <= 3
    path = world.picture().site_path
    assert path is not None
    assert path.spread
    assert path.active is None


def test_a_router_that_flaps_is_measured_each_time() -> None:
    """A fibre that comes and goes: every switch is told, and the better uplink waits longer each time."""
    world = calm_world(after_s=2.0, returns_after_s=10.0)
    for _ in range(5):
        world.change("ftth", light=False)
        world.play(60)
        world.change("ftth", light=True)
        world.play(120)
    codes = [code for code, _ in told(world, *SWITCHES)]
    assert codes == ["failover", "failback"] * 5
    choice = world.state.steering
    assert choice.past.falls["ftth"] == 5


def on_4g() -> World:
    """Both fibres are cut, and the 4G with its data budget carries the site."""
    world = calm_world(after_s=5.0)
    world.change("ftth", light=False)
    world.change("fibre2", light=False)
    world.play(60)
    path = world.picture().site_path
    assert path is not None
    assert path.active == "4g"
    return world


def used(world: World) -> int:
    purse = world.state.uplinks["4g"].purse
    assert purse is not None
    return purse.spending.used_bytes


def test_what_is_asked_through_the_site_costs_little_where_it_costs() -> None:
    """The path is looked at more seldom while the 4G carries the site, and it is the 4G that pays."""
    world = on_4g()
    questions = world.router.questions["site"]
    world.play(3600)
    assert world.state.path is not None
    assert world.state.path.pace_s == 5.0
    assert world.router.questions["site"] - questions <= 13
    before = used(world)
    world.feed(Spent("site", 1000, 500))
    assert used(world) - before == 1500


def test_nothing_is_asked_on_top_of_a_budget_that_is_used_up() -> None:
    """Once an hour, so that the budget is kept in whole; a router that switches is still seen to."""
    world = on_4g()
    world.feed(Spent("4g", 50_000_000, 0))
    world.play(70)
    assert world.state.path is not None
    assert world.state.path.pace_s == 3600.0
    questions = world.router.questions["site"]
    world.play(7200)
    assert world.router.questions["site"] - questions <= 1


def test_a_time_in_which_nobody_watched_is_no_silence() -> None:
    """The process was stopped for a minute, and the router moved meanwhile: a switch without a measure."""
    world = calm_world(after_s=5.0)
    world.change("ftth", light=False)
    world.play(2.0)
    world.schedule.t += 60.0
    world.router.active = "fibre2"
    world.play(120.0)
    assert [code for code, _ in told(world, *SWITCHES)] == ["failover"]
    ((_, args),) = told(world, *SWITCHES)
    assert args["silent_s"] == 0.0
