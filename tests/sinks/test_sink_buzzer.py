"""The buzzer: once for an alert, and never at night, in a pause or for what is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest

from agent.core.codes import FINDINGS, Code, Severity
from agent.core.snapshot_types import Snapshot
from agent.sinks.buzzer import ALERT, BuzzerSink, Told, local_day_s, render
from hardware.buzzer_port import Beeps
from hardware.virtual.panel import VirtualBuzzer

Build = Callable[..., Any]
NOON, NIGHT = 12 * 3600.0, (19 * 3600.0, 7 * 3600.0)


class Ear:
    """What is heard of one snapshot after the other."""

    def __init__(self, snapshot: Build, finding: Build) -> None:
        self._snapshot, self._finding = snapshot, finding
        self._told: Told | None = None

    def hears(
        self, *codes: Code, incident: str | None = None, day_s: float | None = NOON, **changes: Any
    ) -> bool:
        findings = tuple(
            replace(self._finding(code, "ftth", "Fibre"), severity=FINDINGS[code].severity) for code in codes
        )
        shown = self._snapshot(findings=findings, incident=incident, **changes)
        self._told, beeps = render(self._told, shown, day_s, NIGHT)
        assert beeps in (None, ALERT)
        return beeps is not None


@pytest.fixture
def ear(example_snapshot: Build, example_finding: Build) -> Ear:
    built = Ear(example_snapshot, example_finding)
    assert not built.hears()
    return built


def test_once_when_an_alert_begins(ear: Ear) -> None:
    """Not again while it stands, and again when it comes back another time."""
    assert ear.hears(Code.BOX_HUNG, incident="a")
    assert not ear.hears(Code.BOX_HUNG, incident="a")
    assert not ear.hears()
    assert ear.hears(Code.BOX_HUNG, incident="b")


@pytest.mark.parametrize("code", list(FINDINGS))
def test_only_alerts_are_heard(ear: Ear, code: Code) -> None:
    """What is only a warning or information is for the eyes."""
    assert ear.hears(code, incident="a") is (FINDINGS[code].severity is Severity.ALERT)


def test_another_cause_of_the_same_incident_is_no_second_alarm(ear: Ear) -> None:
    """Also when it is hidden by a restart meanwhile; but that a person is needed is heard."""
    assert ear.hears(Code.BOX_HUNG, incident="a")
    assert not ear.hears(Code.LINE_OR_OPERATOR, incident="a")
    assert not ear.hears(Code.RESTARTING, incident="a")
    assert not ear.hears(Code.BOX_HUNG, incident="a")
    assert ear.hears(Code.NEEDS_HUMAN, Code.BOX_HUNG, incident="a")
    assert not ear.hears(Code.NEEDS_HUMAN, incident="a")


def test_what_stands_when_the_agent_starts_was_heard_before(
    example_snapshot: Build, example_finding: Build
) -> None:
    """An agent that restarts again and again does not sound each time."""
    ear = Ear(example_snapshot, example_finding)
    assert not ear.hears(Code.BOX_HUNG, incident="a")
    assert not ear.hears(Code.BOX_HUNG, incident="a")


@pytest.mark.parametrize(
    ("hour", "heard"), [(18.99, True), (19.0, False), (23.9, False), (0.0, False), (6.99, False), (7.0, True)]
)
def test_silent_at_night_and_not_made_up_for(ear: Ear, hour: float, heard: bool) -> None:
    """The quiet hours pass midnight; what began in them is not told at their end."""
    assert ear.hears(Code.BOX_HUNG, incident="a", day_s=hour * 3600) is heard
    assert not ear.hears(Code.BOX_HUNG, incident="a", day_s=NOON)


def test_quiet_hours_within_a_day(example_snapshot: Build, example_finding: Build) -> None:
    """A window that does not pass midnight; and none at all."""
    hung = example_snapshot(
        findings=(replace(example_finding(Code.BOX_HUNG, "ftth", "Fibre"), severity=Severity.ALERT),)
    )
    told = Told(frozenset(), None)
    lunch = (12 * 3600.0, 14 * 3600.0)
    heard = [render(told, hung, hour * 3600.0, lunch)[1] for hour in (11.9, 12, 13.9, 14)]
    assert heard == [ALERT, None, None, ALERT]
    assert render(told, hung, 0.0, None)[1] is ALERT


def test_silent_while_nobody_knows_the_time(ear: Ear, example_snapshot: Build) -> None:
    """A Pi without a clock may think at three in the morning that it is noon."""
    assert local_day_s(example_snapshot(synced=False)) is None
    known = local_day_s(example_snapshot(synced=True))
    assert known is not None
    assert 0 <= known < 86400
    assert not ear.hears(Code.BOX_HUNG, incident="a", day_s=None)


def test_silent_in_a_pause(ear: Ear) -> None:
    """Whoever asked for the pause works on the bay, and knows."""
    assert not ear.hears(Code.BOX_HUNG, incident="a", hold_until=2000.0)
    assert not ear.hears(Code.BOX_HUNG, incident="a")


def test_the_sink_sounds_what_is_to_be_heard(scenes: dict[str, Snapshot]) -> None:
    """One sound for the whole story."""
    buzzer = VirtualBuzzer()

    async def stream() -> AsyncIterator[Snapshot]:
        for scene in ("all_well", "everything_down", "everything_down", "all_well"):
            yield scenes[scene]

    asyncio.run(BuzzerSink(buzzer, NIGHT, day_s=lambda _: NOON).run(stream()))
    assert buzzer.heard == [Beeps(3, 0.1, 0.15)]
