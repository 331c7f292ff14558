"""The core told as stories: what happens to a site, and what must come of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import Line, World, example_site

from agent.core.codes import Code
from agent.core.durable import Durable
from agent.core.instant import Now, Stamp, age_s
from agent.core.model import Cycle, Hold, Link, OpenIncident, Part, Probe, Role, Tick, Why
from agent.core.site import PowerRules
from agent.core.snapshot_types import Health, Phase
from agent.core.state import initial
from agent.core.step import step

pytestmark = pytest.mark.scenario  # hours of virtual time


CALM_S = 120.0
"""Longer than the boot time of the example site: boxes no longer count as booting."""


def calm_world(**kwargs: object) -> World:
    world = World(example_site(**kwargs))  # type: ignore[arg-type]
    world.play(CALM_S)
    assert set(world.codes()) == {Code.AGENT_STARTED, Code.UPLINK_UP}
    world.events.clear()
    return world


def test_calm_site_is_all_well() -> None:
    """A site where everything answers shows no finding and orders nothing."""
    world = calm_world()
    world.play(3600)
    assert world.events == []
    assert world.picture().headline is Code.ALL_WELL
    assert world.picture().armed


def test_first_verdict_comes_within_two_seconds() -> None:
    """Every answering uplink is up within two seconds of the start."""
    world = World(example_site())
    world.play(2.0)
    assert [u.health for u in world.picture().uplinks] == [Health.UP] * 3
    assert world.picture().headline is Code.ALL_WELL


def test_hung_box_is_noticed_named_cycled_and_reported() -> None:
    """The main job: suspect, down, box hung, cut, restored, up again, and said so."""
    world = calm_world()
    hung_at = world.t
    world.change("ftth", hung=True)
    world.play(200)
    assert world.codes("ftth", "box-ftth") == [
        Code.UPLINK_SUSPECT,
        Code.UPLINK_DOWN,
        Code.BOX_HUNG,
        Code.INCIDENT_OPENED,
        Code.CYCLE_ORDERED,
        Code.BOX_CUT,
        Code.BOX_RESTORED,
        Code.UPLINK_UP,
        Code.CYCLE_HELPED,
        Code.FINDING_CLOSED,
        Code.INCIDENT_CLOSED,
    ]
    assert 1.0 <= world.when(Code.UPLINK_SUSPECT) - hung_at <= 3.0
    assert 2.0 <= world.when(Code.UPLINK_DOWN) - hung_at <= 3.0
    assert world.when(Code.BOX_HUNG) - world.when(Code.UPLINK_DOWN) >= 5.0, "people are told later"
    assert world.when(Code.BOX_CUT) - world.when(Code.BOX_HUNG) == pytest.approx(22.0, abs=0.5)
    assert world.restores[0][0] - world.cuts[0][0] == pytest.approx(10.0, abs=0.3)
    assert world.picture().headline is Code.ALL_WELL
    assert [c.helped for c in world.cycles.values()] == [True]


def test_the_last_incident_is_remembered_until_the_next_has_ended() -> None:
    """What it was, about whom, how long, and when it ended; none before the first."""
    world = calm_world()
    assert world.picture().last_incident is None
    world.change("ftth", hung=True)
    world.play(60)
    assert world.picture().last_incident is None
    world.play(140)
    last = world.picture().last_incident
    assert last is not None
    assert (last.code, last.label) == (Code.BOX_HUNG, "FTTH")
    closed = next(event for _, event in world.events if event.code is Code.INCIDENT_CLOSED)
    assert last.lasted_s == closed.args["lasted_s"]
    assert last.ended_at == pytest.approx(world.when(Code.INCIDENT_CLOSED))


def test_every_event_of_an_incident_carries_its_id() -> None:
    """From the opening finding to the closing, all events name the same incident."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(200)
    ids = [e.incident for _, e in world.events if e.code not in (Code.UPLINK_SUSPECT, Code.UPLINK_DOWN)]
    assert len(set(ids)) == 1
    assert ids[0] is not None
    closed = next(e for _, e in world.events if e.code is Code.INCIDENT_CLOSED)
    assert closed.args["cycles"] == 1
    assert closed.args["finding"] == "box_hung"


