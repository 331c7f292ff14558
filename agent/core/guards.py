"""The guards: each answers why a cycle is not done now, or nothing. All must be silent before a cut.

A cycle that is wanted but not done is an answer too, with its reason and the instant it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

from agent.core import cures, diagnosis, health, proofs, site_path
from agent.core.causes import broke_since
from agent.core.codes import FINDINGS, Code, Cure
from agent.core.instant import Now, age_s
from agent.core.model import How
from agent.core.site import BoxSpec
from agent.core.snapshot_types import Health, Phase
from agent.core.state import NEVER, BoxState, FindingState, State

DAY_S = 86400.0
BOOT_LOOP_STARTS = 3
BOOT_LOOP_CALM_S = 600.0
"""After so many quick starts in a row, automatic power waits for ten calm minutes."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a cycle is not done now; ``until`` is when the reason ends, None if nobody can say."""

    reason: str
    until: float | None = None


def cycles_today(state: State, box: str, now: Now) -> int:
    """How many cuts of the box lie within the last 24 hours, counted cautiously (``age_s``)."""
    return sum(
        1
        for cycle in state.cycles or ()
        if cycle.box == box and cycle.how is not How.SOFT and age_s(cycle.started, now) < DAY_S
    )


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
    if all(proofs.lacking(state, box.spec.name) for box in wired):
        return "not_proven"
    if state.cycles is None:
        return "budget_unreadable"
    if state.hold_until is not None and now.mono < state.hold_until:
        return "hold"
    return None


def wanted(state: State, box: BoxSpec) -> FindingState | None:
    """The finding that asks for a cycle of this box. Findings are of the last pass, the verdict is of now."""
    if state.uplinks[box.uplink].health is not Health.DOWN:
        return None
    for finding in state.findings.values():
        # That a person had it restarted is no fault that asks for another restart.
        curable = FINDINGS[finding.code].cure is not Cure.NEVER and finding.code is not Code.BY_HAND
        if finding.subject == box.uplink and finding.shown and curable:
            return finding
    return None


Guard = Callable[[State, BoxState, FindingState, Now], Refusal | None]


def _equipment(state: State, box: BoxState, _finding: FindingState, _now: Now) -> Refusal | None:
    if not state.site.power.armed:
        return Refusal("not_armed")
    if cures.next_step(state, box) is How.SOFT:
        return None
    if not box.spec.wired:
        return Refusal("no_relay")
    part = state.parts.get(f"relay:{box.spec.name}")
    if part is not None and not part.ok:
        return Refusal("relay_failed" if part.code is Code.RELAY_FAILED else "no_relay_hardware")
    last = diagnosis.last_cut(state, box.spec.name)
    if last is not None and (last.effect is False or last.instead is not None):
        return Refusal("relay_no_effect" if last.instead is None else "relay_wrong_box")
    return None


def _proven(state: State, box: BoxState, _finding: FindingState, _now: Now) -> Refusal | None:
    if cures.next_step(state, box) is How.SOFT:
        return None
    return Refusal("not_proven") if proofs.lacking(state, box.spec.name) else None


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


def expected_end(box: BoxState, now: Now) -> float:
    """When a cycle under way is expected to be over, monotonic seconds."""
    if box.phase is Phase.BOOTING:
        return max(now.mono, box.until if box.until is not None else now.mono)
    off_s = box.spec.off_s if box.phase is Phase.ORDERED else max(0.0, (box.until or now.mono) - now.mono)
    return now.mono + off_s + box.spec.boot_s


def _one_at_a_time(state: State, box: BoxState, _finding: FindingState, now: Now) -> Refusal | None:
    for other in state.boxes.values():
        if other.spec.name != box.spec.name and other.phase is not Phase.POWERED:
            return Refusal("other_box", expected_end(other, now))
    return None


def _witness(state: State, box: BoxState, _finding: FindingState, _now: Now) -> Refusal | None:
    """Somebody must be able to say that the rest of the world is well, or the trouble may be our own."""
    mine = state.uplinks[box.spec.uplink]
    others = [uplink for name, uplink in state.uplinks.items() if name != box.spec.uplink]
    if not others or any(uplink.health.answers for uplink in others):
        return None
    mine_at = broke_since(mine)
    long_gone = all(
        uplink.health is Health.DOWN
        and uplink.broke_at is not None
        and mine_at - uplink.broke_at > diagnosis.TOGETHER_S
        for uplink in others
    )
    return None if long_gone else Refusal("everything_down")


def _answers(state: State, box: BoxState, _finding: FindingState, _now: Now) -> Refusal | None:
    """An uplink that answers again and is only not yet believed must be left alone."""
    uplink = state.uplinks[box.spec.uplink]
    if site_path.carries(state, box.spec.uplink):
        # What is broken is this machine's own cable to it.
        return Refusal("works")
    if uplink.clean_since is None:
        return None
    return Refusal("answers_again", uplink.clean_since + health.clean_needed_s(uplink))


