"""Alerts told as stories: one for each turn of an incident, none for its consequences."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from world import TARGETS, World, example_site

from agent.core import incident as incidents
from agent.core.codes import TURNS, Code, Severity
from agent.core.model import Event, Part
from agent.core.opening import Hours
from agent.core.people import Verb
from agent.core.snapshot_types import Health

CALM_S = 120.0
HOUR_S = 3600.0
DAY_S = 86_400.0
MONDAY = 1_768_172_400.0
"""Midnight of Monday 12 January 2026 in France, UNIX seconds."""
WEEKDAYS = (Hours((0, 1, 2, 3, 4), 8 * HOUR_S, 18 * HOUR_S),)


def calm_world(
    *, hour: float | None = None, uplinks: int = 2, boxes: tuple[str, ...] = (), every_s: float = 5.0
) -> World:
    """A site that works; with ``hour``, of local time on a Monday, one with opening hours.

    Its uplinks are looked at seldom, because days are played.
    """
    site = example_site(uplinks, boxes)
    slow = tuple(replace(one, interval_s=every_s, targets=TARGETS[:2]) for one in site.uplinks)
    site = replace(site, uplinks=slow)
    if hour is not None:
        site = replace(site, opening=WEEKDAYS)
    wall = MONDAY + (10.0 if hour is None else hour) * HOUR_S - CALM_S
    world = World(site, wall=wall, zone_s=HOUR_S, record=False)
    world.play(CALM_S)
    world.events.clear()
    return world


def alerts(world: World) -> list[Event]:
    return [event for _, event in world.events if event.alert]


def told(world: World) -> list[tuple[Code, Severity]]:
    return [(event.code, event.severity) for event in alerts(world)]


def one(world: World, code: Code) -> Event:
    (event,) = [event for event in alerts(world) if event.code is code]
    return event


def restart(world: World, for_s: float = 5.0) -> None:
    world.stop()
    world.play(for_s)
    world.start()


def skip(world: World, for_s: float) -> None:
    """Let time pass in which the agent does not run."""
    if for_s > 0:
        restart(world, for_s)


# --- one incident -----------------------------------------------------------------------------------------


def test_a_hung_box_is_one_alert_and_its_end() -> None:
    """What happens in between is for whoever wants to know; the end says what was done and what it cost."""
    world = calm_world(boxes=("ftth",), uplinks=3)
    world.change("ftth", hung=True)
    world.play(300)
    assert told(world) == [
        (Code.INCIDENT_OPENED, Severity.WARNING),
        (Code.INCIDENT_CLOSED, Severity.INFO),
    ]
    opened, closed = alerts(world)
    assert opened.args["means"] == "on_backup"
    assert opened.incident == closed.incident
    assert {key: closed.args[key] for key in closed.args if key not in ("label", "lasted_s")} == {
        "finding": "box_hung",
        "offline_s": 0.0,
        "severity_worst": "warning",
        "causes": "box_hung",
        "cycles": 1,
        "soft": 0,
        "outcome": "helped",
        "boxes": "box-ftth cut helped",
        "person": False,
        "returns": None,
        "again": None,
    }


def test_a_person_who_acts_is_part_of_the_account() -> None:
    """A hold or a restart that somebody asked for is told with the end."""
    for verb in (Verb.CYCLE, Verb.HOLD):
        world = calm_world(boxes=("ftth",))
        world.change("ftth", hung=True)
        world.play(15)
        world.ask(verb, "box-ftth" if verb is Verb.CYCLE else None, force=verb is Verb.CYCLE)
        world.play(60)
        world.change("ftth", hung=False)
        world.play(300)
        assert one(world, Code.INCIDENT_CLOSED).args["person"] is True


def test_without_any_uplink_it_is_an_alert_and_the_time_is_counted() -> None:
    """Twenty minutes without internet in opening hours; the ten in which one uplink worked do not count."""
    world = calm_world(hour=10)
    for name in world.lines:
        world.change(name, operator=False)
    world.play(1200)
    world.change("fibre2", operator=True)
    world.play(600)
    world.change("ftth", operator=True)
    world.play(60)
    assert told(world) == [
        (Code.INCIDENT_OPENED, Severity.ALERT),
        (Code.INCIDENT_CAUSE, Severity.WARNING),
        (Code.INCIDENT_CLOSED, Severity.INFO),
    ]
    closed = one(world, Code.INCIDENT_CLOSED)
    assert closed.args["offline_s"] == pytest.approx(1205, abs=10)
    assert closed.args["lasted_s"] == pytest.approx(1805, abs=10)
    assert closed.args["causes"] == "everything_down, line_or_operator"
    assert closed.args["severity_worst"] == "alert"


def test_an_outage_by_night_becomes_an_alert_before_the_site_opens() -> None:
    """Told as a warning at three, raised at half past seven, and not again at eight."""
    world = calm_world(hour=3)
    at = world.t
    for name in world.lines:
        world.change(name, operator=False)
    world.play(4.4 * HOUR_S)
    assert told(world) == [(Code.INCIDENT_OPENED, Severity.WARNING)]
    assert alerts(world)[0].args["means"] == "closed"
    assert world.picture().incident_severity is Severity.WARNING
    world.play(0.5 * HOUR_S)
    raised = one(world, Code.INCIDENT_SEVERITY)
    assert world.when(Code.INCIDENT_SEVERITY) - at == pytest.approx(4.5 * HOUR_S, abs=90)
    assert (raised.args["severity_old"], raised.args["severity_new"]) == ("warning", "alert")
    assert raised.args["means"] == "no_internet"
    assert world.picture().incident_severity is Severity.ALERT
    world.play(0.2 * HOUR_S)
    assert len(alerts(world)) == 2


def test_the_standby_too_is_told_as_worse_and_only_once() -> None:
    """One line out is a warning, both are an alert; that it falls again is told with the end alone."""
    world = calm_world()
    world.change("fibre2", operator=False)
    world.play(120)
    assert alerts(world)[0].args["means"] == "no_backup"
    for _ in range(4):
        world.change("ftth", operator=False)
        world.play(300)
        world.change("ftth", operator=True)
        world.play(300)
    world.change("fibre2", operator=True)
    world.play(HOUR_S)
    codes = Counter(event.code for event in alerts(world))
    assert codes[Code.INCIDENT_SEVERITY] <= 1 + codes[Code.INCIDENT_CAUSE]
    assert (codes[Code.INCIDENT_OPENED], codes[Code.INCIDENT_CLOSED]) == (1, 1)
    assert one(world, Code.INCIDENT_CLOSED).args["severity_worst"] == "alert"


def test_what_makes_it_worse_is_named_at_once() -> None:
    """The standby is out, and then the first line: one more call, not two, and it says which line."""
    world = calm_world()
    world.change("fibre2", forwards=False)
    world.play(120)
    world.change("ftth", hung=True)
    world.play(300)
    assert told(world) == [
        (Code.INCIDENT_OPENED, Severity.WARNING),
        (Code.INCIDENT_SEVERITY, Severity.ALERT),
    ]
    raised = one(world, Code.INCIDENT_SEVERITY)
    assert (raised.subject, raised.args["finding"]) == ("ftth", "box_hung")


def test_a_portal_in_place_of_the_internet_is_no_internet() -> None:
    """The router still sends everything there: that pings pass is no help to anybody."""
    world = calm_world()
    world.change("ftth", portal=True)
    world.play(900)
    assert one(world, Code.INCIDENT_OPENED).args["means"] == "no_internet"


def test_a_slow_line_in_use_is_a_warning_and_a_slow_standby_is_not() -> None:
    """Calls over the one suffer; nobody notices the other."""
    for name, severity in (("ftth", Severity.WARNING), ("fibre2", Severity.INFO)):
        world = calm_world()
        world.change(name, loss=0.3)
        world.play(300)
        assert told(world)[0] == (Code.INCIDENT_OPENED, severity)


def test_a_cause_that_comes_and_goes_is_told_ever_more_slowly() -> None:
    """Four hours of a box that hangs and a line that is out, by turns of a minute and a half."""
    world = calm_world()
    world.change("ftth", forwards=False)
    for _ in range(80):
        world.change("ftth", hung=True)
        world.play(90)
        world.change("ftth", hung=False)
        world.play(90)
    causes = [event for event in alerts(world) if event.code is Code.INCIDENT_CAUSE]
    assert 1 <= len(causes) <= 4
    world.change("ftth", hung=True)
    world.play(incidents.CAUSE_LONGEST_S + 60)
    assert world.state.incident is not None
    assert world.state.incident.code is Code.BOX_HUNG, "what stands is told in the end"


# --- one after the other ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("out_s", "well_s"), [(15, 25), (30, 270), (60, 600), (120, 1500)])
def test_a_line_that_comes_and_goes_all_day_does_not_call_all_day(out_s: float, well_s: float) -> None:
    """Four hours, from every forty seconds to every half hour: a handful of alerts, each in its place."""
    world = calm_world()
    for _ in range(round(4 * HOUR_S / (out_s + well_s))):
        world.change("ftth", forwards=False)
        world.play(out_s)
        world.change("ftth", forwards=True)
        world.play(well_s)
    world.play(HOUR_S)
    assert len(alerts(world)) <= 10
    codes = Counter(event.code for event in alerts(world))
    assert codes[Code.INCIDENT_OPENED] == codes[Code.INCIDENT_CLOSED] <= 4
    last = [event for event in alerts(world) if event.code is Code.INCIDENT_CLOSED][-1]
    if well_s > 25:
        assert last.args["again"] == codes[Code.INCIDENT_OPENED] > 1
        assert isinstance(last.args["returns"], int)


def test_the_second_in_a_row_is_over_after_ten_calm_minutes() -> None:
    """It lasted as long as the trouble did, not as long as the doubt; a calm day makes the next the first."""
    world = calm_world()
    for _ in range(2):
        world.change("ftth", operator=False)
        world.play(300)
        world.change("ftth", operator=True)
        world.play(300)
    assert told(world)[-1][0] is Code.INCIDENT_OPENED
    assert alerts(world)[-1].args["again"] == 2
    world.play(400)
    assert told(world)[-1][0] is Code.INCIDENT_CLOSED
    assert alerts(world)[-1].args["lasted_s"] == pytest.approx(310, abs=15)
    world.play(DAY_S)
    world.change("ftth", operator=False)
    world.play(60)
    assert alerts(world)[-1].args["again"] is None


# --- what waits for somebody -------------------------------------------------------------------------------


def reminders(world: World) -> list[float]:
    return [t for t, event in world.events if event.code is Code.INCIDENT_REMINDER]


def test_what_waits_is_reminded_of_after_one_hour_four_and_every_day() -> None:
    """With how long it has lasted, how often that was said, and what is to be done; also over restarts."""
    world = calm_world()
    at = world.t
    world.change("ftth", operator=False)
    world.play(60)
    plan = ((0.9, 0), (1.1, 1), (3.9, 1), (4.1, 2), (27.9, 2), (28.1, 3), (51.9, 3), (52.1, 4))
    for until_h, count in plan:
        skip(world, at + (until_h - 0.1) * HOUR_S - world.t)
        world.play(at + until_h * HOUR_S - world.t)
        assert len(reminders(world)) == count, until_h
    second = [event for event in alerts(world) if event.code is Code.INCIDENT_REMINDER][1]
    assert (second.args["count"], second.args["waits_for"]) == (2, "line_or_operator")
    assert second.args["lasted_s"] == pytest.approx(4 * HOUR_S, abs=400)
    world.change("ftth", operator=True)
    world.play(600)
    skip(world, 2 * DAY_S)
    assert len(reminders(world)) == 4


def test_nobody_is_reminded_while_the_site_is_closed() -> None:
    """What broke in the evening is reminded of when the site opens."""
    world = calm_world(hour=20)
    world.change("ftth", operator=False)
    world.play(1.2 * HOUR_S)
    skip(world, 10.7 * HOUR_S)
    world.play(0.2 * HOUR_S)
    (at,) = reminders(world)
    assert (at + world.wall_offset - MONDAY) / HOUR_S == pytest.approx(32.0, abs=0.03)


def test_nobody_is_reminded_while_vigie_is_at_work() -> None:
    """A pause has its end, and the restart comes then; what that does not help waits an hour from then on."""
    world = calm_world(boxes=("ftth",))
    world.change("ftth", hung=True, cures=False)
    world.play(15)
    world.ask(Verb.HOLD, for_s=2 * HOUR_S)
    world.play(1.9 * HOUR_S)
    assert reminders(world) == []
    world.play(2.5 * HOUR_S)
    last, _ = world.cuts[-1]
    assert len(world.cuts) == 2
    assert reminders(world)[0] >= last + HOUR_S
    assert one(world, Code.INCIDENT_REMINDER).args["waits_for"] == "needs_human"


def test_a_restart_tells_nothing_again_and_forgets_nothing() -> None:
    """Neither the opening nor a reminder comes twice, and the account goes on."""
    world = calm_world(uplinks=1)
    world.change("ftth", operator=False)
    world.play(1.5 * HOUR_S)
    for _ in range(3):
        restart(world)
        world.play(0.4 * HOUR_S)
    assert len(reminders(world)) == 1
    world.play(1.5 * HOUR_S)
    assert len(reminders(world)) == 2
    world.change("ftth", operator=True)
    world.play(600)
    codes = Counter(event.code for event in alerts(world))
    assert (codes[Code.INCIDENT_OPENED], codes[Code.INCIDENT_CLOSED]) == (1, 1)
    closed = one(world, Code.INCIDENT_CLOSED)
    assert closed.args["offline_s"] == pytest.approx(4.2 * HOUR_S, abs=60)


# --- what stands beside incidents ---------------------------------------------------------------------------


def test_a_standing_condition_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    """Also over restarts; one that nobody repairs is reminded of."""
    world = calm_world()
    failed = Part("relay:ftth", ok=False, code=Code.RELAY_FAILED, detail="no such line")
    world.feed(failed)
    world.play(60)
    for _ in range(3):
        restart(world)
        world.feed(failed)
        world.play(600)
    assert told(world) == [(Code.RELAY_FAILED, Severity.ALERT)]
    world.play(HOUR_S)
    assert [event.code for event in alerts(world)][1:] == [Code.INCIDENT_REMINDER]
    assert alerts(world)[-1].incident is None
    world.feed(replace(failed, ok=True))
    world.play(10)
    assert alerts(world)[-1].code is Code.FINDING_CLOSED
    assert alerts(world)[-1].args["finding"] == "relay_failed"
    world.play(DAY_S)
    assert len(alerts(world)) == 3


def test_what_was_put_right_while_the_agent_did_not_run_has_its_end() -> None:
    """Somebody repaired the relay and started the machine again."""
    world = calm_world()
    world.feed(Part("relay:ftth", ok=False, code=Code.RELAY_FAILED, detail="no such line"))
    world.play(60)
    restart(world)
    world.play(1200)
    assert [event.code for event in alerts(world)] == [Code.RELAY_FAILED, Code.FINDING_CLOSED]


def test_a_part_that_fails_again_and_again_is_told_once_an_hour() -> None:
    """Every five minutes for four hours; what stands in the end is told."""
    world = calm_world()
    for _ in range(48):
        world.feed(Part("screen", ok=False, detail="errno 5"))
        world.play(200)
        world.feed(Part("screen", ok=True))
        world.play(100)
    assert 4 <= len(alerts(world)) <= 10
    world.feed(Part("screen", ok=False, detail="errno 5"))
    world.play(1.2 * HOUR_S)
    assert alerts(world)[-1].code is Code.PART_FAILED


def test_the_way_of_the_alerts_is_no_alert() -> None:
    """That the broker cannot be reached is told by its own silence, not by a message that comes after it."""
    world = calm_world()
    world.feed(Part("mqtt", ok=False, detail="no answer"))
    world.play(HOUR_S)
    world.feed(Part("mqtt", ok=True))
    world.play(60)
    assert alerts(world) == []
    assert Code.PART_FAILED in world.codes()


def test_every_alert_is_a_turn_of_an_incident_or_names_what_stands() -> None:
    """In a bad week nothing else is ever one."""
    world = calm_world(boxes=("ftth",), uplinks=3)
    world.change("ftth", hung=True, cures=False)
    world.play(HOUR_S)
    world.change("4g", forwards=False)
    world.play(HOUR_S)
    assert all(event.code in TURNS for event in alerts(world))
    assert {Code.UPLINK_DOWN, Code.BOX_CUT, Code.CYCLE_DID_NOT_HELP, Code.NEEDS_HUMAN} <= set(world.codes())
    assert world.picture().uplinks[0].health is Health.DOWN
