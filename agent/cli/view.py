"""What a terminal view shows: the data it is drawn from, and its words as plain text."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.cli.labels import label
from agent.core.codes import Severity
from agent.core.snapshot_types import BoxView, FindingView, Snapshot
from agent.text import duration, refusal, words

LINES_KEPT = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline. ``at`` is UNIX seconds; ``t_s`` seconds since the start, None if unknown."""

    at: float
    t_s: float | None
    text: str
    severity: Severity = Severity.INFO
    by_story: bool = False
    """True for what the scenario does, false for what the agent says."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The head of a demo."""

    title: str
    text: str
    elapsed_s: float
    duration_s: float
    next_deed: str | None = None
    """What happens next, with its time."""


@dataclass(frozen=True, slots=True)
class View:
    """All that a picture depends on.

    ``elapsed_s`` drives the blinking. ``aged_s`` is how long ago the snapshot came, so that countdowns run
    on between two of them. ``snapshot`` None is a panel without an agent: dark.
    """

    snapshot: Snapshot | None
    lines: tuple[Line, ...] = ()
    language: str = "fr"
    elapsed_s: float = 0.0
    aged_s: float = 0.0
    width: int = 80
    height: int = 24
    story: Progress | None = None


def local_time(at: float) -> str:
    """UNIX seconds as people on site read them."""
    return f"{datetime.fromtimestamp(at, tz=UTC).astimezone():%H:%M:%S}"


def local_day(at: float) -> str:
    """The day of UNIX seconds, as people on site count it."""
    return f"{datetime.fromtimestamp(at, tz=UTC).astimezone():%Y-%m-%d}"


def minutes(seconds: float) -> str:
    """Minutes and seconds."""
    whole = max(0, int(seconds))
    return f"{whole // 60}:{whole % 60:02d}"


def line_text(line: Line) -> str:
    """A line of the timeline as plain text: local time, seconds since the start, what happened."""
    since = "" if line.t_s is None else f" {line.t_s:6.1f} s"
    return f"{local_time(line.at)}{since}  {'▶ ' if line.by_story else ''}{line.text}"


def power_text(shot: Snapshot, language: str) -> str:
    """Whether boxes are restarted automatically, and why not."""
    if shot.hold_until is not None and shot.hold_until > shot.mono:
        return label("hold", language, left=duration(shot.hold_until - shot.mono, language))
    if shot.armed:
        return label("armed", language)
    why = label("colon", language) + refusal(shot.unarmed_why, language) if shot.unarmed_why else ""
    return label("unarmed", language) + why


def refused_text(shot: Snapshot, box: BoxView, language: str) -> str:
    """Why a box is not restarted although it should be."""
    colon = label("colon", language)
    told = f"⏸ {box.label}{colon}{label('refused', language)}{colon}{refusal(str(box.refusal), language)}"
    if box.refused_until is None:
        return told
    left = duration(math.ceil(max(0.0, box.refused_until - shot.mono)), language)
    return f"{told} ({label('left', language, left=left)})"


def finding_text(shot: Snapshot, finding: FindingView, language: str) -> tuple[str, str]:
    """What a finding says, since when, and its advice."""
    told = words(finding.code, language, {"label": finding.label, **finding.args})
    lasted = duration(max(0.0, shot.mono - finding.since), language)
    return f"! {told.sentence} ({lasted})", told.advice


class Gathered:
    """What has come from the agent so far, kept for the next picture."""

    def __init__(self, language: str, now_s: float) -> None:
        """``now_s`` is the present on the clock that the other methods are given too."""
        self._language = language
        self._began_s = now_s
        self._shot: Snapshot | None = None
        self._shot_at_s = now_s
        self._lines: deque[Line] = deque(maxlen=LINES_KEPT)

    def picture(self, shot: Snapshot, now_s: float) -> None:
        """A new snapshot."""
        self._shot, self._shot_at_s = shot, now_s

    def gone(self) -> None:
        """The agent has gone: its last picture says nothing any more."""
        self._shot = None

    def line(self, line: Line) -> None:
        """One more line for the timeline."""
        self._lines.append(line)

    def view(self, now_s: float, width: int, height: int, story: Progress | None = None) -> View:
        """Everything, for a terminal of this size."""
        return View(
            snapshot=self._shot,
            lines=tuple(self._lines),
            language=self._language,
            elapsed_s=now_s - self._began_s,
            aged_s=now_s - self._shot_at_s,
            width=width,
            height=height,
            story=story,
        )
