"""Findings come and go: each is shown once it has lasted, and its end is told only if it had been shown."""

from __future__ import annotations

from dataclasses import replace

from agent.core.codes import FINDINGS, Code
from agent.core.diagnosis import Holds
from agent.core.out import Out
from agent.core.state import FindingState, State, evolved


def update(state: State, holds: Holds, now_at: float, out: Out) -> State:
    """Bring the state's findings in line with what holds now, telling what opened and what closed."""
    findings = dict(state.findings)
    for key in [key for key in findings if key not in holds]:
        gone = findings.pop(key)
        if gone.shown and gone.code not in (Code.WARMING_UP, Code.RESTARTING):
            lasted = round(now_at - gone.since, 1)
            out.tell(Code.FINDING_CLOSED, gone.subject, gone.label, finding=str(gone.code), lasted_s=lasted)
    for key, (label, args) in holds.items():
        code, subject = key
        old = findings.get(key)
        if old is None:
            old = FindingState(code, subject, label, now_at, args)
        elif old.args != args:
            old = replace(old, args=args)
        if not old.shown and now_at - old.since >= FINDINGS[code].shown_after_s:
            old = replace(old, shown=True)
            if code not in (Code.WARMING_UP, Code.RESTARTING):
                out.tell(code, subject, label, **args)
        findings[key] = old
    return state if findings == state.findings else evolved(state, findings=findings)


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
