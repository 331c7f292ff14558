"""Text messages told as stories: who is told of an outage and of its end, when, and how often at most."""

from __future__ import annotations

from dataclasses import replace

import pytest
from world import Line, World, example_site

from agent.core import letters, texting
from agent.core.codes import Code, Severity
from agent.core.devices import DeviceKind, DeviceSpec, Registration, Says
from agent.core.durable import Durable
from agent.core.instant import Now, Stamp
from agent.core.letters import Fate, Letter, TextCode, Texting, masked
from agent.core.model import Why
from agent.core.people import Verb
from agent.core.site import Site

pytestmark = pytest.mark.scenario  # hours of virtual time


ANNE, BRUNO = "+33612345678", "+33698765432"
HOUR_S, DAY_S = 3600.0, 86400.0
OPENING, BACK = TextCode.NO_INTERNET, TextCode.BACK


def site_with(*numbers: str, after_s: float = 120.0) -> Site:
    """Fibre and a 4G modem that texts these numbers."""
    site = example_site(boxes=("ftth",))
    modem = DeviceSpec("stick", "Modem 4G", DeviceKind.MODEM, sms_to=numbers, sms_after_s=after_s)
    return replace(site, uplinks=(site.uplinks[0], replace(site.uplinks[2], device=modem)))


def radio_line(**what: object) -> Line:
    return Line(speaks="hilink", sim="ready", registration="home", signal="good", **what)  # type: ignore[arg-type]


def calm_world(*numbers: str, after_s: float = 120.0, **kwargs: object) -> World:
    lines = {"ftth": Line(), "4g": radio_line()}
    world = World(site_with(*(numbers or (ANNE,)), after_s=after_s), lines=lines, **kwargs)  # type: ignore[arg-type]
    world.play(130)
    world.events.clear()
    return world


def all_out(world: World) -> float:
    """Both operators fail, the modem's radio lives."""
    for name in world.lines:
        world.change(name, operator=False)
    return world.t


def all_back(world: World) -> float:
    for name in world.lines:
        world.change(name, operator=True)
    return world.t


def told(world: World) -> list[tuple[str, TextCode]]:
    return [(order.number, order.code) for _, order in world.texts.sent]


def test_everything_down_is_told_once_after_two_minutes_and_its_end_once() -> None:
    """One message when nothing has worked for two minutes, one when something has for two minutes again."""
    world = calm_world()
    out_at = all_out(world)
    world.play(118)
    assert told(world) == []
    world.play(20)
    assert told(world) == [(ANNE, OPENING)]
    assert world.texts.ordered[0][0] - out_at == pytest.approx(120.0, abs=2.0)
    world.play(46 * 60 - 18)
    back_at = all_back(world)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]
    at, end = world.texts.ordered[1]
    assert at - back_at == pytest.approx(125.0, abs=3.0), "after it is believed, and has lasted"
    assert end.args["lasted_s"] == 48 * 60.0
    assert world.codes("4g").count(Code.TEXT_SENT) == 2


def test_every_number_is_told_and_told_the_end() -> None:
    """Also the second and the third."""
    world = calm_world(ANNE, BRUNO)
    all_out(world)
    world.play(300)
    all_back(world)
    world.play(300)
    assert told(world) == [(ANNE, OPENING), (BRUNO, OPENING), (ANNE, BACK), (BRUNO, BACK)]


def test_nobody_is_told_without_a_number() -> None:
    """Text messages are asked for in the configuration, or there are none, and nothing is remembered."""
    lines = {"ftth": Line(), "4g": radio_line()}
    world = World(site_with(), lines=lines)
    world.play(130)
    all_out(world)
    world.play(HOUR_S)
    assert world.texts.ordered == []
    assert world.texts.memory == Texting()


@pytest.mark.parametrize("name", ["ftth", "4g"])
def test_while_one_uplink_works_nobody_is_told(name: str) -> None:
    """The site has internet, and everything else is told through it."""
    world = calm_world()
    world.change(name, operator=False)
    world.play(HOUR_S)
    assert world.texts.ordered == []


