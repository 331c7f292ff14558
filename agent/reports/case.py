"""The case file of one incident: what an operator's hotline asks for, read from the journal. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from agent.core.codes import FINDINGS, Code
from agent.core.model import Recorded
from agent.reports.month import SiteAbout, Times
from agent.reports.month_figures import Figures, Level
from agent.reports.month_outages import Outage, outages
from agent.reports.month_states import How, histories
from agent.reports.month_time import DAY, HOUR, Piece, Span, length, milliseconds

KINDS = ("rsrp_dbm", "sinr_db", "rx_dbm")
LAST = "last"
"""Names the newest incident."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding rested on when it was shown; ``lines`` as the agent noted them, in plain English."""

    at: int
    synced: bool
    code: Code
    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Levels:
    """Mean signal or light of an uplink; None where nothing is recorded."""

    uplink: str
    kind: str
    before: float | None
    during: float | None


@dataclass(frozen=True, slots=True)
class Downtime:
    """How long one uplink was down in the incident, milliseconds.

    Attributes:
        uplink: its name.
        ms: of all its outages in the incident.
        over: it works again.
        repair_ms: in which the contract promises a repair; None if nobody has said.
    """

    uplink: str
    ms: int
    over: bool
    repair_ms: int | None


@dataclass(frozen=True, slots=True)
class Case:
    """One incident.

    Attributes:
        id: its own.
        site: where.
        zone: of the site's clock.
        drawn_at: up to when the journal was read, milliseconds.
        opened: the event that opened it, or the first on record that belongs to it.
        closed: the event that ended it; None if it is not over.
        finding: its cause as it was seen last.
        causes: all that were told, in order.
        uplinks: concerned, those that were down first.
        outages: of these uplinks in the incident.
        downtimes: of each of them.
        offline_ms: how long no uplink served, as the agent itself counted; None while it is open.
        evidence: in order.
        others: by each other uplink, how it was from the first outage's begin to the last one's end.
        levels: signal and light.
        refused: why restarts were not made, keys of the texts' ``refusal`` table.
        events: all of the incident.
    """

    id: str
    site: SiteAbout
    zone: tzinfo
    drawn_at: int
    opened: Recorded
    closed: Recorded | None
    finding: Code | None
    causes: tuple[Code, ...]
    uplinks: tuple[str, ...]
    outages: tuple[Outage, ...]
    downtimes: tuple[Downtime, ...]
    offline_ms: int | None
    evidence: tuple[Evidence, ...]
    others: Mapping[str, Times]
    levels: tuple[Levels, ...]
    refused: tuple[str, ...]
    events: tuple[Recorded, ...]


def incidents(events: Sequence[Recorded]) -> list[str]:
    """The names of all incidents on record, the newest last."""
    return list(dict.fromkeys(r.event.incident for r in events if r.event.incident is not None))


def case(
    events: Sequence[Recorded],
    name: str,
    site: SiteAbout,
    zone: tzinfo,
    drawn_at: int,
    alive: Sequence[Piece] = (),
    figures: Figures | None = None,
) -> Case | None:
    """The case file of an incident; None if it is not on record.

    Args:
        events: the whole journal, oldest first.
        name: of the incident, or ``last``.
        site: what the configuration says.
        zone: of the site's clock.
        drawn_at: the present, milliseconds.
        alive: ordered pieces in which the agent is known to have run.
        figures: what was measured.
    """
    known = incidents(events)
    name = known[-1] if name == LAST and known else name
    mine = [recorded for recorded in events if recorded.event.incident == name]
    if not mine:
        return None
    names = [uplink.name for uplink in site.uplinks]
    first = min([drawn_at, *(milliseconds(r.at) for r in events if r.synced)])
    seen = histories(events, names, Span(first, drawn_at), alive)
    down = tuple(one for one in outages(events, seen, site.boxes) if one.incident == name)
    opened = next((r for r in mine if r.event.code is Code.INCIDENT_OPENED), mine[0])
    closed = next((r for r in reversed(mine) if r.event.code is Code.INCIDENT_CLOSED), None)
    concerned = tuple(dict.fromkeys(one.uplink for one in down)) or _subject(opened, site)
    span = Span(
        min([milliseconds(opened.at), *(one.begin for one in down)]),
        max([milliseconds((closed or mine[-1]).at), *(one.end for one in down)])
        if closed or down
        else drawn_at,
    )
    causes = _causes(mine)
    return Case(
        id=name,
        site=site,
        zone=zone,
        drawn_at=drawn_at,
        opened=opened,
        closed=closed,
        finding=causes[-1] if causes else None,
        causes=causes,
        uplinks=concerned,
        outages=down,
        downtimes=tuple(_downtime(uplink, down, site) for uplink in concerned),
        offline_ms=None if closed is None else _ms(closed.event.args.get("offline_s")),
        evidence=tuple(_evidence(mine)),
        others=_others(events, [other for other in names if other not in concerned], span, alive),
        levels=tuple(_levels(figures or Figures(), concerned, span)),
        refused=tuple(
            dict.fromkeys(str(r.event.args.get("reason")) for r in mine if r.event.code is Code.CYCLE_REFUSED)
        ),
        events=tuple(mine),
    )


