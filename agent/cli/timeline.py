"""What was seen of a story, line by line, for whoever wants to know how it went. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agent.cli.expectations import Evidence, headline
from agent.core.codes import Code
from agent.text import words
from hardware.virtual.scenario import Deed, Scenario


def timeline(scenario: Scenario, evidence: Evidence, language: str) -> list[str]:
    """Deeds, events, power and headlines in the order in which they came."""
    lines = [
        *((t, 0, f"▶ {deed_text(scenario, deed, language)}") for t, deed in evidence.done),
        *((t, 1, text) for t, text in _events(evidence, language)),
        *((t, 2, text) for t, text in _power(evidence)),
        *((t, 3, text) for t, text in _headlines(evidence, language)),
    ]
    return [f"{clock(t)}  {text}" for t, _, text in sorted(lines, key=lambda line: line[:2])]


def clock(t: float) -> str:
    """Seconds since the start of the story as hours, minutes, seconds and tenths."""
    tenths = round(max(0.0, t) * 10)
    return f"{tenths // 36_000:3}:{tenths // 600 % 60:02}:{tenths // 10 % 60:02}.{tenths % 10}"


def deed_text(scenario: Scenario, deed: Deed, language: str) -> str:
    """What the scenario does, for people."""
    if deed.say:
        return deed.say[language]
    labels = {uplink.name: uplink.label for uplink in scenario.uplinks}
    on = f" {labels.get(deed.on, deed.on)}" if deed.on else ""
    args = "".join(f" {key}={value}" for key, value in deed.args.items())
    return f"{deed.what}{on}{args}"


def _events(evidence: Evidence, language: str) -> Iterator[tuple[float, str]]:
    for event in evidence.events:
        sentence = words(Code(event.code), language, event.args).sentence
        yield event.t, f"{'⚑ ' if event.alert else ''}{event.code} ({event.subject}): {sentence}"


def _power(evidence: Evidence) -> Iterator[tuple[float, str]]:
    for outage in evidence.outages:
        yield outage.begin, f"⏻ box {outage.box} without power for {outage.end - outage.begin:.1f} s"


def _headlines(evidence: Evidence, language: str) -> Iterator[tuple[float, str]]:
    before = ""
    for t, shot in evidence.pictures:
        now = headline(shot, language)
        if now != before:
            before = now
            yield t, f"◼ {now}"
