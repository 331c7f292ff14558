"""The fleet as JSON: one document, or a line for each change. Pure."""

from __future__ import annotations

from typing import Any

from agent.cli.fleet_check import NAMES, Once, exit_code
from agent.cli.fleet_words import finding_words
from agent.fleet.judging import Site
from agent.fleet.ranking import counts
from agent.sinks.payloads import moment
from agent.text import LANGUAGES


def document(once: Once, wall: float) -> dict[str, Any]:
    """All that was found out in one go."""
    return {
        "at": moment(wall),
        "broker": once.broker,
        "status": NAMES[exit_code(once)].lower(),
        "problem": once.problem,
        "complete": once.problem is None and once.settled,
        "own_clock_off_s": _whole(once.own_clock_off_s),
        "took_s": round(once.took_s, 2),
        "counts": {standing.word: count for standing, count in counts(once.sites).items()},
        "sites": [site_object(site) for site in once.sites],
    }


def link_line(broker: str, problem: str | None, wall: float) -> dict[str, Any]:
    """The connection was made or lost; while it is lost nothing is known of any site."""
    return {"at": moment(wall), "link": broker, "ok": problem is None, "problem": problem}


def site_line(site: Site, wall: float) -> dict[str, Any]:
    """A site that stands otherwise than before."""
    return {"at": moment(wall), **site_object(site)}


def site_object(site: Site) -> dict[str, Any]:
    """One site, judged. Durations in whole seconds; null where nobody knows."""
    state = site.state
    return {
        "site": site.place.slug,
        "root": site.place.root,
        "label": site.label,
        "standing": site.standing.word,
        "why": site.why.value,
        "detail": site.detail or None,
        "since_s": _whole(site.since_s),
        "lived_s": _whole(site.lived_s),
        "availability": None if site.online is None else "online" if site.online else "offline",
        "clock_off_s": _whole(site.clock_off_s),
        "current": site.is_current,
        "cause": _cause(site),
        "restarting": [box.name for box in site.restarting],
        "armed": None if state is None else state.armed,
        "hold_left_s": _whole(site.hold_left_s),
        "incident": None if state is None else state.incident,
        "uplinks": [
            {"name": uplink.name, "label": uplink.label, "health": uplink.health.value}
            for uplink in site.uplinks
        ],
        "state_at": None if state is None else moment(state.at),
        "schema": None if state is None else state.schema,
        "version": None if state is None else state.version,
    }


def news(site: Site) -> tuple[object, ...]:
    """What makes a site worth a line when it changes."""
    finding = site.finding
    cause = None if finding is None else (finding.code, finding.subject)
    boxes = tuple((box.name, box.phase) for box in site.restarting)
    uplinks = tuple((uplink.name, uplink.health) for uplink in site.uplinks)
    return (site.standing, site.why, site.detail, cause, boxes, uplinks, site.label)


def _cause(site: Site) -> dict[str, Any] | None:
    finding = site.finding
    if finding is None:
        return None
    told = {language: finding_words(finding, language) for language in LANGUAGES}
    return {
        "code": finding.code,
        "subject": finding.subject,
        "label": finding.label,
        "severity": finding.severity.value,
        "text": {language: None if one is None else one.sentence for language, one in told.items()},
    }


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)
