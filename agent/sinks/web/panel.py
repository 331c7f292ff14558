"""The panel as HTML: what is the matter, what to do, and how each way to the internet is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from agent.core.codes import Severity
from agent.core.snapshot_types import BoxView, FindingView, Phase, Snapshot
from agent.sinks import lights
from agent.sinks.web.history import incident_table
from agent.sinks.web.markup import Html, html, joined, tag
from agent.sinks.web.plot import legend
from agent.sinks.web.said import clock_s, since, symbol, wall
from agent.sinks.web.services import service_section
from agent.sinks.web.story import Incident
from agent.sinks.web.uplink import uplink_row
from agent.text import duration, page, panel, words
from hardware.ports import Colour

SITE_LEVELS = {Colour.GREEN: "good", Colour.ORANGE: "warn", Colour.RED: "bad", Colour.DARK: "idle"}
SEVERITY_LEVELS = {
    Severity.DEBUG: "idle",
    Severity.INFO: "idle",
    Severity.WARNING: "warn",
    Severity.ALERT: "bad",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the panel's page depends on.

    Attributes:
        snapshot: the site.
        language: one of ``agent.text.LANGUAGES``.
        plots: each uplink's last hours, by its name.
        incidents: newest first; None if the history cannot be read.
        zone: for clock times; None: this machine's.
    """

    snapshot: Snapshot
    language: str
    plots: Mapping[str, Html] = field(default_factory=dict)
    incidents: tuple[Incident, ...] | None = ()
    zone: tzinfo | None = None


def headline(snapshot: Snapshot, language: str) -> str:
    """What is the matter, in as few words as on the screen."""
    return words(snapshot.headline, language, {"label": snapshot.label}).short


def level(snapshot: Snapshot) -> str:
    """How the site is, one of ``said.LEVELS``; the same as its LED, or that a box is being restarted."""
    if any(box.phase is not Phase.POWERED for box in snapshot.boxes):
        return "busy"
    return SITE_LEVELS[lights.render(snapshot)[lights.SITE].colour]


def panel_main(shown: Shown) -> Html:
    """The part of the page that changes."""
    snapshot, language = shown.snapshot, shown.language
    told = clock_s(snapshot.wall, shown.zone)
    unsynced = Html() if snapshot.synced else joined(" (", page("unsynced", language), ")")
    head = tag(
        "header",
        tag("h1", snapshot.label),
        tag("p", page("at", language, clock=told), unsynced, class_="at"),
    )
    rows = [
        uplink_row(snapshot, uplink, shown.plots.get(uplink.name, Html()), language, shown.zone)
        for uplink in snapshot.uplinks
    ]
    last_hours = legend(language) if shown.plots else Html()
    uplinks = tag("section", tag("h2", page("uplinks", language)), *rows, last_hours)
    incidents = incident_table(shown.incidents, snapshot.incident, language, shown.zone)
    # A new snapshot of the same second says the same: the page need not change for it.
    return tag(
        "main",
        head,
        _hero(shown),
        _also(shown),
        service_section(snapshot, language),
        uplinks,
        incidents,
        data_at=f"{wall(snapshot, snapshot.mono):.0f}",
    )


def _hero(shown: Shown) -> Html:
    snapshot, language = shown.snapshot, shown.language
    how = level(snapshot)
    first = snapshot.findings[0] if snapshot.findings else None
    about = first.label if first is not None and first.subject != snapshot.site else ""
    subject = tag("span", about, class_="subject") if about else Html()
    big = tag("span", headline(snapshot, language))
    parts = [tag("p", tag("span", symbol(how), big, class_="big"), subject, class_="headline")]
    cycling = [box for box in snapshot.boxes if box.phase is not Phase.POWERED]
    parts += [_countdown(box, snapshot, language) for box in cycling]
    if first is not None:
        told = words(first.code, language, {**first.args, "label": first.label})
        if told.advice:
            parts.append(_advice(told.advice, language))
        parts.append(tag("p", told.sentence))
        parts.append(tag("p", since(snapshot, first.since, language, shown.zone), class_="since"))
    else:
        told = words(snapshot.headline, language, {"label": snapshot.label})
        parts.append(tag("p", told.sentence, " ", page("nothing_to_do", language)))
    parts.append(_power(snapshot, language))
    return tag("section", *parts, class_=f"hero {how}", role="status")


def _advice(advice: str, language: str) -> Html:
    return tag("p", tag("b", page("to_do", language)), tag("span", advice), class_="advice")


def _countdown(box: BoxView, snapshot: Snapshot, language: str) -> Html:
    """Time left, "do not touch", and what is being done to the box."""
    phase = page(f"phase_{box.phase}", language, label=box.label)
    parts = [tag("strong", page("do_not_touch", language)), tag("span", phase)]
    if box.until is not None:
        left_s = math.ceil(max(0.0, box.until - snapshot.mono))
        left = f"{left_s // 60}:{left_s % 60:02}"
        parts.insert(0, tag("b", left, class_="left", data_left=str(left_s)))
    return tag("p", *parts, class_="countdown")


def _power(snapshot: Snapshot, language: str) -> Html:
    """Whether boxes are restarted automatically, and if not, why: never silent."""
    if snapshot.hold_until is not None and snapshot.hold_until > snapshot.mono:
        left = duration(snapshot.hold_until - snapshot.mono, language, 1)
        text = page("hold", language, left_s=left)
    elif snapshot.armed and snapshot.unarmed_why is None:
        return tag("p", page("armed", language), class_="power")
    else:
        text = page("withheld" if snapshot.armed else "unarmed", language, reason=snapshot.unarmed_why)
    return tag("p", "⚠ ", text, class_="power off")


def _also(shown: Shown) -> Html:
    """The findings behind the first."""
    others = shown.snapshot.findings[1:]
    if not others:
        return Html()
    rows = [_finding(finding, shown) for finding in others]
    return tag("section", tag("h2", page("also", shown.language)), tag("ul", *rows, class_="also"))


def _finding(finding: FindingView, shown: Shown) -> Html:
    language = shown.language
    told = words(finding.code, language, {**finding.args, "label": finding.label})
    how = SEVERITY_LEVELS[finding.severity]
    parts: list[str] = [
        tag("b", told.short),
        " ",
        html(told.sentence),
    ]
    if told.advice:
        parts += [" ", tag("b", "→ ", told.advice)]
    parts += [" ", tag("span", since(shown.snapshot, finding.since, language, shown.zone), class_="since")]
    return tag("li", symbol(how), tag("div", *parts), class_=how)


def silent_main(label: str, language: str, *, starting: bool) -> Html:
    """The page of an agent that does not decide (yet): nothing of the last picture is on it."""
    if starting:
        hero = tag(
            "section",
            tag("p", symbol("idle"), tag("span", page("starting", language)), class_="headline"),
            class_="hero idle",
        )
    else:
        hero = tag(
            "section",
            tag("p", symbol("bad"), tag("span", panel("silent", language)), class_="headline"),
            _advice(page("stuck", language), language),
            class_="hero bad",
        )
    return tag("main", tag("header", tag("h1", label)), hero)
