"""A relay is believed once it was seen to cut its own box and no other: told as stories."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import World, example_site

from agent.core.codes import Code
from agent.core.durable import Durable
from agent.core.instant import Stamp, stamp
from agent.core.model import How
from agent.core.people import OpenHold, Verb
from agent.core.site import PowerRules, Site
from agent.core.snapshot_types import Phase

CALM_S = 120.0
BOX = "box-ftth"
STRICT = PowerRules(after_power_s=0.0, require_proof=True)
PROVEN = Stamp(1.0, 1.7e9, True, "boot0")


def calm_world(*, durable: Durable | None = None, site: Site | None = None, **kwargs: object) -> World:
    kwargs.setdefault("rules", STRICT)
    world = World(site or example_site(**kwargs), durable=durable)  # type: ignore[arg-type]
    world.play(CALM_S)
    world.events.clear()
    return world


def told(world: World, code: Code) -> list[dict[str, object]]:
    return [dict(event.args) for _, event in world.events if event.code is code]


# --- before the proof --------------------------------------------------------------------------------------


def test_a_relay_never_proven_is_not_used() -> None:
    """It might switch the wrong box; the site says that it is not armed, the refusal is told once."""
    world = calm_world()
    assert (world.picture().armed, world.picture().unarmed_why) == (False, "not_proven")
    world.change("ftth", hung=True)
    world.play(1800)
    assert world.cuts == []
    assert [args["reason"] for args in told(world, Code.CYCLE_REFUSED)] == ["not_proven"]
    assert world.picture().boxes[0].refusal == "not_proven"
    assert world.picture().boxes[0].proven_at is None


def test_a_relay_proven_before_is_used() -> None:
    """The proof has survived the restart; the picture tells its date."""
    world = calm_world(durable=Durable(proven={BOX: PROVEN}))
    assert world.picture().armed
    assert world.picture().boxes[0].proven_at == 1.7e9
    world.change("ftth", hung=True)
    world.play(60)
    assert len(world.cuts) == 1


def test_one_proven_relay_arms_the_site() -> None:
    """The other box is not cut, and says why."""
    world = calm_world(boxes=("ftth", "fibre2"), durable=Durable(proven={"box-fibre2": PROVEN}))
    assert world.picture().armed
    world.change("ftth", hung=True)
    world.play(300)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "not_proven"


def test_who_asks_needs_a_proven_relay_too_unless_forced() -> None:
    """Whoever stands beside the box sees what the relay cuts."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(20)
    assert world.ask(Verb.CYCLE, BOX).reason == "not_proven"
    assert world.ask(Verb.CYCLE, BOX, force=True).ok


def test_without_the_rule_no_proof_is_needed() -> None:
    """As the core is by itself."""
    world = calm_world(rules=PowerRules(after_power_s=0.0))
    assert world.picture().armed
    world.change("ftth", hung=True)
    world.play(60)
    assert len(world.cuts) == 1


# --- the proof ---------------------------------------------------------------------------------------------


def test_a_relay_is_proven_by_a_cut_of_its_box() -> None:
    """Asked for on a box that works: its carrier drops and comes back, nobody else's does."""
    world = calm_world()
    assert world.ask(Verb.PROVE, BOX, by="Anne").ok
    world.play(5)
    assert world.picture().boxes[0].phase is Phase.CUT
    assert told(world, Code.RELAY_PROVEN) == [], "it must come back first"
    world.play(6)
    (proof,) = told(world, Code.RELAY_PROVEN)
    assert proof["seen"] == "carrier"
    assert proof["gone_s"] == pytest.approx(0.0, abs=0.2)
    proven = world.proven[BOX]
    assert proven is not None
    assert proven.mono == world.when(Code.RELAY_PROVEN)
    assert world.picture().armed
    world.play(100)
    assert world.picture().headline is Code.ALL_WELL
    assert Code.INCIDENT_OPENED not in world.codes()
    (cycle,) = world.cycles.values()
    assert (cycle.by, cycle.forced, cycle.helped) == ("Anne", True, True)
    world.change("ftth", hung=True)
    world.play(400)
    assert len(world.cuts) == 2, "now it is used"


