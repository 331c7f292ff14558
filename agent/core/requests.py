"""What becomes of what a person asks for: done at once, or refused with the reason and when it ends.

A cycle that is asked for obeys the same guards as an automatic one, except that nobody has to wait until
the fault has lasted, and that no finding is needed while the uplink is down. ``force`` is for somebody who
stands beside the box and sees more than we do; what it cannot override is what would endanger a second box
or the memory of what was done.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace

from agent.core.codes import FINDINGS, Code, Scope
from agent.core.guards import Refusal, expected_end, why_not
from agent.core.instant import Now, stamp
from agent.core.model import Hold, How, Restore
from agent.core.out import Out
from agent.core.people import LONGEST_HOLD_S, Answer, OpenHold, Request, Verb
from agent.core.power import begin
from agent.core.saves import SaveHold
from agent.core.snapshot_types import Health, Phase
from agent.core.state import BoxState, FindingState, State, evolved

USUAL_HOLD_S = 3600.0

PATIENCE = frozenset({"not_yet", "maintenance", "other_first"})
"""What a person who asks need not wait for."""
OVERRIDDEN = PATIENCE | {
    "works",
    "last_working",
    "not_known",
    "not_curable",
    "has_not_helped",
    "never_seen",
    "answers_again",
    "relay_no_effect",
    "everything_down",
    "hold",
    "incident_budget",
    "day_budget",
    "spacing",
    "power_returned",
    "boot_loop",
    "warming_up",
    "not_proven",
}
"""What ``force`` overrides."""
NEVER_OVERRIDDEN = frozenset(
    {
        "not_armed",
        "no_relay",
        "no_relay_hardware",
        "relay_failed",
        "relay_wrong_box",
        "budget_unreadable",
        "other_box",
        "in_cycle",
        "must_work",
    }
)
"""What stands however much somebody wishes. A reason of a guard is in one of the two."""
TRIED_ANEW = frozenset({"relay_wrong_box"})
"""What a proof is made to find out: plugs that were swapped are told only by a cut."""


def decide(state: State, request: Request, now: Now, out: Out) -> State:
    """Do what is asked for, or refuse it; exactly one ``Answer`` goes out."""
    match request.verb:
        case Verb.HOLD:
            return _hold(state, request, now, out)
        case Verb.RELEASE:
            out.order(Answer(request.id, ok=True))
            return set_hold(state, Hold(None, request.by), now, out)
    box = state.boxes.get(request.box or "")
    if box is None:
        out.order(Answer(request.id, ok=False, reason="no_box"))
        return state
    if request.verb is Verb.RESTORE:
        return _restore(state, box, request, now, out)
    return _cycle(state, box, request, now, out)


# --- holds -------------------------------------------------------------------------------------------------


def _hold(state: State, request: Request, now: Now, out: Out) -> State:
    for_s = USUAL_HOLD_S if request.for_s is None else request.for_s
    if not 0.0 < for_s <= LONGEST_HOLD_S:
        out.order(Answer(request.id, ok=False, reason="hold_length"))
        return state
    until = now.mono + for_s
    out.order(Answer(request.id, ok=True, until=until))
    return set_hold(state, Hold(until, request.by), now, out)


def set_hold(state: State, hold: Hold, now: Now, out: Out) -> State:
    """Begin, change or end the hold, and tell it."""
    site = state.site
    if hold.until is None:
        if state.hold_until is not None:
            out.tell(Code.HOLD_ENDED, site.name, site.label, by=hold.by)
            out.order(SaveHold(None))
        return evolved(state, hold_until=None)
    out.order(SaveHold(OpenHold(stamp(now), hold.until - now.mono, hold.by)))
    out.tell(Code.HOLD_SET, site.name, site.label, by=hold.by, for_s=round(hold.until - now.mono))
    return evolved(state, hold_until=hold.until)


# --- boxes -------------------------------------------------------------------------------------------------


def _restore(state: State, box: BoxState, request: Request, now: Now, out: Out) -> State:
    """Give the power back before its time. A box that is not cut has what is asked for."""
    out.order(Answer(request.id, ok=True, order=None if box.cycle is None else box.cycle.order))
    if box.phase is Phase.ORDERED and box.cycle is not None and box.cycle.how is not How.SOFT:
        # If the cut is not made yet, it will not be made any more.
        out.order(Restore(box.spec.name, box.cycle.order))
    if box.phase is not Phase.CUT:
        return state
    at_once = replace(box, until=now.mono, restore_at=now.mono)
    return evolved(state, boxes={**state.boxes, box.spec.name: at_once})


def _cycle(state: State, box: BoxState, request: Request, now: Now, out: Out) -> State:
    prove = request.verb is Verb.PROVE
    force = request.force or prove
    finding = _reason_for(state, box, now)
    waived = OVERRIDDEN | TRIED_ANEW if prove else OVERRIDDEN
    refusal = _refusal(state, box, finding, now, waived, force=force)
    if prove and not box.spec.wired:
        refusal = Refusal("no_relay")
    if refusal is None and prove and not state.uplinks[box.spec.uplink].health.answers:
        # Nothing that is gone already can be seen to go.
        refusal = Refusal("must_work")
    if refusal is None:
        how = How.CUT if prove else None
        state = begin(state, box, finding, now, out, request.by, forced=force, how=how)
        if state.watch is not None:
            state = evolved(state, watch=replace(state.watch, asked=prove))
        begun = state.boxes[box.spec.name].cycle
        assert begun is not None
        out.order(Answer(request.id, ok=True, order=begun.order))
        return state
    out.order(Answer(request.id, ok=False, reason=refusal.reason, until=refusal.until))
    out.tell(
        Code.CYCLE_REFUSED,
        box.spec.name,
        box.spec.label,
        reason=refusal.reason,
        for_s=None if refusal.until is None else round(max(0.0, refusal.until - now.mono)),
        by=request.by,
        force=force,
    )
    return state


def _reason_for(state: State, box: BoxState, now: Now) -> FindingState:
    """What the cycle will be remembered as being for: what is wrong with the uplink, if anything."""
    uplink = state.uplinks[box.spec.uplink]
    known = [
        finding
        for finding in state.findings.values()
        if finding.subject == box.spec.uplink and FINDINGS[finding.code].scope is Scope.UPLINK
    ]
    if uplink.health is Health.DOWN and known:
        return min(known, key=lambda finding: FINDINGS[finding.code].rank)
    return FindingState(Code.BY_HAND, box.spec.uplink, uplink.spec.label, now.mono, {})


def _refusal(
    state: State, box: BoxState, finding: FindingState, now: Now, waived: Set[str], *, force: bool
) -> Refusal | None:
    """Why not, if not; what nobody can override comes first, then that there is no need."""
    if box.phase is not Phase.POWERED:
        return Refusal("in_cycle", expected_end(box, now))
    never = why_not(state, box, finding, now, waived=waived)
    if never is not None or force:
        return never
    return _no_need(state, box) or why_not(state, box, finding, now, waived=PATIENCE)


def _no_need(state: State, box: BoxState) -> Refusal | None:
    """Never the uplink in use while it works, never the last working one."""
    health = state.uplinks[box.spec.uplink].health
    if health is Health.DOWN:
        return None
    if not health.works:
        return Refusal("not_known")
    others = (uplink for name, uplink in state.uplinks.items() if name != box.spec.uplink)
    return Refusal("works" if any(uplink.health.works for uplink in others) else "last_working")
