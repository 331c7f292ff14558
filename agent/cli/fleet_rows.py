"""The table of all sites as rows of styled pieces, the worst first, for a terminal of a given size. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from agent.cli.cells import columns, fitted
from agent.cli.fleet_words import (
    MARKS,
    counts_text,
    lived_text,
    own_clock_text,
    since_text,
    sites_text,
    standing_text,
    uplink_marks,
    why_text,
)
from agent.cli.rows import HEADING, Row
from agent.cli.words import say
from agent.fleet.judging import Site, Standing
from agent.fleet.ranking import counts
from agent.text import duration

WIDE, NARROW = 110, 70
STYLES = {
    Standing.SILENT: "bold red",
    Standing.UNREADABLE: "bold red",
    Standing.NO_INTERNET: "bold red",
    Standing.ALERT: "red",
    Standing.LOST: "dark_orange",
    Standing.WARNING: "yellow",
    Standing.HELD: "cyan",
    Standing.WELL: "green",
}
_WIDTHS = {"state": 15, "site": 15, "since": 7, "uplinks": 12, "what": 0, "heard": 7}
_WIDTHS_WIDE = {"state": 15, "site": 24, "since": 8, "uplinks": 22, "what": 0, "heard": 8, "version": 8}
_WIDTHS_NARROW = {"site": 15, "since": 7, "what": 0}


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the table depends on.

    Attributes:
        sites: judged, the worst first.
        broker: its name for people.
        settled: what the broker keeps has come.
        problem: why there is no connection; None while there is one, empty before the first.
        problem_s: for how long there has been none.
        own_clock_off_s: how far this machine's clock is ahead of the sites'; None if it is right.
        time: local time, to be shown.
    """

    sites: Sequence[Site]
    broker: str
    settled: bool
    problem: str | None
    problem_s: float
    own_clock_off_s: float | None
    time: str
    language: str = "fr"
    width: int = 80
    height: int = 24


def rows(picture: Picture) -> list[list[Row]]:
    """At most ``picture.height`` rows of at most ``picture.width`` columns."""
    head = _head(picture)
    room = picture.height - len(head)
    shown = list(picture.sites[:room])
    if len(shown) < len(picture.sites):
        shown = shown[:-1]
    # Without a connection nobody knows: nothing may look as if it were the present.
    stale = "dim" if picture.problem is not None else None
    widths = _widths(picture)
    table = [_row(site, widths, picture.language, stale) for site in shown]
    hidden = picture.sites[len(shown) :]
    if hidden:
        counted = counts_text(counts(hidden), picture.language)
        more = say("fleet_more", picture.language, n=len(hidden), counts=counted)
        table.append([(fitted(more, picture.width, fill=False), "dim")])
    return (head + table)[: picture.height]


def _head(picture: Picture) -> list[list[Row]]:
    language, width = picture.language, picture.width
    title = f" {say('fleet_title', language)} "
    beside = f" {sites_text(len(picture.sites), language)} · {picture.broker}"
    room = width - len(title) - len(picture.time) - 1
    found: list[list[Row]] = [
        [(title, "bold reverse"), (fitted(beside, room), ""), (f" {picture.time}", "dim")]
    ]
    if picture.problem:
        lasted = duration(picture.problem_s, language)
        told = say("fleet_unlinked", language, broker=picture.broker, lasted=lasted, why=picture.problem)
        found += [[(line, "bold red")] for line in _broken(told, width)]
    elif picture.problem is not None:
        found.append([(fitted(say("fleet_connecting", language, broker=picture.broker), width), "yellow")])
    elif not picture.settled:
        found.append([(fitted(say("fleet_reading", language), width), "yellow")])
    if picture.own_clock_off_s is not None:
        told = own_clock_text(picture.own_clock_off_s, language)
        found += [[(line, "bold yellow")] for line in _broken(told, width)]
    found += _counted(picture)
    cells = {key: say(f"fleet_head_{key}", language) for key in _widths(picture)}
    found.append([(_line(cells, _widths(picture)), HEADING)])
    return found


def _counted(picture: Picture) -> list[list[Row]]:
    """How many stand where; a broken line where it is too long for one."""
    found: list[list[Row]] = [[]]
    used = 0
    for standing, count in counts(picture.sites).items():
        if not count:
            continue
        text = f"{MARKS[standing]} {counts_text({standing: count}, picture.language)}"
        if used and used + 3 + columns(text) > picture.width:
            found.append([])
            used = 0
        text = text if not used else f"   {text}"
        used += columns(text)
        found[-1].append((text, "dim" if picture.problem is not None else STYLES[standing]))
    return found


def _row(site: Site, widths: dict[str, int], language: str, stale: str | None) -> list[Row]:
    cells = {
        "state": f"{MARKS[site.standing]} {standing_text(site.standing, language)}",
        "site": site.label,
        "since": since_text(site, language),
        "uplinks": uplink_marks(site, widths.get("uplinks", 0)),
        "what": why_text(site, language),
        "heard": lived_text(site, language),
        "version": (site.state.version if site.state is not None else None) or "–",
    }
    if "state" not in widths:
        cells["site"] = f"{MARKS[site.standing]} {site.label}"
    style = stale or STYLES[site.standing]
    first, *others = widths
    lead = fitted(cells[first], widths[first])
    rest = _line(cells, {key: widths[key] for key in others})
    is_calm = site.standing is Standing.WELL
    return [(f"{lead} ", style), (rest.rstrip(), stale or ("" if is_calm else style.removeprefix("bold ")))]


def _line(cells: dict[str, str], widths: dict[str, int]) -> str:
    return " ".join(fitted(cells[key], width) for key, width in widths.items())


def _widths(picture: Picture) -> dict[str, int]:
    """Columns of each cell; what is left belongs to why a site stands where it stands."""
    if picture.width < NARROW:
        widths = dict(_WIDTHS_NARROW)
    elif picture.width < WIDE:
        widths = dict(_WIDTHS)
    else:
        widths = dict(_WIDTHS_WIDE)
        if not any(site.state is not None and site.state.version for site in picture.sites):
            del widths["version"]
    widths["what"] = max(1, picture.width - sum(widths.values()) - len(widths) + 1)
    return widths


def _broken(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width)
