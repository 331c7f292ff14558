"""Whether, when and how a box is cycled: memory, waiting, ladder, chain, and what a cut is seen to do."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import World, example_site

from agent.core import cures
from agent.core.codes import Code
from agent.core.devices import Says
from agent.core.durable import Durable
from agent.core.instant import Now, Stamp
from agent.core.model import Cycle, How, Outcome, PowerReport, Reboot
from agent.core.people import Verb
from agent.core.site import BoxSpec, PowerRules, Site
from agent.core.snapshot_types import Health, Phase
from agent.core.state import State, initial

pytestmark = pytest.mark.scenario  # hours of virtual time


CALM_S = 120.0
LONG_AGO = Stamp(mono=0.0, wall=1_700_000_000.0, synced=True, boot="old")


class Soft(World):
    """A site whose boxes a driver can reboot by software, even hung ones, at once."""

    def __init__(self, site: Site | None = None, **kwargs: object) -> None:
        self.reboot_cures = True
        super().__init__(site or example_site(), **kwargs)  # type: ignore[arg-type]

    def _act(self, action: object) -> None:
        if isinstance(action, Reboot):
            self.cycles[action.order] = action.cycle
            self.reboots.append((self.t, action.box))
            line = self.lines[self.uplink_of(action.box)]
            line.hung = line.hung and not self.reboot_cures
            self.at(
                self.t + 0.1,
                lambda: self.feed(PowerReport(action.box, action.order, Outcome.REBOOTING)),
            )
            return
        super()._act(action)  # type: ignore[arg-type]


def calm(**kwargs: object) -> Soft:
    world = Soft(**kwargs)  # type: ignore[arg-type]
    world.play(CALM_S)
    world.events.clear()
    return world


def remembered(finding: Code, *helped: bool, box: str = "box-ftth") -> Durable:
    cycles = tuple(
        Cycle(f"old-{n}", box, finding, f"incident-{n}", LONG_AGO, helped=one) for n, one in enumerate(helped)
    )
    return Durable(cycles=cycles, answering=("ftth", "fibre2", "4g"))


def state_with(durable: Durable) -> State:
    return initial(example_site(), durable, Now(1e6, 1_800_000_000.0, True, "new"), "run")


# --- memory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finding", "helped", "expected"),
    [
        (Code.BOX_HUNG, (), 0.75),
        (Code.BOX_HUNG, (False, False), 0.5),
        (Code.BOX_HUNG, (False,) * 11, 0.2),
        (Code.LINE_OR_OPERATOR, (), 0.25),
        (Code.LINE_OR_OPERATOR, (False,), 0.2),
        (Code.LINE_OR_OPERATOR, (True,), 0.4),
        (Code.LINE_OR_OPERATOR, (True, False), 1 / 3),
        (Code.OPERATOR_OUTAGE, (True, True), 0.0),
    ],
)
def test_chance_is_belief_moved_by_memory(finding: Code, helped: tuple[bool, ...], expected: float) -> None:
    """The rule of succession, with the belief of the finding."""
    assert cures.chance(state_with(remembered(finding, *helped)), "box-ftth", finding) == pytest.approx(
        expected
    )


def test_memory_is_of_this_box_and_this_finding() -> None:
    """What helped elsewhere, or against something else, says nothing here."""
    state = state_with(remembered(Code.BOX_HUNG, True, True, True))
    assert cures.chance(state, "box-ftth", Code.LINE_OR_OPERATOR) == 0.25
    assert cures.chance(state, "box-other", Code.BOX_HUNG) == 0.75


def test_a_cut_without_effect_is_no_experience() -> None:
    """A welded relay must not teach that power does not help this box."""
    failed = remembered(Code.BOX_HUNG, False, False)
    welded = replace(failed, cycles=tuple(replace(c, effect=False) for c in failed.cycles or ()))
    assert cures.chance(state_with(welded), "box-ftth", Code.BOX_HUNG) == 0.75


def test_what_has_failed_once_is_not_tried_again_on_a_faint_hope() -> None:
    """Over two incidents, a year apart, a dead line costs one cut; and it is said why there is no second."""
    world = calm(durable=remembered(Code.LINE_OR_OPERATOR, False))
    world.change("ftth", forwards=False)
    world.play(8 * 3600)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "has_not_helped"
    assert (Code.NEEDS_HUMAN, "box-ftth") not in world.findings(), "the operator is to be called, not Julien"


def test_what_has_helped_before_is_tried_sooner() -> None:
    """A box that hangs while its LAN answers, and that a cycle has cured, gets its next cycle earlier."""
    delays = []
    for durable in (Durable(), remembered(Code.LINE_OR_OPERATOR, True, True, True)):
        world = calm(durable=durable)
        at = world.t
        world.change("ftth", forwards=False)
        world.play(3600)
        delays.append(world.cuts[0][0] - at)
    assert delays[1] < delays[0] / 2


def test_likely_cure_that_never_works_ends_with_a_human() -> None:
    """Eleven failures against hangs of this box: power is not the answer, and somebody must come."""
    world = calm(durable=remembered(Code.BOX_HUNG, *(False,) * 11))
    world.change("ftth", hung=True)
    world.play(3600)
    assert world.cuts == []
    assert (Code.NEEDS_HUMAN, "box-ftth") in world.findings()


# --- waiting ----------------------------------------------------------------------------------------------


def test_the_less_likely_the_cure_the_longer_the_wait() -> None:
    """By how long outages last: a faint hope waits several minutes, a likely one about a boot."""
    state = state_with(Durable())
    box = BoxSpec("box-ftth", "Box", "ftth", confirm_s=2.0, off_s=10.0, boot_s=120.0)
    likely = cures.wait_s(state, box, Code.BOX_HUNG)
    perhaps = cures.wait_s(state, box, Code.LINE_OR_OPERATOR)
    assert 30.0 < likely < 120.0
    assert 180.0 < perhaps < 600.0
    assert cures.wait_s(state, box, Code.OPERATOR_OUTAGE) == float("inf")


def test_what_is_configured_is_a_promise() -> None:
    """No wait is shorter than ``confirm_s``."""
    box = BoxSpec("box-ftth", "Box", "ftth", confirm_s=900.0, off_s=10.0, boot_s=30.0)
    assert cures.wait_s(state_with(Durable()), box, Code.BOX_HUNG) == 900.0


def test_of_a_line_that_comes_and_goes_only_the_present_silence_counts() -> None:
    """A line that flaps every 40 s is never cut, however long it goes on."""
    world = calm()
    for _ in range(180):
        world.change("ftth", forwards=False)
        world.play(20)
        world.change("ftth", forwards=True)
        world.play(20)
    assert world.cuts == []


def test_an_uplink_that_answers_again_is_not_cut() -> None:
    """It is only not yet believed: cutting it now would be the worst of moments."""
    world = calm()
    for _ in range(6):
        world.change("ftth", forwards=False)
        world.play(20)
        world.change("ftth", forwards=True)
        world.play(200)
    world.change("ftth", hung=True)
    world.play(25)
    world.change("ftth", hung=False)
    world.play(150)
    assert world.state.uplinks["ftth"].health is Health.DOWN
    assert world.cuts == []


# --- the operator's night ---------------------------------------------------------------------------------


def night(hour: float, hung_s: float) -> Soft:
    """A box hangs at this hour of local time (UTC+1) at a site with a maintenance window from 1 to 5."""
    rules = PowerRules(after_power_s=0.0, maintenance=((3600.0, 18_000.0),))
    wall = 1_800_000_000.0 - 1_800_000_000.0 % 86400.0 + hour * 3600.0 - 3600.0 - CALM_S
    world = Soft(example_site(rules=rules), wall=wall)
    world.zone_s = 3600.0
    world.play(CALM_S)
    world.change("ftth", hung=True)
    world.play(hung_s)
    return world


def test_in_the_maintenance_window_a_hang_gets_half_an_hour() -> None:
    """Boxes take new software at night, and nobody is there to miss them."""
    world = night(2.0, 1500.0)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "maintenance"
    world.play(400.0)
    assert len(world.cuts) == 1


def test_the_end_of_the_window_ends_the_patience() -> None:
    """At five in the morning the usual rules apply again."""
    world = night(4.9, 340.0)
    assert world.cuts == []
    world.play(60.0)
    assert len(world.cuts) == 1


def test_outside_the_window_nothing_is_different() -> None:
    """A hang at ten is cut after the usual wait."""
    assert len(night(10.0, 120.0).cuts) == 1


def test_nobody_knows_the_hour_without_a_synchronised_clock() -> None:
    """No window is assumed where the time may be wrong by years."""
    rules = PowerRules(maintenance=((0.0, 86_399.0),))
    assert cures.maintenance_until(rules, Now(5.0, 1.8e9, False)) is None
    assert cures.maintenance_until(rules, Now(5.0, 1.8e9, True)) is not None


@given(st.integers(0, 86_399), st.integers(0, 86_399), st.integers(0, 86_399))
def test_windows_may_reach_over_midnight(begin: int, end: int, of_day: int) -> None:
    """Within it, and only then, its end is told, and it lies ahead."""
    rules = PowerRules(maintenance=((begin, end),))
    until = cures.maintenance_until(rules, Now(1000.0, 86_400.0 * 20_000 + of_day, True))
    inside = begin <= of_day < end if begin <= end else of_day >= begin or of_day < end
    assert (until is not None) is inside
    if until is not None:
        assert 0 < until - 1000.0 <= 86_400.0


# --- the ladder ---------------------------------------------------------------------------------------------


def test_second_cut_of_an_incident_lasts_longer() -> None:
    """Ten seconds, then thirty: capacitors keep an idle board alive."""
    world = calm()
    world.change("ftth", hung=True, cures=False)
    world.play(3 * 3600)
    assert [cycle.how for cycle in world.cycles.values()] == [How.CUT, How.LONG_CUT]
    lengths = [round(r - c) for (c, _), (r, _) in zip(world.cuts, world.restores, strict=True)]
    assert lengths == [10, 30]


def soft_site(*, wired: bool = True) -> Site:
    site = example_site()
    return replace(site, boxes=(replace(site.boxes[0], soft=True, wired=wired),))


def test_reboot_by_software_comes_before_any_cut() -> None:
    """The smallest step first; if it helps, no power is cut."""
    world = calm(site=soft_site())
    world.change("ftth", hung=True)
    world.play(300)
    assert len(world.reboots) == 1
    assert world.cuts == []
    assert Code.BOX_REBOOTING in world.codes()
    assert world.picture().headline is Code.ALL_WELL


def test_cut_follows_a_reboot_that_did_not_help() -> None:
    """Then the relay, then a longer cut, each once."""
    world = calm(site=soft_site())
    world.reboot_cures = False
    world.change("ftth", hung=True, cures=False)
    world.play(6 * 3600)
    assert [cycle.how for cycle in world.cycles.values()] == [How.SOFT, How.CUT, How.LONG_CUT]
    assert (Code.NEEDS_HUMAN, "box-ftth") in world.findings()


def test_box_without_relay_can_still_be_rebooted_by_software() -> None:
    """And that is all that is tried on it."""
    world = calm(site=soft_site(wired=False))
    world.reboot_cures = False
    world.change("ftth", hung=True)
    world.play(6 * 3600)
    assert len(world.reboots) == 1
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "no_relay"


@pytest.mark.parametrize("flag", ["refuse_reboots", "lose_outcomes"])
def test_a_reboot_that_is_not_obeyed_is_told_as_such_and_the_cut_follows(flag: str) -> None:
    """Refused, or not answered: no word of a relay, none is ordered to restore, and the ladder goes on."""
    world = World(soft_site())
    world.play(CALM_S)
    setattr(world, flag, True)
    world.change("ftth", forwards=False)
    while Code.CYCLE_REFUSED not in world.codes():
        world.play(0.5)
    refused = [e.args["reason"] for _, e in world.events if e.code is Code.CYCLE_REFUSED]
    assert refused[0] == "reboot_refused"
    assert world.restores == []
    soft = next(iter(world.cycles.values()))
    assert (soft.how, soft.helped, soft.effect) == (How.SOFT, False, False)
    world.lose_outcomes = False
    world.play(600)
    assert [cycle.how for cycle in world.cycles.values()] == [How.SOFT, How.CUT]
    assert [box for _, box in world.cuts] == ["box-ftth"]


def test_nothing_is_given_back_that_was_never_taken() -> None:
    """Who asks for the power back in a reboot by software is told yes, and no relay hears of it."""
    world = World(soft_site())
    world.play(CALM_S)
    world.change("ftth", hung=True)
    world.play(20)
    assert world.ask(Verb.CYCLE, "box-ftth").ok
    assert world.ask(Verb.RESTORE, "box-ftth").ok
    world.play(4)
    assert world.restores == []


def test_a_box_whose_reboot_nobody_answered_may_be_booting() -> None:
    """The order may have arrived: it is not cut in the midst of a boot, and the boot gets its time."""
    world = World(soft_site())
    world.play(CALM_S)
    world.lose_outcomes = True
    world.change("ftth", forwards=False)
    while Code.CYCLE_REFUSED not in world.codes():
        world.play(1)
    at = world.t
    world.lose_outcomes = False
    world.play(50)
    assert world.picture().boxes[0].refusal == "warming_up"
    world.play(100)
    assert world.cuts[0][0] - at == pytest.approx(60.0, abs=1.5)


# --- chained boxes --------------------------------------------------------------------------------------


def chained() -> Site:
    """An optical terminal and a router behind it, on one uplink."""
    site = example_site(boxes=())
    ont = BoxSpec("ont", "ONT", "ftth", confirm_s=30.0, off_s=10.0, boot_s=60.0, direct=False)
    router = BoxSpec("router", "Router", "ftth", confirm_s=30.0, off_s=10.0, boot_s=60.0)
    return replace(site, boxes=(ont, router))


@pytest.mark.parametrize(
    ("fault", "first"),
    [({"hung": True}, "router"), ({"forwards": False}, "ont")],
    ids=["silent router", "dead line"],
)
def test_chained_boxes_are_cycled_from_the_silent_end(fault: dict[str, object], first: str) -> None:
    """The box that is silent itself first; for a dead line the one nearest to it."""
    world = calm(site=chained())
    world.change("ftth", cures=False, **fault)
    world.play(3600)
    assert world.cuts[0][1] == first
    assert {box for _, box in world.cuts} == {"ont", "router"}
    both = [t for t, _ in world.cuts]
    assert all(later - earlier >= 70.0 for earlier, later in pairwise(both))


@pytest.mark.parametrize("hung", ["router", "ont"])
def test_of_two_boxes_on_a_line_the_hung_one_alone_is_cycled(hung: str) -> None:
    """The other waits for its turn, says so, and its turn never comes."""
    world = calm(site=chained())
    terminal = world.lines["ftth"].terminal
    assert terminal is not None
    if hung == "ont":
        terminal.hung = True
    else:
        world.change("ftth", hung=True)
    world.play(25)
    refusals = {box.name: box.refusal for box in world.picture().boxes}
    assert refusals == {"ont": "other_first", "router": "other_first"} | {hung: "not_yet"}
    world.play(600)
    assert [box for _, box in world.cuts] == [hung]
    assert world.picture().headline is Code.ALL_WELL


def test_a_terminal_hangs_again_after_its_router_had_its_turn() -> None:
    """A terminal that a cycle does not cure leaves the router its turn, and then nothing more is tried."""
    world = calm(site=chained())
    terminal = world.lines["ftth"].terminal
    assert terminal is not None
    terminal.hung, terminal.cures = True, False
    world.play(2 * 3600)
    assert [box for _, box in world.cuts] == ["ont", "router"]


# --- a late boot ------------------------------------------------------------------------------------------


def test_a_box_that_boots_three_times_too_slowly_is_starting_not_hung() -> None:
    """Its restart is said not to have helped in time; it is not called hung again, and not cut again."""
    rules = PowerRules(after_power_s=0.0, spacing_s=(60.0, 60.0, 60.0))
    world = calm(site=example_site(rules=rules))
    world.lines["ftth"].boots_in_s = 170.0
    world.change("ftth", hung=True)
    while not world.restores:
        world.play(1)
    for _ in range(165):
        world.play(1)
        assert world.picture().headline is Code.RESTARTING
    assert Code.CYCLE_DID_NOT_HELP in world.codes()
    assert world.picture().boxes[0].refusal == "spacing"
    world.play(20)
    assert world.picture().headline is Code.ALL_WELL
    assert len(world.cuts) == 1


def test_who_is_needed_is_called_although_the_box_may_still_be_starting() -> None:
    """Where no further cut would be tried, nobody waits for a slow boot before a person is asked for."""
    world = calm(site=example_site(rules=PowerRules(after_power_s=0.0, per_incident=1)))
    world.change("ftth", hung=True, cures=False)
    while Code.CYCLE_DID_NOT_HELP not in world.codes():
        world.play(1)
    world.play(2)
    assert world.picture().headline is Code.NEEDS_HUMAN
    assert (Code.RESTARTING, "box-ftth") not in world.findings()


def test_a_box_that_stays_silent_longer_is_hung_again() -> None:
    """After three times its boot it is called hung, and has its next cut."""
    rules = PowerRules(after_power_s=0.0, spacing_s=(60.0, 60.0, 60.0))
    world = calm(site=example_site(rules=rules))
    world.change("ftth", hung=True, cures=False)
    while not world.restores:
        world.play(1)
    world.play(160)
    assert len(world.cuts) == 1
    world.play(40)
    assert len(world.cuts) == 2
    assert world.cuts[1][0] - world.cuts[0][0] == pytest.approx(190.0, abs=1.0)


# --- what a cut is seen to do -----------------------------------------------------------------------------


def test_cut_that_takes_the_carrier_away_is_proven() -> None:
    """And remembered so."""
    world = calm()
    world.change("ftth", hung=True)
    world.play(300)
    assert [cycle.effect for cycle in world.cycles.values()] == [True]


def test_welded_relay_is_found_out_and_not_used_again() -> None:
    """The box never lost its carrier: the relay is stuck, or not wired to it."""
    world = calm()
    world.boxes.wiring["box-ftth"] = []
    world.change("ftth", hung=True)
    world.play(3 * 3600)
    assert len(world.cuts) == 1
    assert (Code.RELAY_NO_EFFECT, "box-ftth") in world.findings()
    assert world.picture().boxes[0].refusal == "relay_no_effect"


def test_wrong_box_gets_its_power_back_at_once() -> None:
    """The other uplink lost its carrier instead: restored within seconds, told, never used again."""
    world = calm()
    world.boxes.wiring["box-ftth"] = ["fibre2"]
    world.change("ftth", hung=True)
    world.play(3 * 3600)
    assert len(world.cuts) == 1
    assert world.restores[0][0] - world.cuts[0][0] < 4.0
    assert (Code.RELAY_WRONG_BOX, "box-ftth") in world.findings()
    told = next(e for _, e in world.events if e.code is Code.RELAY_WRONG_BOX)
    assert told.args["instead"] == "FIBRE2"


def test_a_wrong_box_is_seen_although_the_own_one_had_no_carrier() -> None:
    """Nobody can see the own carrier go that was gone before; that of another one tells all the same."""
    world = calm()
    world.boxes.wiring["box-ftth"] = ["fibre2"]
    world.change("ftth", cable=False)
    world.play(1800)
    assert len(world.cuts) == 1
    assert world.restores[0][0] - world.cuts[0][0] < 4.0
    assert (Code.RELAY_WRONG_BOX, "box-ftth") in world.findings()


def test_what_went_before_a_refused_cut_says_nothing_of_the_relay() -> None:
    """The relay never moved: a cable that was pulled just then is no effect of it."""
    world = calm()
    world.change("ftth", hung=True)
    while Code.CYCLE_ORDERED not in world.codes():
        world.refuse_cuts = True
        world.play(0.005)
    world.change("ftth", cable=False)
    world.play(60)
    assert "relay_failed" in [e.args.get("reason") for _, e in world.events]
    assert [cycle.effect for cycle in world.cycles.values()] == [None]
    assert world.state.watch is None


def test_the_planned_end_of_a_cut_stays_where_it_was() -> None:
    """A power that does not come back at once is ordered again and again; the countdown stays at nought."""
    world = calm()
    world.change("ftth", hung=True)
    while not world.cuts:
        world.play(0.5)
    end = world.picture().boxes[0].until
    assert end is not None
    world.play(5)
    world.lose_outcomes = True
    world.play(15)
    assert world.picture().boxes[0].phase is Phase.CUT
    assert world.picture().boxes[0].until == end
    assert len(world.restores) >= 2


def test_where_nobody_can_see_the_carrier_nothing_is_concluded() -> None:
    """A box behind another one shows no carrier of its own."""
    site = example_site()
    hidden = replace(site, boxes=(replace(site.boxes[0], direct=False),))
    world = calm(site=hidden)
    world.boxes.wiring["box-ftth"] = []
    world.change("ftth", hung=True)
    world.play(600)
    assert {cycle.effect for cycle in world.cycles.values()} == {None}
    assert (Code.RELAY_NO_EFFECT, "box-ftth") not in world.findings()


def test_what_the_device_says_forbids_a_useless_cut() -> None:
    """Whatever it names, and also if it names nothing: it knows that power would not cure it."""
    world = calm()
    world.change("ftth", hung=True)
    for _ in range(60):
        world.feed(Says("ftth", heard=True, cut_helps=False))
        world.play(30)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "not_curable"


def test_site_that_never_worked_is_not_cut_on_a_guess() -> None:
    """Neither the box nor anything behind it has ever answered."""
    world = Soft()
    world.lines["ftth"].answers = False
    world.change("ftth", forwards=False)
    world.play(3 * 3600)
    assert world.cuts == []
