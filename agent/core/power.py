"""When a box may be power-cycled, and where each cycle stands.

Two rules. A cycle is a visible state, not a wait: ordered, cut, booting, and back. And a cycle that is
wanted but not done is an answer too, with its reason and the instant it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.core import diagnosis
from agent.core.codes import FINDINGS, Code
from agent.core.instant import Now, age_s, stamp
from agent.core.model import Cut, Cycle, Outcome, PowerReport, Restore, SaveCycle
from agent.core.out import Out
from agent.core.site import BoxSpec
from agent.core.snapshot_types import Health, Phase
from agent.core.state import BOOT_PATIENCE, BoxState, FindingState, State, evolved

DAY_S = 86400.0
BOOT_LOOP_STARTS = 3
BOOT_LOOP_CALM_S = 600.0
"""After so many quick starts in a row, automatic power waits for ten calm minutes."""
ORDER_DEADLINE_S = 15.0
RESTORE_AGAIN_S = 5.0
CUT_MARGIN_S = 10.0
"""The relay restores by itself this much after the planned end, should the order to restore be lost."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a cycle is not done now; ``until`` is when the reason ends, None if nobody can say."""

    reason: str
    until: float | None = None


def cycles_today(state: State, box: str, now: Now) -> int:
    """How many cycles of the box lie within the last 24 hours, counted cautiously (``age_s``)."""
    return sum(1 for cycle in state.cycles or () if cycle.box == box and age_s(cycle.started, now) < DAY_S)


def unarmed_why(state: State, now: Now) -> str | None:
    """Why no box can be cut at all now, a key of the texts' refusal table; None while armed."""
    if not state.site.power.armed:
        return "not_armed"
    wired = [box for box in state.boxes.values() if box.spec.wired]
    if not wired:
        return "no_relay"
    parts = [state.parts.get(f"relay:{box.spec.name}") for box in wired]
    if all(part is not None and not part.ok for part in parts):
        failed = any(part is not None and part.code is Code.RELAY_FAILED for part in parts)
        return "relay_failed" if failed else "no_relay_hardware"
    if state.cycles is None:
        return "budget_unreadable"
    if state.hold_until is not None and now.mono < state.hold_until:
        return "hold"
    return None


def _wanted(state: State, box: BoxSpec) -> FindingState | None:
    """The finding that asks for a cycle of this box. Findings are of the last pass, the verdict is of now."""
    if state.uplinks[box.uplink].health is not Health.DOWN:
        return None
    for finding in state.findings.values():
        if finding.subject == box.uplink and finding.shown and FINDINGS[finding.code].cycle_helps:
            return finding
    return None


# --- guards: each answers why not, or nothing -----------------------------------------------------------

Guard = Callable[[State, BoxState, FindingState, Now], Refusal | None]


def _equipment(state: State, box: BoxState, _finding: FindingState, _now: Now) -> Refusal | None:
    if not box.spec.wired:
        return Refusal("no_relay")
    if not state.site.power.armed:
        return Refusal("not_armed")
    part = state.parts.get(f"relay:{box.spec.name}")
    if part is not None and not part.ok:
        return Refusal("relay_failed" if part.code is Code.RELAY_FAILED else "no_relay_hardware")
    return None


def _memory(state: State, _box: BoxState, _finding: FindingState, _now: Now) -> Refusal | None:
    return Refusal("budget_unreadable") if state.cycles is None else None


def _person(state: State, _box: BoxState, _finding: FindingState, now: Now) -> Refusal | None:
    if state.hold_until is not None and now.mono < state.hold_until:
        return Refusal("hold", state.hold_until)
    return None


def _calm(state: State, box: BoxState, _finding: FindingState, now: Now) -> Refusal | None:
    boot_loop_end = state.started_at + BOOT_LOOP_CALM_S
    if state.quick_restarts >= BOOT_LOOP_STARTS and now.mono < boot_loop_end:
        return Refusal("boot_loop", boot_loop_end)
    after_power_s = state.site.power.after_power_s
    if now.mono < after_power_s:
        # The machine's own clock starts with its power, and bay and boxes got theirs at the same time.
        return Refusal("power_returned", after_power_s)
    if state.power_back_at is not None and now.mono < state.power_back_at + after_power_s:
        return Refusal("power_returned", state.power_back_at + after_power_s)
    if now.mono < box.settle_until:
        return Refusal("warming_up", box.settle_until)
    return None


