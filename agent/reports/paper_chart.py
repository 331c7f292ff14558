"""A chart as lines, areas and labels in millimetres from its top left corner; HTML and PDF draw the same."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agent.reports.month_time import DAY, HOUR, local, midnight
from agent.reports.paper import Chart
from agent.reports.wording import table
from agent.text import figure

WIDE, HIGH = 180.0, 44.0
"""The whole picture, millimetres; the title is part of it."""
LEFT, RIGHT, TOP, BOTTOM = 14.0, 2.0, 9.0, 6.0
LABELS = 10
"""At most so many on the time axis."""
SIZE = 7.0
Colour = tuple[float, float, float]
INK: Colour = (0.1, 0.3, 0.6)
GRID: Colour = (0.82, 0.82, 0.82)
PINK: Colour = (0.98, 0.78, 0.76)
GREY: Colour = (0.93, 0.93, 0.93)
RED: Colour = (0.75, 0.15, 0.12)
BLACK: Colour = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Area:
    """A filled rectangle."""

    x: float
    y: float
    wide: float
    high: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[tuple[float, float], ...]
    colour: Colour
    thick: float


@dataclass(frozen=True, slots=True)
class Label:
    """A text whose letters stand on ``y``; ``anchor`` is ``start``, ``middle`` or ``end``."""

    x: float
    y: float
    text: str
    size: float = SIZE
    anchor: str = "start"
    bold: bool = False


Mark = Area | Stroke | Label


def marks(chart: Chart) -> Iterator[Mark]:
    """Everything that is drawn, the lowest first."""
    low, high, step = scale([value for _, value in chart.points if value is not None], chart)
    plot_wide, plot_high = WIDE - LEFT - RIGHT, HIGH - TOP - BOTTOM

    def x_of(at: float) -> float:
        inside = min(max(at, chart.begin), chart.end) - chart.begin
        return LEFT + plot_wide * inside / max(1, chart.end - chart.begin)

    def y_of(value: float) -> float:
        return TOP + plot_high * (1.0 - (min(max(value, low), high) - low) / (high - low))

    yield Label(LEFT, 5.0, f"{chart.title} ({chart.unit})", 9.0, bold=True)
    for pieces, colour in ((chart.blank, GREY), (chart.down, PINK)):
        for begin, end in pieces:
            if begin < chart.end and end > chart.begin:
                # An outage of seconds is still to be seen.
                yield Area(x_of(begin), TOP, max(0.25, x_of(end) - x_of(begin)), plot_high, colour)
    for number in range(round((high - low) / step) + 1):
        value = low + number * step
        yield Stroke(((LEFT, y_of(value)), (WIDE - RIGHT, y_of(value))), GRID, 0.1)
        yield Label(LEFT - 1.5, y_of(value) + 0.9, figure(value, chart.language, 2), anchor="end")
    for at, text in ticks(chart):
        yield Stroke(((x_of(at), TOP), (x_of(at), TOP + plot_high + 1)), GRID, 0.1)
        anchor = "start" if x_of(at) < LEFT + 4 else "end" if x_of(at) > WIDE - RIGHT - 4 else "middle"
        yield Label(x_of(at), HIGH - 1.5, text, anchor=anchor)
    if chart.bars:
        for at, minutes in chart.points:
            if minutes:
                wide = max(0.4, (x_of(at + chart.wide) - x_of(at)) * 0.8)
                yield Area(x_of(at), y_of(minutes), wide, TOP + plot_high - y_of(minutes), RED)
    else:
        for run in runs(chart.points):
            places = [(x_of(at), y_of(value)) for at, value in run]
            if len(places) == 1:
                places.append((places[0][0] + 0.3, places[0][1]))
            yield Stroke(tuple(places), INK, 0.25)
    base = TOP + plot_high
    yield Stroke(((LEFT, TOP), (LEFT, base), (WIDE - RIGHT, base)), BLACK, 0.15)


def runs(points: Sequence[tuple[int, float | None]]) -> Iterator[list[tuple[int, float]]]:
    """The unbroken parts of a curve."""
    run: list[tuple[int, float]] = []
    for at, value in points:
        if value is not None:
            run.append((at, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def scale(values: Sequence[float], chart: Chart) -> tuple[float, float, float]:
    """The lowest and highest value of an axis and the step between its lines, round numbers."""
    high = max([chart.least, *values]) if chart.from_zero else max(values, default=0.0)
    low = 0.0 if chart.from_zero else min(values, default=high)
    if high - low < 1e-9:
        # A value that never changes is a line in the middle.
        low, high = low if chart.from_zero else low - 1.0, high + 1.0
    rough = (high - low) / 4.0
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if factor * power >= rough * 0.999)
    low = math.floor(low / step + 1e-9) * step
    return low, max(low + step, math.ceil(high / step - 1e-9) * step), step


def ticks(chart: Chart) -> list[tuple[int, str]]:
    """Where the time axis has labels, and what they say: local hours of a day or two, else local days."""
    found: list[tuple[int, str]] = []
    first = local(chart.begin, chart.zone).date()
    days = max(1, round((chart.end - chart.begin) / DAY))
    if chart.end - chart.begin <= 2 * DAY:
        hours = max(1, math.ceil((chart.end - chart.begin) / HOUR / LABELS))
        every = next(one for one in (1, 2, 3, 4, 6, 12) if one >= min(12, hours))
        at = midnight(first, chart.zone)
        while at <= chart.end:
            clock = local(at, chart.zone)
            if at >= chart.begin and clock.hour % every == 0:
                found.append((at, clock.strftime(table()["hour"][chart.language])))
            at += HOUR
        return found
    every = next(one for one in (1, 2, 5, 7, 10, 14, 28, 56, 91, 10**6) if days / one <= LABELS)
    day: date = first
    while (at := midnight(day, chart.zone)) <= chart.end:
        if at >= chart.begin:
            found.append((at, day.strftime(table()["day"][chart.language])))
        day += timedelta(days=every)
    return found
