"""Alerts held against random sites: faults of all kinds, restarts of the agent, a clock that is not known.

Whoever gets the alerts alone must be able to tell which incidents are open and how bad they are, and must not
be called for anything else, nor too often.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from world import TARGETS, World, example_site

from agent.core import business
from agent.core.codes import STANDING, TURNS, Code, Severity
from agent.core.instant import Now
from agent.core.model import Action, Event, Observation, Part
from agent.core.opening import Hours
from agent.core.site import PowerRules
from agent.core.snapshot_types import Health
from agent.core.state import State

HOUR_S = 3600.0
MONDAY = 1_768_172_400.0
RULES = PowerRules(spacing_s=(60.0, 120.0, 600.0), after_power_s=60.0)
PLAIN = example_site(boxes=("ftth", "fibre2"), rules=RULES, boot_s=30.0, confirm_s=10.0)
SITE = replace(
    PLAIN,
    uplinks=tuple(replace(uplink, targets=TARGETS[:2], interval_s=2.0) for uplink in PLAIN.uplinks),
    opening=(Hours((0, 1, 2, 3, 4), 8 * HOUR_S, 12 * HOUR_S),),
)
NAMES = tuple(uplink.name for uplink in SITE.uplinks)
BY_HOUR = 16
"""Each minute of an hour some turn of an incident could be due; that is how many may be told."""
LATE_S = 80.0
"""A pass is made at least once a minute; a severity must have stood for eight seconds."""


@dataclass
class Desk:
    """Remote IT: sees every event, and remembers what the alerts alone have said."""

    open: str | None = None
    severity: Severity = Severity.INFO
    opened: Counter[str] = field(default_factory=Counter)
    closed: Counter[str] = field(default_factory=Counter)
    standing: set[tuple[object, str]] = field(default_factory=set)
    dark_since: float | None = None
    called_at: list[float] = field(default_factory=list)

    def hear(self, t: float, event: Event) -> None:
        if not event.alert:
            assert event.code not in TURNS, "a turn of an incident is told to nobody"
            return
        self.called_at.append(t)
        if event.code in TURNS and not (event.code is Code.INCIDENT_REMINDER and event.incident is None):
            self.hear_turn(event)
        elif event.code is not Code.INCIDENT_REMINDER:
            self.hear_standing(event)

    def hear_turn(self, event: Event) -> None:
        assert event.incident is not None
        if event.code is Code.INCIDENT_OPENED:
            assert self.open is None, "an incident opens in another one"
            self.open = event.incident
            self.opened[event.incident] += 1
        assert event.incident == self.open, "a turn of an incident that is not open"
        if event.code is Code.INCIDENT_SEVERITY:
            assert business.severer(event.severity, self.severity), "it does not become worse"
        self.severity = event.severity
        if event.code is Code.INCIDENT_CLOSED:
            assert event.severity is Severity.INFO
            assert event.args["offline_s"] <= event.args["lasted_s"]  # type: ignore[operator]
            self.open = None
            self.closed[event.incident] += 1

    def hear_standing(self, event: Event) -> None:
        code = event.args["finding"] if event.code is Code.FINDING_CLOSED else event.code
        assert code in STANDING, "a consequence is an alert"
        key = (str(code), event.subject)
        if event.code is Code.FINDING_CLOSED:
            assert key in self.standing, "the end of what was never told"
            self.standing.remove(key)
        else:
            assert key not in self.standing, "told again"
            self.standing.add(key)

    def look(
        self, before: State, after: State, _observation: Observation, _actions: tuple[Action, ...], now: Now
    ) -> None:
        """What the rule of severity demands by its own words, whatever the core makes of it."""
        if before.incident is not None and before.incident.id == self.open:
            assert before.incident.account.severity is self.severity, "another severity than was told"
        local_s = (now.wall + now.zone_s - MONDAY - HOUR_S) % (7 * 86_400.0)
        day, of_day_s = divmod(local_s, 86_400.0)
        in_hours = day < 5 and 7.5 * HOUR_S <= of_day_s < 12 * HOUR_S
        dark = all(uplink.health is Health.DOWN for uplink in after.uplinks.values())
        urgent = dark and (in_hours or not now.synced) and after.warm and after.incident is not None
        if not urgent:
            self.dark_since = None
        elif self.dark_since is None:
            self.dark_since = now.mono
        elif now.mono - self.dark_since > LATE_S:
            assert after.incident is not None
            assert after.incident.account.severity is Severity.ALERT, "nothing works, and nobody is called"


FAULTS: tuple[dict[str, object], ...] = (
    {"hung": True},
    {"hung": True, "cures": False},
    {"forwards": False},
    {"operator": False},
    {"cable": False},
    {"portal": True},
    {"loss": 0.3},
)
HEALTHY: dict[str, object] = {
    "hung": False,
    "cures": True,
    "forwards": True,
    "operator": True,
    "cable": True,
    "portal": False,
    "loss": 0.0,
}
PARTS = (
    Part("screen", ok=False),
    Part("mqtt", ok=False),
    Part("relay:ftth", ok=False, code=Code.RELAY_FAILED),
)
some = st.sets(st.sampled_from(NAMES), min_size=1)
happenings = st.lists(
    st.tuples(
        st.sampled_from([5.0, 20.0, 45.0, 100.0, 200.0, 600.0]),
        st.one_of(
            st.tuples(st.just("break"), some, st.sampled_from(range(len(FAULTS)))),
            st.tuples(st.just("flap"), some, st.integers(10, 90)),
            st.tuples(st.just("heal"), some, st.just(0)),
            st.tuples(st.sampled_from(["restart", "clock", "part", "mend"]), some, st.integers(0, 2)),
        ),
    ),
    min_size=1,
    max_size=10,
)


def happen(world: World, what: str, names: set[str], number: int) -> None:
    match what:
        case "break":
            for name in sorted(names):
                world.change(name, **FAULTS[number])
        case "flap":
            for _ in range(8):
                for works in (False, True):
                    for name in sorted(names):
                        world.change(name, forwards=works)
                    world.play(number)
        case "heal":
            for name in sorted(names):
                world.change(name, **HEALTHY)
        case "restart":
            world.stop(kill=number == 0)
            world.play(10.0 * number + 1.0)
            world.start()
        case "clock":
            world.synced = not world.synced
        case "part" | "mend":
            world.feed(replace(PARTS[number], ok=what == "mend"))


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Stage.explicit, Stage.reuse, Stage.generate],
)
@given(happenings, st.integers(0, 1000), st.sampled_from([3.0, 7.4, 10.0, 11.9]))
def test_alerts_alone_tell_the_whole_story(
    story: list[tuple[float, tuple[str, set[str], int]]], seed: int, hour: float
) -> None:
    """Each incident has one beginning and one end, and the severity that it deserves; nobody is flooded."""
    desk = Desk()
    wall = MONDAY + hour * HOUR_S
    world = World(SITE, seed=seed, wall=wall, zone_s=HOUR_S, check=desk.look, record=False)
    world.on_event = lambda event: desk.hear(world.t, event)
    world.play(60)
    for pause, (what, names, number) in story:
        happen(world, what, names, number)
        world.play(pause)
    for name in NAMES:
        world.change(name, **HEALTHY)
    for part in PARTS:
        world.feed(replace(part, ok=True))
    world.play(1.3 * HOUR_S)
    assert desk.open is None, "everything works for an hour, and the incident is not over"
    assert desk.opened == desk.closed
    assert set(desk.opened.values()) <= {1}
    assert desk.standing == set()
    for at in desk.called_at:
        assert sum(at <= other < at + HOUR_S for other in desk.called_at) <= BY_HOUR
