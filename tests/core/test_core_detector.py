"""The verdict on an uplink: when it is found down, why, and when it is believed again."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import pytest
from world import TARGETS, World, example_site

from agent.core import health, line
from agent.core.codes import Code
from agent.core.durable import Durable
from agent.core.habit import expected_more_s
from agent.core.instant import Now
from agent.core.model import Leave, Link, Probe, Role, Tick, Why
from agent.core.saves import SaveLine
from agent.core.site import Site, UplinkKind, UplinkSpec
from agent.core.snapshot_types import Health
from agent.core.state import State, UplinkState, evolved, initial
from agent.core.step import step

CALM_S = 120.0


def calm_world(world: World | None = None) -> World:
    world = world or World(example_site())
    world.play(CALM_S)
    world.events.clear()
    return world


def silence(world: World, name: str, seconds: float, **how: object) -> None:
    """One interruption, and enough time for the uplink to be believed again."""
    how = how or {"forwards": False}
    world.change(name, **how)
    world.play(seconds)
    world.change(name, **{key: not value for key, value in how.items()})
    world.play(60)


def taught(kind: UplinkKind, silences_s: list[float]) -> line.Line:
    known = line.unknown(kind)
    for silence_s in silences_s:
        known = line.silence_learned(known, silence_s, 0.2, 10.0, 300.0, mute=False)
    return known


# --- silences ----------------------------------------------------------------------------------------------


def test_fibre_is_down_within_three_seconds_and_a_hiccuping_4g_is_waited_for() -> None:
    """The same silence, two kinds of line, two verdicts."""
    world = calm_world()
    at = world.t
    world.change("ftth", forwards=False)
    world.change("4g", forwards=False)
    world.play(3.0)
    assert world.state.uplinks["ftth"].health is Health.DOWN
    assert world.state.uplinks["4g"].health is Health.SUSPECT
    world.play(10.0)
    assert 6.0 < world.when(Code.UPLINK_DOWN, "4g") - at < 10.5


def test_the_reason_is_told_in_words_and_numbers() -> None:
    """How long, how much longer on this line, and what acting costs."""
    world = calm_world()
    world.change("ftth", forwards=False)
    world.play(4.0)
    (down,) = [event for _, event in world.events if event.code is Code.UPLINK_DOWN]
    told = re.fullmatch(
        r"silent ([\d.]+) s; from here this line stays silent (\d+) s more on average; a switch costs 10 s",
        str(down.args["why"]),
    )
    assert told is not None
    uplink = world.state.uplinks["ftth"]
    more_s = expected_more_s(uplink.line.beyond, float(told[1]), uplink.calm_s)
    assert float(told[2]) == pytest.approx(more_s, abs=2.0)
    assert more_s > 10.0, "or the switch would not have paid"


def test_line_that_hiccups_is_waited_for_once_it_is_known() -> None:
    """After a few silences of four seconds the fibre is no longer declared down at the third second."""
    world = calm_world()
    for _ in range(8):
        silence(world, "ftth", 4.0)
    world.events.clear()
    silence(world, "ftth", 4.0)
    assert Code.UPLINK_SUSPECT in world.codes("ftth")
    assert Code.UPLINK_DOWN not in world.codes("ftth")


def test_what_was_learned_survives_a_restart() -> None:
    """The line goes to disk at the end, and the next run waits as long as the last one would have."""
    world = calm_world()
    for _ in range(8):
        silence(world, "ftth", 4.0)
    saved: dict[str, line.Line] = {}
    result = step(world.state, Leave(), world.now())
    saved.update({a.uplink: a.line for a in result.actions if isinstance(a, SaveLine)})
    assert set(saved) == {"ftth", "fibre2", "4g"}
    text = {name: line.encode(known) for name, known in saved.items()}
    lines = {name: line.decode(known) for name, known in text.items()}
    again = calm_world(World(example_site(), durable=Durable(lines=lines)))
    silence(again, "ftth", 4.0)
    assert Code.UPLINK_DOWN not in again.codes("ftth")
    assert sum(len(known) for known in text.values()) < 65536


def test_a_line_of_another_kind_under_the_same_name_is_a_new_line() -> None:
    """What was learned of the old fibre says nothing about the dish that replaced it."""
    known = taught(UplinkKind.FTTH, [4.0] * 20)
    spec = UplinkSpec("ftth", "FTTH", UplinkKind.STARLINK, TARGETS)
    state = initial(Site("s", "S", (spec,)), Durable(lines={"ftth": known}), Now(0.0), "run")
    assert state.uplinks["ftth"].line == line.unknown(UplinkKind.STARLINK)


def test_silent_box_and_silent_internet_are_learned_apart() -> None:
    """A box that restarts for four seconds now and then says nothing about the line behind it."""
    world = calm_world()
    for _ in range(6):
        silence(world, "ftth", 4.0, answers=False, forwards=False)
    known = world.state.uplinks["ftth"].line
    assert sum(known.whole.weights) > 4
    assert sum(known.beyond.weights) == 0
    silence(world, "ftth", 4.0)
    known = world.state.uplinks["ftth"].line
    assert sum(known.beyond.weights) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"cable": False}, id="cable"),
        pytest.param({"unsendable": Why.FORBIDDEN}, id="own trouble"),
    ],
)
def test_what_is_not_the_lines_doing_teaches_nothing(how: dict[str, object]) -> None:
    """A pulled cable and a socket that may not send are no habit of the line."""
    world = calm_world()
    before = sum(world.state.uplinks["ftth"].line.beyond.weights)
    world.change("ftth", forwards=False)
    world.play(1.5)
    world.change("ftth", **how)
    world.play(5.0)
    world.change("ftth", cable=True, unsendable=None, forwards=True)
    world.play(30)
    assert sum(world.state.uplinks["ftth"].line.beyond.weights) == before


def test_silence_of_all_uplinks_at_once_teaches_nothing() -> None:
    """When everything is silent, it is the switch, the power or ourselves, and no line's habit."""
    world = calm_world()
    for name in world.lines:
        world.change(name, forwards=False)
    world.play(5.0)
    for name in world.lines:
        world.change(name, forwards=True)
    world.play(30.0)
    assert all(sum(uplink.line.beyond.weights) == 0 for uplink in world.state.uplinks.values())


