"""Conditions beside incidents that a person must see to: an alert when one begins, an alert when it is over.

One that comes back within an hour of its last alert is not told again unless it then stands. Which were told
is remembered over restarts, so that none is told anew, and each that was told has its end.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core import findings
from agent.core.alerts import SaveAlerts, Told
from agent.core.codes import FINDINGS, STANDING, Code, Severity
from agent.core.instant import Now, age_s, stamp
from agent.core.opening import is_open
from agent.core.out import Out
from agent.core.reminders import after_s
from agent.core.state import NEVER, FindingState, State, evolved

AGAIN_S = 3600.0
GONE_S = 900.0
"""After a start, what was told before and has not come back by then is over: a figure must stand for ten
minutes before it is a finding."""
UNTOLD = frozenset({(Code.PART_FAILED, "mqtt")})
"""No alert about the way that alerts take could arrive while it is news; the dead man's signal tells it."""


def update(state: State, now: Now, out: Out) -> State:
    """Tell what begins and what ends, and remind of what stands."""
    standing = {
        key: finding
        for key, finding in state.findings.items()
        if finding.shown and finding.code in STANDING and key not in UNTOLD
    }
    if not standing and not state.alerting.told:
        return state
    told = {(one.code, one.subject): one for one in state.alerting.told}
    for key, finding in standing.items():
        changed = _standing(state, finding, told.get(key), now, out)
        if changed is not None:
            told[key] = changed
    for key, known in list(told.items()):
        if known.over and age_s(known.last, now) >= AGAIN_S:
            del told[key]
        elif not known.over and key not in standing and _is_over(state, known, now, out):
            told[key] = replace(known, last=stamp(now), over=True)
    kept = tuple(told.values())
    if kept == state.alerting.told:
        return state
    out.order(SaveAlerts(kept))
    return evolved(state, alerting=replace(state.alerting, told=kept))


def _standing(state: State, finding: FindingState, known: Told | None, now: Now, out: Out) -> Told | None:
    """Tell that it stands, or remind of it; what is to be remembered of it then."""
    if known is None or (known.over and age_s(known.last, now) >= AGAIN_S):
        if finding.code is Code.OWN_TROUBLE and state.incident is not None:
            # The trouble that everybody has; it is told if it outlives the incident.
            return None
        _tell_beginning(finding, out)
        return Told(finding.code, finding.subject, stamp(now), stamp(now))
    severity = FINDINGS[finding.code].severity
    if known.over or severity is not Severity.ALERT or not is_open(state.site.opening, now):
        return None
    if age_s(known.last, now) < after_s(known.reminders):
        return None
    out.alert(
        Code.INCIDENT_REMINDER,
        finding.subject,
        finding.label,
        severity,
        finding=str(finding.code),
        lasted_s=round(age_s(known.since, now), 1),
        waits_for=str(finding.code),
        count=known.reminders + 1,
    )
    out.events[-1] = replace(out.events[-1], incident=None)
    return replace(known, last=stamp(now), reminders=known.reminders + 1)


def _tell_beginning(finding: FindingState, out: Out) -> None:
    for place, event in enumerate(out.events):
        if (event.code, event.subject) == (finding.code, finding.subject):
            out.events[place] = replace(event, alert=True)
            return
    # It was told before, when it was no alert yet.
    severity = FINDINGS[finding.code].severity
    out.alert(finding.code, finding.subject, finding.label, severity, **finding.args)


def _is_over(state: State, known: Told, now: Now, out: Out) -> bool:
    """It ends in this step, or has not come back after nobody could know; its end is then told."""
    uplink = state.uplinks.get(known.subject)
    if uplink is not None and not uplink.health.works:
        # What a device says of itself while its uplink works is not over because that went down.
        return False
    for place, event in enumerate(out.events):
        closed = event.code is Code.FINDING_CLOSED and event.args.get("finding") == str(known.code)
        if closed and event.subject == known.subject:
            out.events[place] = replace(event, alert=True)
            return True
    since = state.started_at if uplink is None else max(state.started_at, uplink.recovered_at or NEVER)
    if now.mono - since < GONE_S:
        return False
    lasted_s = round(age_s(known.since, now), 1)
    label = findings.label_of(state, known.subject)
    out.alert(
        Code.FINDING_CLOSED, known.subject, label, Severity.INFO, finding=str(known.code), lasted_s=lasted_s
    )
    return True
