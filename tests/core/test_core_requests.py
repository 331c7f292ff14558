"""What people ask for, told as stories: done, or refused with the reason and when it ends."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest
from world import World, example_site

from agent.core.codes import Code
from agent.core.durable import Durable
from agent.core.instant import Stamp
from agent.core.model import AGENT, Cycle, Part
from agent.core.people import Answer, Verb
from agent.core.requests import LONGEST_HOLD_S, NEVER_OVERRIDDEN, OVERRIDDEN, USUAL_HOLD_S
from agent.core.site import PowerRules
from agent.core.snapshot_types import Phase

CALM_S = 120.0
"""Longer than the boot time of the example site: boxes no longer count as booting."""
BOX = "box-ftth"
OTHERS = {"no_box", "hold_length", "relay_not_alone", "relay_not_back", "reboot_refused"}
"""Reasons that are no guard's: of a request that makes no sense, a proof that failed, a box that refuses."""


def calm_world(*, durable: Durable | None = None, **kwargs: object) -> World:
    world = World(example_site(**kwargs), durable=durable)  # type: ignore[arg-type]
    world.play(CALM_S)
    world.events.clear()
    return world


def told(world: World, code: Code) -> dict[str, object]:
    return dict(next(event.args for _, event in world.events if event.code is code))


# --- a cycle that is asked for -----------------------------------------------------------------------------


def test_a_cycle_that_is_asked_for_need_not_wait() -> None:
    """The uplink is down, somebody asks: the box is cut at once, and both events and memory say who asked."""
    world = calm_world(confirm_s=600.0)
    world.change("ftth", hung=True)
    world.play(20)
    assert world.cuts == []
    answer = world.ask(Verb.CYCLE, BOX, by="Anne")
    assert answer == Answer("r0", ok=True, order="run-2")
    world.play(1)
    assert [box for _, box in world.cuts] == [BOX]
    assert told(world, Code.CYCLE_ORDERED) == {
        "label": "Box ftth",
        "finding": "box_hung",
        "how": "cut",
        "by": "Anne",
        "force": False,
    }
    world.play(200)
    (cycle,) = world.cycles.values()
    assert (cycle.by, cycle.forced, cycle.helped) == ("Anne", False, True)
    assert cycle.finding is Code.BOX_HUNG, "remembered as having helped for what was wrong"