def _expected_end(box: BoxState, now: Now) -> float:
    """When a cycle under way is expected to be over, monotonic seconds."""
    if box.phase is Phase.BOOTING:
        return max(now.mono, box.until if box.until is not None else now.mono)
    off_s = box.spec.off_s if box.phase is Phase.ORDERED else max(0.0, (box.until or now.mono) - now.mono)
    return now.mono + off_s + box.spec.boot_s


def _one_at_a_time(state: State, box: BoxState, _finding: FindingState, now: Now) -> Refusal | None:
    for other in state.boxes.values():
        if other.spec.name != box.spec.name and other.phase is not Phase.POWERED:
            return Refusal("other_box", _expected_end(other, now))
    return None


def _witness(state: State, box: BoxState, _finding: FindingState, _now: Now) -> Refusal | None:
    """Somebody must be able to say that the rest of the world is well, or the trouble may be our own."""
    mine = state.uplinks[box.spec.uplink]
    others = [uplink for name, uplink in state.uplinks.items() if name != box.spec.uplink]
    if not others or any(uplink.health in (Health.UP, Health.DEGRADED) for uplink in others):
        return None
    mine_at = mine.broke_at if mine.broke_at is not None else mine.since
    long_gone = all(
        uplink.health is Health.DOWN
        and uplink.broke_at is not None
        and mine_at - uplink.broke_at > diagnosis.TOGETHER_S
        for uplink in others
    )
    return None if long_gone else Refusal("everything_down")


def _patience(_state: State, box: BoxState, finding: FindingState, now: Now) -> Refusal | None:
    ready = finding.since + box.spec.confirm_s
    return Refusal("not_yet", ready) if now.mono < ready else None


def _budget(state: State, box: BoxState, _finding: FindingState, now: Now) -> Refusal | None:
    rules = state.site.power
    name = box.spec.name
    mine = [cycle for cycle in state.cycles or () if cycle.box == name]
    if not mine:
        return None
    incident = state.incident.id if state.incident is not None else None
    in_incident = sum(1 for cycle in mine if cycle.incident == incident)
    if in_incident >= rules.per_incident:
        return Refusal("incident_budget")
    recent = [age_s(cycle.started, now) for cycle in mine if age_s(cycle.started, now) < DAY_S]
    if len(recent) >= rules.per_day:
        # The oldest of those that count must leave the day.
        return Refusal("day_budget", now.mono + DAY_S - sorted(recent)[rules.per_day - 1])
    if not recent:
        return None
    gap = rules.spacing_s[min(len(recent), len(rules.spacing_s)) - 1]
    wait = gap - min(recent)
    return Refusal("spacing", now.mono + wait) if wait > 0 else None


GUARDS: tuple[Guard, ...] = (
    _equipment,
    _memory,
    _person,
    _calm,
    _one_at_a_time,
    _witness,
    _patience,
    _budget,
)
"""In the order in which they are worth telling. All must be silent before a cut."""

QUIET = ("not_yet",)
"""Reasons that are part of the normal course: shown with their countdown, not told as events."""


# --- the cycle ---------------------------------------------------------------------------------------------


def update(state: State, now: Now, out: Out) -> State:
    """Advance every cycle, and order a new one where one is wanted and nothing speaks against it."""
    for name in state.boxes:
        state = _advance(state, state.boxes[name], now, out)
    for name in state.boxes:
        state = _consider(state, state.boxes[name], now, out)
    return state


def _with(state: State, box: BoxState) -> State:
    return evolved(state, boxes={**state.boxes, box.spec.name: box})


def _consider(state: State, box: BoxState, now: Now, out: Out) -> State:
    if box.phase is not Phase.POWERED:
        return state
    finding = _wanted(state, box.spec)
    if finding is None:
        if box.refusal is None and not box.told:
            return state
        return _with(state, replace(box, refusal=None, refused_until=None, told=()))
    refusal = next(filter(None, (guard(state, box, finding, now) for guard in GUARDS)), None)
    if refusal is None:
        return _order(state, box, finding, now, out)
    told = box.told
    if refusal.reason not in QUIET and refusal.reason not in told:
        told = (*told, refusal.reason)
        for_s = None if refusal.until is None else round(max(0.0, refusal.until - now.mono))
        out.tell(Code.CYCLE_REFUSED, box.spec.name, box.spec.label, reason=refusal.reason, for_s=for_s)
    changed = replace(box, refusal=refusal.reason, refused_until=refusal.until, told=told)
    return state if changed == box else _with(state, changed)


