"""An incident: from the first finding to the last recovery, one id, one alert for each of its turns.

Everything that happens meanwhile belongs to it and is no alert of its own. What would call people again and
again is held back:

- another cause must have stood for half a minute before it is told, and twice as long after each one that was
  told, ten minutes at most;
- a severity that falls is told only with the next cause or the end;
- an incident that comes within an hour of another's end is one more in a row. It ends only after it has been
  calm for ten minutes, and twice as long for each one more, an hour at most; whoever was told that it is over
  does not look any more. What comes back meanwhile belongs to it, and its boxes have no new budget. It is the
  rule by which an uplink that broke its word is believed (``health.RELAPSE_S``), for people instead of
  packets: one who fails over by hand takes minutes to do so, and an hour to forget.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from agent.core import account, business, findings, reminders
from agent.core.alerts import Account, Alerting
from agent.core.business import Meaning
from agent.core.codes import FINDINGS, TOLD_AFTER_S, Code, Severity
from agent.core.instant import Now, age_s, stamp
from agent.core.model import OpenIncident, SaveIncident
from agent.core.out import Out
from agent.core.snapshot_types import Health, LastIncident, Phase
from agent.core.state import FindingState, State, evolved

CAUSE_S = 30.0
CAUSE_LONGEST_S = 600.0
IN_A_ROW_S = 3600.0
CALM_S = 600.0
CALM_LONGEST_S = 3600.0

_NO_CAUSES = (Code.NEEDS_HUMAN, Code.FAILOVER_MISSING)
"""That a human is needed, or that the site's router has not switched, is no other cause of the outage."""


class _Cause(NamedTuple):
    """What is to be told as the cause; ``label`` names ``subject`` for people."""

    code: Code
    subject: str
    label: str


def update(state: State, now: Now, out: Out) -> State:
    """Open, continue or close the incident according to the findings that are shown."""
    if not state.warm:
        return state
    standing = [finding for finding in findings.shown(state) if FINDINGS[finding.code].incident]
    if state.incident is None:
        return _open(state, standing[0], now, out) if standing else state
    incident = account.kept(state, state.incident, now, out)
    alerting, incident = _calmed(state, state.alerting, incident, standing, now)
    calm_s = 0.0 if alerting.calm_since is None else now.mono - alerting.calm_since
    if alerting.calm_since is not None and calm_s >= calm_needed_s(incident.account.again):
        return _close(evolved(state, alerting=alerting), incident, calm_s, now, out)
    meaning = business.meaning(state, now)
    top = next((finding for finding in standing if finding.code not in _NO_CAUSES), None)
    known = _Cause(incident.code, incident.subject, findings.label_of(state, incident.subject))
    cause = known if top is None else _Cause(top.code, top.subject, top.label)
    alerting, incident = _with_severity(alerting, incident, cause, meaning, now, out)
    alerting, incident = _with_cause(alerting, incident, cause, meaning, now, out)
    incident = reminders.of_incident(state, incident, standing, meaning, now, out)
    if incident != state.incident:
        out.order(SaveIncident(incident))
    elif alerting == state.alerting:
        return state
    return evolved(state, incident=incident, alerting=alerting)


def calm_needed_s(again: int) -> float:
    """How long the ``again``-th incident in a row must have been calm before it is over, seconds."""
    return 0.0 if again <= 1 else min(CALM_LONGEST_S, CALM_S * 2.0 ** min(again - 2, 10))


def cause_needed_s(told: int) -> float:
    """How long another cause must have stood after so many were told, seconds."""
    return min(CAUSE_LONGEST_S, CAUSE_S * 2.0 ** min(max(told - 1, 0), 10))


def turning_points(state: State) -> list[float]:
    """When something is due if nothing more happens, monotonic seconds."""
    alerting, incident = state.alerting, state.incident
    if incident is None:
        return []
    points: list[float] = []
    if alerting.calm_since is not None:
        points.append(alerting.calm_since + calm_needed_s(incident.account.again))
    if alerting.cause is not None:
        points.append(alerting.cause_since + cause_needed_s(len(incident.account.causes)))
    if alerting.raised_since is not None:
        points.append(alerting.raised_since + TOLD_AFTER_S)
    return points


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
    meaning = business.meaning(state, now)
    ended_at = state.alerting.ended_at
    again = state.alerting.again + 1 if ended_at is not None and now.mono - ended_at < IN_A_ROW_S else 1
    begun = Account(
        severity=meaning.severity,
        worst=meaning.severity,
        causes=(first.code,),
        told=stamp(now),
        again=again,
    )
    name = f"{state.run}-{number}"
    # The findings' own events of this very step belong to the incident that they open.
    out.events[:] = [
        replace(event, incident=name) if event.code == first.code else event for event in out.events
    ]
    out.incident = name
    incident = account.kept(state, OpenIncident(name, opened, first.code, first.subject, begun), now, out)
    out.alert(
        Code.INCIDENT_OPENED,
        first.subject,
        first.label,
        meaning.severity,
        finding=str(first.code),
        means=str(meaning.means),
        again=again if again > 1 else None,
    )
    out.order(SaveIncident(incident))
    alerting = Alerting(told=state.alerting.told, again=again)
    return evolved(state, incident=incident, issued=number, alerting=alerting)