def test_no_finding_is_needed_while_the_uplink_is_down() -> None:
    """Right after the verdict nothing is shown yet, and a line fault asks for no cycle by itself."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(3)
    assert world.findings() == set()
    assert world.ask(Verb.CYCLE, BOX).ok

    world = calm_world()
    world.change("ftth", forwards=False)
    world.play(60)
    assert world.findings() == {(Code.LINE_OR_OPERATOR, "ftth")}
    assert world.ask(Verb.CYCLE, BOX).ok
    world.play(1)
    assert [cycle.finding for cycle in world.cycles.values()] == [Code.LINE_OR_OPERATOR]


def test_an_uplink_that_works_is_not_cut_for_the_asking() -> None:
    """Never the uplink in use while it works; the refusal is told, with who asked."""
    world = calm_world()
    answer = world.ask(Verb.CYCLE, BOX)
    assert (answer.ok, answer.reason, answer.until) == (False, "works", None)
    world.play(60)
    assert world.cuts == []
    refused = {"label": "Box ftth", "reason": "works", "for_s": None, "by": "Anne", "force": False}
    assert told(world, Code.CYCLE_REFUSED) == refused


@pytest.mark.parametrize("uplinks", [1, 3])
def test_the_last_working_uplink_is_not_cut_for_the_asking(uplinks: int) -> None:
    """It is told apart, because whoever forces it then leaves the site without internet."""
    world = calm_world(uplinks=uplinks)
    for name in world.lines.keys() - {"ftth"}:
        world.change(name, forwards=False)
    world.play(60)
    assert world.ask(Verb.CYCLE, BOX).reason == "last_working"


def test_an_uplink_of_which_nothing_is_known_is_not_cut_for_the_asking() -> None:
    """Not to be able to measure is no outage."""
    from agent.core.model import Why

    world = calm_world()
    world.change("ftth", unsendable=Why.SOCKET_ERROR)
    world.play(60)
    assert world.ask(Verb.CYCLE, BOX).reason == "not_known"


def test_who_forces_overrides_what_the_rules_judge() -> None:
    """A working uplink in the middle of a hold, right after the start and the return of the power."""
    world = World(example_site(rules=PowerRules(after_power_s=20_000.0)), start_at=10.0)
    world.play(20)
    world.ask(Verb.HOLD, for_s=3600.0)
    assert world.ask(Verb.CYCLE, BOX).reason == "works"
    answer = world.ask(Verb.CYCLE, BOX, by="Anne", force=True)
    assert answer.ok
    world.play(40)
    assert [box for _, box in world.cuts] == [BOX]
    assert told(world, Code.CYCLE_ORDERED)["force"] is True
    assert world.findings() == {(Code.RESTARTING, BOX), (Code.BY_HAND, "ftth")}
    assert Code.INCIDENT_OPENED not in world.codes(), "a planned cut is no incident"
    world.play(100)
    (cycle,) = world.cycles.values()
    assert (cycle.by, cycle.forced, cycle.helped, cycle.finding) == ("Anne", True, True, Code.BY_HAND)
    assert world.picture().headline is Code.ALL_WELL


def test_who_forces_overrides_witness_and_boot_loop() -> None:
    """All uplinks are down together and the agent keeps restarting: a person on site may know better."""
    world = calm_world(boxes=("ftth", "fibre2"), durable=Durable(quick_restarts=5))
    for name in world.lines:
        world.change(name, hung=True)
    world.play(60)
    boot_loop = world.ask(Verb.CYCLE, BOX)
    assert (boot_loop.reason, boot_loop.until) == ("boot_loop", pytest.approx(10_600.0))
    world.play(600)
    assert world.ask(Verb.CYCLE, BOX).reason == "everything_down"
    assert world.ask(Verb.CYCLE, BOX, force=True).ok


def spent(world: World, count: int) -> tuple[Cycle, ...]:
    """So many cycles of the box within the last hours."""
    now = world.now()
    return tuple(
        Cycle(
            f"old-{n}",
            BOX,
            Code.BOX_HUNG,
            f"old-{n}",
            Stamp(now.mono - 3600.0 * n, now.wall - 3600.0 * n, True, now.boot),
            helped=False,
        )
        for n in range(count, 0, -1)
    )


def test_the_budget_holds_for_who_asks_and_not_for_who_forces() -> None:
    """Three cycles within the day: asked for, it is refused until one leaves the day; forced, it counts."""
    scratch = World(example_site())
    world = calm_world(durable=Durable(cycles=spent(scratch, 3)))
    world.change("ftth", hung=True)
    world.play(20)
    refused = world.ask(Verb.CYCLE, BOX)
    assert refused.reason == "day_budget"
    assert refused.until == pytest.approx(world.t + 86_400.0 - 3 * 3600.0 - (world.t - 10_000.0))
    assert world.ask(Verb.CYCLE, BOX, force=True).ok
    world.play(1)
    assert world.picture().boxes[0].cycles_today == 4


def test_spacing_is_told_with_its_end() -> None:
    """Who asks again too soon hears when it will be possible."""
    world = calm_world()
    world.change("ftth", hung=True, cures=False)
    world.play(20)
    assert world.ask(Verb.CYCLE, BOX).ok
    began_at = world.t
    world.play(150)
    again = world.ask(Verb.CYCLE, BOX)
    assert (again.reason, again.until) == ("spacing", pytest.approx(began_at + 300.0))


# --- what force never overrides ----------------------------------------------------------------------------


def test_force_makes_no_relay() -> None:
    """Without a relay, with a relay that is missing or has failed, or unarmed, there is nothing to force."""
    world = calm_world()
    world.feed(Part(f"relay:{BOX}", ok=False))
    assert world.ask(Verb.CYCLE, BOX, force=True).reason == "no_relay_hardware"
    world.feed(Part(f"relay:{BOX}", ok=False, code=Code.RELAY_FAILED))
    assert world.ask(Verb.CYCLE, BOX, force=True).reason == "relay_failed"
    unarmed = calm_world(rules=PowerRules(armed=False))
    assert unarmed.ask(Verb.CYCLE, BOX, force=True).reason == "not_armed"
    assert unarmed.ask(Verb.CYCLE, "box-4g", force=True).reason == "no_box"
    assert not world.cuts
    assert not unarmed.cuts


def test_force_cuts_no_second_box() -> None:
    """Neither another one while one is in its cycle, nor the same one again; the end is told."""
    world = calm_world(boxes=("ftth", "fibre2"))
    world.change("ftth", hung=True)
    world.play(20)
    assert world.ask(Verb.CYCLE, BOX).ok
    end = pytest.approx(world.t + 70.0, abs=1.0)
    world.play(2)
    other = world.ask(Verb.CYCLE, "box-fibre2", force=True)
    assert (other.reason, other.until) == ("other_box", end)
    same = world.ask(Verb.CYCLE, BOX, force=True)
    assert (same.reason, same.until) == ("in_cycle", end)
    world.play(20)
    assert world.ask(Verb.CYCLE, "box-fibre2", force=True).reason == "other_box", "it boots"
    assert len(world.cuts) == 1


def test_force_needs_a_memory_that_can_be_written() -> None:
    """A memory that is lost refuses at once; one that cannot be written refuses the cut, and it is told."""
    lost = calm_world(durable=Durable(cycles=None))
    assert lost.ask(Verb.CYCLE, BOX, force=True).reason == "budget_unreadable"
    world = calm_world()
    world.unwritable = True
    assert world.ask(Verb.CYCLE, BOX, force=True).ok
    world.play(10)
    assert world.cuts == []
    assert told(world, Code.CYCLE_REFUSED)["reason"] == "budget_unreadable"
    assert world.picture().boxes[0].phase is Phase.POWERED


def test_every_refusal_is_overridden_by_force_or_never_is() -> None:
    """Whoever adds a refusal decides which."""
    text = resources.files("agent.text").joinpath("fr.toml").read_text(encoding="utf-8")
    reasons = set(tomllib.loads(text)["refusal"])
    assert not OVERRIDDEN & NEVER_OVERRIDDEN
    assert reasons - OTHERS == OVERRIDDEN | NEVER_OVERRIDDEN


# --- giving the power back ---------------------------------------------------------------------------------


def test_the_power_can_be_asked_back_at_once() -> None:
    """In the middle of a cut the box gets its power back, and the cycle goes on from there."""
    world = calm_world()
    assert world.ask(Verb.CYCLE, BOX, force=True).ok
    world.play(3)
    assert world.picture().boxes[0].phase is Phase.CUT
    assert world.ask(Verb.RESTORE, BOX) == Answer("r1", ok=True, order="run-1")
    world.play(0.5)
    assert world.restores[0][0] == pytest.approx(world.cuts[0][0] + 3.0, abs=0.1)
    assert world.picture().boxes[0].phase is Phase.BOOTING
    world.play(100)
    assert len(world.restores) == 1
    assert [cycle.helped for cycle in world.cycles.values()] == [True]


def test_a_cut_that_is_only_ordered_can_be_asked_back() -> None:
    """Whatever the relay has done meanwhile, the last order is to give the power."""
    world = calm_world()
    world.ask(Verb.CYCLE, BOX, force=True)
    assert world.ask(Verb.RESTORE, BOX).ok
    world.play(1)
    assert world.lines["ftth"].powered
    assert len(world.restores) == 1


def test_asking_the_power_back_of_a_box_that_has_it_changes_nothing() -> None:
    """It is safe at any time."""
    world = calm_world()
    assert world.ask(Verb.RESTORE, BOX) == Answer("r0", ok=True)
    assert world.ask(Verb.RESTORE, "box-x").reason == "no_box"
    world.play(10)
    assert (world.restores, world.events) == ([], [])


# --- holds -------------------------------------------------------------------------------------------------


def test_a_hold_always_has_an_end() -> None:
    """An hour unless said otherwise, at most a day; until then nothing is cut, afterwards it is."""
    world = calm_world()
    answer = world.ask(Verb.HOLD)
    assert (answer.ok, answer.until) == (True, pytest.approx(world.t + USUAL_HOLD_S))
    assert told(world, Code.HOLD_SET) == {"label": "Garage", "by": "Anne", "for_s": 3600}
    world.change("ftth", hung=True)
    world.play(USUAL_HOLD_S - 10)
    assert world.cuts == []
    assert world.picture().unarmed_why == "hold"
    world.play(20)
    assert len(world.cuts) == 1
    assert told(world, Code.HOLD_ENDED)["by"] == "time"


@pytest.mark.parametrize("for_s", [LONGEST_HOLD_S + 1, 0.0, -5.0, float("nan"), float("inf")])
def test_a_hold_without_a_sound_end_is_refused(for_s: float) -> None:
    """A day is the longest."""
    world = calm_world()
    assert world.ask(Verb.HOLD, for_s=for_s) == Answer("r0", ok=False, reason="hold_length")
    assert world.picture().hold_until is None
    assert world.ask(Verb.HOLD, for_s=LONGEST_HOLD_S).ok


def test_a_hold_is_released_by_whoever_asks() -> None:
    """And a release without a hold is what was asked for already."""
    world = calm_world()
    world.ask(Verb.HOLD, by="Anne")
    assert world.ask(Verb.RELEASE, by="Paul").ok
    assert told(world, Code.HOLD_ENDED)["by"] == "Paul"
    assert world.picture().armed
    world.events.clear()
    assert world.ask(Verb.RELEASE).ok
    assert world.events == []


def test_a_cycle_under_way_is_finished_in_a_hold() -> None:
    """A hold forbids beginning, it never leaves a box without power."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(20)
    world.ask(Verb.CYCLE, BOX)
    world.play(2)
    world.ask(Verb.HOLD)
    world.play(100)
    assert world.lines["ftth"].powered
    assert len(world.restores) == 1


def test_what_nobody_asked_for_is_the_agents_own() -> None:
    """The memory tells automatic cycles from those of people."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(60)
    assert [(cycle.by, cycle.forced) for cycle in world.cycles.values()] == [(AGENT, False)]
    assert set(told(world, Code.CYCLE_ORDERED)) == {"label", "finding", "how"}
