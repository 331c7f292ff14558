"""The rules of power held against random sites.

Outages hit several uplinks together; the agent and the machine restart at any point; clocks step; outcomes
are lost; relays and disks refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from world import Line, World, example_site

from agent.core import cures
from agent.core.codes import FINDINGS, Code, Cure
from agent.core.durable import Durable
from agent.core.instant import Now, Stamp, age_s
from agent.core.model import AGENT, Action, Cut, Cycle, Observation
from agent.core.people import Verb
from agent.core.site import PowerRules, Site
from agent.core.snapshot_types import Health, Phase
from agent.core.state import State
from agent.core.step import step

RULES = PowerRules(spacing_s=(60.0, 120.0, 600.0), after_power_s=60.0, require_proof=True)
SITE = example_site(boxes=("ftth", "fibre2"), rules=RULES, boot_s=30.0, confirm_s=10.0)
LIKELY = {code for code, entry in FINDINGS.items() if entry.cure is Cure.LIKELY}
PERHAPS = {code for code, entry in FINDINGS.items() if entry.cure is Cure.PERHAPS}


@dataclass
class Witness:
    """Looks over the core's shoulder and remembers what it ordered, over all restarts."""

    site: Site
    cuts: list[tuple[Now, str, Cycle]] = field(default_factory=list)
    """Instant, box and cycle of each cut that was ordered."""
    unwritten: set[str] = field(default_factory=set)
    """Orders that never became a cut, because the disk refused; a restart may forget them."""
    amnesia: bool = False
    """The memory of cycles is lost, and stays so over restarts (a day, in truth)."""
    stalled: bool = False
    """The process was stopped for a while: only the relay's own timer and systemd can end a cut then."""

    def __call__(
        self, before: State, after: State, _observation: Observation, actions: tuple[Action, ...], now: Now
    ) -> None:
        for action in actions:
            if isinstance(action, Cut):
                self.check_cut(before, after, action, now)
        powered = [box for box in after.boxes.values() if box.phase is Phase.POWERED]
        assert len(after.boxes) - len(powered) <= 1, "two boxes in a cycle at once"
        for box in after.boxes.values():
            if box.phase is Phase.CUT and box.cycle is not None and not self.stalled:
                off_s = cures.off_s(box.spec, box.cycle.how)
                assert now.mono - box.since <= off_s + 30.0, "a cut lasts too long"
        for finding in after.findings.values():
            assert after.warm or finding.code in (
                Code.WARMING_UP,
                Code.BUDGET_UNREADABLE,
            ), "something else than warming up is said just after the start"

    def check_cut(self, before: State, after: State, cut: Cut, now: Now) -> None:
        rules = self.site.power
        box = after.boxes[cut.box].spec
        assert cut.longest_s <= 120.0
        assert before.cycles is not None, "a cut without knowing the budget"
        stamps = [cycle for cycle in before.cycles if cycle.box == cut.box]
        mine = [
            (t, cycle.incident)
            for t, name, cycle in self.cuts
            if name == cut.box and cycle.order not in self.unwritten
        ]
        assert len(stamps) >= len([1 for t, _ in mine if t.boot == now.boot]), "cycles were forgotten"
        self.cuts.append((now, cut.box, cut.cycle))
        if cut.cycle.forced:
            assert cut.cycle.by != AGENT, "nobody but a person forces"
            return
        if cut.cycle.by == AGENT:
            assert cut.cycle.finding in LIKELY | PERHAPS, "a cut for a finding that no cycle can cure"
        assert cut.box in before.proven, "a relay is used that nobody has seen to cut the right box"
        assert after.uplinks[box.uplink].health is Health.DOWN, "an uplink that works is cut"
        assert after.uplinks[box.uplink].clean_since is None, "an uplink that answers again is cut"
        before_it = [c for c in stamps if c.finding is cut.cycle.finding]
        if cut.cycle.finding in PERHAPS and not any(c.helped for c in before_it):
            known = [c for c in before_it if c.helped is False and c.effect is not False]
            assert not known, "a faint hope is tried again although it has failed"
        assert all(c.effect is not False for c in stamps), "a relay seen to have no effect is used again"
        assert after.hold_until is None or now.mono >= after.hold_until, "a hold is not obeyed"
        assert now.mono >= rules.after_power_s, "a cut right after the machine got its power"
        assert now.mono - after.started_at >= box.boot_s, "a cut while the box may still be booting"
        others = [u for name, u in after.uplinks.items() if name != box.uplink]
        works = any(u.health in (Health.UP, Health.DEGRADED) for u in others)
        begun = after.uplinks[box.uplink].broke_at
        long_gone = all(
            u.health is Health.DOWN
            and u.broke_at is not None
            and begun is not None
            and begun - u.broke_at > 30.0
            for u in others
        )
        assert works or long_gone, "a cut without a witness"
        assert sum(1 for s in stamps if age_s(s.started, now) < 86_400.0) < rules.per_day, "daily budget"
        same = [t for t, incident in mine if incident == cut.cycle.incident]
        assert len(same) < rules.per_incident, "budget of the incident"
        in_boot = [t.mono for t, _ in mine if t.boot == now.boot]
        if in_boot:
            assert now.mono - max(in_boot) >= rules.spacing_s[0], "two cycles too close"


NAMES = tuple(u.name for u in SITE.uplinks)
BOXES = ("box-ftth", "box-fibre2", "box-that-is-not")
PROVEN = {box: Stamp(0.0, 1.7e9, True, "boot0") for box in BOXES[:2]}
FAULTS: tuple[dict[str, object], ...] = (
    {"hung": True},
    {"hung": True, "cures": False},
    {"forwards": False},
    {"cable": False},
    {"loss": 0.3},
    {"answers": False},
)
HEALTHY: dict[str, object] = {
    "hung": False,
    "cures": True,
    "forwards": True,
    "cable": True,
    "loss": 0.0,
    "answers": True,
}

