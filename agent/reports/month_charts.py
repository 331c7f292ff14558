"""The charts of a report: outages by day, latency, loss, signal and light where they are recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise

from agent.reports.month import Month
from agent.reports.month_figures import QUARTER
from agent.reports.month_time import DAY, Piece, common, length, local, midnight
from agent.reports.paper import Block, Chart, Heading, Paragraph
from agent.reports.wording import lasted, say

MINUTE = 60_000
LEAST_MS, LEAST_PCT = 20.0, 1.0
"""Scales are never finer: the trembling of a good line is no news."""
KINDS = {"rsrp_dbm": "dBm", "sinr_db": "dB", "rx_dbm": "dBm"}


def charts(month: Month, language: str) -> Iterator[Block]:
    """All of them, with what is said of their data."""
    yield Heading(say("days", language))
    for uplink in month.site.uplinks:
        yield _by_day(month, uplink.label, _down(month, uplink.name), language)
    yield Heading(say("figures", language))
    recorded = common(month.figures.recorded, [(month.span.begin, month.span.end)])
    if not recorded:
        yield Paragraph(say("figures_none", language))
        yield Paragraph(say("signal_none", language))
        return
    if length(recorded) < month.span.length:
        yield Paragraph(say("figures_part", language, recorded=lasted(length(recorded), language)))
    yield Paragraph(say("figures_legend", language), small=True)
    for uplink in month.site.uplinks:
        quarters = month.figures.echoes.get(uplink.name, {})
        rtt = _points({at: quarter.rtt_ms for at, quarter in quarters.items()}, month)
        loss = _points({at: quarter.loss_pct for at, quarter in quarters.items()}, month)
        for key, unit, points, least in (
            ("figures_latency", "ms", rtt, LEAST_MS),
            ("figures_loss", "%", loss, LEAST_PCT),
        ):
            title = say(key, language, uplink=uplink.label)
            yield _curve(month, title, unit, points, _down(month, uplink.name), recorded, language, least)
    yield from _levels(month, recorded, language)


def _levels(month: Month, recorded: Sequence[Piece], language: str) -> Iterator[Block]:
    known = False
    for uplink in month.site.uplinks:
        for kind, unit in KINDS.items():
            levels = month.figures.levels.get((uplink.name, kind), {})
            points = _points({at: level.mean for at, level in levels.items()}, month)
            if any(value is not None for _, value in points):
                known = True
                title = say(f"figures_{kind}", language, uplink=uplink.label)
                yield _curve(month, title, unit, points, _down(month, uplink.name), recorded, language, None)
    if not known:
        yield Paragraph(say("signal_none", language))


def _curve(
    month: Month,
    title: str,
    unit: str,
    points: Sequence[tuple[int, float | None]],
    down: Sequence[Piece],
    recorded: Sequence[Piece],
    language: str,
    least: float | None,
) -> Chart:
    return Chart(
        title=title,
        unit=unit,
        begin=recorded[0][0],
        end=recorded[-1][1],
        points=tuple(points),
        zone=month.zone,
        language=language,
        down=tuple(down),
        blank=tuple((one[1], other[0]) for one, other in pairwise(recorded)),
        from_zero=least is not None,
        least=least or 0.0,
    )


def _by_day(month: Month, label: str, down: Sequence[Piece], language: str) -> Chart:
    points: list[tuple[int, float | None]] = []
    day = local(month.span.begin, month.zone).date()
    while (begin := midnight(day, month.zone)) < month.span.end:
        day += timedelta(days=1)
        minutes = length(common(down, [(begin, midnight(day, month.zone))])) / MINUTE
        points.append((max(begin, month.span.begin), minutes))
    return Chart(
        title=label,
        unit=say("days_unit", language),
        begin=month.span.begin,
        end=month.span.end,
        points=tuple(points),
        zone=month.zone,
        language=language,
        bars=True,
        wide=DAY,
        least=4.0,
    )


def _down(month: Month, uplink: str) -> list[Piece]:
    return [(outage.begin, outage.end) for outage in month.outages if outage.uplink == uplink]


def _points(values: Mapping[int, float | None], month: Month) -> list[tuple[int, float | None]]:
    """In order, each in the middle of its quarter of an hour; broken where one is missing."""
    points: list[tuple[int, float | None]] = []
    for at in sorted(values):
        if not month.span.begin <= at < month.span.end:
            continue
        if points and at - points[-1][0] > QUARTER * 1.6:
            points.append((at, None))
        points.append((at + QUARTER // 2, values[at]))
    return points