def _worth(state: State, box: BoxState, finding: FindingState, _now: Now) -> Refusal | None:
    """What has not helped before is not tried again and again; what the box says forbids what is useless."""
    uplink = state.uplinks[box.spec.uplink]
    if uplink.internet.alive_at is None and not uplink.box_answers:
        # Neither the box nor anything behind it has ever answered: nothing says that this ever worked.
        return Refusal("never_seen")
    says = uplink.says
    if says is not None and says.heard and says.cut_helps is False:
        return Refusal("not_curable")
    if FINDINGS[finding.code].cure is Cure.NEVER:
        return Refusal("not_curable")
    if FINDINGS[finding.code].cure is Cure.PERHAPS and cures.cuts_in_incident(state, box.spec.name):
        # It has just had no power, for whatever reason.
        return Refusal("has_not_helped")
    if cures.chance(state, box.spec.name, finding.code) <= cures.LEAST_CHANCE:
        return Refusal("has_not_helped")
    return None


def _turn(state: State, box: BoxState, finding: FindingState, _now: Now) -> Refusal | None:
    """Of several boxes on an uplink one after the other; which is first depends on what is silent."""
    chain = [other for other in diagnosis.boxes_on(state, box.spec.uplink) if _can_be_cycled(other.spec)]
    if finding.code in (Code.BOX_HUNG, Code.MODEM_HUNG):
        chain.reverse()
    for other in chain:
        if other.spec.name == box.spec.name:
            return None
        if not cures.in_incident(state, other.spec.name):
            return Refusal("other_first")
    return None


def _can_be_cycled(box: BoxSpec) -> bool:
    return box.wired or box.soft


def _patience(state: State, box: BoxState, finding: FindingState, now: Now) -> Refusal | None:
    wait_s = cures.wait_s(state, box.spec, finding.code)
    window_end = cures.maintenance_until(state.site.power, now)
    # Of a line that comes and goes, only the present silence counts; and of an outage that all shared, only
    # the time since another uplink has come back: this one may be about to follow. An uplink that was seen to
    # carry the site has failed only since it does not.
    since = max(
        finding.since,
        state.uplinks[box.spec.uplink].internet.lost_since or finding.since,
        _witnessed_since(state, box.spec.uplink),
        site_path.carried_until(state, box.spec.uplink),
    )
    reason, ready = "not_yet", since + wait_s
    if window_end is not None and now.mono >= ready:
        # At night operators work on their lines and boxes take new software; nobody is there to miss it.
        reason = "maintenance"
        ready = min(window_end, since + max(wait_s, state.site.power.maintenance_confirm_s))
    return Refusal(reason, ready) if now.mono < ready else None


def _witnessed_since(state: State, uplink: str) -> float:
    """Since when another uplink has worked, as far as it had been down before."""
    others = [other for name, other in state.uplinks.items() if name != uplink and other.health.works]
    return min((other.recovered_at or NEVER for other in others), default=NEVER)


def _budget(state: State, box: BoxState, _finding: FindingState, now: Now) -> Refusal | None:
    rules = state.site.power
    name = box.spec.name
    mine = [cycle for cycle in state.cycles or () if cycle.box == name]
    if not mine:
        return None
    step = cures.next_step(state, box)
    if step is not How.SOFT and len(cures.cuts_in_incident(state, name)) >= rules.per_incident:
        return Refusal("incident_budget")
    # A reboot by software is a smaller step than a cut, so the cut after it need not wait as long.
    same = [cycle for cycle in mine if (cycle.how is How.SOFT) is (step is How.SOFT)]
    recent = [age_s(cycle.started, now) for cycle in same if age_s(cycle.started, now) < DAY_S]
    if len(recent) >= rules.per_day:
        # The oldest of those that count must leave the day.
        return Refusal("day_budget", now.mono + DAY_S - sorted(recent)[rules.per_day - 1])
    if not recent:
        return None
    gap = rules.spacing_s[min(len(recent), len(rules.spacing_s)) - 1]
    wait = max(gap - min(recent), cures.starting_s(state, box.spec, now))
    return Refusal("spacing", now.mono + wait) if wait > 0 else None


GUARDS: tuple[Guard, ...] = (
    _equipment,
    _proven,
    _memory,
    _person,
    _calm,
    _one_at_a_time,
    _witness,
    _answers,
    _worth,
    _turn,
    _patience,
    _budget,
)
"""In the order in which they are worth telling. All must be silent before a cut."""

QUIET = ("not_yet", "answers_again", "other_first")
"""Reasons that are part of the normal course: shown with their countdown, not told as events."""


def why_not(
    state: State, box: BoxState, finding: FindingState, now: Now, *, waived: Container[str] = ()
) -> Refusal | None:
    """The first refusal whose reason is not ``waived``; None if the box may be cycled now."""
    refusals = (guard(state, box, finding, now) for guard in GUARDS)
    return next((r for r in refusals if r is not None and r.reason not in waived), None)