def _order(state: State, box: BoxState, finding: FindingState, now: Now, out: Out) -> State:
    number = state.issued + 1
    incident = state.incident.id if state.incident is not None else ""
    cycle = Cycle(f"{state.run}-{number}", box.spec.name, finding.code, incident, stamp(now))
    out.tell(Code.CYCLE_ORDERED, box.spec.name, box.spec.label, finding=str(finding.code))
    out.order(Cut(box.spec.name, cycle.order, box.spec.off_s + CUT_MARGIN_S, cycle))
    ordered = BoxState(
        spec=box.spec,
        phase=Phase.ORDERED,
        since=now.mono,
        until=None,
        deadline=now.mono + ORDER_DEADLINE_S,
        cycle=cycle,
    )
    cycles = (*(state.cycles or ()), cycle)
    state = evolved(state, issued=number, cycles=cycles)
    return _with(state, ordered)


def _advance(state: State, box: BoxState, now: Now, out: Out) -> State:
    if box.phase is Phase.POWERED or box.cycle is None or box.deadline is None:
        return state
    if box.phase is Phase.CUT and box.until is not None and now.mono >= box.until:
        out.order(Restore(box.spec.name, box.cycle.order))
        return _with(state, replace(box, until=now.mono + RESTORE_AGAIN_S))
    if box.phase is Phase.BOOTING and state.uplinks[box.spec.uplink].health in (Health.UP, Health.DEGRADED):
        return _finish(state, box, now, out, helped=True)
    if now.mono < box.deadline:
        return state
    if box.phase is Phase.ORDERED:
        # The outcome is lost: undo whatever was done, and do not count on anything.
        out.order(Restore(box.spec.name, box.cycle.order))
    return _finish(state, box, now, out, helped=False)


def _finish(state: State, box: BoxState, now: Now, out: Out, *, helped: bool) -> State:
    assert box.cycle is not None
    cycle = replace(box.cycle, helped=helped)
    if helped:
        # After a restart in the middle the cut's own instant is unknown; the order's is a moment earlier.
        took_s = round(age_s(cycle.started, now) if box.cut_at is None else now.mono - box.cut_at, 1)
        out.tell(Code.CYCLE_HELPED, box.spec.name, box.spec.label, took_s=took_s)
    else:
        out.tell(Code.CYCLE_DID_NOT_HELP, box.spec.name, box.spec.label)
    out.order(SaveCycle(cycle))
    cycles = tuple(cycle if old.order == cycle.order else old for old in state.cycles or ())
    return _with(evolved(state, cycles=cycles), BoxState(spec=box.spec, since=now.mono))


def reported(state: State, report: PowerReport, now: Now, out: Out) -> State:
    """Take in the outcome of an order; one that belongs to no running cycle changes nothing."""
    box = state.boxes.get(report.box)
    if box is None or box.cycle is None or box.cycle.order != report.order:
        return state
    if report.outcome is Outcome.CUT and box.phase is Phase.ORDERED:
        out.tell(Code.BOX_CUT, box.spec.name, box.spec.label, off_s=box.spec.off_s)
        until = now.mono + box.spec.off_s
        deadline = until + CUT_MARGIN_S + ORDER_DEADLINE_S
        return _with(
            state,
            replace(box, phase=Phase.CUT, since=now.mono, cut_at=now.mono, until=until, deadline=deadline),
        )
    if report.outcome is Outcome.RESTORED and box.phase is Phase.CUT:
        out.tell(Code.BOX_RESTORED, box.spec.name, box.spec.label, boot_s=box.spec.boot_s)
        boot_s = box.spec.boot_s
        return _with(
            state,
            replace(
                box,
                phase=Phase.BOOTING,
                since=now.mono,
                until=now.mono + boot_s,
                deadline=now.mono + boot_s * BOOT_PATIENCE + 10.0,
            ),
        )
    if report.outcome in (Outcome.REFUSED, Outcome.UNWRITTEN) and box.phase is Phase.ORDERED:
        reason = "relay_failed" if report.outcome is Outcome.REFUSED else "budget_unreadable"
        out.tell(Code.CYCLE_REFUSED, box.spec.name, box.spec.label, reason=reason, for_s=None)
        # It stays in the budget: an order that failed once is not tried again at once.
        return _with(state, BoxState(spec=box.spec, since=now.mono))
    return state


def deadlines(state: State) -> list[float]:
    """Instants at which a cycle or a refusal is due to change."""
    times: list[float] = []
    for box in state.boxes.values():
        times.extend(t for t in (box.until, box.deadline, box.refused_until) if t is not None)
    return times