def test_a_short_outage_is_not_told() -> None:
    """Neither its beginning nor its end."""
    world = calm_world()
    all_out(world)
    world.play(110)
    all_back(world)
    world.play(HOUR_S)
    assert world.texts.ordered == []


def test_what_answers_again_is_waited_for() -> None:
    """An uplink is believed a few seconds after its first answer; nobody is called in between."""
    world = calm_world()
    all_out(world)
    world.play(116.5)
    world.change("ftth", operator=True)
    world.play(HOUR_S)
    assert world.texts.ordered == []


def test_no_end_overtakes_its_beginning() -> None:
    """While it is not known whether the beginning was sent, the end waits."""
    world = calm_world()
    world.texts.fate = Fate.ORDERED
    all_out(world)
    world.play(130)
    all_back(world)
    world.play(600)
    assert told(world) == [(ANNE, OPENING)]
    world.play(600)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]


def test_the_patience_is_configured() -> None:
    """Ten minutes where a site wants it so."""
    world = calm_world(after_s=600.0)
    out_at = all_out(world)
    world.play(700)
    assert world.texts.ordered[0][0] - out_at == pytest.approx(600.0, abs=2.0)


@pytest.mark.parametrize(
    "radio",
    [
        {"registration": "denied"},
        {"registration": "searching"},
        {"registration": "none"},
        {"signal": "unusable"},
        {"sim": "missing", "registration": "none"},
        {"mute": True},
    ],
    ids=str,
)
def test_a_dead_radio_says_nothing_and_tells_once_it_is_back(radio: dict[str, object]) -> None:
    """What could not be told in time is told while it is still true."""
    world = calm_world()
    world.change("4g", **radio)
    all_out(world)
    world.play(HOUR_S)
    assert world.texts.ordered == []
    world.change("4g", registration="home", signal="good", sim="ready", mute=False)
    world.play(60)
    assert told(world) == [(ANNE, OPENING)]


def test_roaming_is_good_enough() -> None:
    """A foreign network takes a message too."""
    world = calm_world()
    world.change("4g", registration="roaming")
    all_out(world)
    world.play(200)
    assert told(world) == [(ANNE, OPENING)]


def test_a_restart_in_the_middle_tells_nothing_twice() -> None:
    """Neither the agent's nor the machine's; the end is told by whoever runs then."""
    world = calm_world()
    all_out(world)
    world.play(200)
    world.stop(kill=True)
    world.play(5)
    world.start()
    world.play(HOUR_S)
    world.machine_off()
    world.machine_on(20.0)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING)]
    all_back(world)
    world.play(600)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]
    assert "lasted_s" in world.texts.ordered[1][1].args


def test_a_kill_while_a_message_is_being_sent_is_not_followed_by_a_second_one() -> None:
    """It may have been sent: that is said, and the end is told."""
    world = calm_world()
    all_out(world)
    while not world.texts.ordered:
        world.play(0.5)
    world.stop(kill=True)
    world.play(10)
    world.start()
    world.play(HOUR_S)
    assert len(world.texts.ordered) == 1
    (failed,) = [event for _, event in world.events if event.code is Code.TEXT_FAILED]
    assert (failed.args["fate"], failed.args["for_s"]) == ("unknown", None)
    all_back(world)
    world.play(600)
    assert told(world) == [(ANNE, BACK)]


def test_what_is_refused_is_ordered_again_twice_at_most() -> None:
    """After three minutes and after ten more; then this outage is not told any more, nor is its end."""
    world = calm_world()
    world.texts.fate = Fate.REFUSED
    out_at = all_out(world)
    world.play(2 * HOUR_S)
    assert [round(t - out_at - 120, -1) for t, _ in world.texts.ordered] == [0, 180, 780]
    failed = [event for _, event in world.events if event.code is Code.TEXT_FAILED]
    assert [event.args["for_s"] for event in failed] == [180.0, 600.0, None]
    assert {event.severity for event in failed} == {Severity.WARNING}
    world.texts.fate = None
    all_back(world)
    world.play(HOUR_S)
    assert len(world.texts.ordered) == 3
    all_out(world)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING)], "the next outage is told like any other"