break_some = st.tuples(
    st.just("break"), st.sets(st.sampled_from(NAMES), min_size=1), st.sampled_from(range(len(FAULTS)))
)
heal_some = st.tuples(st.just("heal"), st.sets(st.sampled_from(NAMES), min_size=1), st.just(0))
others = st.tuples(
    st.sampled_from(
        [
            "agent_restart",
            "machine_restart",
            "clock_step",
            "lose_outcomes",
            "refuse",
            "disk",
            "hold",
            "stall",
            "amnesia",
            "ask",
            "ask",
            "force",
            "give_back",
            "prove",
            "prove",
            "weld",
        ]
    ),
    st.just(frozenset()),
    st.integers(-100_000, 100_000),
)
happenings = st.lists(
    st.tuples(st.floats(0.5, 200.0), st.one_of(break_some, break_some, heal_some, others)),
    min_size=1,
    max_size=12,
)


def restarted(world: World, witness: Witness, *, machine: bool, forgets: bool = False) -> World:
    """The agent starts again on the same bay; boxes get their power back with it."""
    witness.amnesia = witness.amnesia or forgets
    durable = Durable(
        # A memory that is lost stays lost over restarts until it has aged (see the store).
        cycles=None if witness.amnesia else tuple(world.cycles.values()),
        incident=world.incident,
        answering=NAMES,
        proven={box: at for box, at in world.proven.items() if at is not None},
        hold=world.hold,
    )
    lines = {name: replace(line, dead_targets=set()) for name, line in world.lines.items()}
    again = World(
        world.site,
        start_at=5.0 if machine else world.t,
        durable=durable,
        check=witness,
        wall=world.t + world.wall_offset,
        boot=world.boot + "+" if machine else world.boot,
        run=world.run_name + "+",
        lines=lines,
    )
    again.unwritten = witness.unwritten
    again.boxes.wiring = world.boxes.wiring
    for name, line in lines.items():
        if not line.powered or machine:
            line.hung = line.hung and not line.cures
            line.powered = False
            again.boot_up(name)
    return again


def happen(world: World, witness: Witness, what: str, names: frozenset[str], number: int) -> World:
    match what:
        case "break":
            for name in sorted(names):
                world.change(name, **FAULTS[number])
        case "heal":
            for name in sorted(names):
                world.change(name, **HEALTHY)
        case "agent_restart":
            return restarted(world, witness, machine=False)
        case "machine_restart":
            return restarted(world, witness, machine=True)
        case "amnesia":
            return restarted(world, witness, machine=False, forgets=True)
        case "clock_step":
            world.wall_offset += number
            world.synced = number % 2 == 0
        case "lose_outcomes":
            world.lose_outcomes = not world.lose_outcomes
        case "refuse":
            world.refuse_cuts = not world.refuse_cuts
        case "disk":
            world.unwritable = not world.unwritable
        case "hold":
            world.ask(Verb.HOLD, for_s=abs(number) % 300 + 1.0)
        case "ask" | "force":
            world.ask(Verb.CYCLE, BOXES[number % 3], force=what == "force")
        case "prove":
            world.ask(Verb.PROVE, BOXES[number % 3])
        case "weld":
            box = BOXES[number % 2]
            world.boxes.wiring[box] = [] if world.boxes.wiring[box] else [world.uplink_of(box)]
        case "give_back":
            world.ask(Verb.RESTORE, BOXES[number % 3])
        case "stall":
            world.t += abs(number) % 60
            witness.stalled = True
    return world


# Without shrinking: a story plays minutes of a site, and making it shorter would take the time of the whole
# suite. For a hunt, remove ``phases`` and raise ``max_examples``.
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Stage.explicit, Stage.reuse, Stage.generate],
)
@given(happenings, st.integers(0, 1000))
def test_rules_of_power_hold_whatever_happens(story: list[tuple[float, tuple]], seed: int) -> None:  # type: ignore[type-arg]
    """No random story makes the core break a rule of power (the witness asserts them one by one)."""
    witness = Witness(SITE)
    world = World(SITE, seed=seed, check=witness, durable=Durable(answering=NAMES, proven=PROVEN))
    world.unwritten = witness.unwritten
    world.play(40)
    for pause, (what, names, number) in story:
        world = happen(world, witness, what, frozenset(names), number)
        world.play(pause)
    world.play(100)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_recorded_trace_replays_to_the_same_events(seed: int) -> None:
    """Feeding the recorded observations to a fresh core gives the same events, actions and verdicts."""
    durable = Durable(proven=PROVEN)
    world = World(SITE, seed=seed, durable=durable)
    world.play(40)
    world.change("ftth", hung=True)
    world.change("4g", loss=0.2)
    world.play(60)
    from agent.core.state import initial

    state = initial(SITE, durable, world.first, world.run_name)
    events = []
    for now, observation in world.trace:
        result = step(state, observation, now)
        state = result.state
        events.extend((now.mono, event) for event in result.events)
    assert [(round(t, 6), e) for t, e in world.events] == events
    assert state == world.state


def test_random_stories_do_cut() -> None:
    """The witness has something to look at: a hung box in its site is cut."""
    witness = Witness(SITE)
    durable = Durable(answering=NAMES, proven=PROVEN)
    world = World(SITE, check=witness, durable=durable, lines={n: Line() for n in NAMES})
    world.play(90)
    world.change("ftth", hung=True)
    world.play(60)
    assert [box for _, box, _ in witness.cuts] == ["box-ftth"]
