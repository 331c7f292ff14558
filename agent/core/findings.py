"""Findings come and go: each is shown once it has lasted, and its end is told only if it had been shown."""

from __future__ import annotations

from dataclasses import replace

from agent.core import evidence, service_findings
from agent.core.codes import FINDINGS, Code, Scope
from agent.core.diagnosis import Holds
from agent.core.out import Out
from agent.core.snapshot_types import Health
from agent.core.state import FindingKey, FindingState, State, evolved

_OWN_TIME = (Code.DEGRADED, Code.SITE_PATH_DOWN)
"""Faults that begin by themselves, whatever else stands at the time."""


def update(state: State, holds: Holds, now_at: float, out: Out) -> State:
    """Bring the state's findings in line with what holds now, telling what opened and what closed."""
    findings = dict(state.findings)
    since = _began(state, holds, now_at)
    for key in [key for key in findings if key not in holds]:
        gone = findings.pop(key)
        if gone.shown and gone.code not in (Code.WARMING_UP, Code.RESTARTING):
            lasted = round(now_at - gone.since, 1)
            out.tell(Code.FINDING_CLOSED, gone.subject, gone.label, finding=str(gone.code), lasted_s=lasted)
    for key, (label, args) in holds.items():
        code, subject = key
        old = findings.get(key)
        if old is None:
            old = FindingState(code, subject, label, since.get(key, now_at), args)
        elif old.args != args:
            old = replace(old, args=args)
        if not old.shown and now_at - old.since >= FINDINGS[code].shown_after_s:
            old = replace(old, shown=True, evidence=evidence.of(state, code, subject, now_at))
            if code not in (Code.WARMING_UP, Code.RESTARTING):
                rests_on = {"evidence": "; ".join(old.evidence)} if old.evidence else {}
                out.tell(code, subject, label, **args, **rests_on)
        findings[key] = old
    return state if findings == state.findings else evolved(state, findings=findings)


def _began(state: State, holds: Holds, now_at: float) -> dict[FindingKey, float]:
    """Since when each new fault stands: since the uplink broke, or since what it is a better name for.

    Knowing better what the matter is does not make it begin anew, and nothing may look well in between.
    """
    gone = [
        finding
        for key, finding in state.findings.items()
        if FINDINGS[finding.code].incident and key not in holds and finding.code not in _OWN_TIME
    ]
    began: dict[FindingKey, float] = {}
    for code, subject in holds:
        if (code, subject) in state.findings or not FINDINGS[code].incident or code in _OWN_TIME:
            continue
        if FINDINGS[code].scope is Scope.SERVICE:
            began[code, subject] = service_findings.failing_since(state, subject, now_at)
            continue
        common = FINDINGS[code].scope is Scope.SITE
        since = [
            finding.since
            for finding in gone
            if common or finding.subject == subject or FINDINGS[finding.code].scope is Scope.SITE
        ]
        uplinks = [u for name, u in state.uplinks.items() if common or name == subject]
        since += [u.broke_at for u in uplinks if u.health is Health.DOWN and u.broke_at is not None]
        began[code, subject] = min([now_at, *since])
    return began


def shown(state: State) -> list[FindingState]:
    """The findings that people see, most important first."""
    visible = [finding for finding in state.findings.values() if finding.shown]
    return sorted(visible, key=lambda finding: (FINDINGS[finding.code].rank, finding.since, finding.subject))


def next_change_s(state: State, now_at: float) -> float | None:
    """Seconds until the next finding is due to be shown, None if none waits."""
    waits = [
        FINDINGS[finding.code].shown_after_s - (now_at - finding.since)
        for finding in state.findings.values()
        if not finding.shown
    ]
    return min(waits, default=None)


def label_of(state: State, subject: str) -> str:
    """The name for people of an uplink, a box, a service or the site; anything else is its own name."""
    if subject in state.uplinks:
        return state.uplinks[subject].spec.label
    if subject in state.boxes:
        return state.boxes[subject].spec.label
    if subject in state.services:
        return state.services[subject].spec.label
    return state.site.label if subject == state.site.name else subject