def test_during_a_cycle_the_finding_is_restarting() -> None:
    """While its box is restarted, an uplink without carrier is not a second problem."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(40)
    assert world.cuts
    assert world.findings() == {(Code.RESTARTING, "box-ftth"), (Code.BOX_HUNG, "ftth")}
    assert world.picture().headline is Code.RESTARTING
    box = world.picture().boxes[0]
    assert box.phase is Phase.CUT
    assert box.until is not None


def test_pulled_cable_is_told_at_once_and_its_box_is_cycled_once() -> None:
    """Loss of carrier is believed at once; a box without carrier may have crashed, so power is tried once."""
    world = calm_world()
    at = world.t
    world.change("ftth", cable=False)
    world.play(0.3)
    assert world.picture().uplinks[0].health is Health.DOWN
    world.play(2.2)
    assert world.findings() == {(Code.CABLE_OR_POWER, "ftth")}
    world.play(8 * 3600)
    assert len(world.cuts) == 1
    assert world.cuts[0][0] - at > 100.0, "not before people had time to put it back"
    world.change("ftth", cable=True)
    world.play(30)
    assert world.picture().headline is Code.ALL_WELL


def test_a_cut_of_which_nothing_more_is_heard_ends_all_the_same() -> None:
    """The relay's own timer has ended it long ago; the cycle must not stay open and block all others."""
    world = calm_world()
    world.change("ftth", hung=True)
    while not world.cuts:
        world.play(1)
    world.play(1)
    world.lose_outcomes = True
    world.play(36)
    assert world.picture().boxes[0].phase is Phase.POWERED
    assert world.lines["ftth"].powered


def test_box_replugged_by_hand_is_starting_not_hung() -> None:
    """Carrier comes back long before the box answers; its boot time is granted before it counts as hung."""
    world = calm_world()
    world.change("ftth", powered=False, booted=False)
    world.play(60)
    world.boxes.boot("ftth")
    world.play(600)
    assert Code.BOX_HUNG not in world.codes()
    assert world.cuts == []
    assert world.picture().headline is Code.ALL_WELL


def test_box_that_stays_silent_after_its_power_came_back_is_hung() -> None:
    """A boot that never ends is a hang like any other."""
    world = calm_world()
    world.change("ftth", powered=False, booted=False)
    world.play(60)
    world.change("ftth", powered=True, booted=True, hung=True)
    world.play(55)
    assert Code.BOX_HUNG not in world.codes()
    world.play(200)
    assert len(world.cuts) == 1


def test_dead_line_of_eight_hours_costs_one_cut_at_most() -> None:
    """The box answers and nothing beyond does: half hung, or the line. Power is tried once, late."""
    world = calm_world(uplinks=2)
    at = world.t
    world.change("ftth", forwards=False)
    world.play(8 * 3600)
    assert len(world.cuts) == 1
    assert world.cuts[0][0] - at > 100.0
    assert world.findings() == {(Code.LINE_OR_OPERATOR, "ftth")}
    opened = [code for code in world.codes() if code is Code.INCIDENT_OPENED]
    assert len(opened) == 1


def test_bad_target_is_named_and_the_uplink_stays_up() -> None:
    """One target dead through every uplink is that target's problem, told once."""
    world = calm_world()
    for name in world.lines:
        world.change(name, dead_targets={"8.8.8.8"})
    world.play(600)
    assert world.codes() == [Code.TARGET_PROBLEM]
    assert all(u.health is Health.UP for u in world.picture().uplinks)
    for name in world.lines:
        world.change(name, dead_targets=set())
    world.play(60)
    assert world.codes() == [Code.TARGET_PROBLEM, Code.FINDING_CLOSED]
    assert all(u.health is Health.UP for u in world.picture().uplinks)


def test_brown_out_is_degraded_not_down() -> None:
    """Thirty percent of loss is bad quality: it is told, and no box is cut for it."""
    world = calm_world()
    world.change("ftth", loss=0.3)
    world.play(900)
    assert Code.UPLINK_DOWN not in world.codes()
    assert world.cuts == []
    assert world.findings() == {(Code.DEGRADED, "ftth")}
    degraded = [code for code in world.codes() if code is Code.UPLINK_DEGRADED]
    assert len(degraded) == 1, "hysteresis keeps the verdict from flapping"
    world.change("ftth", loss=0.0)
    world.play(60)
    assert world.picture().headline is Code.ALL_WELL


def test_everything_down_hides_its_consequences_and_cuts_nothing() -> None:
    """When all uplinks fall silent together, even with silent boxes, it is one finding and no cut."""
    world = calm_world(boxes=("ftth", "fibre2"))
    for name in world.lines:
        world.change(name, hung=True)
    world.play(1800)
    assert world.cuts == []
    assert world.findings() == {(Code.EVERYTHING_DOWN, "garage")}