def test_a_second_try_that_is_taken_is_the_last() -> None:
    """And is followed by the end."""
    world = calm_world()
    world.texts.fate = Fate.REFUSED
    all_out(world)
    world.play(200)
    world.texts.fate = None
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING)]
    all_back(world)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]


@pytest.mark.parametrize("fate", [Fate.UNKNOWN, Fate.ORDERED], ids=["unknown", "nothing is heard"])
def test_what_may_have_been_sent_is_never_sent_again(fate: Fate) -> None:
    """Whoever may have got the beginning gets the end."""
    world = calm_world()
    world.texts.fate = fate
    all_out(world)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING)]
    assert world.codes("4g").count(Code.TEXT_FAILED) == 1
    all_back(world)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]


def test_an_end_waits_for_the_radio_but_not_for_ever() -> None:
    """The modem is away when the fibre is back; what is hours old is no news any more."""
    for away_s, expected in ((HOUR_S, [OPENING, BACK]), (7 * HOUR_S, [OPENING])):
        world = calm_world()
        all_out(world)
        world.play(200)
        world.change("4g", mute=True)
        world.play(200)
        world.change("ftth", operator=True)
        world.play(away_s)
        world.change("4g", mute=False)
        world.play(HOUR_S)
        assert [code for _, code in told(world)] == expected


def test_a_return_that_does_not_last_is_no_end() -> None:
    """A minute of internet in a long outage is told to nobody, and neither is that it is gone again."""
    world = calm_world()
    all_out(world)
    world.play(600)
    world.change("ftth", operator=True)
    world.play(60)
    world.change("ftth", operator=False)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING)]


def test_an_incident_that_goes_on_may_be_told_again_after_an_hour() -> None:
    """The fibre is out for days, and the 4G fails in the second night as well: silence would be a lie."""
    world = calm_world()
    all_out(world)
    world.play(600)
    world.change("4g", operator=True)
    world.play(600)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]
    incident = world.picture().incident
    world.change("4g", operator=False)
    world.play(1800)
    assert len(told(world)) == 2, "not within the hour"
    world.play(1800)
    assert world.picture().incident == incident
    assert told(world)[2:] == [(ANNE, OPENING)]


def test_flapping_all_night_sends_six_messages_and_no_more() -> None:
    """Nine minutes without, six with, for four hours; every beginning that was told has its end."""
    world = calm_world()
    for _ in range(16):
        all_out(world)
        world.play(540)
        all_back(world)
        world.play(360)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)] * 3
    world.play(DAY_S)
    all_out(world)
    world.play(300)
    assert told(world)[6:] == [(ANNE, OPENING)], "a day later it begins anew"


def test_the_wall_clock_may_jump() -> None:
    """A clock that is set by a year tells nothing twice, and how long it lasted is not measured by it."""
    world = calm_world()
    all_out(world)
    world.play(300)
    world.wall_offset += 365 * DAY_S
    world.play(300)
    world.wall_offset -= 700 * DAY_S
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING)]
    all_back(world)
    world.play(HOUR_S)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]
    assert world.texts.ordered[1][1].args["lasted_s"] == 70 * 60.0


def test_the_message_tells_the_local_time_at_which_it_began() -> None:
    """In summer, two hours ahead of UTC."""
    world = calm_world(wall=1_782_975_000.0 - 130, zone_s=7200.0)  # 06:50 UTC, 2 July 2026
    all_out(world)
    world.play(300)
    order = world.texts.ordered[0][1]
    assert order.args == {"label": "Garage", "since": "08:50", "for_s": None, "cycles": None}


def test_without_a_clock_the_message_tells_how_long_it_has_lasted() -> None:
    """The machine restarted in the outage, and nobody can tell it the time."""
    world = calm_world()
    all_out(world)
    world.play(60)
    world.machine_off()
    world.machine_on(20.0)
    world.play(600)
    (order,) = [order for _, order in world.texts.ordered]
    assert order.args["since"] is None
    assert order.args["for_s"] >= 120.0


