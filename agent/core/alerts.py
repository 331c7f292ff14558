"""What is remembered of alerts: what was told, so that nothing is told twice and everything has its end.

An alert is an event that somebody is to be called for, or to hear the end of what they were called for. There
is one for each turn of an incident (``incident``, ``reminders``), and one each for the beginning and the end
of a condition that stands beside incidents and needs a person (``standing``). All others are for whoever
wants to know more.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.codes import Code, Severity
from agent.core.instant import Stamp


@dataclass(frozen=True, slots=True)
class Account:
    """What was told of an open incident, and what it has cost so far.

    Attributes:
        severity: what it means for the business, as it was told last.
        worst: the severest of all that were told.
        causes: all that were told, in their order.
        told: when something was told last; None by an earlier version of the agent.
        reminders: how often people were reminded.
        offline_s: how long no uplink served, without the time since ``offline_since``.
        offline_since: since when none serves; None while one does.
        returns: how often the trouble came back after it had seemed to be over.
        again: which incident in a row it is; 1 if there was none shortly before.
        person: somebody has acted meanwhile.
    """

    severity: Severity = Severity.ALERT
    worst: Severity = Severity.ALERT
    causes: tuple[Code, ...] = ()
    told: Stamp | None = None
    reminders: int = 0
    offline_s: float = 0.0
    offline_since: Stamp | None = None
    returns: int = 0
    again: int = 1
    person: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """An alert about a condition beside incidents.

    Attributes:
        code: of the finding.
        subject: what it is about.
        since: when it was told that it stands.
        last: when anything was told of it last.
        reminders: how often people were reminded.
        over: its end was told.
    """

    code: Code
    subject: str
    since: Stamp
    last: Stamp
    reminders: int = 0
    over: bool = False


@dataclass(frozen=True, slots=True)
class SaveAlerts:
    """Remember which conditions beside incidents were told."""

    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Alerting:
    """What this run has seen; times are monotonic seconds.

    Attributes:
        told: as it is on the disk, or about to be.
        cause: another cause than the one that was told, and the most important now.
        cause_since: since when that is so.
        raised_since: since when the incident has been severer than was told.
        calm_since: since when nothing is wrong in the open incident.
        quiet: nothing has been shown to be wrong since ``calm_since``.
        again: which in a row the newest incident is.
        ended_at: when the last incident ended.
    """

    told: tuple[Told, ...] = ()
    cause: tuple[Code, str] | None = None
    cause_since: float = 0.0
    raised_since: float | None = None
    calm_since: float | None = None
    quiet: bool = False
    again: int = 0
    ended_at: float | None = None