def test_a_boot_is_no_habit_of_the_line() -> None:
    """The silence of our own power cycle is our doing."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(300)
    assert world.cuts
    known = world.state.uplinks["ftth"].line
    assert sum(known.whole.weights) + sum(known.beyond.weights) == 0


def test_outage_of_a_night_is_one_silence_among_others() -> None:
    """The fibre that was dug up for hours is judged as quickly as before, and no quicker than that."""
    world = calm_world(World(example_site(boxes=())))
    silence(world, "ftth", 6 * 3600.0)
    world.play(600)
    world.events.clear()
    at = world.t
    silence(world, "ftth", 30.0)
    assert 1.5 <= world.when(Code.UPLINK_DOWN, "ftth") - at < 3.0


def test_silence_grows_only_while_somebody_asks() -> None:
    """After two lost echoes nothing more is sent: nobody can say that the line stays silent."""
    site = Site("s", "S", (UplinkSpec("u", "U", UplinkKind.OTHER, TARGETS),))
    state = initial(site, Durable(), Now(0.0), "run")
    state = step(state, Tick(), Now(0.0)).state
    for n in range(60):
        at = n / 3
        state = step(state, Probe("u", TARGETS[n % 3], Role.TARGET, at, rtt_ms=8.0), Now(at + 0.008)).state
    for at in (20.0, 20.2):
        state = step(state, Probe("u", TARGETS[0], Role.TARGET, at, why=Why.TIMEOUT), Now(at + 1.0)).state
    for n in range(20):
        state = step(state, Tick(), Now(21.3 + n)).state
        assert state.uplinks["u"].health is not Health.DOWN
    assert state.uplinks["u"].health is Health.UNKNOWN
    assert "nobody has asked" in state.uplinks["u"].why


def test_a_target_that_loses_alone_is_no_silence() -> None:
    """However long one of three is dead, the uplink is up and its habit is left alone."""
    world = calm_world()
    world.change("ftth", dead_targets={"9.9.9.9"})
    world.play(3600)
    assert world.state.uplinks["ftth"].health is Health.UP
    assert sum(world.state.uplinks["ftth"].line.beyond.weights) < 0.01


def test_slow_standby_is_not_judged_on_one_lost_echo() -> None:
    """A metered line asked every ten seconds loses one echo; the next ones come faster and decide."""
    site = example_site()
    slow = replace(site.uplinks[2], interval_s=10.0)
    world = calm_world(World(replace(site, uplinks=(*site.uplinks[:2], slow))))
    world.play(300)
    at = world.t
    world.change("4g", forwards=False)
    world.play(40)
    down = world.when(Code.UPLINK_DOWN, "4g") - at
    assert 6.0 < down < 4.0 + 10.0 + 1.5, "a third of the round, the habit's patience, a timeout"


def test_late_answers_end_a_silence_when_they_arrive() -> None:
    """A line that answers after 1.4 s is slow, not silent."""
    site = Site("s", "S", (UplinkSpec("u", "U", UplinkKind.OTHER, ("1.1.1.1",)),))
    state = initial(site, Durable(), Now(0.0), "run")
    state = step(state, Tick(), Now(0.0)).state
    happenings: list[tuple[float, Probe]] = []
    for at in range(60):
        rtt_s = 0.01 if at < 20 else 1.4
        if rtt_s > 1:
            happenings.append((at + 1.0, Probe("u", "1.1.1.1", Role.TARGET, at, why=Why.TIMEOUT)))
        happenings.append((at + rtt_s, Probe("u", "1.1.1.1", Role.TARGET, at, rtt_ms=rtt_s * 1e3)))
    for at, probe in sorted(happenings, key=lambda pair: pair[0]):
        state = step(state, probe, Now(at)).state
        assert state.uplinks["u"].health is not Health.DOWN


# --- the box's own word -----------------------------------------------------------------------------------


def denied(world: World, target: str, by: str = "192.168.1.1") -> None:
    world.feed(Probe("ftth", target, Role.TARGET, world.t, why=Why.UNREACHABLE, by=by))


def test_the_boxs_own_word_needs_no_waiting() -> None:
    """Half a second after the box has said of two targets that there is no way, the uplink is down."""
    world = calm_world()
    world.change("ftth", forwards=False)
    world.play(0.05)  # what was under way still arrives
    at = world.t
    denied(world, TARGETS[0])
    denied(world, TARGETS[1])
    world.play(1.0)
    assert world.state.uplinks["ftth"].health is Health.DOWN
    assert "box itself says" in world.state.uplinks["ftth"].why
    assert world.when(Code.UPLINK_DOWN, "ftth") - at == pytest.approx(health.DENIED_S, abs=0.05)


def test_one_refused_target_or_a_refusal_from_far_away_decides_nothing() -> None:
    """A firewall speaks of one target, a router of the operator of its own trouble."""
    world = calm_world()
    world.change("ftth", forwards=False)
    for target in TARGETS:
        denied(world, target, by="203.0.113.1")
    denied(world, TARGETS[0])
    world.play(1.0)
    assert world.state.uplinks["ftth"].health is not Health.DOWN


def test_an_answer_takes_the_boxs_word_back() -> None:
    """A box that forbids two targets and forwards to the third has a way out."""
    world = calm_world()
    world.change("ftth", dead_targets=set(TARGETS[:2]))
    for _ in range(30):
        denied(world, TARGETS[0])
        denied(world, TARGETS[1])
        world.play(1.0)
        assert world.state.uplinks["ftth"].health is not Health.DOWN


# --- coming back ------------------------------------------------------------------------------------------


def flap(world: World, times: int) -> list[float]:
    """Outages of 20 s, each as soon as the uplink is believed again; how long that took each time."""
    took = []
    for _ in range(times):
        world.change("ftth", forwards=False)
        world.play(20)
        world.change("ftth", forwards=True)
        back_at, world.events[:] = world.t, []
        world.play(200)
        took.append(world.when(Code.UPLINK_UP, "ftth") - back_at)
    return took


def test_a_line_that_breaks_its_word_is_believed_later_and_later() -> None:
    """5 s of clean answers the first time, doubled at each relapse, 150 s at most."""
    took = flap(calm_world(), 9)
    assert took[0] == pytest.approx(5.0, abs=0.6)
    assert took[1] == pytest.approx(10.0, abs=0.6)
    assert took[2] == pytest.approx(20.0, abs=0.6)
    assert took[-1] == pytest.approx(150.0, abs=0.6)


def test_ten_calm_minutes_restore_the_trust() -> None:
    """A line that has kept its word for long enough is believed after five seconds again."""
    world = calm_world()
    flap(world, 4)
    world.play(health.RELAPSE_S)
    assert flap(world, 1)[0] == pytest.approx(5.0, abs=0.6)


def test_flapping_every_forty_seconds_does_not_make_the_verdict_flap() -> None:
    """An hour of 20 s down, 20 s up is a handful of verdicts, not ninety."""
    world = calm_world(World(example_site(boxes=())))
    for _ in range(90):
        world.change("ftth", forwards=False)
        world.play(20)
        world.change("ftth", forwards=True)
        world.play(20)
    downs = [code for code in world.codes("ftth") if code is Code.UPLINK_DOWN]
    assert 1 <= len(downs) <= 4


# --- causes wait for what is not known yet --------------------------------------------------------------


def test_a_common_cause_is_not_told_as_the_first_ones_own() -> None:
    """The fibre is found down seconds before the 4G that fell silent with it; only then is a cause named."""
    world = calm_world()
    for name in world.lines:
        world.change(name, forwards=False)
    world.play(60)
    assert Code.LINE_OR_OPERATOR not in world.codes()
    assert world.findings() == {(Code.EVERYTHING_DOWN, "garage")}


def test_a_hung_box_is_never_first_called_a_line_fault() -> None:
    """Until it is known whether the box answers, nothing is said of the cause."""
    for seed in range(12):
        world = calm_world(World(example_site(), seed=seed, start_at=10_000.0 + 0.037 * seed))
        world.change("ftth", hung=True)
        world.play(40)
        assert Code.LINE_OR_OPERATOR not in world.codes("ftth")
        assert Code.BOX_HUNG in world.codes("ftth")


# --- the state --------------------------------------------------------------------------------------------


def test_states_hold_their_fields_and_nothing_else() -> None:
    """A misspelt field would be carried along silently: the quick copy does not check names."""
    world = calm_world()
    world.change("ftth", hung=True)
    world.play(200)
    world.feed(Link("4g", present=False))
    assert set(vars(world.state)) == {field.name for field in fields(State)}
    for uplink in world.state.uplinks.values():
        assert set(vars(uplink)) == {field.name for field in fields(UplinkState)}


def test_a_copy_leaves_the_original_as_it_was() -> None:
    """Nothing is changed in place."""
    spec = UplinkSpec("u", "U", UplinkKind.OTHER, TARGETS)
    before = UplinkState(spec=spec)
    after = evolved(before, health=Health.UP)
    assert (before.health, after.health) == (Health.UNKNOWN, Health.UP)
    with pytest.raises(AttributeError):
        after.health = Health.DOWN  # type: ignore[misc]
