"""When people are reminded of what waits for them: after an hour, after four, then once a day.

What repairs itself, or is being repaired, needs no reminder. While the site is closed none is given either:
it comes when the site opens.
"""

from __future__ import annotations

from dataclasses import replace

from agent.core import account, findings
from agent.core.business import Meaning
from agent.core.codes import Code, Severity
from agent.core.guards import QUIET
from agent.core.instant import DAY_S, Now, age_s
from agent.core.model import OpenIncident
from agent.core.opening import is_open
from agent.core.out import Out
from agent.core.snapshot_types import Phase
from agent.core.state import FindingState, State

AFTER_S = (3600.0, 10_800.0, DAY_S)
"""From what was told last to the first reminder, from that to the second, and to each of the others."""


def after_s(reminders: int) -> float:
    """How long nothing must have been told before the next reminder, seconds."""
    return AFTER_S[min(reminders, len(AFTER_S) - 1)]


def waits_for(state: State, standing: list[FindingState]) -> Code | None:
    """The finding whose advice somebody must follow; None while Vigie itself goes on, or nothing is wrong."""
    if any(finding.code is Code.NEEDS_HUMAN for finding in standing):
        return Code.NEEDS_HUMAN
    if any(finding.code is Code.RESTARTING for finding in state.findings.values()):
        return None
    for box in state.boxes.values():
        planned = box.refusal in QUIET or box.refused_until is not None
        if box.phase is not Phase.POWERED or planned:
            return None
    return standing[0].code if standing else None


def of_incident(
    state: State,
    incident: OpenIncident,
    standing: list[FindingState],
    meaning: Meaning,
    now: Now,
    out: Out,
) -> OpenIncident:
    """Remind of the open incident, if it is time."""
    known = incident.account
    # What Vigie has just tried is told by itself, if that makes it worse.
    tried_s = [age_s(cycle.started, now) for cycle in state.cycles or () if cycle.incident == incident.id]
    silent_s = min([age_s(known.told or incident.opened, now), *tried_s])
    if silent_s < after_s(known.reminders) or meaning.severity is Severity.INFO:
        return incident
    waited_for = waits_for(state, standing)
    if waited_for is None or not is_open(state.site.opening, now):
        return incident
    out.alert(
        Code.INCIDENT_REMINDER,
        incident.subject,
        findings.label_of(state, incident.subject),
        meaning.severity,
        finding=str(incident.code),
        means=str(meaning.means),
        lasted_s=round(age_s(incident.opened, now), 1),
        waits_for=str(waited_for),
        count=known.reminders + 1,
    )
    told = account.told(known, meaning.severity, now)
    return replace(incident, account=replace(told, reminders=known.reminders + 1))