def test_a_box_that_software_can_reboot_is_cut_for_its_proof() -> None:
    """Only a cut shows what a relay switches."""
    site = example_site(rules=STRICT)
    world = calm_world(site=replace(site, boxes=(replace(site.boxes[0], soft=True),)))
    world.ask(Verb.PROVE, BOX)
    world.play(120)
    assert [box for _, box in world.cuts] == [BOX]
    assert [cycle.how for cycle in world.cycles.values()] == [How.CUT]
    assert BOX in world.proven


def test_a_welded_relay_is_not_proven() -> None:
    """The box stays on all the time: the cut did nothing, and did not help either."""
    world = calm_world()
    world.boxes.wiring[BOX] = []
    world.ask(Verb.PROVE, BOX)
    world.play(30)
    assert told(world, Code.RELAY_UNPROVEN) == [
        {"label": "Box ftth", "reason": "relay_no_effect", "other": None}
    ]
    assert told(world, Code.RELAY_PROVEN) == []
    assert world.codes(BOX)[-3:] == [
        Code.RELAY_UNPROVEN,
        Code.CYCLE_DID_NOT_HELP,
        Code.RELAY_NO_EFFECT,
    ]
    assert world.proven == {}
    assert not world.picture().armed


def test_a_relay_on_the_wrong_box_is_not_proven() -> None:
    """Another uplink lost its carrier instead, and is named."""
    world = calm_world()
    world.boxes.wiring[BOX] = ["4g"]
    world.ask(Verb.PROVE, BOX)
    world.play(30)
    assert told(world, Code.RELAY_UNPROVEN) == [
        {"label": "Box ftth", "reason": "relay_wrong_box", "other": "4G"}
    ]
    assert world.proven == {}


def test_a_relay_that_cuts_two_boxes_is_not_proven() -> None:
    """Two boxes on one socket strip: never two at once."""
    world = calm_world()
    world.boxes.wiring[BOX] = ["ftth", "fibre2", "4g"]
    world.ask(Verb.PROVE, BOX)
    world.play(120)
    assert told(world, Code.RELAY_UNPROVEN) == [
        {"label": "Box ftth", "reason": "relay_not_alone", "other": "FIBRE2, 4G"}
    ]
    assert world.proven == {}


def test_a_box_that_does_not_come_back_proves_nothing() -> None:
    """A relay that takes and does not give is no use."""
    world = calm_world()
    world.ask(Verb.PROVE, BOX)
    world.play(2)
    world.boxes.wiring[BOX] = []
    world.play(150)
    assert told(world, Code.RELAY_UNPROVEN) == [
        {"label": "Box ftth", "reason": "relay_not_back", "other": None}
    ]
    assert world.proven == {}


def test_behind_a_switch_silence_proves() -> None:
    """The carrier stays, because a switch has it; the uplink and its box fall silent and come back."""
    world = calm_world()
    world.lines["ftth"].switched = True
    world.ask(Verb.PROVE, BOX)
    world.play(100)
    (proof,) = told(world, Code.RELAY_PROVEN)
    assert proof["seen"] == "silence"
    assert set(world.proven) == {BOX}


@pytest.mark.parametrize("restarted", [False, True])
def test_behind_a_switch_the_cut_of_a_hung_box_says_nothing_of_its_relay(restarted: bool) -> None:
    """The carrier is the switch's, and the box was silent before: neither can show it."""
    world = calm_world()
    world.lines["ftth"].switched = True
    world.ask(Verb.PROVE, BOX)
    world.play(400)
    if restarted:
        world.stop()
        world.play(5)
        world.start()
        world.play(120)
    world.change("ftth", hung=True)
    world.play(600)
    assert len(world.cuts) == 2
    assert world.lines["ftth"].works
    assert set(world.proven) == {BOX}
    assert told(world, Code.RELAY_UNPROVEN) == []
    assert not {f.code for f in world.picture().findings} & {Code.RELAY_NO_EFFECT, Code.RELAY_WRONG_BOX}


