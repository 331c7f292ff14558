"""The figures of the detector as one picture for print: two matrices of traces and rules, and a chart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log

from PIL import Image

from agent.replay.comparing import OURS, Compared, Summary, summary
from agent.replay.score import Score
from measure.canvas import FAINT, GREY, INK, Canvas, Colour, Point, blend, readable_on, width_of, wrapped
from measure.sweep import SKI_RENTAL, Sweep

WIDTH = 1600
MARGIN = 40.0
NAMES = 270.0
"""Left of the cells: the names of the traces."""
CELL = 34.0
GROUP = 36.0
HEAD = 46.0
TITLE = 62.0
GAP = 46.0
CHART = 430.0
LABELS = 370.0
"""Right of the chart: what each line is."""

SCORE_STOPS: tuple[tuple[float, Colour], ...] = (
    (1.0, (33, 124, 108)),
    (1.2, (126, 193, 158)),
    (1.5, (250, 232, 158)),
    (2.0, (236, 146, 86)),
    (3.0, (176, 46, 52)),
)
"""Green to red by way of yellow, growing lighter and darker again, so that it also reads in grey."""
REGRET_STOPS: tuple[tuple[float, Colour], ...] = (
    (0.0, (226, 240, 234)),
    (log(1 + 10.0), (250, 232, 158)),
    (log(1 + 60.0), (236, 146, 86)),
    (log(1 + 300.0), (176, 46, 52)),
)
OUR_COLOUR: Colour = (20, 92, 168)
FIXED_COLOUR: Colour = (196, 88, 28)
EACH_COLOUR: Colour = (150, 150, 156)


@dataclass(frozen=True, slots=True)
class Figures:
    """What is drawn. ``groups``: results by name of the group, each not empty, all with the same rules."""

    groups: Mapping[str, Sequence[Compared]]
    switch_cost_s: float
    sweep: Sweep
    yardstick: str
    """The rule that is none that one could run; it stands apart."""


@dataclass(frozen=True, slots=True)
class _Grid:
    """One matrix: how a cell, and the last row of a group, is read and coloured."""

    title: str
    remark: str
    cell: Callable[[Score], float]
    together: Callable[[Summary], float]
    last_row: str
    text: Callable[[float], str]
    colour: Callable[[float], Colour]


def picture(figures: Figures) -> Image.Image:
    """Draw everything."""
    grids = _grids(figures)
    traces = sum(map(len, figures.groups.values()))
    grid_height = TITLE + HEAD + len(figures.groups) * (GROUP + CELL + 6) + traces * CELL
    height = 2 * MARGIN + len(grids) * (grid_height + GAP) + TITLE + CHART + 100
    canvas = Canvas(WIDTH, round(height))
    top = MARGIN
    for grid in grids:
        _matrix(canvas, top, grid, figures)
        top += grid_height + GAP
    _chart(canvas, top, figures.sweep)
    return canvas.finished()


def _grids(figures: Figures) -> tuple[_Grid, _Grid]:
    return (
        _Grid(
            "Score",
            "cost beside that of somebody who knew the future, a switch costing "
            f"{figures.switch_cost_s:g} s; 1.00 is perfect",
            lambda one: one.ratio,
            lambda one: one.ratio,
            "mean",
            lambda value: f"{value:.2f}",
            lambda value: blend(value, SCORE_STOPS),
        ),
        _Grid(
            "Regretted declarations per day",
            "down was declared and the line answered within 10 s",
            lambda one: one.regretted_per_day,
            lambda one: one.pooled.regretted_per_day,
            "together",
            lambda value: f"{value:.0f}" if value >= 9.95 or not value else f"{value:.1f}",
            lambda value: blend(log(1 + value), REGRET_STOPS),
        ),
    )


# --- a matrix ----------------------------------------------------------------------------------------------


def _matrix(canvas: Canvas, top: float, grid: _Grid, figures: Figures) -> None:
    canvas.text((MARGIN, top + 16), grid.title, 30, bold=True)
    canvas.text((MARGIN + width_of(grid.title, 30, bold=True) + 18, top + 19), grid.remark, 19, GREY)
    rules = list(next(iter(figures.groups.values()))[0].scores)
    wide = (WIDTH - 2 * MARGIN - NAMES) / len(rules)
    first = top + TITLE + HEAD
    _heads(canvas, first - 8, rules, wide, figures.yardstick)
    y = first
    for name, part in figures.groups.items():
        canvas.text((MARGIN, y + GROUP / 2 + 2), name, 19, GREY, bold=True)
        y += GROUP
        our_top = y
        for one in part:
            canvas.text((MARGIN, y + CELL / 2), fitting(one.name), 18)
            _row(canvas, y, wide, grid, [grid.cell(one.scores[rule]) for rule in rules])
            y += CELL
        y += 6
        together = summary(part)
        canvas.text((MARGIN, y + CELL / 2), grid.last_row, 18, bold=True)
        _row(canvas, y, wide, grid, [grid.together(together[rule]) for rule in rules], bold=True)
        y += CELL
        place = rules.index(OURS)
        corner = (MARGIN + NAMES + place * wide - 1, our_top - 1)
        canvas.frame(corner, (wide, y - our_top + 1), OUR_COLOUR, 2.5)


def _heads(canvas: Canvas, bottom: float, rules: Sequence[str], wide: float, yardstick: str) -> None:
    for place, rule in enumerate(rules):
        x = MARGIN + NAMES + (place + 0.5) * wide
        lines = wrapped(rule, 17, wide - 8)
        colour = OUR_COLOUR if rule == OURS else GREY if rule == yardstick else INK
        for number, line in enumerate(reversed(lines)):
            canvas.text((x, bottom - 10 - 21 * number), line, 17, colour, "mm")


def _row(
    canvas: Canvas, y: float, wide: float, grid: _Grid, values: Sequence[float], *, bold: bool = False
) -> None:
    for place, value in enumerate(values):
        x = MARGIN + NAMES + place * wide
        colour = grid.colour(value)
        canvas.box((x, y), (wide - 2, CELL - 2), colour)
        middle = (x + (wide - 2) / 2, y + (CELL - 2) / 2)
        canvas.text(middle, grid.text(value), 18, readable_on(colour), "mm", bold=bold)


def fitting(name: str) -> str:
    """A name that stays left of the cells."""
    while width_of(name, 18) > NAMES - 10:
        name = name[:-2].rstrip() + "."
    return name


# --- the chart ---------------------------------------------------------------------------------------------


def _chart(canvas: Canvas, top: float, sweep: Sweep) -> None:
    title = "When a switch costs more, or less"
    canvas.text((MARGIN, top + 16), title, 30, bold=True)
    remark = "mean score over all traces"
    canvas.text((MARGIN + width_of(title, 30, bold=True) + 18, top + 19), remark, 19, GREY)
    top += TITLE
    everything = (*sweep.ours, *sweep.one_fixed, *sweep.each_fixed, SKI_RENTAL)
    highest = (int(max(everything) * 5 + 0.999) + 0.5) / 5
    left, right, bottom = MARGIN + 130, WIDTH - MARGIN - LABELS, top + CHART
    spread = log(sweep.costs_s[-1] / sweep.costs_s[0]) or 1.0

    def at(cost_s: float, score: float) -> Point:
        x = left + 30 + (right - left - 60) * log(cost_s / sweep.costs_s[0]) / spread
        return x, bottom - (score - 1.0) / (highest - 1.0) * CHART

    for fifth in range(5, int(highest * 5) + 1):
        y = at(sweep.costs_s[0], fifth / 5)[1]
        canvas.line([(left, y), (right, y)], FAINT, 1.0)
        canvas.text((left - 12, y), f"{fifth / 5:.1f}", 18, GREY, "rm")
    _costs(canvas, sweep, [at(cost_s, 1.0) for cost_s in sweep.costs_s])
    y = at(sweep.costs_s[0], SKI_RENTAL)[1]
    canvas.dashed((left, y), (right, y), (60, 60, 66))
    curves = {
        "each line's own best threshold, in hindsight": (sweep.each_fixed, EACH_COLOUR, 2.5),
        "the best single threshold, in hindsight": (sweep.one_fixed, FIXED_COLOUR, 3.0),
        OURS: (sweep.ours, OUR_COLOUR, 4.5),
    }
    for scores, colour, pen in curves.values():
        points = [at(cost_s, score) for cost_s, score in zip(sweep.costs_s, scores, strict=True)]
        canvas.line(points, colour, pen)
        for point in points:
            canvas.dot(point, pen + 1.5, colour)
    ends = {
        name: (at(sweep.costs_s[-1], scores[-1])[1], colour) for name, (scores, colour, _) in curves.items()
    }
    ends["2.0: guaranteed by waiting as long as a switch costs (ski rental)"] = (y, (60, 60, 66))
    _labels(canvas, right, ends, (top, bottom))


def _costs(canvas: Canvas, sweep: Sweep, feet: Sequence[Point]) -> None:
    """Below the chart: the costs, and which single threshold would have been best for each."""
    y = feet[0][1]
    canvas.text((MARGIN, y + 26), "a switch costs", 17, GREY)
    canvas.text((MARGIN, y + 54), "best threshold", 17, FIXED_COLOUR)
    for (x, _), cost_s, best_s in zip(feet, sweep.costs_s, sweep.one_fixed_s, strict=True):
        canvas.text((x, y + 26), f"{cost_s:g} s", 18, anchor="mm")
        canvas.text((x, y + 54), f"{best_s:g} s", 18, FIXED_COLOUR, "mm")


def _labels(
    canvas: Canvas, x: float, ends: Mapping[str, tuple[float, Colour]], between: tuple[float, float]
) -> None:
    """What each line is, right of where it ends, pushed apart where they would overlap."""
    free = between[0]
    for name, (y, colour) in sorted(ends.items(), key=lambda entry: entry[1][0]):
        lines = wrapped(name, 18, LABELS - 30)
        half = 11.0 * len(lines)
        middle = max(y, free + half)
        free = middle + half + 6
        for number, line in enumerate(lines):
            canvas.text((x + 22, middle - half + 11 + 22 * number), line, 18, colour)
