"""The rules of power held against random sites.

Outages hit several uplinks together; the agent and the machine restart at any point; clocks step; outcomes
are lost; relays, boxes and disks refuse; relays weld and cut another's box. The first uplink has a terminal
and a router, the box of the second can be rebooted by software. With ``-s`` it is told how often each rule
was held against something.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import Phase as Stage
from hypothesis import strategies as st
from world import Line, World, example_site

from agent.core import cures
from agent.core.codes import FINDINGS, Code, Cure
from agent.core.durable import Durable
from agent.core.instant import Now, Stamp, age_s
from agent.core.model import AGENT, Action, Cut, Cycle, How, Observation, Reboot, Restore
from agent.core.people import Verb
from agent.core.site import PowerRules, Site
from agent.core.snapshot_types import Health, Phase
from agent.core.state import State
from agent.core.step import step

RULES = PowerRules(spacing_s=(60.0, 120.0, 600.0), after_power_s=60.0, require_proof=True)
PLAIN = example_site(boxes=("ftth", "fibre2"), rules=RULES, boot_s=30.0, confirm_s=10.0)
ROUTER, SOFT = PLAIN.boxes
ONT = replace(ROUTER, name="box-ont", label="ONT", direct=False)
SITE = replace(PLAIN, boxes=(ONT, ROUTER, replace(SOFT, soft=True)))
LIKELY = {code for code, entry in FINDINGS.items() if entry.cure is Cure.LIKELY} - {Code.BY_HAND}
PERHAPS = {code for code, entry in FINDINGS.items() if entry.cure is Cure.PERHAPS}


CHECKED: Counter[str] = Counter()
"""How often each rule was held against something, and how many steps were looked at."""


def hold(kept: bool, rule: str) -> None:
    CHECKED[rule] += 1
    assert kept, rule


@pytest.fixture(scope="module", autouse=True)
def counted() -> Iterator[None]:
    """What was checked, for whoever wants to see it."""
    yield
    steps = CHECKED.pop("steps", 0)
    lines = [f"{times:9}  not: {rule}" for rule, times in sorted(CHECKED.items())]
    told = f"{steps} steps, {len(CHECKED)} rules, held {sum(CHECKED.values())} times"
    sys.stdout.write("\n".join(["", told, *lines, ""]))


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
        CHECKED["steps"] += 1
        for action in actions:
            match action:
                case Cut():
                    self.check_cut(before, after, action, now)
                case Reboot():
                    self.check_reboot(before, after, action, now)
                case Restore():
                    soft = {c.order for c in after.cycles or () if c.how is How.SOFT}
                    hold(action.order not in soft, "power is ordered back that was never ordered away")
        powered = [box for box in after.boxes.values() if box.phase is Phase.POWERED]
        hold(len(after.boxes) - len(powered) <= 1, "two boxes in a cycle at once")
        for box in after.boxes.values():
            if box.phase is Phase.CUT and box.cycle is not None and not self.stalled:
                off_s = cures.off_s(box.spec, box.cycle.how)
                hold(now.mono - box.since <= off_s + 30.0, "a cut lasts too long")
                assert box.cut_at is not None
                assert box.until is not None
                hold(box.until <= box.cut_at + off_s, "the end of a cut that people see moves away")
                seen = after.watch
                if seen is not None and seen.others and seen.gone_at is None and now.mono - box.cut_at > 2.5:
                    hold(box.until <= now.mono, "another's box is left without power")
        for finding in after.findings.values():
            quiet = finding.code in (Code.WARMING_UP, Code.BUDGET_UNREADABLE)
            hold(after.warm or quiet, "something else than warming up is said just after the start")

    def check_cut(self, before: State, after: State, cut: Cut, now: Now) -> None:
        rules = self.site.power
        box = after.boxes[cut.box].spec
        hold(cut.longest_s <= 120.0, "a relay may stay open for more than two minutes")
        assert before.cycles is not None, "a cut without knowing the budget"
        stamps = [c for c in before.cycles if c.box == cut.box and c.how is not How.SOFT]
        mine = [
            (t, cycle.incident)
            for t, name, cycle in self.cuts
            if name == cut.box and cycle.order not in self.unwritten
        ]
        hold(len(stamps) >= len([1 for t, _ in mine if t.boot == now.boot]), "cycles are forgotten")
        self.cuts.append((now, cut.box, cut.cycle))
        if cut.cycle.forced:
            hold(cut.cycle.by != AGENT, "somebody else than a person forces")
            return
        self.check_want(before, after, cut, now)
        hold(cut.box in before.proven, "a relay is used that nobody has seen to cut the right box")
        before_it = [c for c in before.cycles if c.box == cut.box and c.finding is cut.cycle.finding]
        if cut.cycle.finding in PERHAPS and not any(c.helped for c in before_it):
            known = [c for c in before_it if c.helped is False and c.effect is not False]
            hold(not known, "a faint hope is tried again although it has failed")
        if stamps and stamps[-1].started.boot == now.boot:
            bad = stamps[-1].effect is False or stamps[-1].instead is not None
            since = before.proven[cut.box].mono >= stamps[-1].started.mono
            hold(not bad or since, "a relay seen to cut nothing, or another's box, is used again")
        if stamps and stamps[-1].helped is False and stamps[-1].effect is not False:
            off_s = cures.off_s(box, stamps[-1].how)
            hold(age_s(stamps[-1].started, now) >= off_s + 3 * box.boot_s, "a box is cut in a slow boot")
        used = sum(1 for s in stamps if age_s(s.started, now) < 86_400.0)
        hold(used < rules.per_day, "the budget of the day is exceeded")
        same = [t for t, incident in mine if incident == cut.cycle.incident]
        hold(len(same) < rules.per_incident, "the budget of the incident is exceeded")
        in_boot = [t.mono for t, _ in mine if t.boot == now.boot]
        if in_boot:
            hold(now.mono - max(in_boot) >= rules.spacing_s[0], "two cycles are too close")

    def check_reboot(self, before: State, after: State, reboot: Reboot, now: Now) -> None:
        box = after.boxes[reboot.box].spec
        hold(box.soft, "a box is rebooted by software that cannot be")
        assert before.cycles is not None, "a reboot without knowing the budget"
        if reboot.cycle.forced:
            return
        self.check_want(before, after, reboot, now)
        mine = [c for c in before.cycles if c.box == box.name and c.incident == reboot.cycle.incident]
        # What a person had cut meanwhile, to try out its relay for one, was no step of the agent's.
        hold(all(c.forced for c in mine), "a reboot by software is not the first step of an incident")

    def check_want(self, before: State, after: State, order: Cut | Reboot, now: Now) -> None:
        """What is asked of every step that nobody forces."""
        rules, cycle = self.site.power, order.cycle
        box = after.boxes[order.box].spec
        if cycle.by == AGENT:
            hold(cycle.finding in LIKELY | PERHAPS, "a cycle for a finding that none can cure")
            hold(self.is_its_turn(before, order), "the wrong end of a line is first")
        hold(after.uplinks[box.uplink].health is Health.DOWN, "an uplink that works is cut")
        hold(after.uplinks[box.uplink].clean_since is None, "an uplink that answers again is cut")
        hold(after.hold_until is None or now.mono >= after.hold_until, "a hold is not obeyed")
        hold(now.mono >= rules.after_power_s, "a cut right after the machine got its power")
        hold(now.mono - after.started_at >= box.boot_s, "a cut while the box may still be booting")
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
        hold(works or long_gone, "a cut without a witness")

    def is_its_turn(self, before: State, order: Cut | Reboot) -> bool:
        line = [box.name for box in self.site.boxes if box.uplink == before.boxes[order.box].spec.uplink]
        first = line[-1] if order.cycle.finding in (Code.BOX_HUNG, Code.MODEM_HUNG) else line[0]
        had = {c.box for c in before.cycles or () if c.incident == order.cycle.incident}
        return order.box == first or first in had


NAMES = tuple(u.name for u in SITE.uplinks)
BOXES = ("box-ftth", "box-fibre2", "box-ont", "box-that-is-not")
PROVEN = {box: Stamp(0.0, 1.7e9, True, "boot0") for box in BOXES[:3]}
SWITCHES = ("box-ont", "ftth", "fibre2", "4g")
"""What a relay may really switch."""
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
            "refuse_reboots",
            "terminal",
            "terminal",
            "rewire",
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


BY_HAND_AND_LOST: list[tuple[float, tuple]] = [  # type: ignore[type-arg]
    (133.72634652335242, ("force", frozenset(), -14530)),
    (175.7236085558514, ("heal", {"ftth"}, 0)),
    (116.96435335469297, ("lose_outcomes", frozenset(), 46)),
    (7.0932061268651045, ("prove", frozenset(), 429)),
    (171.99433245445465, ("heal", {"fibre2", "ftth", "4g"}, 0)),
    (8.0, ("rewire", frozenset(), 16289)),
    (1.9, ("prove", frozenset(), -36052)),
    (2.00001, ("lose_outcomes", frozenset(), -698)),
    (2.00001, ("heal", {"4g"}, 0)),
    (14.7151294582306, ("break", {"ftth", "4g"}, 4)),
]
"""A cut that a person asked for, whose outcome is lost: nobody's reason for another restart."""


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
    for name, terminal in again.boxes.terminals.items():
        if machine:
            terminal.hung = terminal.hung and not terminal.cures
        if machine or not terminal.works:
            again.boxes.boot_terminal(name)
    for name, line in lines.items():
        if not line.powered or not line.booted or machine:
            line.hung = line.hung and not line.cures
            line.powered = False
            again.boxes.boot(name)
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
            world.ask(Verb.CYCLE, BOXES[number % len(BOXES)], force=what == "force")
        case "prove":
            world.ask(Verb.PROVE, BOXES[number % len(BOXES)])
        case "refuse_reboots":
            world.refuse_reboots = not world.refuse_reboots
        case "terminal":
            (terminal,) = world.boxes.terminals.values()
            terminal.hung, terminal.cures = not terminal.hung, number % 2 == 0
        case "weld" | "rewire":
            box = BOXES[number % 3]
            own = [box] if box == ONT.name else [world.uplink_of(box)]
            other = [] if what == "weld" else [SWITCHES[number % len(SWITCHES)]]
            world.boxes.wiring[box] = own if world.boxes.wiring[box] != own else other
            world.boxes.switch_mains(present=True)
        case "give_back":
            world.ask(Verb.RESTORE, BOXES[number % len(BOXES)])
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
@example(BY_HAND_AND_LOST, 181)
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
    world.play(200)
    world.change("fibre2", forwards=False)
    world.play(400)
    assert [box for _, box, _ in witness.cuts] == ["box-ftth"]
    assert [box for _, box in world.reboots] == ["box-fibre2"]
