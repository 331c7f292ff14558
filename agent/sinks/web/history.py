"""The last incidents as a table."""

from __future__ import annotations

from datetime import tzinfo

from agent.sinks.web.markup import Html, joined, tag
from agent.sinks.web.said import day_and_clock
from agent.sinks.web.story import Incident
from agent.text import duration, page, words

ROWS = 10


def incident_table(
    incidents: tuple[Incident, ...] | None, open_id: str | None, language: str, zone: tzinfo | None
) -> Html:
    """The newest incidents: when, why, how long, what was done.

    Args:
        incidents: newest first; None if the history cannot be read.
        open_id: of the incident that is not over.
        language: of the page.
        zone: of the clock times.
    """
    title = tag("h2", page("incidents", language))
    if not incidents:
        key = "no_incident" if incidents is not None else "no_incident_history"
        return tag("section", title, tag("p", page(key, language)))
    names = [page(key, language) for key in ("when", "what", "lasted", "done")]
    head = tag("thead", tag("tr", *(tag("th", name, scope="col") for name in names)))
    rows = []
    for incident in incidents[:ROWS]:
        about = "" if incident.synced else "≈ "
        cells = (
            about + day_and_clock(incident.began_at, language, zone),
            joined(words(incident.code, language, {}).short, " (", incident.label, ")"),
            _lasted(incident, open_id, language),
            _done(incident, language),
        )
        rows.append(
            tag("tr", *(tag("td", cell, data_name=name) for cell, name in zip(cells, names, strict=True)))
        )
    return tag("section", title, tag("table", head, tag("tbody", *rows)))


def _lasted(incident: Incident, open_id: str | None, language: str) -> str:
    if incident.lasted_s is not None:
        return duration(incident.lasted_s, language)
    return page("running" if incident.id == open_id else "end_unknown", language)


def _done(incident: Incident, language: str) -> str:
    if incident.cycles:
        key = {True: "done_helped", False: "done_in_vain", None: "done_cycle"}[incident.helped]
        return page(key, language, cycles=incident.cycles)
    if incident.refused is not None:
        return page("done_refused", language, reason=incident.refused)
    return page("done_nothing", language)
