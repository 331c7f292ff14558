"""Instants, durations and symbols as the page writes them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from agent.core.snapshot_types import Snapshot
from agent.sinks.web.markup import Html, html
from agent.text import duration, page

DAY_S = 86_400.0
_SYMBOLS = {
    # Each level has a shape of its own, so that none is told by its colour alone.
    "good": '<circle cx="12" cy="12" r="11" class="body"/><path d="M6.5 12.5l4 4 7-8.5" class="sign"/>',
    "warn": '<path d="M12 1.5L23.2 22H.8z" class="body"/><path d="M12 9v6M12 18v1" class="sign"/>',
    "bad": '<path d="M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9z" class="body"/>'
    '<path d="M7.5 7.5l9 9M16.5 7.5l-9 9" class="sign"/>',
    "busy": '<rect x="1" y="1" width="22" height="22" rx="4" class="body"/>'
    '<path d="M17.5 9a6.2 6.2 0 1 0 .6 5M18.5 4.5V9.5H13.5" class="sign"/>',
    "idle": '<circle cx="12" cy="12" r="10" class="hollow"/>'
    '<path d="M7 12h.5M12 12h.5M17 12h.5" class="dots"/>',
}
LEVELS = tuple(_SYMBOLS)
"""How something is, for its shape and colour."""


def symbol(level: str) -> Html:
    """The shape of one of ``LEVELS``; the words stand beside it."""
    return Html(f'<svg class="symbol" viewBox="0 0 24 24" aria-hidden="true">{_SYMBOLS[level]}</svg>')


def clock(at: float, zone: tzinfo | None) -> str:
    """UNIX seconds as hours and minutes of ``zone``, or of this machine; ``?`` for what is no date."""
    return _formatted(at, "%H:%M", zone)


def clock_s(at: float, zone: tzinfo | None) -> str:
    """The same with seconds."""
    return _formatted(at, "%H:%M:%S", zone)


def day_and_clock(at: float, language: str, zone: tzinfo | None) -> str:
    """UNIX seconds as day, hours and minutes."""
    return _formatted(at, "%d/%m/%Y, %H:%M" if language == "fr" else "%Y-%m-%d, %H:%M", zone)


def _formatted(at: float, form: str, zone: tzinfo | None) -> str:
    try:
        return datetime.fromtimestamp(at, tz=UTC).astimezone(zone).strftime(form)
    except (OverflowError, ValueError, OSError):
        return "?"


def wall(snapshot: Snapshot, mono: float) -> float:
    """A monotonic instant of ``snapshot`` as UNIX seconds."""
    return snapshot.wall + (mono - snapshot.mono)


def since(snapshot: Snapshot, mono: float, language: str, zone: tzinfo | None) -> Html:
    """Since when something is so, and for how long; with the day where that is not today."""
    for_s = max(0.0, snapshot.mono - mono)
    at = wall(snapshot, mono)
    told = clock(at, zone) if for_s < DAY_S else day_and_clock(at, language, zone)
    units = 1 if for_s >= 60.0 else 2
    return html(page("since", language, clock=told, for_s=duration(for_s, language, units)))