def test_all_cables_at_once_is_the_bay_itself() -> None:
    """All carriers lost together: the bay itself; when it returns, boxes boot in peace."""
    rules = PowerRules(after_power_s=600.0)
    world = World(example_site(boxes=("ftth",), rules=rules))
    world.play(CALM_S)
    for name in world.lines:
        world.change(name, powered=False, booted=False)
    world.play(60)
    assert world.findings() == {(Code.BAY_DARK, "garage")}
    for name in world.lines:
        world.boxes.boot(name)
    world.play(10)
    world.change("ftth", booted=True, hung=True)
    world.play(500)
    assert world.cuts == [], "the site's power has only just come back"
    world.play(300)
    assert len(world.cuts) == 1


def test_two_boxes_hung_together_are_cut_one_after_the_other() -> None:
    """Never two boxes at once: the second waits until the first has come back."""
    world = calm_world(boxes=("ftth", "fibre2"))
    world.change("ftth", hung=True)
    world.change("fibre2", hung=True)
    world.play(400)
    assert [box for _, box in world.cuts] == ["box-ftth", "box-fibre2"]
    first_back = world.when(Code.CYCLE_HELPED, "box-ftth")
    assert world.cuts[1][0] >= first_back
    assert world.picture().headline is Code.ALL_WELL


def test_cycle_that_does_not_help_ends_with_a_human() -> None:
    """Two cycles an incident, spaced, then a human is asked, visibly, and the box is left alone."""
    world = calm_world()
    world.change("ftth", hung=True, cures=False)
    world.play(3 * 3600)
    assert len(world.cuts) == 2
    assert world.cuts[1][0] - world.cuts[0][0] >= 300.0
    assert (Code.NEEDS_HUMAN, "box-ftth") in world.findings()
    assert [c.helped for c in world.cycles.values()] == [False, False]


def test_daily_budget_counts_over_incidents() -> None:
    """A box that hangs again and again is cycled three times in 24 hours, not more."""
    world = calm_world()
    for _ in range(5):
        world.change("ftth", hung=True)
        world.play(3000)
        world.change("ftth", hung=False)
        world.play(600)
    day = [t for t, _ in world.cuts if t < world.cuts[0][0] + 86_400]
    assert len(day) <= 3
    assert len(day) >= 2, "or the budget was not what stopped it"


def test_restart_does_not_forget_the_budget() -> None:
    """Cycles written before a reboot count after it, also while the clock is not yet synchronised."""
    then = Stamp(mono=500.0, wall=1_800_000_000.0, synced=True, boot="old")
    cycles = tuple(
        Cycle(f"old-{n}", "box-ftth", Code.BOX_HUNG, "old-1", then, helped=False) for n in range(3)
    )
    world = World(example_site(), durable=Durable(cycles=cycles), wall=1_000_000_000.0, boot="new")
    world.synced = False
    world.play(CALM_S)
    world.change("ftth", hung=True)
    world.play(3600)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "day_budget"


def test_open_incident_continues_after_a_restart() -> None:
    """Its id and its budget live on: a restart buys no more cycles."""
    then = Stamp(mono=9_000.0, wall=1_799_999_000.0, synced=True, boot="boot1")
    incident = OpenIncident("old-1", then, Code.BOX_HUNG, "ftth")
    cycles = tuple(
        Cycle(f"old-{n}", "box-ftth", Code.BOX_HUNG, "old-1", then, helped=False) for n in range(2)
    )
    durable = Durable(cycles=cycles, incident=incident, answering=("ftth",))
    world = World(
        example_site(), durable=durable, lines={"ftth": Line(hung=True), "fibre2": Line(), "4g": Line()}
    )
    world.play(3600)
    assert world.cuts == []
    assert world.picture().incident == "old-1"
    assert world.picture().boxes[0].refusal == "incident_budget"
    assert Code.INCIDENT_OPENED not in world.codes()


def test_incident_that_ended_while_nobody_watched_is_closed() -> None:
    """After a restart into a healthy site the old incident gets its end."""
    then = Stamp(mono=9_000.0, wall=1_799_999_000.0, synced=True, boot="boot1")
    incident = OpenIncident("old-1", then, Code.BOX_HUNG, "ftth")
    world = World(example_site(), durable=Durable(incident=incident))
    world.play(60)
    assert Code.INCIDENT_CLOSED in world.codes()
    assert world.incident is None


def test_unreadable_memory_of_cycles_forbids_cutting() -> None:
    """Without knowing what was done, nothing more is done, and it is said."""
    world = World(example_site(), durable=Durable(cycles=None))
    world.play(CALM_S)
    world.change("ftth", hung=True)
    world.play(3600)
    assert world.cuts == []
    assert not world.picture().armed
    assert (Code.BUDGET_UNREADABLE, "budget") in world.findings()
    world.feed(Part("budget", ok=True))
    world.play(10)
    assert len(world.cuts) == 1, "the store has waited long enough"


