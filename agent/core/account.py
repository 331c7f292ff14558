"""What an incident has cost, and what was done about it: kept while it is open, told with its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from agent.core import business
from agent.core.alerts import Account
from agent.core.causes import broke_since
from agent.core.codes import Code, Severity
from agent.core.instant import Now, age_s, stamp
from agent.core.model import AGENT, Cycle, How, OpenIncident, Scalar
from agent.core.out import Out
from agent.core.state import State

CAUSES_KEPT = 12
"""So many are told with the end; of more the first and the newest ones."""


def kept(state: State, incident: OpenIncident, now: Now, out: Out) -> OpenIncident:
    """The incident with what has come to its account in this step."""
    known = incident.account
    site = business.situation(state, now)
    offline = not site.serving and len(site.broken) == len(state.uplinks)
    if offline and known.offline_since is None:
        # Not before it began; nor before the last of them broke, if that is known.
        at = max(broke_since(uplink) for uplink in state.uplinks.values())
        ago_s = min(max(0.0, now.mono - at), age_s(incident.opened, now))
        since = replace(stamp(now), mono=now.mono - ago_s, wall=now.wall - ago_s)
        known = replace(known, offline_since=since)
    elif site.serving and known.offline_since is not None:
        known = replace(known, offline_s=_offline_s(incident, now), offline_since=None)
    if not known.person and any(_by_person(event.code, event.args) for event in out.events):
        known = replace(known, person=True)
    return incident if known is incident.account else replace(incident, account=known)


def done(state: State, incident: OpenIncident, lasted_s: float, now: Now) -> dict[str, Scalar]:
    """What the end tells beside how long it lasted; see ``docs/mqtt.md``."""
    known = incident.account
    mine = [cycle for cycle in state.cycles or () if cycle.incident == incident.id]
    helped = [cycle.helped for cycle in mine]
    outcome = None
    if mine:
        outcome = "helped" if True in helped else "not_helped" if None not in helped else "unknown"
    return {
        "offline_s": round(min(_offline_s(incident, now), lasted_s), 1),
        "severity_worst": str(known.worst),
        "causes": ", ".join(known.causes) or str(incident.code),
        "cycles": len(mine),
        "soft": sum(cycle.how is How.SOFT for cycle in mine),
        "outcome": outcome,
        "boxes": "; ".join(_said(cycle) for cycle in mine) or None,
        "person": known.person or any(cycle.by != AGENT for cycle in mine),
        "returns": known.returns or None,
        "again": known.again if known.again > 1 else None,
    }


def told(known: Account, severity: Severity, now: Now) -> Account:
    """The account once people have been told of an incident of this severity."""
    worst = severity if business.severer(severity, known.worst) else known.worst
    return replace(known, severity=severity, worst=worst, told=stamp(now))


def with_cause(causes: tuple[Code, ...], cause: Code) -> tuple[Code, ...]:
    """The causes that were told, with one more."""
    more = (*causes, cause)
    return more if len(more) <= CAUSES_KEPT else (more[0], *more[2:])


def _offline_s(incident: OpenIncident, now: Now) -> float:
    known = incident.account
    return known.offline_s + (0.0 if known.offline_since is None else age_s(known.offline_since, now))


def _said(cycle: Cycle) -> str:
    """One restart in codes: box, step, and what came of it."""
    result = {True: "helped", False: "not_helped", None: "unknown"}[cycle.helped]
    return f"{cycle.box} {cycle.how} {result}"


def _by_person(code: Code, args: Mapping[str, Scalar]) -> bool:
    """A hold was set or lifted, or a restart ordered, by somebody."""
    if code is Code.CYCLE_ORDERED:
        return "by" in args
    return code is Code.HOLD_SET or (code is Code.HOLD_ENDED and args.get("by") != "time")