def test_a_site_that_has_just_got_its_power_is_given_time() -> None:
    """Nothing has worked yet: the boxes boot, and the patience begins when their time is over."""
    lines = {"ftth": Line(operator=False), "4g": radio_line(operator=False)}
    world = World(site_with(ANNE), lines=lines)
    world.play(60 + 110)
    assert world.texts.ordered == []
    world.play(60)
    assert told(world) == [(ANNE, OPENING)]


def test_a_dark_bay_is_told_in_its_own_words() -> None:
    """All cables without a signal: what that means for the site only a person can see. The radio lives."""
    world = calm_world()
    world.change("4g", speaks="at")
    for name in world.lines:
        world.change(name, trunk=False)
    world.play(300)
    assert told(world) == [(ANNE, TextCode.BAY_DARK)]
    for name in world.lines:
        world.change(name, trunk=True)
    world.play(300)
    assert told(world)[1:] == [(ANNE, BACK)]


def test_a_modem_that_went_dark_with_the_bay_tells_nothing() -> None:
    """It is behind the same switch: nobody can reach it."""
    world = calm_world()
    for name in world.lines:
        world.change(name, trunk=False)
    world.play(HOUR_S)
    assert world.texts.ordered == []


def test_nothing_is_told_while_nobody_can_know() -> None:
    """The agent's own machine lets nothing out: what the uplinks do is not known, also if they were down."""
    world = calm_world()
    for name in world.lines:
        world.change(name, unsendable=Why.FORBIDDEN)
    world.play(HOUR_S)
    assert world.texts.ordered == []
    for name in world.lines:
        world.change(name, unsendable=None)
    world.play(60)
    all_out(world)
    world.play(60)
    for name in world.lines:
        world.change(name, unsendable=Why.FORBIDDEN)
    world.play(HOUR_S)
    assert world.texts.ordered == []


def test_whoever_restarts_the_last_box_is_not_told_about_it() -> None:
    """A person cuts the fibre's power while the 4G is out, and the box boots for longer than the patience."""
    world = calm_world(after_s=30.0)
    world.change("4g", operator=False)
    world.play(600)
    world.ask(Verb.CYCLE, "box-ftth", force=True)
    world.play(300)
    assert world.cuts
    assert world.texts.ordered == []


def test_the_message_says_what_was_tried() -> None:
    """The 4G is out, the fibre's box hangs: its restart does not help."""
    world = calm_world(after_s=300.0)
    world.change("4g", operator=False)
    world.play(600)
    world.change("ftth", hung=True, cures=False)
    world.play(600)
    at, order = world.texts.ordered[0]
    assert order.args["cycles"] == len([t for t, _ in world.cuts if t < at]) == 1


def test_events_and_the_trace_of_reports_hold_no_number() -> None:
    """The last three digits say which of them it was."""
    world = calm_world()
    all_out(world)
    world.play(300)
    assert masked(ANNE) == "*********678"
    for _, event in world.events:
        assert ANNE not in repr(event)
    (sent,) = [event for _, event in world.events if event.code is Code.TEXT_SENT]
    assert (sent.args["number"], sent.args["about"], sent.args["label"]) == (
        masked(ANNE),
        "no_internet",
        "Modem 4G",
    )
    assert sent.incident is not None


def test_the_end_belongs_to_the_incident_although_that_is_closed() -> None:
    """In the history they stand together."""
    world = calm_world()
    all_out(world)
    world.play(300)
    all_back(world)
    world.play(600)
    assert world.state.incident is None
    sent = [event for _, event in world.events if event.code is Code.TEXT_SENT]
    assert len({event.incident for event in sent}) == 1
    assert len(sent) == 2


# --- a memory that is lost ---------------------------------------------------------------------------------


