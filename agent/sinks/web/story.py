"""What happened, read from the events: incidents as people tell them, and an uplink's outages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from agent.core.codes import Code
from agent.core.model import Event, Recorded, Scalar

LONGEST = 1e9
"""No duration in seconds and no count is greater."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. Instants are UNIX seconds.

    Attributes:
        id: the incident's own.
        code: its cause, as it was seen last.
        label: of what it was about.
        began_at: when the trouble began, or when it was told if its end is not known.
        lasted_s: None while it is open, or if its end is not on record.
        cycles: restarts of boxes.
        helped: whether the last of them did; None: none was made, or nobody knows yet.
        refused: why a restart was refused, a key of the texts' ``refusal`` table.
        synced: the clock was synchronised.
    """

    id: str
    code: Code
    label: str
    began_at: float
    lasted_s: float | None = None
    cycles: int = 0
    helped: bool | None = None
    refused: str | None = None
    synced: bool = True


@dataclass(frozen=True, slots=True)
class Spell:
    """An outage of an uplink, UNIX seconds; ``ended_at`` None: not on record."""

    began_at: float
    ended_at: float | None


def incidents(events: Iterable[Recorded]) -> tuple[Incident, ...]:
    """The incidents of ``events`` (oldest first), newest first; one without beginning and end is left out."""
    found: dict[str, Incident] = {}
    for recorded in events:
        event = recorded.event
        if event.incident is None:
            continue
        known = found.get(event.incident)
        if event.code is Code.INCIDENT_OPENED and known is None:
            label, code = _text(event.args.get("label"), event.subject), _cause(event, Code.OWN_TROUBLE)
            found[event.incident] = Incident(event.incident, code, label, recorded.at, synced=recorded.synced)
        elif known is not None or event.code is Code.INCIDENT_CLOSED:
            label = _text(event.args.get("label"), event.subject)
            begun = known or Incident(event.incident, Code.OWN_TROUBLE, label, recorded.at)
            found[event.incident] = _continued(begun, recorded)
    return tuple(sorted(found.values(), key=lambda incident: incident.began_at, reverse=True))


def _continued(incident: Incident, recorded: Recorded) -> Incident:
    event = recorded.event
    match event.code:
        case Code.INCIDENT_CAUSE:
            label = _text(event.args.get("label"), incident.label)
            return replace(incident, code=_cause(event, incident.code), label=label)
        case Code.BOX_CUT | Code.BOX_REBOOTING:
            return replace(incident, cycles=incident.cycles + 1, helped=None)
        case Code.CYCLE_HELPED:
            return replace(incident, helped=True)
        case Code.CYCLE_DID_NOT_HELP:
            return replace(incident, helped=False)
        case Code.CYCLE_REFUSED:
            return replace(incident, refused=_text(event.args.get("reason"), "") or None)
        case Code.INCIDENT_CLOSED:
            lasted_s = _number(event.args.get("lasted_s"))
            return replace(
                incident,
                code=_cause(event, incident.code),
                began_at=recorded.at - lasted_s,
                lasted_s=lasted_s,
                cycles=round(_number(event.args.get("cycles"), incident.cycles)),
                synced=incident.synced and recorded.synced,
            )
    return incident


def outages(events: Iterable[Recorded], uplink: str) -> tuple[Spell, ...]:
    """When ``uplink`` was down, oldest first."""
    spells: list[Spell] = []
    down_at: float | None = None
    for recorded in events:
        if recorded.event.subject != uplink:
            continue
        if recorded.event.code is Code.UPLINK_DOWN and down_at is None:
            down_at = recorded.at
        elif recorded.event.code in (Code.UPLINK_UP, Code.UPLINK_DEGRADED, Code.UPLINK_UNKNOWN):
            down_s = _number(recorded.event.args.get("down_s"))
            if down_at is not None or down_s > 0:
                began_at = recorded.at - down_s if down_at is None else down_at
                spells.append(Spell(began_at, max(began_at, recorded.at)))
            down_at = None
    return (*spells, Spell(down_at, None)) if down_at is not None else tuple(spells)


def _cause(event: Event, otherwise: Code) -> Code:
    try:
        return Code(str(event.args.get("finding")))
    except ValueError:
        return otherwise


def _text(value: Scalar, otherwise: str) -> str:
    return value if isinstance(value, str) else otherwise


def _number(value: Scalar, otherwise: float = 0.0) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    return float(value) if 0 <= value <= LONGEST else otherwise
