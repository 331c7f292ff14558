"""What is learned of one line over the months: its silences, and how quick it usually is.

Silences are two habits, kept apart. While the box still answers, the trouble is beyond it; when the box is
silent too, the same silence means something else: a box that restarts, a LAN that stalls, a hang.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from agent.core import habit
from agent.core.habit import Habit
from agent.core.site import UplinkKind

FORMAT = "line1"
UNKNOWN = "-"
SLOW_DRIFT = 0.02
"""The usual latency follows a lasting change by 2 % a minute: half an hour of trouble moves it little enough
to be noticed, and a day is enough to get used to a new route."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line; kept on disk as the text of ``encode``.

    ``beyond`` are the silences behind a box that answered, ``whole`` those in which the box was silent as
    well. ``usual_ms`` is the line's own latency, None until it is known.
    """

    beyond: Habit
    whole: Habit
    usual_ms: float | None = None

    def __post_init__(self) -> None:
        """Check what may come from a file.

        Raises:
            ValueError: not a possible line.
        """
        if self.usual_ms is not None and not (math.isfinite(self.usual_ms) and self.usual_ms > 0):
            raise ValueError(f"a usual latency is a positive number of milliseconds, not {self.usual_ms!r}")
        if self.beyond.kind is not self.whole.kind:
            raise ValueError("both habits of a line are of one kind of uplink")


def unknown(kind: UplinkKind) -> Line:
    """A line of which only the kind is known."""
    return Line(habit.prior(kind), habit.prior(kind))


def of(line: Line, *, mute: bool) -> Habit:
    """The habit that a silence belongs to; ``mute`` tells that the box is silent as well."""
    return line.whole if mute else line.beyond


def silence_learned(
    line: Line, silence_s: float, resolution_s: float, switch_cost_s: float, calm_s: float, *, mute: bool
) -> Line:
    """The line after one more silence, ``calm_s`` watched seconds after the last; see ``habit.learned``."""
    grown = habit.learned(of(line, mute=mute), silence_s, resolution_s, switch_cost_s, calm_s)
    if mute:
        return replace(line, whole=grown, beyond=habit.watched(line.beyond, calm_s))
    return replace(line, beyond=grown, whole=habit.watched(line.whole, calm_s))


def calm_learned(line: Line, calm_s: float) -> Line:
    """The line after ``calm_s`` more watched seconds without a silence."""
    return replace(line, beyond=habit.watched(line.beyond, calm_s), whole=habit.watched(line.whole, calm_s))


def latency_learned(line: Line, rtt_ms: float, passed_s: float) -> Line:
    """The line after ``passed_s`` more seconds of a median latency of ``rtt_ms``.

    A running median in steps of a fixed ratio: how far off a sample lies does not matter, so an hour of a
    hundredfold latency moves it no further than an hour of a doubled one.
    """
    if not (math.isfinite(rtt_ms) and rtt_ms > 0):
        return line
    if line.usual_ms is None:
        return replace(line, usual_ms=rtt_ms)
    drift = 1.0 + SLOW_DRIFT * min(1.0, passed_s / 60.0)
    if rtt_ms > line.usual_ms:
        return replace(line, usual_ms=min(rtt_ms, line.usual_ms * drift))
    return replace(line, usual_ms=max(rtt_ms, line.usual_ms / drift))


def encode(line: Line) -> str:
    """The line as three lines of text, some 2 KiB; ``decode`` gives back exactly the same."""
    usual = UNKNOWN if line.usual_ms is None else repr(line.usual_ms)
    return "\n".join((f"{FORMAT} {usual}", habit.encode(line.beyond), habit.encode(line.whole)))


def decode(text: str) -> Line:
    """The line that ``encode`` wrote.

    Raises:
        ValueError: the text is something else; the message says what.
    """
    rows = text.split("\n")
    head = rows[0].split()
    if len(rows) != 3 or len(head) != 2 or head[0] != FORMAT:
        raise ValueError(f"not a line: it does not begin with {FORMAT!r} and has three rows")
    try:
        usual_ms = None if head[1] == UNKNOWN else float(head[1])
    except ValueError as error:
        raise ValueError(f"not a line: usual latency: {error}") from None
    return Line(habit.decode(rows[1]), habit.decode(rows[2]), usual_ms)
