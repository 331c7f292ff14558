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
    SaveCycle,
    Scalar,
)
from agent.core.out import Out
from agent.core.snapshot_types import Phase
from agent.core.state import BOOT_PATIENCE, BoxState, FindingState, State, UplinkState, evolved

ORDER_DEADLINE_S = 15.0
RESTORE_AGAIN_S = 5.0
SURELY_S = 2.0
"""A box loses its carrier within this time of its power; by then it is known whose power it was."""
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
    link = state.uplinks[box.spec.uplink].link
    ordered = BoxState(
        spec=box.spec,
        phase=Phase.ORDERED,
        since=now.mono,
        until=None,
        deadline=now.mono + ORDER_DEADLINE_S,
        cycle=cycle,
        had_carrier=box.spec.direct and link is not None and link.plugged,
    )
    cycles = (*(state.cycles or ()), cycle)
    watch = proofs.watch(state, box.spec, order) if how is not How.SOFT else state.watch
    return _with(evolved(state, issued=number, cycles=cycles, watch=watch), ordered)


def _advance(state: State, box: BoxState, now: Now, out: Out) -> State:
    if box.phase is Phase.POWERED or box.cycle is None or box.deadline is None:
        return state
    if box.phase is Phase.CUT:
        state = _verify(state, box, now, out)
        box = state.boxes[box.spec.name]
    if box.phase is Phase.CUT and box.until is not None and now.mono >= box.until:
        assert box.cycle is not None
        out.order(Restore(box.spec.name, box.cycle.order))
        return _with(state, replace(box, until=now.mono + RESTORE_AGAIN_S))
    assert box.deadline is not None
    assert box.cycle is not None
    if box.phase is Phase.BOOTING and state.uplinks[box.spec.uplink].health.answers:
        return _finish(state, box, now, out, helped=not proofs.refuted(state, box.cycle.order))
    if now.mono < box.deadline:
        return state
    if box.phase is Phase.ORDERED:
        # The outcome is lost: undo whatever was done, and do not count on anything.
        out.order(Restore(box.spec.name, box.cycle.order))
    return _finish(state, box, now, out, helped=False)


def _verify(state: State, box: BoxState, now: Now, out: Out) -> State:
    """Watch the carrier during a cut: the box's own must go, and nobody else's."""
    assert box.cycle is not None
    if not box.had_carrier or box.dropped:
        return state
    if _without_carrier(state.uplinks[box.spec.uplink]):
        return _note(_with(state, replace(box, dropped=True)), box, out, effect=True)
    assert box.cut_at is not None
    instead = next(
        (
            name
            for name, uplink in state.uplinks.items()
            if name != box.spec.uplink
            and _without_carrier(uplink)
            and uplink.link_bad_since is not None
            and uplink.link_bad_since >= box.cut_at
        ),
        None,
    )
    if instead is not None and box.cycle.instead is None and now.mono - box.cut_at >= SURELY_S:
        # The wrong box has lost its power: give it back at once.
        state = _with(state, replace(box, until=now.mono))
        return _note(state, state.boxes[box.spec.name], out, effect=False, instead=instead)
    return state


def _without_carrier(uplink: UplinkState) -> bool:
    return uplink.link is not None and uplink.link.unplugged


def _note(state: State, box: BoxState, out: Out, *, effect: bool, instead: str | None = None) -> State:
    """Remember what a cut was seen to do."""
    box = state.boxes[box.spec.name]
    assert box.cycle is not None
    return _remember(state, box, replace(box.cycle, effect=effect, instead=instead), out)


def _remember(state: State, box: BoxState, cycle: Cycle, out: Out) -> State:
    out.order(SaveCycle(cycle))
    cycles = tuple(cycle if old.order == cycle.order else old for old in state.cycles or ())
    return _with(evolved(state, cycles=cycles), replace(box, cycle=cycle))


def _finish(state: State, box: BoxState, now: Now, out: Out, *, helped: bool) -> State:
    assert box.cycle is not None
    cycle = replace(box.cycle, helped=helped)
    if helped:
        # After a restart in the middle the cut's own instant is unknown; the order's is a moment earlier.
        took_s = round(age_s(cycle.started, now) if box.cut_at is None else now.mono - box.cut_at, 1)
        out.tell(Code.CYCLE_HELPED, box.spec.name, box.spec.label, took_s=took_s)
    else:
        out.tell(Code.CYCLE_DID_NOT_HELP, box.spec.name, box.spec.label)
    state = _remember(state, box, cycle, out)
    return _with(state, BoxState(spec=box.spec, since=now.mono))


def reported(state: State, report: PowerReport, now: Now, out: Out) -> State:
    """Take in the outcome of an order; one that belongs to no running cycle changes nothing."""
    box = state.boxes.get(report.box)
    if box is None or box.cycle is None or box.cycle.order != report.order:
        return state
    spec = box.spec
    if report.outcome is Outcome.CUT and box.phase is Phase.ORDERED:
        off_s = cures.off_s(spec, box.cycle.how)
        out.tell(Code.BOX_CUT, spec.name, spec.label, off_s=off_s)
        until = now.mono + off_s
        deadline = until + CUT_MARGIN_S + ORDER_DEADLINE_S
        cut = replace(box, phase=Phase.CUT, since=now.mono, cut_at=now.mono, until=until, deadline=deadline)
        return _with(state, cut)
    if report.outcome is Outcome.REBOOTING and box.phase is Phase.ORDERED:
        out.tell(Code.BOX_REBOOTING, spec.name, spec.label, boot_s=spec.boot_s)
        return _with(state, _booting(box, now))
    if report.outcome is Outcome.RESTORED and box.phase is Phase.CUT:
        out.tell(Code.BOX_RESTORED, spec.name, spec.label, boot_s=spec.boot_s)
        if box.had_carrier and not box.dropped and box.cycle.effect is None:
            state = _note(state, box, out, effect=False)
        return _with(state, _booting(state.boxes[spec.name], now))
    if report.outcome in (Outcome.REFUSED, Outcome.UNWRITTEN) and box.phase is Phase.ORDERED:
        reason = "relay_failed" if report.outcome is Outcome.REFUSED else "budget_unreadable"
        out.tell(Code.CYCLE_REFUSED, spec.name, spec.label, reason=reason, for_s=None)
        # It stays in the budget: an order that failed once is not tried again at once.
        return _with(state, BoxState(spec=spec, since=now.mono))
    return state


def _booting(box: BoxState, now: Now) -> BoxState:
    boot_s = box.spec.boot_s
    return replace(
        box,
        phase=Phase.BOOTING,
        since=now.mono,
        until=now.mono + boot_s,
        deadline=now.mono + boot_s * BOOT_PATIENCE + 10.0,
    )


def deadlines(state: State) -> list[float]:
    """Instants at which a cycle or a refusal is due to change."""
    times: list[float] = []
    for box in state.boxes.values():
        times.extend(t for t in (box.until, box.deadline, box.refused_until) if t is not None)
    return times
