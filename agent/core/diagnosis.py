"""From evidence to findings: what is the matter, with root causes hiding their consequences.

Each uplink that is down gets at most one finding of its own. A cause that explains several uplinks at once
replaces theirs; a box being restarted explains its uplink; just after the start nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.core import (
    cures,
    health,
    pacing,
    service_findings,
    shortcomings,
    site_faults,
    standby,
    window,
)
from agent.core.causes import broke_since, cause, settling
from agent.core.codes import FINDINGS, Code, Cure, Scope
from agent.core.instant import Now
from agent.core.model import Cycle, How, Scalar
from agent.core.snapshot_types import Health, Phase
from agent.core.state import BoxState, FindingKey, State, UplinkState, incident_cycles

TOGETHER_S = 30.0
"""Outages that begin within this time of each other are taken as one cause."""
ENDING_S = 2.0
"""Uplinks that come back from one cause are believed again within this time of each other."""
OTHER_BOOT_S = 60.0
"""Boot time assumed for a box that is not configured."""
OPERATOR_TOGETHER_S = 120.0
"""Two lines of one operator that fail within this time fail for one reason."""
BEYOND = (Code.LINE_OR_OPERATOR, Code.OPERATOR_OUTAGE, Code.LINE_DOWN)
"""Faults that lie beyond the box."""
BAD_TARGET_FAILURES = 10
BAD_TARGET_S = 10.0

Holds = dict[FindingKey, tuple[str, Mapping[str, Scalar]]]
"""What holds now: (code, subject) to (label, args)."""


def boxes_on(state: State, uplink: str) -> list[BoxState]:
    """The boxes on an uplink, the one nearest to the line first."""
    return [box for box in state.boxes.values() if box.spec.uplink == uplink]


def in_cycle(state: State, uplink: str) -> bool:
    """True while a box of the uplink is being restarted."""
    return any(box.phase is not Phase.POWERED for box in boxes_on(state, uplink))


def together(state: State, now_at: float) -> Code | None:
    """The common cause when all of several uplinks went down at about the same time, else None."""
    uplinks = list(state.uplinks.values())
    if len(uplinks) < 2 or any(uplink.health is not Health.DOWN for uplink in uplinks):
        return None
    begins = [broke_since(uplink) for uplink in uplinks]
    if max(begins) - min(begins) > TOGETHER_S:
        return None
    links = [uplink.link for uplink in uplinks]
    if all(link is not None and link.unplugged for link in links):
        return Code.BAY_DARK
    dark = (Code.BAY_DARK, state.site.name) in state.findings
    if dark and any(settling(uplink, now_at) for uplink in uplinks):
        return Code.BAY_DARK
    return Code.EVERYTHING_DOWN


def _ending(state: State, now_at: float) -> Code | None:
    """A common cause that stood, while the last of its uplinks are about to be believed again.

    They come back together, but the echoes that show it are not sent at the same instant.
    """
    down = [uplink for uplink in state.uplinks.values() if uplink.health is Health.DOWN]
    returning = down and all(
        uplink.clean_since is not None
        and uplink.clean_since + health.clean_needed_s(uplink) - now_at <= ENDING_S
        for uplink in down
    )
    common = (Code.BAY_DARK, Code.EVERYTHING_DOWN)
    standing = (code for code in common if (code, state.site.name) in state.findings)
    return next(standing, None) if returning else None


def holds_now(state: State, now: Now) -> Holds:
    """Every finding that holds at this instant, consequences left out."""
    found: Holds = {}
    now_at = now.mono
    if not state.warm:
        found[Code.WARMING_UP, state.site.name] = (state.site.label, {})
        found.update(_parts(state))
        return found
    found.update(_boxes(state))
    common = together(state, now_at) or _ending(state, now_at)
    if common is not None and not any(in_cycle(state, name) for name in state.uplinks):
        found[common, state.site.name] = (state.site.label, {})
    else:
        found.update(_uplinks(state, now_at))
        found.update(_still_starting(state, found, now))
    found.update(_targets(state, now_at))
    found.update(_parts(state))
    found.update(pacing.findings(state))
    found.update(service_findings.findings(state, now))
    found.update(site_faults.findings(state, now_at))
    found.update(standby.findings(state, now_at))
    return found


def _uplinks(state: State, now_at: float) -> Holds:
    found: Holds = {}
    for name, uplink in state.uplinks.items():
        label = uplink.spec.label
        boxes = boxes_on(state, name)
        cycle = next((box.cycle for box in boxes if box.cycle is not None), None)
        if cycle is not None:
            # What the cycle is for stays the finding until the uplink works or the cycle has failed.
            found[cycle.finding, name] = (label, {})
        elif uplink.health is Health.DOWN:
            code = cause(uplink, max((box.spec.boot_s for box in boxes), default=OTHER_BOOT_S), now_at)
            if code is None or uplink.clean_since is not None or _company(state, uplink):
                found.update(_standing(state, name))
            elif code in BEYOND and (others := same_operator(state, uplink)):
                args = {"operator": uplink.spec.operator, "others": ", ".join(others)}
                found[Code.OPERATOR_OUTAGE, name] = (label, args)
            else:
                found[code, name] = (label, _args(code, uplink))
        elif uplink.health.works:
            found.update(shortcomings.of(uplink, now_at))
        elif uplink.health is Health.UNKNOWN and (why := health.own_trouble(uplink, now_at)) is not None:
            found[Code.OWN_TROUBLE, name] = (label, {"why": why})
    return found


def _args(code: Code, uplink: UplinkState) -> dict[str, Scalar]:
    """What the words of a finding need."""
    says = uplink.says
    if code is Code.SIM_TROUBLE and says is not None:
        return {"sim": says.sim, "registration": says.registration}
    if code is Code.OPERATOR_OUTAGE:
        return {"operator": uplink.spec.operator, "others": None}
    if code is Code.DATA_REFUSED:
        return shortcomings.month(uplink)
    if code in (Code.LINE_DOWN, Code.ACCOUNT_STOPPED, Code.DEVICE_BUSY) and says is not None:
        return {"cause": says.cause}
    return {}


def same_operator(state: State, uplink: UplinkState) -> list[str]:
    """The other uplinks of the same operator, if all of them broke down at about the same time."""
    operator = uplink.spec.operator
    if not operator:
        return []
    others = [
        other
        for other in state.uplinks.values()
        if other is not uplink and (other.spec.operator or "").casefold() == operator.casefold()
    ]
    together = all(
        other.health is Health.DOWN and abs(broke_since(other) - broke_since(uplink)) <= OPERATOR_TOGETHER_S
        for other in others
    )
    return [other.spec.label for other in others] if together else []


def _company(state: State, uplink: UplinkState) -> bool:
    """Others that fell silent together with this one are still in doubt: the cause may be a common one."""
    return any(
        other.health is Health.SUSPECT
        and other.broke_at is not None
        and uplink.broke_at is not None
        and abs(other.broke_at - uplink.broke_at) <= TOGETHER_S
        for other in state.uplinks.values()
    )


def _standing(state: State, uplink: str) -> Holds:
    """What is said of an uplink whose cause cannot be told now: the same as before, if anything."""
    return {
        key: (finding.label, finding.args)
        for key, finding in state.findings.items()
        if finding.subject == uplink and FINDINGS[finding.code].scope is Scope.UPLINK
    }


def _boxes(state: State) -> Holds:
    found: Holds = {}
    for name, box in state.boxes.items():
        label = box.spec.label
        if box.phase is not Phase.POWERED:
            found[Code.RESTARTING, name] = (label, {})
        elif _is_spent(state, box):
            found[Code.NEEDS_HUMAN, name] = (label, {"cycles": incident_cycles(state)})
        last = last_cut(state, name)
        if last is not None and last.instead is not None:
            uplink = state.uplinks.get(last.instead)
            instead = last.instead if uplink is None else uplink.spec.label
            found[Code.RELAY_WRONG_BOX, name] = (label, {"instead": instead})
        elif last is not None and last.effect is False:
            found[Code.RELAY_NO_EFFECT, name] = (label, {})
    return found


def _still_starting(state: State, found: Holds, now: Now) -> Holds:
    """Boxes that look hung after a restart that has not helped in time, and may only be slow."""
    return {
        (Code.RESTARTING, name): (box.spec.label, {})
        for name, box in state.boxes.items()
        if (Code.BOX_HUNG, box.spec.uplink) in found
        and (Code.NEEDS_HUMAN, name) not in found
        and cures.starting_s(state, box.spec, now) > 0.0
    }


def _is_spent(state: State, box: BoxState) -> bool:
    """Nothing more will be tried by itself, although power is likely to help: somebody must come."""
    if box.refusal in ("incident_budget", "day_budget"):
        return True
    return box.refusal == "has_not_helped" and any(
        finding.subject == box.spec.uplink and FINDINGS[finding.code].cure is Cure.LIKELY
        for finding in state.findings.values()
    )


def last_cut(state: State, box: str) -> Cycle | None:
    """The newest cycle in which this box's relay was to cut; None without one, or if it is proven since.

    A relay that was put right is as good as new, whatever it did before.
    """
    cuts = [cycle for cycle in state.cycles or () if cycle.box == box and cycle.how is not How.SOFT]
    if not cuts:
        return None
    proof, cut = state.proven.get(box), cuts[-1]
    if proof is None:
        return cut
    same_boot = proof.boot == cut.started.boot
    since = proof.mono >= cut.started.mono if same_boot else proof.wall > cut.started.wall
    return None if since else cut


def _targets(state: State, now_at: float) -> Holds:
    """Targets that fail through every working uplink while other targets answer there."""
    working = [uplink for uplink in state.uplinks.values() if uplink.health.works]
    names: Iterator[str] = iter({target: None for uplink in working for target in uplink.targets})
    return {
        (Code.TARGET_PROBLEM, name): (name, {"target": name})
        for name in names
        if all(_fails_alone(uplink, name, now_at) for uplink in working if name in uplink.targets)
    }


def _fails_alone(uplink: UplinkState, target: str, now_at: float) -> bool:
    pulse = uplink.targets[target]
    # An uplink with a data budget is asked seldom, and one more failure takes half a minute.
    failures = BAD_TARGET_FAILURES if uplink.purse is None else window.LONELY_FAILURES
    return (
        uplink.internet.lost_since is None
        and pulse.failing_since is not None
        and pulse.failed >= failures
        and now_at - pulse.failing_since >= BAD_TARGET_S
    )


def _parts(state: State) -> Holds:
    found: Holds = {}
    for name, part in state.parts.items():
        if not part.ok:
            found[part.code, name] = (name, {"part": name, "detail": part.detail})
    if state.cycles is None:
        args = {"part": "budget", "detail": "memory of cycles lost"}
        found.setdefault((Code.BUDGET_UNREADABLE, "budget"), ("budget", args))
    return found