def test_boot_loop_withholds_power_for_ten_minutes() -> None:
    """After several quick restarts, the agent itself may be the trouble."""
    world = World(example_site(), durable=Durable(quick_restarts=3))
    world.play(CALM_S)
    world.change("ftth", hung=True)
    world.play(400)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "boot_loop"
    world.play(200)
    assert len(world.cuts) == 1


def test_boxes_get_their_boot_time_after_the_machine_started() -> None:
    """The machine's uptime is the time since the bay got its power: nothing is cut in the first minutes."""
    rules = PowerRules(after_power_s=600.0)
    world = World(example_site(rules=rules), start_at=30.0)
    world.play(120)
    world.change("ftth", hung=True)
    world.play(400)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "power_returned"
    world.play(100)
    assert len(world.cuts) == 1


def test_site_that_just_started_says_warming_up_and_nothing_else() -> None:
    """While every box is booting, no uplink is called down and no finding but warming up stands."""
    lines = {name: Line(booted=False) for name in ("ftth", "fibre2", "4g")}
    world = World(example_site(boxes=("ftth", "fibre2", "4g")), lines=lines)
    world.play(40)
    assert world.findings() == {(Code.WARMING_UP, "garage")}
    assert {u.health for u in world.picture().uplinks} == {Health.UNKNOWN}
    for name in lines:
        world.change(name, booted=True)
    world.play(20)
    assert world.picture().headline is Code.ALL_WELL
    assert Code.UPLINK_DOWN not in world.codes()


def test_uplink_dead_from_the_start_is_told_after_warming_up() -> None:
    """With a working uplink beside it, a dead one is called down a quarter of a minute after the start."""
    lines = {"ftth": Line(forwards=False), "fibre2": Line(), "4g": Line()}
    world = World(example_site(), lines=lines)
    world.play(14)
    assert world.findings() == {(Code.WARMING_UP, "garage")}
    world.play(8)
    assert world.findings() == {(Code.LINE_OR_OPERATOR, "ftth")}


def test_box_that_never_answered_is_not_taken_for_hung() -> None:
    """A box that ignores pings is silent from the first day; its silence proves nothing."""
    lines = {"ftth": Line(answers=False), "fibre2": Line(), "4g": Line()}
    world = World(example_site(), lines=lines)
    world.feed(Link("ftth", present=True, carrier=True, address="192.168.1.10", gateway="192.168.1.1"))
    world.play(3600)
    assert world.cuts == []
    assert (Code.BOX_HUNG, "ftth") not in world.findings()


def test_hold_stops_cutting_until_its_end() -> None:
    """A person's hold is obeyed, shown, and ends by itself."""
    world = calm_world()
    world.feed(Hold(world.t + 1000.0, "button"))
    world.change("ftth", hung=True)
    world.play(900)
    assert world.cuts == []
    assert world.picture().boxes[0].refusal == "hold"
    assert not world.picture().armed
    world.play(200)
    assert Code.HOLD_ENDED in world.codes()
    assert len(world.cuts) == 1


def test_unarmed_site_cuts_nothing_and_says_why() -> None:
    """No silent dry run: the refusal is an event."""
    world = calm_world(rules=PowerRules(armed=False, after_power_s=0.0))
    world.change("ftth", hung=True)
    world.play(3600)
    assert world.cuts == []
    refused = [e for _, e in world.events if e.code is Code.CYCLE_REFUSED]
    assert [e.args["reason"] for e in refused] == ["not_armed"]


def test_missing_relay_hardware_is_told() -> None:
    """A relay that cannot be opened leaves the site unarmed, visibly."""
    world = calm_world()
    world.feed(Part("relay:box-ftth", ok=False, detail="no GPIO here"))
    world.change("ftth", hung=True)
    world.play(3600)
    assert world.cuts == []
    assert world.picture().unarmed_why == "no_relay_hardware"


def test_start_without_relay_hardware_does_not_claim_to_be_armed() -> None:
    """What is known of the relays comes before the first tick, and the first event tells the truth."""
    now = Now(10_000.0)
    state = initial(example_site(), Durable(), now, "run")
    state = step(state, Part("relay:box-ftth", ok=False, detail="no GPIO here"), now).state
    (started,) = step(state, Tick(), now).events
    assert started.code is Code.AGENT_STARTED
    assert started.args["armed"] is False


def test_lost_outcome_restores_and_counts() -> None:
    """If nobody reports what became of the cut, power is ordered back and the cycle stays in the budget."""
    world = calm_world()
    world.lose_outcomes = True
    world.change("ftth", hung=True)
    world.play(100)
    assert world.restores
    assert world.picture().boxes[0].cycles_today == 1