def _subject(opened: Recorded, site: SiteAbout) -> tuple[str, ...]:
    """The uplink that it was about, where none was down."""
    subject = opened.event.subject
    name = site.boxes.get(subject, subject)
    known = tuple(uplink.name for uplink in site.uplinks)
    return (name,) if name in known else known


def _causes(mine: Sequence[Recorded]) -> tuple[Code, ...]:
    found: list[Code] = []
    for recorded in mine:
        if recorded.event.code not in (Code.INCIDENT_OPENED, Code.INCIDENT_CAUSE, Code.INCIDENT_CLOSED):
            continue
        word = recorded.event.args.get("finding")
        code = next((code for code in FINDINGS if code == word), None)
        if code is not None and (not found or found[-1] is not code):
            found.append(code)
    return tuple(found)


def _downtime(uplink: str, down: Sequence[Outage], site: SiteAbout) -> Downtime:
    own = [one for one in down if one.uplink == uplink]
    repair_h = site.uplink(uplink).repair_h
    return Downtime(
        uplink,
        sum(one.length for one in own),
        not own or own[-1].ended,
        None if repair_h is None else round(repair_h * HOUR),
    )


def _evidence(mine: Sequence[Recorded]) -> list[Evidence]:
    return [
        Evidence(
            milliseconds(recorded.at),
            recorded.synced,
            recorded.event.code,
            str(recorded.event.args.get("label") or recorded.event.subject),
            tuple(str(recorded.event.args["evidence"]).split("; ")),
        )
        for recorded in mine
        if recorded.event.code in FINDINGS and recorded.event.args.get("evidence")
    ]


def _others(
    events: Sequence[Recorded], names: Sequence[str], span: Span, alive: Sequence[Piece]
) -> dict[str, Times]:
    seen = histories(events, names, span, alive)
    times = {}
    for name in names:
        how = {
            how: length([(one.begin, one.end) for one in seen.uplinks[name] if one.how is how]) for how in How
        }
        times[name] = Times(how[How.UP], how[How.DEGRADED], how[How.DOWN], how[How.UNKNOWN])
    return times


def _levels(figures: Figures, uplinks: Sequence[str], span: Span) -> list[Levels]:
    found = []
    for uplink in uplinks:
        for kind in KINDS:
            known = figures.levels.get((uplink, kind), {})
            before = [level for at, level in known.items() if span.begin - DAY <= at < span.begin]
            during = [level for at, level in known.items() if span.begin <= at < span.end]
            if known:
                found.append(Levels(uplink, kind, *(_mean(part) for part in (before, during))))
    return found


def _mean(levels: Sequence[Level]) -> float | None:
    count = sum(level.count for level in levels)
    return sum(level.total for level in levels) / count if count else None


def _ms(value: object) -> int | None:
    return None if isinstance(value, bool) or not isinstance(value, int | float) else milliseconds(value)
