"""The fleet judged once, as Nagios and Centreon expect it of a check. Pure.

One status line with performance data behind a bar, then a line for each site in trouble; the exit code is
the service's state (Nagios Plugin API: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.cli.fleet_words import (
    MARKS,
    counts_text,
    lived_text,
    own_clock_text,
    since_text,
    sites_text,
    standing_text,
    why_text,
)
from agent.cli.labels import label
from agent.cli.words import say
from agent.core.codes import Severity
from agent.fleet.judging import Site, Standing
from agent.fleet.ranking import counts
from agent.text import duration

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3
NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
CODES = {
    Standing.SILENT: CRITICAL,
    Standing.UNREADABLE: CRITICAL,
    Standing.NO_INTERNET: CRITICAL,
    Standing.ALERT: CRITICAL,
    Standing.LOST: WARNING,
    Standing.WARNING: WARNING,
    Standing.HELD: OK,
    Standing.WELL: OK,
}
LONGEST_BYTES = 7000
"""Nagios reads at most 8 KiB of a check's output."""


@dataclass(frozen=True, slots=True)
class Once:
    """What was found out in one go.

    Attributes:
        sites: judged, the worst first.
        broker: its name for people.
        filters: what was subscribed to.
        problem: why there is no connection; None while there is one.
        settled: what the broker keeps has come.
        own_clock_off_s: how far this machine's clock is ahead of the sites'; None if it is right.
        took_s: how long it took.
    """

    sites: Sequence[Site]
    broker: str
    filters: Sequence[str]
    problem: str | None
    settled: bool
    own_clock_off_s: float | None
    took_s: float


def exit_code(once: Once) -> int:
    """The service's state. Nothing is well that nobody knows, but trouble that was seen is trouble."""
    if once.problem is not None or not once.sites or once.own_clock_off_s is not None:
        return UNKNOWN
    worst = max(CODES[site.standing] for site in once.sites)
    return worst if once.settled or worst == CRITICAL else UNKNOWN


def lines(once: Once, language: str) -> list[str]:
    """The output: the status line, then each site that is not well."""
    code = exit_code(once)
    told = [f"VIGIE {NAMES[code]} - {_without_bar(_status(once, language))} | {_figures(once)}"]
    if once.problem is not None:
        return told
    troubled = [site for site in once.sites if site.standing is not Standing.WELL]
    size = len(told[0].encode())
    for number, site in enumerate(troubled):
        line = _without_bar(_line(site, language))
        size += len(line.encode()) + 1
        if size > LONGEST_BYTES:
            rest = troubled[number:]
            counted = counts_text(counts(rest), language)
            told.append(say("fleet_more", language, n=len(rest), counts=counted))
            break
        told.append(line)
    return told


def _status(once: Once, language: str) -> str:
    if once.problem is not None:
        return say("fleet_check_unlinked", language, broker=once.broker, why=once.problem or "–")
    if not once.sites:
        return say("fleet_nothing", language, filters=", ".join(once.filters))
    found = counts(once.sites)
    trouble: dict[Standing, int] = {**found, Standing.WELL: 0}
    colon = label("colon", language)
    counted = counts_text(trouble, language) or say("fleet_all_well", language)
    told = f"{sites_text(len(once.sites), language)}{colon}{counted}"
    if once.own_clock_off_s is not None:
        told = f"{own_clock_text(once.own_clock_off_s, language)} {told}"
    if not once.settled:
        wait = duration(once.took_s, language)
        told += f"; {say('fleet_check_incomplete', language, broker=once.broker, wait=wait)}"
    return told


def _line(site: Site, language: str) -> str:
    colon = label("colon", language)
    name = site.label if site.label == site.place.slug else f"{site.label} ({site.place.slug})"
    since = "" if site.since_s is None else f" ({since_text(site, language)})"
    told = f"{MARKS[site.standing]} {name}{colon}{standing_text(site.standing, language)}{since}"
    why = why_text(site, language, whole=site.finding is None or site.finding.severity is not Severity.INFO)
    told += f"{colon}{why}" if why else ""
    if site.standing is Standing.SILENT and site.lived_s is not None:
        told += f" ({say('fleet_heard', language, ago=lived_text(site, language))})"
    return told


def _figures(once: Once) -> str:
    """Performance data; the labels are the same in every language."""
    found = counts(once.sites)
    parts = [f"sites={len(once.sites)}", *(f"{standing.word}={count}" for standing, count in found.items())]
    return " ".join([*parts, f"time={once.took_s:.2f}s"])


def _without_bar(text: str) -> str:
    """A bar would begin performance data."""
    return text.replace("|", "¦")