def _calmed(
    state: State, alerting: Alerting, incident: OpenIncident, standing: list[FindingState], now: Now
) -> tuple[Alerting, OpenIncident]:
    """Keep since when nothing is wrong, and count how often something is wrong again after that."""
    if standing:
        if alerting.quiet:
            more = replace(incident.account, returns=incident.account.returns + 1)
            incident = replace(incident, account=more)
        return replace(alerting, calm_since=None, quiet=False), incident
    if _unsettled(state):
        return replace(alerting, calm_since=None), incident
    since = now.mono if alerting.calm_since is None else alerting.calm_since
    return replace(alerting, calm_since=since, quiet=True), incident


def _with_severity(
    alerting: Alerting,
    incident: OpenIncident,
    cause: _Cause,
    meaning: Meaning,
    now: Now,
    out: Out,
) -> tuple[Alerting, OpenIncident]:
    """Tell that it has become worse, once that has lasted as long as any trouble does before it is told."""
    old = incident.account.severity
    if not business.severer(meaning.severity, old):
        return replace(alerting, raised_since=None), incident
    if alerting.raised_since is None:
        return replace(alerting, raised_since=now.mono), incident
    if now.mono - alerting.raised_since < TOLD_AFTER_S:
        return alerting, incident
    return _tell_turn(
        Code.INCIDENT_SEVERITY,
        alerting,
        incident,
        cause,
        meaning,
        now,
        out,
        severity_old=str(old),
        severity_new=str(meaning.severity),
    )


def _with_cause(
    alerting: Alerting,
    incident: OpenIncident,
    cause: _Cause,
    meaning: Meaning,
    now: Now,
    out: Out,
) -> tuple[Alerting, OpenIncident]:
    """Tell another cause, once it has stood long enough."""
    if (cause.code, cause.subject) == (incident.code, incident.subject):
        return replace(alerting, cause=None), incident
    if alerting.cause != (cause.code, cause.subject):
        return replace(alerting, cause=(cause.code, cause.subject), cause_since=now.mono), incident
    if now.mono - alerting.cause_since < cause_needed_s(len(incident.account.causes)):
        return alerting, incident
    return _tell_turn(Code.INCIDENT_CAUSE, alerting, incident, cause, meaning, now, out)


def _tell_turn(
    turn: Code,
    alerting: Alerting,
    incident: OpenIncident,
    cause: _Cause,
    meaning: Meaning,
    now: Now,
    out: Out,
    **more: str,
) -> tuple[Alerting, OpenIncident]:
    """Tell the cause and the severity as they are now, whichever of them has changed."""
    finding, means = str(cause.code), str(meaning.means)
    out.alert(turn, cause.subject, cause.label, meaning.severity, finding=finding, means=means, **more)
    told = account.told(incident.account, meaning.severity, now)
    if (cause.code, cause.subject) != (incident.code, incident.subject):
        told = replace(told, causes=account.with_cause(told.causes, cause.code))
    changed = replace(incident, code=cause.code, subject=cause.subject, account=told)
    return replace(alerting, cause=None, raised_since=None), changed


def _close(state: State, incident: OpenIncident, calm_s: float, now: Now, out: Out) -> State:
    label = findings.label_of(state, incident.subject)
    lasted_s = round(max(0.0, age_s(incident.opened, now) - calm_s), 1)
    out.alert(
        Code.INCIDENT_CLOSED,
        incident.subject,
        label,
        Severity.INFO,
        finding=str(incident.code),
        lasted_s=lasted_s,
        **account.done(state, incident, lasted_s, now),
    )
    out.order(SaveIncident(None))
    out.incident = None
    last = LastIncident(incident.code, label, lasted_s, now.mono - calm_s)
    ended = Alerting(told=state.alerting.told, again=incident.account.again, ended_at=now.mono)
    return evolved(state, incident=None, last_incident=last, alerting=ended)
