"""A site of the fleet in words: where it stands, why, since when."""

from __future__ import annotations

from collections.abc import Mapping

from agent.cli.labels import SYMBOLS, label
from agent.cli.words import say
from agent.core.codes import Code
from agent.core.snapshot_types import Health
from agent.fleet.judging import Site, Standing, Why
from agent.fleet.reading import Finding
from agent.sinks.payloads import SCHEMA
from agent.text import Words, duration, refusal, words

MARKS = {
    Standing.SILENT: "✗",
    Standing.UNREADABLE: "?",
    Standing.NO_INTERNET: "✗",
    Standing.ALERT: "!",
    Standing.LOST: "?",
    Standing.WARNING: "~",
    Standing.HELD: "=",
    Standing.WELL: "✓",
}
"""A standing must not be told by colour alone."""
_PLAIN = {
    Why.OFFLINE: "fleet_offline",
    Why.STOPPED: "fleet_stopped",
    Why.STANDS_STILL: "fleet_stands_still",
    Why.NO_STATE: "fleet_no_state",
    Why.GONE: "fleet_gone",
    Why.NEVER_SEEN: "fleet_never_seen",
}


def standing_text(standing: Standing, language: str) -> str:
    """Where a site stands, in a word or two."""
    return say(f"fleet_{standing.word}", language)


def counts_text(counts: Mapping[Standing, int], language: str) -> str:
    """``3 silent, 1 incident, 996 well``; what there is none of is left out."""
    return ", ".join(
        f"{count} {say(f'fleet_{standing.word}' + ('_many' if count > 1 else ''), language)}"
        for standing, count in counts.items()
        if count
    )


def sites_text(count: int, language: str) -> str:
    """``1 site``, ``1000 sites``."""
    return say("fleet_sites" if count == 1 else "fleet_sites_many", language, n=count)


def why_text(site: Site, language: str, *, whole: bool = False) -> str:
    """Why it stands there; a finding in a few words, or as its whole sentence."""
    told = _why(site, language, whole=whole)
    if site.clock_off_s is not None and site.why is not Why.CLOCK_WRONG:
        told = ", ".join(part for part in (told, _clock(site.clock_off_s, "fleet_clock", language)) if part)
    if boxes := ", ".join(box.label for box in site.restarting):
        told = f"⟳ {boxes}{' · ' + told if told else ''}"
    return told


def _why(site: Site, language: str, *, whole: bool) -> str:
    if site.why in _PLAIN:
        return say(_PLAIN[site.why], language)
    match site.why:
        case Why.UNREADABLE:
            return say("fleet_unreadable_why", language, why=site.detail)
        case Why.NO_UPLINK:
            return say("fleet_no_uplink" if _all_down(site) else "fleet_incident_open", language)
        case Why.UPLINK_DOWN:
            down = [uplink.label for uplink in site.uplinks if uplink.health is Health.DOWN]
            return say(
                "fleet_uplink_down" if down else "fleet_incident_open", language, names=", ".join(down)
            )
        case Why.CLOCK_WRONG:
            return _clock(site.clock_off_s or 0.0, "fleet_clock", language)
        case Why.SCHEMA_NEWER:
            return say("fleet_schema_newer", language, schema=site.detail, known=SCHEMA)
        case Why.HELD:
            return say("fleet_hold", language, left=duration(site.hold_left_s or 0.0, language))
        case Why.UNARMED:
            return label("unarmed", language) + label("colon", language) + refusal(site.detail, language)
    return "" if site.finding is None else _finding(site.finding, site.label, language, whole=whole)


def finding_words(finding: Finding, language: str) -> Words | None:
    """A finding in words; None if this version does not know it."""
    try:
        code = Code(finding.code)
    except ValueError:
        return None
    return words(code, language, {**finding.args, "label": finding.label})


def _finding(finding: Finding, site: str, language: str, *, whole: bool) -> str:
    told = finding_words(finding, language)
    if told is not None and whole:
        return told.sentence
    short = finding.code if told is None else told.short
    return short if finding.label == site else f"{finding.label}{label('colon', language)}{short}"


def _all_down(site: Site) -> bool:
    return all(uplink.health is Health.DOWN for uplink in site.uplinks)


def own_clock_text(off_s: float, language: str) -> str:
    """That this machine's clock is wrong; above 0 it is ahead of the sites'."""
    return _clock(-off_s, "fleet_own_clock", language)


def _clock(off_s: float, key: str, language: str) -> str:
    side = "behind" if off_s > 0 else "ahead"
    return say(f"{key}_{side}", language, off=duration(abs(off_s), language))


def since_text(site: Site, language: str) -> str:
    """For how long it has stood so, in one unit."""
    return "–" if site.since_s is None else duration(site.since_s, language, 1)


def lived_text(site: Site, language: str) -> str:
    """How long ago it certainly lived, in one unit."""
    return "–" if site.lived_s is None else duration(site.lived_s, language, 1)


def uplink_marks(site: Site, width: int) -> str:
    """Each uplink's name with its health, names shortened so that all fit.

    A site that says nothing now has uplinks of unknown health.
    """
    health = [uplink.health if site.is_current else Health.UNKNOWN for uplink in site.uplinks]
    names = [uplink.name for uplink in site.uplinks]
    room = width - 2 * len(names) + 1  # a sign behind each, a blank between two
    if names and sum(map(len, names)) > room:
        names = _shortened(names, max(room, len(names)))
    return " ".join(f"{name}{SYMBOLS[state]}" for name, state in zip(names, health, strict=True))


def _shortened(names: list[str], room: int) -> list[str]:
    """Together at most ``room`` letters, cut from the longest."""
    longest = max(map(len, names))
    while sum(min(len(name), longest) for name in names) > room:
        longest -= 1
    return [name[:longest] for name in names]
