"""An uplink's last 24 hours as inline SVG: how it was, and how long answers took; and the same in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import groupby
from math import ceil, isfinite, nan

from agent.sinks.web.markup import Html, html, joined, tag
from agent.sinks.web.minutes import KEPT, MINUTE_S, Band, Trail
from agent.sinks.web.said import clock
from agent.sinks.web.story import Spell
from agent.text import duration, page

STEP = 5
"""Minutes that share one place of the picture."""
PLACES = KEPT // STEP
HIGH = 100
CURVE = 66
"""The upper part belongs to the curve of the delay."""
FOOT = {Band.UP: 8, Band.DOUBT: 18, Band.DOWN: 30, Band.RESTARTING: 30, Band.UNKNOWN: 4}
"""How high each band reaches: the worse, the higher."""
FLOATS = {Band.RESTARTING: 14}
"""How tall a bar is that does not stand on the ground, so that it is not told by its colour alone."""
CLASSES = {
    Band.UP: "up",
    Band.DOUBT: "doubt",
    Band.DOWN: "down",
    Band.RESTARTING: "restarting",
    Band.UNKNOWN: "nothing",
}
LEAST_MS = 20.0
"""A scale is never finer: the trembling of a good line is no news."""
LISTED = 3


@dataclass(frozen=True, slots=True)
class Hours:
    """What a plot is drawn from.

    Attributes:
        trail: minutes measured by this run.
        spells: outages from the history; None if it cannot be read.
        end_at: UNIX seconds of the end of ``trail``.
    """

    trail: Trail
    spells: tuple[Spell, ...] | None
    end_at: float


def plot(hours: Hours, label: str, language: str, zone: tzinfo | None) -> Html:
    """The picture with its axis and its words."""
    bands, rtt_ms = _places(hours)
    top_ms = _top_ms(rtt_ms)
    # Colours cannot be printed everywhere and heights cannot be heard: the words say the same.
    told = _told(hours, rtt_ms, language, zone)
    heard = html(f"{label}, {page('last_hours', language)}. {told}")
    picture = Html(
        f'<svg class="plot" viewBox="0 0 {PLACES} {HIGH}" preserveAspectRatio="none" role="img" '
        f'aria-label="{heard}">'
        f"{_ground()}{_bars(bands)}{_curve(rtt_ms, top_ms)}</svg>"
    )
    ago = [html(page("ago", language, hours=past)) for past in (24, 18, 12, 6)]
    axis = tag("div", *(tag("span", text) for text in (*ago, html(page("now", language)))), class_="axis")
    scale = tag("span", f"{top_ms:.0f} ms", class_="scale") if top_ms else Html()
    return tag("figure", tag("div", picture, scale, class_="frame"), axis, tag("figcaption", told))


def legend(language: str) -> Html:
    """What the bands of all plots mean."""
    items = []
    for band, key in (
        (Band.UP, "key_up"),
        (Band.DOUBT, "key_degraded"),
        (Band.DOWN, "key_down"),
        (Band.RESTARTING, "key_restarting"),
        (Band.UNKNOWN, "key_nothing"),
    ):
        items.append(tag("span", _key(f"0 {HIGH - 30} 16 30", _bar(band, 0, 16)), page(key, language)))
    curve = '<path class="curve" d="M0 11L5 6 10 9 16 4"/>'
    items.append(tag("span", _key("0 0 16 16", curve), page("key_line", language)))
    return tag("p", *items, class_="legend")


def _key(box: str, content: str) -> Html:
    return Html(
        f'<svg class="key" viewBox="{box}" preserveAspectRatio="none" aria-hidden="true">{content}</svg>'
    )


def _places(hours: Hours) -> tuple[list[Band], list[float]]:
    """The worst band and the mean delay of each place."""
    trail = hours.trail
    minutes = bytearray(trail.bands)
    for spell in hours.spells or ():
        first = KEPT - ceil((hours.end_at - spell.began_at) / MINUTE_S)
        last = KEPT if spell.ended_at is None else KEPT - int((hours.end_at - spell.ended_at) // MINUTE_S)
        # What was measured knows better; history tells of the time before.
        for minute in range(max(0, first), min(KEPT - trail.measured, last)):
            minutes[minute] = Band.DOWN
    bands = [Band(max(minutes[place : place + STEP])) for place in range(0, KEPT, STEP)]
    return bands, [_mean(trail.rtt_ms[place : place + STEP]) for place in range(0, KEPT, STEP)]


def _mean(figures: Sequence[float]) -> float:
    known = [figure for figure in figures if isfinite(figure)]
    return sum(known) / len(known) if known else nan


def _top_ms(rtt_ms: Sequence[float]) -> float:
    """The upper end of the scale, a round number; 0 without any figure."""
    highest = max((figure for figure in rtt_ms if isfinite(figure)), default=0.0)
    if highest <= 0.0:
        return 0.0
    top_ms = LEAST_MS
    for factor in (2.5, 2.0, 2.0) * 8:
        if top_ms >= highest:
            break
        top_ms *= factor
    return top_ms


def _ground() -> str:
    lines = "".join(f"M{PLACES * quarter // 4} 0V{HIGH}" for quarter in (1, 2, 3))
    return f'<path class="grid" d="{lines}"/>'


def _bars(bands: Sequence[Band]) -> str:
    """One bar for each stretch of equal bands."""
    bars, x = [], 0
    for band, stretch in groupby(bands):
        wide = len(list(stretch))
        drawn = Band.UNKNOWN if band is Band.NOTHING else band
        bars.append(_bar(drawn, x, wide))
        x += wide
    return "".join(bars)


def _bar(band: Band, x: int, wide: int) -> str:
    high = FLOATS.get(band, FOOT[band])
    return f'<rect class="{CLASSES[band]}" x="{x}" y="{HIGH - FOOT[band]}" width="{wide}" height="{high}"/>'


def _curve(rtt_ms: Sequence[float], top_ms: float) -> str:
    """The delay as a line, broken where there were no answers."""
    parts: list[str] = []
    pen_down = False
    for x, figure in enumerate(rtt_ms):
        if not isfinite(figure):
            pen_down = False
            continue
        y = CURVE - min(1.0, figure / top_ms) * (CURVE - 4)
        # A place between two silences is a short stroke, not an invisible point.
        parts.append(f"L{x + 0.5:g} {y:.1f}" if pen_down else f"M{x:g} {y:.1f}h.5")
        pen_down = True
    return f'<path class="curve" d="{"".join(parts)}"/>' if parts else ""


def _told(hours: Hours, rtt_ms: Sequence[float], language: str, zone: tzinfo | None) -> Html:
    """The plot in words: outages, the highest delay, and what is missing."""
    begin_at = hours.end_at - KEPT * MINUTE_S
    spells = [spell for spell in hours.spells or () if (spell.ended_at or hours.end_at) > begin_at]
    said = [page("no_outage", language)]
    if spells:
        listed = [_spell(spell, hours.end_at, language, zone) for spell in spells[-LISTED:]]
        rest = ["…"] if len(spells) > LISTED else []
        said = [page("outages", language, spells=", ".join((*rest, *listed)))]
    elif hours.spells is None:
        said = []
    highest = max((figure for figure in rtt_ms if isfinite(figure)), default=nan)
    if isfinite(highest):
        said.append(page("highest", language, rtt_ms=round(highest)))
    measured = hours.trail.measured
    if measured < KEPT:
        at = hours.end_at - max(1, measured) * MINUTE_S
        said.append(page("no_figures_before", language, clock=clock(at, zone)))
    if hours.spells is None:
        said.append(page("no_history", language))
    return joined(" ".join(said))


def _spell(spell: Spell, end_at: float, language: str, zone: tzinfo | None) -> str:
    end = "…" if spell.ended_at is None else clock(spell.ended_at, zone)
    lasted_s = (end_at if spell.ended_at is None else spell.ended_at) - spell.began_at
    return f"{clock(spell.began_at, zone)}–{end} ({duration(max(0.0, lasted_s), language)})"
