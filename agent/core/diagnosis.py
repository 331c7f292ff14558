"""From evidence to findings: what is the matter, with root causes hiding their consequences.

Each uplink that is down gets at most one finding of its own. A cause that explains several uplinks at once
replaces theirs; a box being restarted explains its uplink; just after the start nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.core import health, quality
from agent.core.codes import FINDINGS, Code, Scope
from agent.core.model import Scalar
from agent.core.snapshot_types import Health, Phase
from agent.core.state import BoxState, FindingKey, State, UplinkState, incident_cycles

TOGETHER_S = 30.0
"""Outages that begin within this time of each other are taken as one cause."""
BOX_SILENT_S = 3.0
BOX_SILENT_LOSSES = 3
OTHER_BOOT_S = 60.0
"""Boot time assumed for a box that is not configured."""
BAD_TARGET_FAILURES = 10
BAD_TARGET_S = 10.0

Holds = dict[FindingKey, tuple[str, Mapping[str, Scalar]]]
"""What holds now: (code, subject) to (label, args)."""


def box_of(state: State, uplink: str) -> BoxState | None:
    """The box on an uplink, None if it has none."""
    return next((box for box in state.boxes.values() if box.spec.uplink == uplink), None)


def in_cycle(state: State, uplink: str) -> bool:
    """True while the uplink's box is being restarted."""
    box = box_of(state, uplink)
    return box is not None and box.phase is not Phase.POWERED


def box_silent(uplink: UplinkState, now_at: float) -> bool:
    """True if the box itself has stopped answering on the LAN although its link has carrier.

    A box that never answered pings may simply not do so, and its silence then says nothing.
    """
    if not uplink.box_answers:
        return False
    link = uplink.link
    if link is not None and (link.address is None or link.gateway is None):
        return True
    pulse = uplink.box
    if pulse.lost_since is None:
        return False
    return pulse.lost >= BOX_SILENT_LOSSES and now_at - pulse.lost_since >= BOX_SILENT_S


def cause(uplink: UplinkState, boot_s: float, now_at: float) -> Code | None:
    """Why an uplink that is down is down, judged from its own evidence alone.

    Args:
        uplink: its evidence.
        boot_s: how long a box that gets its power (or its cable) back may be silent without being hung.
        now_at: monotonic seconds.

    Returns:
        The finding; None while it is not yet known whether the box answers.
    """
    link = uplink.link
    if link is not None and (not link.present or link.carrier is False):
        return Code.CABLE_OR_POWER
    starting = uplink.carrier_at is not None and now_at - uplink.carrier_at < boot_s
    if starting and box_silent(uplink, now_at):
        return Code.CABLE_OR_POWER
    if box_silent(uplink, now_at):
        return Code.BOX_HUNG
    return None if _box_in_doubt(uplink) else Code.LINE_OR_OPERATOR


def _box_in_doubt(uplink: UplinkState) -> bool:
    """The box usually answers, and has not (yet) done so since the internet fell silent."""
    since = uplink.internet.lost_since
    unasked = since is not None and uplink.box.alive_sent < since and not uplink.denied
    return uplink.box_answers and (uplink.box.lost_since is not None or unasked)


def together(state: State) -> Code | None:
    """The common cause when all of several uplinks went down at about the same time, else None."""
    uplinks = list(state.uplinks.values())
    if len(uplinks) < 2 or any(uplink.health is not Health.DOWN for uplink in uplinks):
        return None
    begins = [uplink.broke_at if uplink.broke_at is not None else uplink.since for uplink in uplinks]
    if max(begins) - min(begins) > TOGETHER_S:
        return None
    links = [uplink.link for uplink in uplinks]
    if all(link is not None and (not link.present or link.carrier is False) for link in links):
        return Code.BAY_DARK
    return Code.EVERYTHING_DOWN


def holds_now(state: State, now_at: float) -> Holds:
    """Every finding that holds at this instant, consequences left out."""
    found: Holds = {}
    if not state.warm:
        found[Code.WARMING_UP, state.site.name] = (state.site.label, {})
        found.update(_parts(state))
        return found
    found.update(_boxes(state))
    common = together(state)
    if common is not None and not any(in_cycle(state, name) for name in state.uplinks):
        found[common, state.site.name] = (state.site.label, {})
    else:
        found.update(_uplinks(state, now_at))
    found.update(_targets(state, now_at))
    found.update(_parts(state))
    return found


def _uplinks(state: State, now_at: float) -> Holds:
    found: Holds = {}
    for name, uplink in state.uplinks.items():
        box = box_of(state, name)
        if box is not None and box.cycle is not None:
            # What the cycle is for stays the finding until the uplink works or the cycle has failed.
            found[box.cycle.finding, name] = (uplink.spec.label, {})
            continue
        if uplink.health is Health.DOWN:
            boot_s = box.spec.boot_s if box is not None else OTHER_BOOT_S
            code = cause(uplink, boot_s, now_at)
            if code is None or uplink.clean_since is not None or _company(state, uplink):
                found.update(_standing(state, name))
            else:
                found[code, name] = (uplink.spec.label, {})
        elif health.settled(uplink) is Health.DEGRADED:
            found[Code.DEGRADED, name] = (uplink.spec.label, quality.told(uplink))
        elif uplink.health is Health.UNKNOWN and uplink.unsent_since is not None:
            found[Code.OWN_TROUBLE, name] = (uplink.spec.label, {"why": uplink.unsent_why})
    return found


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
        if box.phase is not Phase.POWERED:
            found[Code.RESTARTING, name] = (box.spec.label, {})
        elif box.refusal in ("incident_budget", "day_budget"):
            found[Code.NEEDS_HUMAN, name] = (box.spec.label, {"cycles": incident_cycles(state)})
    return found


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
    return (
        uplink.internet.lost_since is None
        and pulse.failing_since is not None
        and pulse.failed >= BAD_TARGET_FAILURES
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