@pytest.mark.parametrize(
    ("flag", "reason"), [("refuse_cuts", "relay_failed"), ("unwritable", "budget_unreadable")]
)
def test_cut_that_could_not_be_done_is_told(flag: str, reason: str) -> None:
    """A relay that refuses and a budget that cannot be written both leave the box powered, and it is said."""
    world = calm_world()
    setattr(world, flag, True)
    world.change("ftth", hung=True)
    world.play(100)
    assert world.cuts == []
    assert reason in [e.args["reason"] for _, e in world.events if e.code is Code.CYCLE_REFUSED]


def test_own_trouble_is_unknown_never_down() -> None:
    """If nothing can be sent although the link is there, the uplink is not blamed."""
    world = calm_world()
    world.change("ftth", unsendable=Why.FORBIDDEN)
    world.play(60)
    assert world.picture().uplinks[0].health is Health.UNKNOWN
    assert Code.UPLINK_DOWN not in world.codes()
    assert world.findings() == {(Code.OWN_TROUBLE, "ftth")}


def test_time_in_which_nobody_listened_is_no_silence() -> None:
    """A stalled process finds old losses in its queue: they are its own, not the uplink's."""
    world = calm_world()
    world.t += 60.0
    for name in world.lines:
        for target in ("1.1.1.1", "8.8.8.8", "9.9.9.9"):
            world.feed(Probe(name, target, Role.TARGET, world.t - 30.0, why=Why.TIMEOUT))
    world.play(5)
    assert Code.UPLINK_DOWN not in world.codes()


def test_late_reply_proves_the_uplink_alive() -> None:
    """An answer after its timeout ends the silence."""
    world = calm_world()
    world.change("ftth", forwards=False)
    sent_at = world.t
    world.play(2.2)
    world.feed(Probe("ftth", "1.1.1.1", Role.TARGET, sent_at, rtt_ms=2200.0))
    world.play(1.4)
    assert Code.UPLINK_DOWN not in world.codes()


def test_changed_address_is_an_event() -> None:
    """Allow-lists and VPNs depend on the address, so its change is told, also across a loss of link."""
    world = calm_world()
    world.feed(Link("ftth", present=True, carrier=True, address="192.168.1.77", gateway="192.168.1.1"))
    world.feed(Link("ftth", present=True, carrier=False))
    world.feed(Link("ftth", present=True, carrier=True, address="192.168.1.78", gateway="192.168.1.1"))
    told = [e.args for _, e in world.events if e.code is Code.ADDRESS_CHANGED]
    assert [(a["old"], a["new"]) for a in told] == [
        ("192.168.1.10", "192.168.1.77"),
        ("192.168.1.77", "192.168.1.78"),
    ]


def test_standby_is_probed_faster_while_another_uplink_is_in_trouble() -> None:
    """The metered uplink is checked every second when it is about to be needed, seldom when not."""
    site = example_site()
    slow = replace(site.uplinks[2], interval_s=10.0)
    world = World(replace(site, uplinks=(*site.uplinks[:2], slow)))
    world.play(CALM_S)
    assert world.state.uplinks["4g"].pace_s == 10.0
    world.change("ftth", forwards=False)
    world.play(30)
    assert world.state.uplinks["4g"].pace_s == 1.0
    world.change("ftth", forwards=True)
    world.play(30)
    assert world.state.uplinks["4g"].pace_s == 10.0


def test_unknown_subjects_change_nothing() -> None:
    """Observations about uplinks that are not configured are ignored."""
    now = Now(100.0)
    state = initial(example_site(), Durable(), now, "run")
    state = step(state, Link("nobody", present=True), now).state
    after = step(state, Probe("nobody", "1.1.1.1", Role.TARGET, 100.0, rtt_ms=1.0), now).state
    assert after.uplinks == state.uplinks


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        (Stamp(100, 5000, True, "a"), Now(160, 0, False, "a"), 60.0),
        (Stamp(100, 5000, True, "a"), Now(30, 9000, True, "b"), 4000.0),
        (Stamp(100, 5000, False, "a"), Now(30, 900_000, True, "b"), 30.0),
        (Stamp(100, 5000, True, "a"), Now(30, 900_000, False, "b"), 30.0),
        (Stamp(100, 5000, True, "a"), Now(30, 1000, True, "b"), 0.0),
    ],
)
def test_age_is_never_more_than_certain(then: Stamp, now: Now, expected: float) -> None:
    """Within a boot the monotonic clock tells; across boots only synchronised clocks or the uptime."""
    assert age_s(then, now) == expected
