"""Random sites with a router of their own: what is told of switches is true; what carries is never cut."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from world import TARGETS, World, example_site

from agent.core.codes import Code
from agent.core.failover_rules import FailoverRules
from agent.core.instant import Now
from agent.core.model import AGENT, Action, Cut, Observation
from agent.core.path_view import PathState
from agent.core.snapshot_types import Health
from agent.core.state import State

SITE = replace(
    example_site(boxes=("ftth", "fibre2"), boot_s=30.0, confirm_s=10.0),
    failover=FailoverRules(path_targets=TARGETS, expect_s=20.0),
)
NAMES = tuple(uplink.name for uplink in SITE.uplinks)
LINES = ("light", "cable", "operator", "forwards")
HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(("break", "heal", "route", "works", "plug", "stall", "restart", "public")),
        st.sampled_from(NAMES),
        st.sampled_from(LINES),
        st.sampled_from((1.0, 7.0, 40.0, 200.0)),
    ),
    min_size=3,
    max_size=12,
)


@dataclass
class Witness:
    """Looks at every step."""

    cuts: list[str] = field(default_factory=list)
    choices: set[object] = field(default_factory=set)

    def __call__(
        self, before: State, after: State, _seen: Observation, actions: tuple[Action, ...], _now: Now
    ) -> None:
        for action in actions:
            if isinstance(action, Cut) and action.cycle.by == AGENT:
                uplink = after.boxes[action.box].spec.uplink
                path = before.path
                carries = path is not None and path.health is Health.UP and before.carried.active == uplink
                assert not carries or before.carried.silence is not None, (
                    "the box that carries the site is cut"
                )
                self.cuts.append(action.box)
        choice = after.steering.choice
        if choice is not None:
            works = [name for name, one in after.uplinks.items() if one.health.answers]
            wanted = None if choice.wanted is None else after.uplinks[choice.wanted]
            self.choices.add(choice.why)
            assert wanted is not None or not works
        codes = {finding.code for finding in after.findings.values()}
        assert not codes >= {Code.FAILOVER_MISSING, Code.SITE_PATH_DOWN}, "one silence, two causes"


def happen(world: World, what: str, name: str, part: str) -> None:
    match what:
        case "break":
            world.change(name, **{part: False})
        case "heal":
            world.change(name, **dict.fromkeys(LINES, True))
        case "route":
            world.router.active = name
        case "works":
            world.router.works = not world.router.works
        case "plug":
            world.router.plug(plugged=not world.router.plugged)
        case "stall":
            world.schedule.t += 30.0
        case "restart":
            world.stop()
            world.start()
        case "public":
            world.change(name, public=f"81.2.{70 + NAMES.index(name)}.{len(world.events) % 250}")


def check(world: World) -> None:
    """What was told, in its order, is a possible story; and what is shown now is true."""
    active: str | None = None
    for _, event in world.events:
        if event.code is Code.AGENT_STARTED:
            active = None
        if event.code not in (Code.FAILOVER, Code.FAILBACK):
            continue
        left, taken = str(event.args["from"]), str(event.args["to"])
        assert left != taken
        assert active in (None, left), "it leaves an uplink that it was not on"
        assert (event.code is Code.FAILBACK) is (NAMES.index(taken) < NAMES.index(left))
        silent_s = event.args["silent_s"]
        assert isinstance(silent_s, float)
        assert silent_s >= 0.0
        active = taken


MOVED_UNSEEN = [
    ("plug", "fibre2", "forwards", 200.0),
    ("heal", "4g", "cable", 200.0),
    ("break", "ftth", "light", 40.0),
    ("heal", "fibre2", "cable", 1.0),
    ("route", "ftth", "forwards", 7.0),
    ("route", "fibre2", "forwards", 7.0),
    ("works", "4g", "operator", 40.0),
    ("break", "ftth", "light", 1.0),
    ("works", "ftth", "cable", 40.0),
    ("break", "fibre2", "operator", 40.0),
    ("plug", "fibre2", "forwards", 200.0),
    ("break", "4g", "cable", 40.0),
]
"""The site leaves an uplink that looks broken from here, without a silence: its box has only now failed."""


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(HAPPENINGS, st.integers(0, 1000))
@example(MOVED_UNSEEN, 93)
def test_whatever_happens_what_is_told_is_true(story: list[tuple[str, str, str, float]], seed: int) -> None:
    """And once all is well for five minutes, it is known who carries the site, and nothing is found."""
    witness = Witness()
    world = World(SITE, seed=seed, check=witness)
    world.router.switches_after_s = 8.0
    world.play(30)
    for what, name, part, pause_s in story:
        happen(world, what, name, part)
        world.play(pause_s)
    for name in NAMES:
        happen(world, "heal", name, "light")
    world.router.works = True
    world.router.plug(plugged=True)
    world.play(400)
    check(world)
    path = world.picture().site_path
    assert path is not None
    assert (path.state, path.active) == (PathState.WORKS, None if path.spread else world.router.active)
    assert not {code for code, _ in world.findings()} & {Code.FAILOVER_MISSING, Code.SITE_PATH_DOWN}
