"""An incident: from the first finding to the last recovery, one id, told once, ended once."""

from __future__ import annotations

from dataclasses import replace

from agent.core import findings
from agent.core.codes import FINDINGS, Code
from agent.core.instant import Now, age_s, stamp
from agent.core.model import OpenIncident, SaveIncident
from agent.core.out import Out
from agent.core.snapshot_types import Health, LastIncident, Phase
from agent.core.state import FindingState, State, evolved, incident_cycles


def _counting(state: State) -> list[FindingState]:
    return [finding for finding in findings.shown(state) if FINDINGS[finding.code].incident]


def update(state: State, now: Now, out: Out) -> State:
    """Open, continue or close the incident according to the findings that are shown."""
    if not state.warm:
        return state
    standing = _counting(state)
    if state.incident is None:
        return _open(state, standing[0], now, out) if standing else state
    if not standing and not _unsettled(state):
        return _close(state, state.incident, now, out)
    # A human being needed is what to do about the cause, not another cause.
    causes = [finding for finding in standing if finding.code is not Code.NEEDS_HUMAN]
    if causes and (causes[0].code, causes[0].subject) != (state.incident.code, state.incident.subject):
        return _change_cause(state, state.incident, causes[0], out)
    return state


def _unsettled(state: State) -> bool:
    """Nothing is shown now, but it is not over: something is down, being restarted or about to be told.

    An incident that ended too early would give its boxes a new budget.
    """
    return (
        any(box.phase is not Phase.POWERED for box in state.boxes.values())
        or any(uplink.health is Health.DOWN for uplink in state.uplinks.values())
        or any(FINDINGS[finding.code].incident for finding in state.findings.values())
    )


def _open(state: State, first: FindingState, now: Now, out: Out) -> State:
    number = state.issued + 1
    # It began when the trouble began, not when it had lasted long enough to be told.
    earlier_s = now.mono - first.since
    opened = replace(stamp(now), mono=first.since, wall=now.wall - earlier_s)
    incident = OpenIncident(f"{state.run}-{number}", opened, first.code, first.subject)
    # The findings' own events of this very step belong to the incident that they open.
    out.events[:] = [
        replace(event, incident=incident.id) if event.code == first.code else event for event in out.events
    ]
    out.incident = incident.id
    out.tell(Code.INCIDENT_OPENED, first.subject, first.label, finding=str(first.code))
    out.order(SaveIncident(incident))
    return evolved(state, incident=incident, issued=number)


def _change_cause(state: State, incident: OpenIncident, top: FindingState, out: Out) -> State:
    changed = replace(incident, code=top.code, subject=top.subject)
    out.tell(Code.INCIDENT_CAUSE, top.subject, top.label, finding=str(top.code))
    out.order(SaveIncident(changed))
    return evolved(state, incident=changed)


def _close(state: State, incident: OpenIncident, now: Now, out: Out) -> State:
    label, lasted_s = label_of(state, incident.subject), round(age_s(incident.opened, now), 1)
    out.tell(
        Code.INCIDENT_CLOSED,
        incident.subject,
        label,
        finding=str(incident.code),
        lasted_s=lasted_s,
        cycles=incident_cycles(state),
    )
    out.order(SaveIncident(None))
    out.incident = None
    last = LastIncident(incident.code, label, lasted_s, now.mono)
    return evolved(state, incident=None, last_incident=last)


def label_of(state: State, subject: str) -> str:
    """The name for people of an uplink, a box or the site; anything else is its own name."""
    if subject in state.uplinks:
        return state.uplinks[subject].spec.label
    if subject in state.boxes:
        return state.boxes[subject].spec.label
    return state.site.label if subject == state.site.name else subject
