"""Where each power cycle stands: ordered, cut, booting, and back. A cycle is a visible state, not a wait.

Whether one may be begun is for the ``guards`` to say, which step it is for ``cures``.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core import cures, proofs
from agent.core.codes import Code
from agent.core.guards import QUIET, wanted, why_not
from agent.core.instant import Now, age_s, stamp
from agent.core.model import (
    AGENT,
    Cut,
    Cycle,
    How,
    Outcome,
    PowerReport,
    Reboot,
    Restore,
    Scalar,
)
from agent.core.out import Out
from agent.core.snapshot_types import Phase
from agent.core.state import BOOT_PATIENCE, BoxState, FindingState, State, evolved

ORDER_DEADLINE_S = 15.0
REBOOT_DEADLINE_S = 60.0
"""A device that hangs is waited for, and so is the reading of it that is under way; see ``hardware.at``."""
RESTORE_AGAIN_S = 5.0
CUT_MARGIN_S = 10.0
"""The relay restores by itself this much after the planned end, should the order to restore be lost."""


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
    finding = wanted(state, box.spec)
    if finding is None:
        if box.refusal is None and not box.told:
            return state
        return _with(state, replace(box, refusal=None, refused_until=None, told=()))
    refusal = why_not(state, box, finding, now)
    if refusal is None:
        return begin(state, box, finding, now, out)
    told = box.told
    if refusal.reason not in QUIET and refusal.reason not in told:
        told = (*told, refusal.reason)
        for_s = None if refusal.until is None else round(max(0.0, refusal.until - now.mono))
        out.tell(Code.CYCLE_REFUSED, box.spec.name, box.spec.label, reason=refusal.reason, for_s=for_s)
    changed = replace(box, refusal=refusal.reason, refused_until=refusal.until, told=told)
    return state if changed == box else _with(state, changed)


def begin(
    state: State,
    box: BoxState,
    finding: FindingState,
    now: Now,
    out: Out,
    by: str = AGENT,
    *,
    forced: bool = False,
    how: How | None = None,
) -> State:
    """Order a cycle of a powered box, by default its next step; whoever calls has asked the guards."""
    number = state.issued + 1
    incident = state.incident.id if state.incident is not None else ""
    how = how or cures.next_step(state, box)
    assert how is not None, "the guards let no box through that can do nothing"
    order = f"{state.run}-{number}"
    cycle = Cycle(order, box.spec.name, finding.code, incident, stamp(now), by=by, forced=forced, how=how)
    asked: dict[str, Scalar] = {} if by == AGENT else {"by": by, "force": forced}
    name, label = box.spec.name, box.spec.label
    out.tell(Code.CYCLE_ORDERED, name, label, finding=str(finding.code), how=str(how), **asked)
    if how is How.SOFT:
        out.order(Reboot(box.spec.name, order, cycle))
    else:
        out.order(Cut(box.spec.name, order, cures.off_s(box.spec, how) + CUT_MARGIN_S, cycle))
    ordered = BoxState(
        spec=box.spec,
        phase=Phase.ORDERED,
        since=now.mono,
        until=None,
        deadline=now.mono + (REBOOT_DEADLINE_S if how is How.SOFT else ORDER_DEADLINE_S),
        cycle=cycle,
    )
    cycles = (*(state.cycles or ()), cycle)
    watch = proofs.watch(state, box.spec, order) if how is not How.SOFT else state.watch
    return _with(evolved(state, issued=number, cycles=cycles, watch=watch), ordered)


def _advance(state: State, box: BoxState, now: Now, out: Out) -> State:
    if box.phase is Phase.POWERED or box.cycle is None or box.deadline is None:
        return state
    if box.phase is Phase.CUT and box.restore_at is not None and now.mono >= box.restore_at:
        out.order(Restore(box.spec.name, box.cycle.order))
        return _with(state, replace(box, restore_at=now.mono + RESTORE_AGAIN_S))
    if box.phase is Phase.BOOTING and state.uplinks[box.spec.uplink].health.answers:
        # What came back although its power was never away was not helped by the cut.
        return _finish(state, box, now, out, helped=box.cycle.effect is not False)
    if now.mono < box.deadline:
        return state
    if box.phase is Phase.ORDERED:
        return _unanswered(state, box, now, out)
    return _finish(state, box, now, out, helped=False)


def _unanswered(state: State, box: BoxState, now: Now, out: Out) -> State:
    """The outcome of the order is lost: undo whatever was done, and do not count on anything."""
    assert box.cycle is not None
    if box.cycle.how is How.SOFT:
        # The box may have begun to reboot all the same; nothing was cut that could be given back.
        return _not_rebooted(state, box, now, out, settle_until=now.mono + box.spec.boot_s)
    out.order(Restore(box.spec.name, box.cycle.order))
    return _finish(proofs.forget(state, box.cycle.order), box, now, out, helped=False)


def _finish(state: State, box: BoxState, now: Now, out: Out, *, helped: bool) -> State:
    assert box.cycle is not None
    cycle = replace(box.cycle, helped=helped)
    if helped:
        # After a restart in the middle the cut's own instant is unknown; the order's is a moment earlier.
        took_s = round(age_s(cycle.started, now) if box.cut_at is None else now.mono - box.cut_at, 1)
        out.tell(Code.CYCLE_HELPED, box.spec.name, box.spec.label, took_s=took_s)
    else:
        out.tell(Code.CYCLE_DID_NOT_HELP, box.spec.name, box.spec.label)
    state = proofs.remember(state, cycle, out)
    return _with(state, BoxState(spec=box.spec, since=now.mono))


def _not_rebooted(state: State, box: BoxState, now: Now, out: Out, *, settle_until: float = 0.0) -> State:
    """A reboot by software was refused or not answered: it counts as tried, and the next step is due."""
    assert box.cycle is not None
    name, label = box.spec.name, box.spec.label
    out.tell(Code.CYCLE_REFUSED, name, label, reason="reboot_refused", for_s=None)
    state = proofs.remember(state, replace(box.cycle, helped=False, effect=False), out)
    return _with(state, BoxState(spec=box.spec, since=now.mono, settle_until=settle_until))


def reported(state: State, report: PowerReport, now: Now, out: Out) -> State:
    """Take in the outcome of an order; one that belongs to no running cycle changes nothing."""
    box = state.boxes.get(report.box)
    if box is None or box.cycle is None or box.cycle.order != report.order:
        return state
    spec = box.spec
    if report.outcome is Outcome.RESTORED and box.phase is Phase.CUT:
        out.tell(Code.BOX_RESTORED, spec.name, spec.label, boot_s=spec.boot_s)
        return _with(state, _booting(box, now))
    if box.phase is not Phase.ORDERED:
        return state
    match report.outcome:
        case Outcome.CUT:
            off_s = cures.off_s(spec, box.cycle.how)
            out.tell(Code.BOX_CUT, spec.name, spec.label, off_s=off_s)
            return _with(state, _cut(box, now, off_s))
        case Outcome.REBOOTING:
            out.tell(Code.BOX_REBOOTING, spec.name, spec.label, boot_s=spec.boot_s)
            return _with(state, _booting(box, now))
        case Outcome.REFUSED if box.cycle.how is How.SOFT:
            return _not_rebooted(state, box, now, out)
        case Outcome.REFUSED | Outcome.UNWRITTEN:
            reason = "relay_failed" if report.outcome is Outcome.REFUSED else "budget_unreadable"
            out.tell(Code.CYCLE_REFUSED, spec.name, spec.label, reason=reason, for_s=None)
            # It stays in the budget: an order that failed once is not tried again at once.
            return _with(proofs.forget(state, report.order), BoxState(spec=spec, since=now.mono))
    return state


def _cut(box: BoxState, now: Now, off_s: float) -> BoxState:
    until = now.mono + off_s
    return replace(
        box,
        phase=Phase.CUT,
        since=now.mono,
        cut_at=now.mono,
        until=until,
        restore_at=until,
        deadline=until + CUT_MARGIN_S + ORDER_DEADLINE_S,
    )


def _booting(box: BoxState, now: Now) -> BoxState:
    boot_s = box.spec.boot_s
    return replace(
        box,
        phase=Phase.BOOTING,
        since=now.mono,
        until=now.mono + boot_s,
        restore_at=None,
        deadline=now.mono + boot_s * BOOT_PATIENCE + 10.0,
    )


def deadlines(state: State) -> list[float]:
    """Instants at which a cycle or a refusal is due to change."""
    times: list[float] = []
    for box in state.boxes.values():
        times.extend(t for t in (box.until, box.restore_at, box.deadline, box.refused_until) if t is not None)
    return times
