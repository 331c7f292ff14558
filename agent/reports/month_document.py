"""The report of a span as a document: figures in words, tables and charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from agent.core.codes import Code
from agent.reports.month import Both, Month, Times
from agent.reports.month_charts import charts
from agent.reports.month_outages import LEAST_LIKE, Avoided, Outage, Restart
from agent.reports.month_time import SECOND
from agent.reports.paper import Block, Facts, Heading, Paper, Paragraph, Table
from agent.reports.wording import day, day_and_clock, euros, lasted, say, share, zone_name
from agent.text import figure, words

MEGABYTE = 1_000_000


def document(month: Month, language: str, *, cut: bool = False) -> Paper:
    """The whole report.

    Args:
        month: what it says.
        language: ``fr`` or ``en``.
        cut: the period that was asked for is not over.
    """
    begin, last = day(month.span.begin, language, month.zone), max(month.span.begin, month.span.end - 1)
    lead = say(
        "month_span",
        language,
        begin=begin,
        end=day(last, language, month.zone),
        zone=zone_name(month.zone),
    )
    if cut:
        lead += " " + say("month_cut", language, at=day_and_clock(month.span.end, language, month.zone))
    blocks: list[Block] = []
    for part in (_summary, _availability, _outages, _done, _avoided, charts, _data, _gaps, _method):
        blocks += part(month, language)
    return Paper(say("month_title", language, site=month.site.label), lead, tuple(blocks), language)


def _summary(month: Month, language: str) -> Iterator[Block]:
    def available(times: Times) -> str:
        down = lasted(times.down, language)
        return say("summary_site_value", language, share=share(times.available, language), down=down)

    rows = [(say("summary_site", language), available(month.whole.total))]
    if month.site.opening:
        rows.append((say("summary_open", language), available(month.whole.opened)))
    unknown = lasted(month.whole.total.unknown, language)
    if month.whole.total.unknown:
        value = say("summary_unknown_value", language, unknown=unknown)
        rows.append((say("summary_unknown", language), value))
    count = say("summary_outages_value", language, count=len(month.outages), site=len(month.offline))
    rows.append((say("summary_outages", language), count))
    if len(month.site.uplinks) > 1:
        total, opened = (lasted(one, language) for one in month.caught)
        caught = say("summary_caught_value", language, total=total, opened=opened)
        rows.append((say("summary_caught", language), caught))
    rows.append((say("summary_avoided", language), _avoided_in_short(month.avoided, language)))
    cost = month.cost_eur
    if cost is not None and month.site.cost_per_hour_eur is not None:
        hour = euros(month.site.cost_per_hour_eur, language)
        value = say("summary_cost_value", language, cost=euros(cost, language), hour=hour)
        rows.append((say("summary_cost", language), value))
    yield Heading(say("summary", language))
    yield Facts(tuple(rows))


def _avoided_in_short(avoided: Sequence[Avoided], language: str) -> str:
    if not avoided:
        return say("summary_avoided_nothing", language)
    stated = [one.ms for one in avoided if one.ms is not None]
    if not stated:
        return say("summary_avoided_none", language)
    key = "summary_avoided_value" if sum(stated) >= 0 else "summary_avoided_more"
    return say(key, language, total=lasted(sum(stated), language))


def _availability(month: Month, language: str) -> Iterator[Block]:
    head = ("av_what", "av_when", "av_share", "av_up", "av_degraded", "av_down", "av_unknown")
    rows: list[tuple[str, ...]] = []
    bold: set[int] = set()
    every: list[tuple[str, Both]] = [(say("av_site", language), month.whole)]
    every += [(one.label, month.uplinks[one.name]) for one in month.site.uplinks]
    for label, both in every:
        when = [("av_total", both.total)]
        when += [("av_open", both.opened)] if month.site.opening else []
        for place, (key, times) in enumerate(when):
            if both is month.whole:
                bold.add(len(rows))
            lengths = (times.up, times.degraded, times.down, times.unknown)
            cells = (share(times.available, language), *(lasted(one, language) for one in lengths))
            rows.append(("" if place else label, say(key, language), *cells))
    yield Heading(say("availability", language))
    yield Table(
        tuple(say(key, language) for key in head),
        tuple(rows),
        (2.0, 1.4, 1.5, 2.7, 2.0, 2.5, 2.3),
        frozenset({2, 3, 4, 5, 6}),
        frozenset(bold),
    )
    yield Paragraph(say("av_note", language), small=True)


def _outages(month: Month, language: str) -> Iterator[Block]:
    yield Heading(say("outages", language))
    if not month.outages:
        yield Paragraph(say("out_none", language))
        return
    head = ("out_begin", "av_what", "out_lasted", "out_open", "out_cause", "out_done")
    rows = []
    for outage in month.outages:
        going = "" if outage.ended else "\n" + say("out_going", language)
        cause = (
            say("out_short", language) if outage.cause is None else words(outage.cause, language, {}).short
        )
        rows.append(
            (
                day_and_clock(outage.begin, language, month.zone),
                month.site.uplink(outage.uplink).label,
                lasted(outage.length, language) + going,
                lasted(outage.open_ms, language),
                cause,
                _restarts(month, outage, language),
            )
        )
    yield Table(
        tuple(say(key, language) for key in head),
        tuple(rows),
        (2.4, 2.1, 1.7, 1.9, 2.2, 2.8),
        frozenset({2, 3}),
    )


def _restarts(month: Month, outage: Outage, language: str) -> str:
    if not outage.restarts:
        return say("out_nothing" if outage.ended else "out_nothing_going", language)
    return "\n".join(restart_said(one, month.site.box_labels, language) for one in outage.restarts)


def restart_said(restart: Restart, labels: Mapping[str, str], language: str) -> str:
    """One restart and what came of it, in words."""
    result = {True: "result_helped", False: "result_not_helped", None: "result_unknown"}[restart.helped]
    label = labels.get(restart.box, restart.box)
    done = say("out_soft" if restart.soft else "out_cut", language, box=label, result=say(result, language))
    return done if restart.by is None else say("out_by", language, done=done, by=restart.by)


def _done(month: Month, language: str) -> Iterator[Block]:
    yield Heading(say("done", language))
    rows = [(words(code, language, {}).short, str(count)) for code, count in month.done.items() if count]
    if rows:
        head = (say("done_what", language), say("done_count", language))
        yield Table(head, tuple(rows), (5.0, 1.0), frozenset({1}))
    else:
        yield Paragraph(say("done_none", language))
    yield Facts(((say("drills", language), say("not_recorded", language)),))


def _avoided(month: Month, language: str) -> Iterator[Block]:
    yield Heading(say("avoided", language))
    if len(month.site.uplinks) > 1:
        total, opened = (lasted(one, language) for one in month.caught)
        first = month.site.uplinks[0].label
        yield Paragraph(say("avoided_failover", language, total=total, opened=opened, first=first))
        yield Paragraph(say("avoided_watched" if month.watched else "avoided_unwatched", language))
    yield Paragraph(say("avoided_cycles", language, least=LEAST_LIKE))
    rows = []
    for one in month.avoided:
        key = "avoided_unknown" if one.ms is None else "avoided_value" if one.ms >= 0 else "avoided_minus"
        value = say(key, language, value=lasted(one.ms or 0, language), like=one.like)
        cause = one.outage.cause or Code.OWN_TROUBLE
        rows.append(
            (
                day_and_clock(one.outage.begin, language, month.zone),
                month.site.uplink(one.outage.uplink).label,
                lasted(one.outage.length, language),
                say("out_short", language) if one.outage.cause is None else words(cause, language, {}).short,
                value,
            )
        )
    if rows:
        keys = ("out_begin", "av_what", "out_lasted", "out_cause", "avoided_head")
        yield Table(
            tuple(say(key, language) for key in keys), tuple(rows), (2.4, 2.1, 1.7, 2.2, 4.2), frozenset({2})
        )


def _data(month: Month, language: str) -> Iterator[Block]:
    yield Heading(say("data", language))
    if month.data_month is None or not month.data_bytes:
        yield Paragraph(say("not_recorded", language).capitalize() + ".")
        return
    for uplink, used in month.data_bytes.items():
        mb = figure(used / MEGABYTE, language, 1)
        label = month.site.uplink(uplink).label
        yield Paragraph(say("data_value", language, uplink=label, mb=mb, month=month.data_month))


def _gaps(month: Month, language: str) -> Iterator[Block]:
    yield Heading(say("gaps", language))
    shown = [gap for gap in month.gaps if gap.end - gap.begin >= SECOND]
    if not shown:
        yield Paragraph(say("gaps_none", language))
        return
    rows = tuple(
        (
            day_and_clock(gap.begin, language, month.zone),
            lasted(gap.end - gap.begin, language),
            say(f"gap_{gap.why}", language),
        )
        for gap in shown
    )
    head = tuple(say(key, language) for key in ("out_begin", "out_lasted", "gap_why"))
    yield Table(head, rows, (2.3, 2.0, 5.6), frozenset({1}))


def _method(_month: Month, language: str) -> Iterator[Block]:
    yield Heading(say("method", language))
    yield Paragraph(say("method_text", language), small=True)
