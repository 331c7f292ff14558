"""The case file of an incident as a document."""

from __future__ import annotations

from collections.abc import Iterator

from agent.core.model import Recorded
from agent.reports.case import Case, Downtime
from agent.reports.month_document import restart_said
from agent.reports.month_time import SECOND, milliseconds
from agent.reports.paper import Block, Facts, Heading, Paper, Paragraph, Table
from agent.reports.wording import day_and_clock, lasted, say, share, zone_name
from agent.text import figure, refusal, words


def document(case: Case, language: str) -> Paper:
    """The whole file."""
    lead = say("case_lead", language, id=case.id, at=day_and_clock(case.drawn_at, language, case.zone))
    blocks: list[Block] = []
    for part in (_lines, _fault, _times, _evidence, _others, _signal, _done, _course):
        blocks += part(case, language)
    return Paper(say("case_title", language, site=case.site.label), lead, tuple(blocks), language)


def _lines(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_line", language))
    missing = say("case_not_given", language)
    keys = ("case_uplink", "case_operator", "case_contract", "case_hotline")
    rows = []
    for name in case.uplinks:
        about = case.site.uplink(name)
        rows.append(
            (about.label, *(given or missing for given in (about.operator, about.contract, about.hotline)))
        )
    yield Table(tuple(say(key, language) for key in keys), tuple(rows), (2.0, 2.0, 3.0, 2.5))


def _fault(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_fault", language))
    rows = []
    if case.finding is not None:
        label = str(case.opened.event.args.get("label") or case.opened.event.subject)
        subject = case.site.uplink(case.uplinks[0]).label if case.uplinks else label
        sentence = words(case.finding, language, {"label": subject}).sentence
        rows.append((say("case_cause", language), sentence))
    if len(case.causes) > 1:
        told = ", ".join(words(code, language, {}).short for code in case.causes)
        rows.append((say("case_causes", language), told))
    for down in case.downtimes:
        label = case.site.uplink(down.uplink).label
        rows.append((f"{say('case_down', language)}, {label}", lasted(down.ms, language)))
        rows.append((f"{say('case_repair', language)}, {label}", repair_said(down, language)))
    if case.offline_ms is not None:
        rows.append((say("case_offline", language), lasted(case.offline_ms, language)))
    yield Facts(tuple(rows))


def repair_said(down: Downtime, language: str) -> str:
    """The downtime beside what the contract promises, in words."""
    if down.repair_ms is None:
        return say("case_not_given", language)
    left = down.repair_ms - down.ms
    if left < 0:
        verdict = say("case_exceeded", language, over=lasted(-left, language))
    elif down.over:
        verdict = say("case_within", language, share=share(down.ms / down.repair_ms, language, 0))
    else:
        verdict = say("case_within_open", language, left=lasted(left, language))
    hours = figure(down.repair_ms / SECOND / 3600, language, 1)
    return say("case_repair_value", language, hours=hours, verdict=verdict)


def _times(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_times", language))
    rows: list[tuple[int, tuple[str, str, str]]] = []

    def add(what: str, at: int, *, synced: bool = True) -> None:
        unsure = "" if synced else " " + say("case_unsynced", language)
        local, utc_said = day_and_clock(at, language, case.zone), day_and_clock(at, language)
        rows.append((at, (what, local + unsure, utc_said + unsure)))

    for outage in case.outages:
        label = case.site.uplink(outage.uplink).label
        add(say("case_outage_begin", language, uplink=label), outage.begin)
        if outage.ended:
            add(say("case_outage_end", language, uplink=label), outage.end)
    add(say("case_opened", language), milliseconds(case.opened.at), synced=case.opened.synced)
    if case.closed is not None:
        add(say("case_closed", language), milliseconds(case.closed.at), synced=case.closed.synced)
    shown = [row for _, row in sorted(rows, key=lambda row: row[0])]
    if case.closed is None:
        still = say("case_open_still", language)
        shown.append((say("case_closed", language), still, still))
    head = (
        say("case_what", language),
        say("case_local", language, zone=zone_name(case.zone)),
        say("case_utc", language),
    )
    yield Table(head, tuple(shown), (3.0, 2.5, 2.5))


def _evidence(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_evidence", language))
    if not case.evidence:
        yield Paragraph(say("not_recorded", language).capitalize() + ".")
        return
    yield Paragraph(say("case_evidence_note", language), small=True)
    for one in case.evidence:
        finding = words(one.code, language, {}).short
        at = day_and_clock(one.at, language, case.zone)
        yield Paragraph(say("case_evidence_of", language, at=at, finding=finding, label=one.label))
        yield Facts(tuple(_hop(line) for line in one.lines))


def _hop(line: str) -> tuple[str, str]:
    """One line of evidence: who was asked, and what came of it."""
    who, colon, what = line.partition(": ")
    return (who, what) if colon else ("", line)


def _others(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_others", language))
    if not case.others:
        yield Paragraph(say("case_others_none", language))
        return
    rows = []
    for name, times in case.others.items():
        lengths = {
            key: lasted(getattr(times, key), language) for key in ("up", "degraded", "down", "unknown")
        }
        rows.append((case.site.uplink(name).label, say("case_others_value", language, **lengths)))
    yield Facts(tuple(rows))


def _signal(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_signal", language))
    if not case.levels:
        yield Paragraph(say("not_recorded", language).capitalize() + ".")
        return

    def said(value: float | None) -> str:
        return say("not_recorded", language) if value is None else figure(value, language, 1)

    rows = tuple(
        (
            case.site.uplink(one.uplink).label,
            say(f"kind_{one.kind}", language),
            said(one.before),
            said(one.during),
        )
        for one in case.levels
    )
    keys = ("case_uplink", "case_kind", "case_before", "case_during")
    yield Table(tuple(say(key, language) for key in keys), rows, (2.0, 3.5, 2.0, 2.0), frozenset({2, 3}))


def _done(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_done", language))
    rows = [
        (
            day_and_clock(restart.at, language, case.zone),
            restart_said(restart, case.site.box_labels, language),
        )
        for outage in case.outages
        for restart in outage.restarts
    ]
    if rows:
        yield Facts(tuple(rows))
    else:
        yield Paragraph(say("case_done_none", language))
    for reason in case.refused:
        yield Paragraph(say("case_refused", language, reason=refusal(reason, language)))


def _course(case: Case, language: str) -> Iterator[Block]:
    yield Heading(say("case_course", language))
    rows = tuple(
        (day_and_clock(milliseconds(recorded.at), language, case.zone), _sentence(recorded, language))
        for recorded in case.events
    )
    head = (say("case_local", language, zone=zone_name(case.zone)), say("case_event", language))
    yield Table(head, rows, (2.2, 7.0))


def _sentence(recorded: Recorded, language: str) -> str:
    event = recorded.event
    label = event.args.get("label") or event.subject
    unsure = "" if recorded.synced else " " + say("case_unsynced", language)
    return words(event.code, language, {**event.args, "label": label}).sentence + unsure