def test_a_lost_memory_leaves_one_outage_to_be_told_in_the_first_day() -> None:
    """Nobody knows what was sent; a day later everybody does, and that is written down."""
    world = calm_world(durable=Durable(texting=None))
    for _ in range(4):
        all_out(world)
        world.play(900)
        all_back(world)
        world.play(900)
    assert told(world) == [(ANNE, OPENING), (ANNE, BACK)]
    assert world.texts.memory is not None
    assert world.texts.memory.lost is not None, "also over restarts"
    world.play(DAY_S)
    assert world.texts.memory.lost is None
    all_out(world)
    world.play(300)
    assert told(world)[2:] == [(ANNE, OPENING)]


def test_with_a_lost_memory_ten_minutes_pass_before_anything_is_told() -> None:
    """An outage may have been told just before it was lost."""
    world = calm_world(durable=Durable(texting=None))
    start = world.t - 130
    all_out(world)
    world.play(HOUR_S)
    assert world.texts.ordered[0][0] - start >= 600.0


def test_a_day_without_an_outage_ends_the_caution() -> None:
    """The memory is written as whole, so that the next start knows it."""
    world = calm_world(durable=Durable(texting=None))
    world.play(DAY_S)
    assert world.texts.memory == Texting()


# --- the parts ---------------------------------------------------------------------------------------------

NOW = Now(50_000.0, 1_800_000_000.0, True, "boot2")


def letter_at(mono: float, *, boot: str = "boot2", synced: bool = True, **what: object) -> Letter:
    at = Stamp(mono, 1_800_000_000.0 + mono - 50_000.0, synced, boot)
    fields = {"order": f"run-{mono}", "number": ANNE, "code": OPENING, "incident": "i", "since": at, "at": at}
    return Letter(**{**fields, "modem": "stick", "fate": Fate.SENT, **what})  # type: ignore[arg-type]


def test_messages_of_another_boot_count_as_long_as_their_age_is_not_certain() -> None:
    """An unsynchronised stamp is as young as this boot; a synchronised one has its true age."""
    old = letter_at(50_000.0 - DAY_S - 10, boot="boot1")
    assert letters.sent_today(Texting((old,)), ANNE, NOW) == 0
    unsure = replace(old, at=replace(old.at, synced=False))
    assert letters.sent_today(Texting((unsure,)), ANNE, NOW) == 1


def test_only_what_may_have_reached_somebody_counts() -> None:
    """A refused message costs nothing; one that may have been sent does."""
    memory = Texting(
        tuple(letter_at(40_000.0 + n, fate=fate, order=f"run-{n}") for n, fate in enumerate(Fate))
    )
    assert letters.sent_today(memory, ANNE, NOW) == 3
    assert letters.sent_today(memory, BRUNO, NOW) == 0


def test_an_outage_whose_end_is_not_told_is_remembered_for_longer_than_a_day() -> None:
    """The line may be out from Friday to Monday."""
    memory = Texting((letter_at(50_000.0 - 3 * DAY_S), letter_at(50_000.0 - 2 * DAY_S, over=True)))
    assert letters.kept(memory, NOW).letters == memory.letters[:1]


def test_a_report_of_an_order_that_nobody_gave_changes_nothing() -> None:
    """Nor does a second report of the same."""
    world = calm_world()
    all_out(world)
    world.play(300)
    before, count = world.texts.memory, len(world.events)
    for order in ("nobody-1", world.texts.ordered[0][1].order):
        world.feed(letters.TextReport(order, Fate.REFUSED))
    assert (world.texts.memory, len(world.events)) == (before, count)


def test_what_a_modem_said_long_ago_is_no_promise() -> None:
    """A modem that was registered two minutes ago may not be any more."""
    world = calm_world()
    uplink = world.state.uplinks["4g"]
    assert texting.reachable(world.state, uplink, uplink.says_at + 119.0)
    assert not texting.reachable(world.state, uplink, uplink.says_at + 121.0)


def test_a_modem_that_tells_no_figure_but_is_registered_can_send() -> None:
    """Many boxes with a SIM card tell no more."""
    world = calm_world()
    world.feed(Says("4g", heard=True, registration=Registration.HOME))
    assert texting.reachable(world.state, world.state.uplinks["4g"], world.state.stepped_at)
