"""The world in virtual time: faults look to the core as they would in a bay."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from world import World, example_site

from agent.core.codes import Code
from agent.core.model import Outcome, PowerReport, Probe, Role, Why
from agent.core.snapshot_types import Health
from agent.simulation import deeds
from agent.simulation.speaking import says

CALM_S = 120.0


def calm(**kwargs: object) -> World:
    world = World(example_site(boxes=("ftth", "fibre2"), **kwargs))  # type: ignore[arg-type]
    world.play(CALM_S)
    world.events.clear()
    world.trace.clear()
    return world


def probes(world: World, uplink: str, role: Role = Role.TARGET) -> list[Probe]:
    heard = (observation for _, observation in world.trace)
    return [one for one in heard if isinstance(one, Probe) and one.uplink == uplink and one.role is role]


def orders(world: World) -> list[PowerReport]:
    return [observation for _, observation in world.trace if isinstance(observation, PowerReport)]


# --- boxes and their power ----------------------------------------------------------------------------------


def test_half_a_hang_answers_on_the_lan_and_lets_nothing_through() -> None:
    """From the site it is only the silence beyond the box."""
    world = calm()
    deeds.do(world, "hang", "ftth", {"mode": "forwarding"})
    world.play(10)
    assert all(probe.why is Why.TIMEOUT for probe in probes(world, "ftth")[10:])
    assert all(probe.rtt_ms is not None for probe in probes(world, "ftth", Role.BOX))


def test_a_welded_relay_obeys_and_takes_no_power_away() -> None:
    """The outcome is reported as ever; only the carrier tells the truth."""
    world = calm()
    world.boxes.wiring["box-ftth"] = []
    deeds.do(world, "hang", "ftth", {"mode": "frozen"})
    world.play(60)
    assert [report.outcome for report in orders(world)] == [Outcome.CUT, Outcome.RESTORED]
    assert world.boxes.outages == []
    assert world.lines["ftth"].hung


def test_a_relay_on_the_wrong_box_takes_the_other_carrier_away() -> None:
    """And gives it back to the other."""
    world = calm()
    world.boxes.wiring["box-ftth"] = ["fibre2"]
    deeds.do(world, "hang", "ftth", {"mode": "frozen"})
    world.play(60)
    (outage,) = world.boxes.outages
    assert outage.box == "fibre2"
    assert outage.end is not None
    assert world.lines["ftth"].powered
    assert world.when(Code.UPLINK_DOWN, "fibre2") == pytest.approx(outage.begin, abs=0.1)


@pytest.mark.parametrize("outlives", [0, 1])
def test_a_hang_outlives_so_many_cycles(outlives: int) -> None:
    """Then the box is well again."""
    world = calm()
    deeds.do(world, "hang", "ftth", {"mode": "frozen", "outlives": outlives})
    world.play(1200)
    assert len(world.cuts) == 1 + outlives
    assert not world.lines["ftth"].hung


def test_a_hang_can_end_in_a_portal() -> None:
    """Pings pass, and every question beyond them is answered by another."""
    world = calm()
    deeds.do(world, "hang", "ftth", {"mode": "frozen", "becomes": "portal"})
    world.play(200)
    line = world.lines["ftth"]
    assert line.replies("1.1.1.1")
    assert [line.said(asked) for asked in ("name", "web", "hop")] == ["wrong", "wrong", "well"]


def test_a_box_without_mains_has_no_power_whatever_its_relay_does() -> None:
    """It boots once both are back; a plug that was pulled out stays out."""
    world = calm()
    deeds.do(world, "box_off", "fibre2", {})
    deeds.do(world, "power_off", None, {})
    assert not any(world.lines[name].powered for name in ("ftth", "fibre2", "4g"))
    world.boxes.cut("box-ftth", "order")
    deeds.do(world, "power_on", None, {})
    assert [world.lines[name].powered for name in ("ftth", "fibre2", "4g")] == [False, False, True]
    world.boxes.restore("box-ftth")
    deeds.do(world, "box_on", "fibre2", {})
    assert all(line.powered and not line.booted for line in world.lines.values())
    world.play(60)
    assert all(line.booted for line in world.lines.values())


def test_a_boot_that_was_cut_short_does_not_end() -> None:
    """The end of an older boot counts no more."""
    world = calm()
    deeds.do(world, "box_off", "ftth", {})
    deeds.do(world, "box_on", "ftth", {})
    world.play(30)
    deeds.do(world, "box_off", "ftth", {})
    world.play(5)
    deeds.do(world, "box_on", "ftth", {})
    world.play(20)
    assert not world.lines["ftth"].booted
    world.play(30)
    assert world.lines["ftth"].booted


def test_a_boot_begins_without_a_carrier() -> None:
    """As in the bay, where a port comes up some seconds after the power."""
    world = calm()
    world.boxes.dark_share = 0.2
    deeds.do(world, "box_off", "ftth", {})
    deeds.do(world, "box_on", "ftth", {})
    world.play(8)
    assert not world.lines["ftth"].carrier
    world.play(2)
    assert world.lines["ftth"].carrier
    assert not world.lines["ftth"].lan


# --- cables, lines, operators -------------------------------------------------------------------------------


def test_all_cables_go_and_come_together_and_a_pulled_one_stays_out() -> None:
    """The switch does not put a cable back."""
    world = calm()
    deeds.do(world, "pull", "fibre2", {})
    deeds.do(world, "switch_dead", None, {})
    assert not any(line.carrier for line in world.lines.values())
    deeds.do(world, "switch_back", None, {})
    assert [line.carrier for line in world.lines.values()] == [True, False, True]


@dataclass(frozen=True)
class Told:
    name: str
    web: str
    hop: str
    line_up: object
    wan_up: object


FAULTS = [
    ("agent_start", {}, Told("well", "well", "well", True, True)),
    ("line_cut", {}, Told("silent", "silent", "silent", False, False)),
    ("operator_out", {}, Told("silent", "silent", "well", True, True)),
    ("way_out_lost", {}, Told("refused", "refused", "refused", True, False)),
    ("dns_out", {}, Told("silent", "well", "well", True, True)),
    ("dns_out", {"mode": "servfail"}, Told("refused", "well", "well", True, True)),
    ("dns_out", {"mode": "nxdomain"}, Told("wrong", "well", "well", True, True)),
    ("portal", {"pings": False}, Told("wrong", "wrong", "silent", True, True)),
    ("hang", {"mode": "forwarding"}, Told("silent", "silent", "silent", True, True)),
    ("modem", {"sim": "missing"}, Told("silent", "silent", "silent", True, False)),
    ("modem", {"signal": "unusable"}, Told("silent", "silent", "silent", False, False)),
    ("sending_fails", {"why": "no_route"}, Told("unsent", "unsent", "unsent", True, True)),
    ("pull", {}, Told("unsent", "unsent", "unsent", None, None)),
    ("hang", {"mode": "frozen"}, Told("silent", "silent", "silent", None, None)),
    ("hang", {"mode": "api"}, Told("silent", "silent", "silent", None, None)),
]


@pytest.mark.parametrize(("what", "args", "told"), FAULTS)
def test_each_fault_has_its_own_answers(what: str, args: dict[str, object], told: Told) -> None:
    """What is asked beyond echoes, and what the box says of itself, tell faults apart that pings cannot."""
    world = calm()
    deeds.do(world, what, "ftth", args)
    line = world.lines["ftth"]
    told_itself = says(line, "ftth")
    answers = (
        *(line.said(asked) for asked in ("name", "web", "hop")),
        told_itself.line_up,
        told_itself.wan_up,
    )
    assert answers == (told.name, told.web, told.hop, told.line_up, told.wan_up)


def test_a_box_that_says_no_is_heard_by_icmp() -> None:
    """Its own address stands in the refusal."""
    world = calm()
    deeds.do(world, "way_out_lost", "ftth", {})
    world.play(3)
    refused = probes(world, "ftth")[-1]
    assert (refused.why, refused.by) == (Why.UNREACHABLE, "192.168.1.1")


def test_quality_is_that_of_each_direction() -> None:
    """An echo suffers it twice."""
    world = calm()
    deeds.do(world, "quality", "ftth", {"loss": 0.1, "delay_ms": 30})
    assert world.lines["ftth"].loss == pytest.approx(0.19)
    assert world.lines["ftth"].rtt_s == pytest.approx(0.06)


# --- the agent and its machine ------------------------------------------------------------------------------


def test_a_killed_agent_hears_nothing_and_its_open_relay_stays_open() -> None:
    """Until it is started again: then the power is back before anything else."""
    world = calm()
    deeds.do(world, "hang", "ftth", {"mode": "frozen"})
    while not world.cuts:
        world.play(1)
    deeds.do(world, "agent_kill", None, {})
    heard = len(world.trace)
    world.play(60)
    assert len(world.trace) == heard
    assert not world.lines["ftth"].powered
    deeds.do(world, "agent_start", None, {})
    assert world.lines["ftth"].powered
    assert [cycle.box for cycle in world.state.cycles or ()] == ["box-ftth"]


def test_an_agent_that_is_asked_to_stop_restores() -> None:
    """And says so."""
    world = calm()
    deeds.do(world, "hang", "ftth", {"mode": "frozen"})
    while not world.cuts:
        world.play(1)
    deeds.do(world, "agent_term", None, {})
    assert world.lines["ftth"].powered
    assert world.codes()[-1] is Code.AGENT_STOPPED


def test_quick_restarts_are_counted_within_ten_minutes() -> None:
    """Those before do not count."""
    world = calm()
    for _ in range(3):
        world.stop(kill=True)
        world.play(5)
        world.start()
    assert world.state.quick_restarts == 3
    world.play(700)
    world.stop(kill=True)
    world.start()
    assert world.state.quick_restarts == 0


def test_a_machine_without_power_begins_its_clock_anew() -> None:
    """The wall clock goes on from where it stopped, and is right again once the internet tells the time."""
    world = calm()
    before, at = world.now(), world.t
    deeds.do(world, "machine_off", None, {})
    world.play(600)
    deeds.do(world, "operator_out", "ftth", {})
    deeds.do(world, "operator_out", "fibre2", {})
    deeds.do(world, "operator_out", "4g", {})
    deeds.do(world, "machine_on", None, {"boots_in_s": 20})
    world.play(30)
    now = world.now()
    assert (now.mono, now.synced, now.boot) == (30.0, False, before.boot + "+")
    assert now.wall == pytest.approx(before.wall + 30)
    deeds.do(world, "operator_back", "ftth", {})
    world.play(60)
    assert world.now().synced
    assert world.now().wall == pytest.approx(before.wall + world.t - at)
    assert {uplink.name for uplink in world.picture().uplinks if uplink.health is Health.UP} == {"ftth"}


def test_after_a_restart_of_the_machine_echoes_carry_the_new_clock() -> None:
    """A send time of the old one would lie in the future, and nothing could be lost any more."""
    world = calm()
    world.machine_off()
    world.play(100)
    world.machine_on(20)
    world.play(30)
    assert all(probe.sent_at <= now.mono for now, probe in world.trace if isinstance(probe, Probe))


def test_what_was_learned_survives_the_agent() -> None:
    """Boxes that answer, open incident, cycles."""
    world = calm()
    world.change("ftth", hung=True)
    world.play(20)
    incident = world.incident
    assert incident is not None
    world.stop(kill=True)
    world.start()
    assert world.state.incident == incident
    assert world.state.uplinks["ftth"].box_answers


def test_a_misspelt_property_of_a_line_is_an_error() -> None:
    """A fault that nobody has is none."""
    with pytest.raises(AttributeError):
        calm().change("ftth", hnug=True)