def test_only_an_uplink_that_works_can_be_proven() -> None:
    """What is gone already cannot be seen to go; not even by force."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(20)
    assert world.ask(Verb.PROVE, BOX, force=True).reason == "must_work"
    assert world.cuts == []


def test_a_box_without_a_relay_has_nothing_to_prove() -> None:
    """Not even one that software can reboot, and that has a smaller step than a cut."""
    site = example_site(rules=STRICT)
    world = calm_world(site=replace(site, boxes=(replace(site.boxes[0], soft=True, wired=False),)))
    assert world.ask(Verb.PROVE, BOX).reason == "no_relay"
    world.play(60)
    assert world.cycles == {}


def test_a_proof_needs_neither_budget_nor_calm() -> None:
    """The installer comes right after the power was switched on, and tries again after a mistake."""
    rules = replace(STRICT, after_power_s=600.0, per_day=1)
    world = World(example_site(rules=rules), start_at=5.0)
    world.play(20)
    for _ in range(3):
        assert world.ask(Verb.PROVE, BOX).ok
        world.play(120)
    assert len(told(world, Code.RELAY_PROVEN)) == 3, "told each time to whoever asked"


def test_a_proof_under_way_cuts_no_second_box() -> None:
    """One after the other."""
    world = calm_world(boxes=("ftth", "fibre2"))
    world.ask(Verb.PROVE, BOX)
    world.play(2)
    assert world.ask(Verb.PROVE, "box-fibre2").reason == "other_box"


def chained() -> Site:
    """An optical terminal and a router behind it, on one uplink."""
    site = example_site(boxes=("ftth",), rules=STRICT)
    (router,) = site.boxes
    return replace(site, boxes=(replace(router, name="ont", label="ONT", direct=False), router))


def test_a_terminal_before_the_router_is_proven_by_the_silence_beyond_the_router() -> None:
    """The carrier is the router's, which goes on answering; the internet goes and comes back."""
    world = calm_world(site=chained())
    world.ask(Verb.PROVE, "ont")
    world.play(150)
    (proof,) = told(world, Code.RELAY_PROVEN)
    assert proof["seen"] == "silence"
    assert set(world.proven) == {"ont"}


@pytest.mark.parametrize("switched", [False, True])
def test_a_terminals_relay_that_cuts_the_router_is_not_proven(switched: bool) -> None:
    """The router's carrier goes, or where a switch keeps it, the router falls silent: both are its power."""
    world = calm_world(site=chained())
    world.lines["ftth"].switched = switched
    world.boxes.wiring["ont"] = ["ftth"]
    world.ask(Verb.PROVE, "ont")
    world.play(150)
    assert told(world, Code.RELAY_PROVEN) == []
    (unproven,) = told(world, Code.RELAY_UNPROVEN)
    seen = ("relay_no_effect", None) if switched else ("relay_wrong_box", "FTTH")
    assert (unproven["reason"], unproven["other"]) == seen
    at_once = world.restores[0][0] - world.cuts[0][0] < 4.0
    assert at_once is not switched
    assert world.proven == {}


def test_an_automatic_cut_of_a_terminal_takes_no_proof_away() -> None:
    """The router's carrier stays, as it must, and a line that was dead before shows nothing more."""
    proven = {BOX: PROVEN, "ont": PROVEN}
    world = calm_world(site=chained(), durable=Durable(proven=proven))
    terminal = world.lines["ftth"].terminal
    assert terminal is not None
    terminal.hung = True
    world.play(600)
    assert [box for _, box in world.cuts] == ["ont"]
    assert world.proven == proven
    assert told(world, Code.RELAY_UNPROVEN) == []


# --- after the proof ---------------------------------------------------------------------------------------


