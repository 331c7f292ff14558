"""Judging a story: what was seen against what the scenario asks for. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from agent.core.codes import FINDINGS, Code
from agent.core.model import Scalar
from agent.core.snapshot_types import Health, Snapshot
from agent.text import words
from hardware.virtual.scenario import Aspect, Condition, Deed, Scenario


@dataclass(frozen=True, slots=True)
class Seen:
    """One event, ``t`` seconds after the start of the story."""

    t: float
    code: str
    subject: str
    args: Mapping[str, Scalar] = field(default_factory=dict)
    alert: bool = False
    """Somebody would have been called."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A box was without power from ``begin`` to ``end``, seconds after the start of the story."""

    box: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that was seen of one story.

    Attributes:
        end_s: when it ended, seconds after its start.
        events: in the order in which they came.
        pictures: snapshots with their times, oldest first.
        deeds: when each named deed was done.
        cuts: how often the relay really took each box's power away.
        powered: whether each box has power at the end.
        outages: every cut by the relay.
        done: every deed, with its time.
    """

    end_s: float
    events: Sequence[Seen] = ()
    pictures: Sequence[tuple[float, Snapshot]] = ()
    deeds: Mapping[str, float] = field(default_factory=dict)
    cuts: Mapping[str, int] = field(default_factory=dict)
    powered: Mapping[str, bool] = field(default_factory=dict)
    outages: Sequence[Outage] = ()
    done: Sequence[tuple[float, Deed]] = ()


def judge(scenario: Scenario, evidence: Evidence) -> list[str]:
    """Every condition that was not kept, in plain words; empty if the story went as it must."""
    failures = [why for condition in scenario.expects if (why := _missed(condition, evidence))]
    failures += [why for condition in scenario.nevers if (why := _broken(condition, evidence))]
    return failures


def unknown_words(scenario: Scenario) -> list[str]:
    """Codes that no agent ever says, as a typing error in a ``never`` would otherwise go unnoticed."""
    wrong: list[str] = []
    for condition in (*scenario.expects, *scenario.nevers):
        known = _VOCABULARY.get(condition.aspect, frozenset())
        wrong += [
            f"{condition.aspect}: {code!r} is unknown{_near(code, known)}"
            for code in condition.codes
            if code not in known
        ]
    wrong += [
        f"after_event: {deed.after_event!r} is unknown{_near(deed.after_event, _CODES)}"
        for deed in scenario.deeds
        if deed.after_event is not None and deed.after_event not in _CODES
    ]
    return wrong


def _near(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


_CODES = frozenset(str(code) for code in Code)
_VOCABULARY: Mapping[Aspect, frozenset[str]] = {
    Aspect.EVENT: _CODES,
    Aspect.ORDER: _CODES,
    Aspect.FINDING: frozenset(str(code) for code in FINDINGS),
    Aspect.HEALTH: frozenset(str(health) for health in Health),
}


# --- what must be seen --------------------------------------------------------------------------------------


def _missed(condition: Condition, evidence: Evidence) -> str | None:
    match condition.aspect:
        case Aspect.EVENT:
            return _event_missed(condition, evidence)
        case Aspect.FINDING | Aspect.HEALTH | Aspect.HEADLINE:
            return _picture_missed(condition, evidence)
        case Aspect.ORDER:
            return _order_missed(condition, evidence)
        case Aspect.CUTS | Aspect.CUTS_AT_MOST:
            return _cuts_missed(condition, evidence)
        case Aspect.LONGEST_CUT_S:
            return _longest_missed(condition, evidence)
        case Aspect.POWERED:
            return _power_missed(condition, evidence)
        case Aspect.CUTS_OVERLAP:
            return None


def _event_missed(condition: Condition, evidence: Evidence) -> str | None:
    window = _window(condition, evidence)
    if isinstance(window, str):
        return window
    matching = [event for event in evidence.events if _matches(condition, event)]
    within = [event for event in matching if window[0] <= event.t <= window[1]]
    wanted = _event_words(condition)
    if condition.number is not None and len(within) != condition.number:
        return f"{wanted} must be seen {condition.number} times{_span(window)}, was seen {len(within)} times"
    if condition.number is None and not within:
        at = ", ".join(f"{event.t:.1f} s" for event in matching)
        return f"{wanted} must be seen{_span(window)}, was seen {f'at {at}' if at else 'never'}"
    return None


def _picture_missed(condition: Condition, evidence: Evidence) -> str | None:
    window = _window(condition, evidence)
    if isinstance(window, str):
        return window
    if condition.at_s is None and _has_window(condition):
        standing = [shot for t, shot in evidence.pictures if t < window[0]][-1:]
        within = [shot for t, shot in evidence.pictures if window[0] <= t <= window[1]]
        if any(_shows(condition, shot) for shot in (*standing, *within)):
            return None
        return f"{_picture_words(condition)} must be seen{_span(window)}, was not"
    # A window without limits begins with the deed, or with the story: from there the instant counts.
    instant = evidence.end_s if condition.at_s is None else window[0] + condition.at_s
    before = [shot for t, shot in evidence.pictures if t <= instant]
    when = "at the end" if condition.at_s is None else f"at {instant:g} s"
    if not before:
        return f"{_picture_words(condition)} must stand {when}, but there was no snapshot"
    if _shows(condition, before[-1]):
        return None
    return f"{_picture_words(condition)} must stand {when}, but {_standing(condition, before[-1])}"


def _order_missed(condition: Condition, evidence: Evidence) -> str | None:
    events: Iterator[Seen] = iter(
        event for event in evidence.events if condition.subject in (None, event.subject)
    )
    for place, code in enumerate(condition.codes):
        if not any(event.code == code for event in events):
            order = " → ".join(condition.codes)
            of = f" of {condition.subject}" if condition.subject else ""
            after = f" after {condition.codes[place - 1]}" if place else ""
            return f"these events{of} must come in order: {order}; {code} did not come{after}"
    return None


def _boxes(condition: Condition, known: Collection[str]) -> list[str]:
    """The boxes that a condition speaks of: the named one, or all that are known."""
    return sorted(known) if condition.subject is None else [condition.subject]


def _cuts_missed(condition: Condition, evidence: Evidence) -> str | None:
    number = condition.number or 0
    for box in _boxes(condition, evidence.cuts):
        cuts = evidence.cuts.get(box, 0)
        if condition.aspect is Aspect.CUTS and cuts != number:
            return f"box {box} must be cut {number} times, was cut {cuts} times"
        if condition.aspect is Aspect.CUTS_AT_MOST and cuts > number:
            return f"box {box} must be cut at most {number} times, was cut {cuts} times"
    return None


def _longest_missed(condition: Condition, evidence: Evidence) -> str | None:
    for outage in evidence.outages:
        lasted_s = outage.end - outage.begin
        if condition.subject in (None, outage.box) and lasted_s > condition.most_s:
            most = f"{condition.most_s:g} s at a time"
            return f"box {outage.box} must be cut for at most {most}, was cut for {lasted_s:.1f} s"
    return None


def _power_missed(condition: Condition, evidence: Evidence) -> str | None:
    wanted, got = ("with power", "without") if condition.powered else ("without power", "with it")
    for box in _boxes(condition, evidence.powered):
        powered = evidence.powered.get(box)
        if powered is not condition.powered:
            return f"box {box} must be {wanted} at the end, is {got if powered is not None else 'unknown'}"
    return None


# --- what must never be seen --------------------------------------------------------------------------------


def _broken(condition: Condition, evidence: Evidence) -> str | None:
    window = _window(condition, evidence)
    if isinstance(window, str):
        return window
    begin, end = window
    if condition.aspect is Aspect.CUTS_OVERLAP:
        return _overlap(evidence)
    if condition.aspect is Aspect.EVENT:
        at = [event.t for event in evidence.events if begin <= event.t <= end and _matches(condition, event)]
        words = _event_words(condition)
    else:
        at = [t for t, shot in evidence.pictures if begin <= t <= end and _shows(condition, shot)]
        words = _picture_words(condition)
    return f"{words} must never be seen{_span(window)}, was seen at {at[0]:.1f} s" if at else None


def _overlap(evidence: Evidence) -> str | None:
    for first, second in combinations(sorted(evidence.outages, key=lambda outage: outage.begin), 2):
        if first.box != second.box and second.begin < first.end:
            return f"boxes {first.box} and {second.box} were without power together at {second.begin:.1f} s"
    return None


# --- matching and words -------------------------------------------------------------------------------------


def _has_window(condition: Condition) -> bool:
    return any(one is not None for one in (condition.after, condition.from_s, condition.by_s))


def _window(condition: Condition, evidence: Evidence) -> tuple[float, float] | str:
    """Begin and end in seconds after the start; words if the deed that it counts from was not done."""
    zero = 0.0
    if condition.after is not None:
        if condition.after not in evidence.deeds:
            return f"the deed {condition.after!r} was not done, so what must follow it cannot be judged"
        zero = evidence.deeds[condition.after]
    begin = zero + (condition.from_s or 0.0)
    end = float("inf") if condition.by_s is None else zero + condition.by_s
    return begin, end


def _matches(condition: Condition, event: Seen) -> bool:
    return (
        event.code in condition.codes
        and condition.subject in (None, event.subject)
        and all(key in event.args and event.args[key] == value for key, value in condition.args.items())
    )


def _shows(condition: Condition, shot: Snapshot) -> bool:
    if condition.aspect is Aspect.HEALTH:
        return any(
            uplink.name == condition.subject and uplink.health in condition.codes for uplink in shot.uplinks
        )
    if condition.aspect is Aspect.HEADLINE:
        return all(headline(shot, language) == _plain(text) for language, text in condition.words.items())
    return any(
        finding.code in condition.codes and condition.subject in (None, finding.subject)
        for finding in shot.findings
    )


def headline(shot: Snapshot, language: str) -> str:
    """The first line of the screen, with ordinary spaces."""
    args = shot.findings[0].args if shot.findings else {}
    return _plain(words(shot.headline, language, args).short)


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def _standing(condition: Condition, shot: Snapshot) -> str:
    if condition.aspect is Aspect.HEALTH:
        found = [uplink for uplink in shot.uplinks if uplink.name == condition.subject]
        return f"it is {found[0].health} ({found[0].why})" if found else "there is no such uplink"
    if condition.aspect is Aspect.HEADLINE:
        return "it is " + " / ".join(f"“{headline(shot, language)}”" for language in condition.words)
    return f"there stand: {', '.join(f'{one.code} ({one.subject})' for one in shot.findings) or 'none'}"


def _event_words(condition: Condition) -> str:
    of = f" of {condition.subject}" if condition.subject else ""
    with_ = f" with {dict(condition.args)}" if condition.args else ""
    return f"event {' or '.join(condition.codes)}{of}{with_}"


def _picture_words(condition: Condition) -> str:
    code = " or ".join(condition.codes)
    if condition.aspect is Aspect.HEALTH:
        return f"uplink {condition.subject} {code}"
    if condition.aspect is Aspect.HEADLINE:
        return "headline " + " / ".join(f"“{text}”" for text in condition.words.values())
    return f"finding {code}{f' of {condition.subject}' if condition.subject else ''}"


def _span(window: tuple[float, float]) -> str:
    begin, end = window
    if end == float("inf"):
        return f" after {begin:.1f} s" if begin > 0 else ""
    return f" between {begin:.1f} s and {end:.1f} s"
