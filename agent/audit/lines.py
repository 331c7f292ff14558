"""An audit as lines of text with a kind each, for a terminal, a page and paper alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from agent.audit.advice import Advice, Candidate
from agent.audit.judging import Audit
from agent.audit.points import Axis, Grade, WeakPoint
from agent.audit.saving import Change
from agent.audit.words import Told, in_groups, reason, title_of, word

MARKS = {Grade.CRITICAL: "!!", Grade.SERIOUS: "!", Grade.MINOR: "-"}
"""A grade must not be told by colour alone."""
UNKNOWN = "?"
NO_BREAK = "\N{NO-BREAK SPACE}"


class Kind(StrEnum):
    """What a line is, for whoever draws it."""

    HEAD = "head"
    SECTION = "section"
    TEXT = "text"
    SCORE = "score"
    POINT = "point"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class Line:
    """One line, of any length.

    Attributes:
        kind: what it is.
        text: what it says.
        lead: what stands before it, in a column of its own.
        grade: of the weak point that it begins.
        score: 0 to 100, of a score.
    """

    kind: Kind
    text: str
    lead: str = ""
    grade: Grade | None = None
    score: int = 0


def lines(
    audit: Audit, advice: Advice, change: Change | None, language: str, day: str, before_day: str
) -> Iterator[Line]:
    """The whole audit.

    Args:
        audit: what was found.
        advice: what to buy next.
        change: what has changed since the last audit; None if there is none to compare with.
        language: of the texts.
        day: of the audit, for people.
        before_day: of the last audit.
    """
    known = [point for point in audit.points if point.found.known]
    unknown = [point for point in audit.points if not point.found.known]
    yield Line(Kind.HEAD, word("head", language, site=audit.label, at=day))
    yield Line(Kind.TEXT, _counts(audit, len(unknown), language))
    yield Line(Kind.SECTION, word("scores", language))
    for axis in Axis:
        grown = change.scores.get(axis, 0) if change is not None else 0
        beside = f"{audit.scores[axis]}" + (f" ({grown:+d})" if grown else "")
        yield Line(Kind.SCORE, beside, word(axis, language), score=audit.scores[axis])
    if change is not None:
        yield from _change(change, language, before_day)
    if not audit.points:
        yield Line(Kind.TEXT, word("nothing", language))
    for number, group in enumerate(in_groups(known), 1):
        yield from _known(number, group, language)
    if unknown:
        yield Line(Kind.SECTION, word("questions", language))
        for group in in_groups(unknown):
            yield from _unknown(group, language)
    yield from _advice(advice, language)


def _counts(audit: Audit, unknown: int, language: str) -> str:
    counts = {grade: sum(1 for point in audit.points if point.found.grade is grade) for grade in Grade}
    return word("counts", language, **counts, unknown=unknown)


def _known(number: int, group: list[WeakPoint], language: str) -> Iterator[Line]:
    told = Told(group, language)
    yield _title(f"{number}. {told.title}", told.point, MARKS[told.point.found.grade], language)
    yield Line(Kind.FIELD, told.found, word("found", language))
    yield Line(Kind.FIELD, told.means, word("means", language))
    yield Line(Kind.FIELD, told.remedy, word("do", language))


def _unknown(group: list[WeakPoint], language: str) -> Iterator[Line]:
    told = Told(group, language)
    yield _title(told.found, told.point, UNKNOWN, language)
    yield Line(Kind.FIELD, told.means, word("means", language))
    key = told.point.found.key
    if key is None:
        yield Line(Kind.FIELD, told.remedy, word("do", language))
    else:
        yield Line(Kind.FIELD, word("answer", language, key=key), word("do", language))


def _title(text: str, point: WeakPoint, mark: str, language: str) -> Line:
    beside = f"[{word(point.found.grade, language)}, {word('cost', language, cost=point.cost)}]"
    return Line(Kind.POINT, f"{text} {beside.replace(' ', NO_BREAK)}", mark, point.found.grade)


def _change(change: Change, language: str, before_day: str) -> Iterator[Line]:
    yield Line(Kind.SECTION, word("since", language, at=before_day))
    told = [word("better", language, what=title_of(code, who, language)) for code, who in change.gone]
    told += [word("worse", language, what=Told([point], language).title) for point in change.new]
    told += [word("answered", language, what=title_of(code, who, language)) for code, who in change.answered]
    for text in told or [word("same", language)]:
        yield Line(Kind.TEXT, text)


def _advice(advice: Advice, language: str) -> Iterator[Line]:
    yield Line(Kind.SECTION, word("advice", language))
    best = " > ".join(word(one.kind, language) for one in advice.by_effect)
    cheap = " > ".join(word(kind, language) for kind in advice.by_budget)
    yield Line(Kind.TEXT, word("by_effect", language, what=best))
    yield Line(Kind.TEXT, word("by_budget", language, what=cheap))
    yield Line(Kind.TEXT, reason(advice.budget, language))
    for candidate in advice.by_effect:
        yield from _candidate(candidate, language)


def _candidate(candidate: Candidate, language: str) -> Iterator[Line]:
    hope = word(f"hope_{candidate.hope.value}", language)
    against = "; ".join(reason(one, language) for one in candidate.against)
    text = word("candidate", language, kind=word(candidate.kind, language), hope=hope)
    text += f" ({against})" if against else ""
    yield Line(Kind.POINT, text[0].upper() + text[1:])
    for aspect, why in candidate.aspects.items():
        yield Line(Kind.FIELD, reason(why, language), word(aspect, language))