def test_a_cut_without_effect_takes_the_proof_away() -> None:
    """A relay that has worked once can weld: the next automatic cut shows it, and the last one it is."""
    world = calm_world(durable=Durable(proven={BOX: PROVEN}))
    world.boxes.wiring[BOX] = []
    world.change("ftth", hung=True)
    world.play(1800)
    assert len(world.cuts) == 1
    assert world.proven == {BOX: None}
    assert [args["reason"] for args in told(world, Code.RELAY_UNPROVEN)] == ["relay_no_effect"]
    assert world.picture().unarmed_why == "not_proven"


def test_a_good_cut_renews_the_proof_without_a_word() -> None:
    """Its date moves on; nothing is news."""
    world = calm_world(durable=Durable(proven={BOX: PROVEN}))
    world.change("ftth", hung=True)
    world.play(120)
    assert told(world, Code.RELAY_PROVEN) == []
    renewed = world.proven[BOX]
    assert renewed is not None
    assert renewed.wall > 1.75e9


def test_another_line_that_fails_by_chance_takes_no_proof_away() -> None:
    """In the middle of an automatic cut somebody pulls another cable: the relay did its work."""
    world = calm_world(durable=Durable(proven={BOX: PROVEN}))
    world.change("ftth", hung=True)
    world.play(37)
    assert world.picture().boxes[0].phase is Phase.CUT
    world.change("4g", cable=False)
    world.play(200)
    assert told(world, Code.RELAY_UNPROVEN) == []
    assert world.proven == {BOX: PROVEN}, "neither taken away nor renewed"


def test_a_pulled_cable_says_nothing_of_the_relay() -> None:
    """What had no carrier before cannot lose it: neither a proof nor the contrary."""
    world = calm_world(durable=Durable(proven={BOX: PROVEN}))
    world.change("ftth", cable=False)
    world.play(30)
    assert world.ask(Verb.CYCLE, BOX).ok
    world.play(200)
    assert told(world, Code.RELAY_UNPROVEN) == []
    assert world.proven == {BOX: PROVEN}


def test_a_restart_of_the_agent_in_the_cut_says_nothing_of_the_relay() -> None:
    """Nobody saw what went."""
    world = calm_world(durable=Durable(proven={BOX: PROVEN}))
    world.change("ftth", hung=True)
    world.play(37)
    durable = Durable(cycles=tuple(world.cycles.values()), proven={BOX: PROVEN}, answering=tuple(world.lines))
    again = World(world.site, start_at=world.t, durable=durable, lines=world.lines, boot=world.boot)
    again.boxes.boot("ftth")
    again.play(200)
    assert again.proven == {BOX: PROVEN}
    assert told(again, Code.RELAY_UNPROVEN) == []


# --- holds survive -----------------------------------------------------------------------------------------


def test_a_hold_survives_a_restart_of_the_agent() -> None:
    """Somebody works in the bay: an agent that crashes must not begin to cut under their hands."""
    world = calm_world(durable=Durable(proven={BOX: PROVEN}))
    world.ask(Verb.HOLD, for_s=1000.0, by="Anne")
    world.play(300)
    durable = Durable(proven={BOX: PROVEN}, hold=world.hold, answering=tuple(world.lines))
    again = World(world.site, start_at=world.t, durable=durable, lines=world.lines)
    again.change("ftth", hung=True)
    again.play(690)
    assert again.cuts == []
    assert again.picture().unarmed_why == "hold"
    again.play(60)
    assert len(again.cuts) == 1
    assert again.hold is None


def test_a_hold_that_has_ended_meanwhile_is_over() -> None:
    """As is one that was never sound."""
    now = World(example_site()).now()
    ended = OpenHold(replace(stamp(now), mono=now.mono - 500, wall=now.wall - 500), 400.0, "Anne")
    endless = OpenHold(replace(stamp(now), mono=now.mono - 90_000, wall=now.wall - 90_000), 1e9, "Anne")
    for hold in (ended, endless):
        assert World(example_site(), durable=Durable(hold=hold)).picture().hold_until is None
