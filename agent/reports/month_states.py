"""How each uplink was at every instant, read from the event journal, with what is not known said to be so.

An uplink is as its last event has told: ``uplink_up``, ``uplink_degraded``, ``uplink_down``,
``uplink_unknown``. Three things need care:

* An outage begins with the silence and not with the verdict: ``uplink_up`` carries ``down_s``, and the
  outage is as long as that. One whose end is not on record begins with its verdict.
* Nobody watches while the agent does not run. A run ends with ``agent_stopped``; one that was killed ends
  with the last thing known of it: its last event, or a later sign of life. From there to the next start, and
  then to the first verdict on each uplink, its state is unknown.
* What has no trustworthy time has none here: between the last dated event and the next dated one around an
  event whose clock was not set, and across events that are lost, every uplink is unknown.

While a portal answers on an uplink (``walled_garden``) or no names are found (``names_fail``), it carries
packets and no business, and counts as down.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from agent.core.business import USELESS
from agent.core.codes import Code
from agent.core.model import Event, Recorded
from agent.reports.month_time import Piece, Span, milliseconds, united

LONGEST_S = 1e9
"""No duration in the journal is longer."""


class How(StrEnum):
    """How an uplink was."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


STATES = {
    Code.UPLINK_UP: How.UP,
    Code.UPLINK_DEGRADED: How.DEGRADED,
    Code.UPLINK_DOWN: How.DOWN,
    Code.UPLINK_UNKNOWN: How.UNKNOWN,
}
WORKS = (How.UP, How.DEGRADED)


@dataclass(frozen=True, slots=True)
class Stretch:
    """An uplink's state from ``begin`` to ``end``, milliseconds."""

    begin: int
    end: int
    how: How


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of which nothing is known, and why.

    ``stopped``: the agent was; ``killed``: it was, or lost its power; ``silent``: no sign of life since;
    ``undated``: its clock was not set; ``lost``: events are missing; ``nothing``: none is on record.
    """

    begin: int
    end: int
    why: str


@dataclass(frozen=True, slots=True)
class Histories:
    """What the journal says of a span.

    Attributes:
        uplinks: by uplink, stretches that fill the span without a hole.
        gaps: when nobody watched, within the span.
        last: the last instant of which anything is known, milliseconds; None without any event.
    """

    uplinks: Mapping[str, tuple[Stretch, ...]]
    gaps: tuple[Gap, ...]
    last: int | None


def histories(
    events: Iterable[Recorded], uplinks: Sequence[str], span: Span, alive: Sequence[Piece] = ()
) -> Histories:
    """How the uplinks were in ``span``.

    Args:
        events: all that is on record, oldest first, also from before the span.
        uplinks: their names.
        span: what is asked about; what is not over yet must be cut off by the caller.
        alive: ordered pieces in which the agent is known to have run, from what else it wrote.
    """
    reading = _Reading(uplinks, alive)
    for recorded in events:
        reading.take(recorded)
    reading.finish(span.end)
    shown = {name: tuple(_within(line.finished(span.end), span)) for name, line in reading.lines.items()}
    gaps = (Gap(*span.cut(gap.begin, gap.end), gap.why) for gap in reading.gaps)
    return Histories(shown, tuple(gap for gap in gaps if gap.begin < gap.end), reading.last)


class _Line:
    """One uplink's history while it is read."""

    def __init__(self) -> None:
        self.how = How.UNKNOWN
        self.since: int | None = None
        """None: since ever."""
        self.done: list[tuple[int | None, int, How]] = []
        self.useless: dict[Code, int] = {}
        self.useless_done: list[Piece] = []

    def turn(self, at: int, how: How) -> None:
        if how is self.how:
            return
        at = at if self.since is None else max(at, self.since)
        self.done.append((self.since, at, self.how))
        self.how, self.since = how, at

    def began(self, at: int) -> None:
        """The outage that stands began at ``at``; not before the state before it did."""
        if self.how is not How.DOWN or self.since is None or not self.done:
            return
        before = self.done[-1][0]
        begin = min(self.since, at if before is None else max(at, before))
        self.done[-1] = (before, begin, self.done[-1][2])
        self.since = begin

    def finding(self, at: int, code: Code, lasted: int | None) -> None:
        """A finding opens, or with ``lasted`` is over."""
        if lasted is None:
            self.useless.setdefault(code, at)
        elif code in self.useless:
            self.useless_done.append((min(at - lasted, self.useless.pop(code)), at))

    def end_run(self, at: int) -> None:
        self.turn(at, How.UNKNOWN)
        self.useless_done += [(begin, max(begin, at)) for begin in self.useless.values()]
        self.useless = {}

    def finished(self, end: int) -> list[Stretch]:
        """All of it up to ``end``, without empty stretches."""
        spells = [*self.done, (self.since, end if self.since is None else max(end, self.since), self.how)]
        stretches = [Stretch(e if b is None else b, e, how) for b, e, how in spells]
        useless = united([*self.useless_done, *((begin, end) for begin in self.useless.values())])
        return [part for stretch in stretches for part in without(stretch, useless) if part.begin < part.end]


def without(stretch: Stretch, useless: Sequence[Piece]) -> list[Stretch]:
    """A stretch; if it worked, with what was useless of it as down."""
    if stretch.how not in WORKS:
        return [stretch]
    parts, at = [], stretch.begin
    for begin, end in useless:
        first, last = max(at, begin), min(end, stretch.end)
        if first < last:
            parts += [Stretch(at, first, stretch.how), Stretch(first, last, How.DOWN)]
            at = last
    return [*parts, Stretch(at, stretch.end, stretch.how)]


class _Reading:
    """All uplinks while the journal is read."""

    def __init__(self, uplinks: Sequence[str], alive: Sequence[Piece]) -> None:
        self.lines = {name: _Line() for name in uplinks}
        self.gaps: list[Gap] = []
        self.last: int | None = None
        self._alive = alive
        self._alive_until = list(accumulate((end for _, end in alive), max))
        self._held = dict.fromkeys(uplinks, How.UNKNOWN)
        self._running = False
        self._ended: tuple[int, str] | None = None
        self._blurred = False
        self._seq: int | None = None

    def take(self, recorded: Recorded) -> None:
        """One more event."""
        event, seq = recorded.event, recorded.seq
        holed = event.code is Code.EVENTS_LOST and event.args.get("first_seq") is None
        if seq is not None:
            holed = holed or (self._seq is not None and seq > self._seq + 1)
            self._seq = seq
        if holed:
            self._held = dict.fromkeys(self._held, How.UNKNOWN)
        if recorded.synced:
            # A clock that was put back does not make what follows happen earlier.
            at = milliseconds(recorded.at) if self.last is None else max(self.last, milliseconds(recorded.at))
            self._dated(event, at, holed=holed)
            self.last = at
        else:
            self._blurred = True
        self._hold(event)

    def _hold(self, event: Event) -> None:
        """What is so after this event, whenever it was."""
        if event.code in (Code.AGENT_STARTED, Code.AGENT_STOPPED):
            self._held = dict.fromkeys(self._held, How.UNKNOWN)
            self._running = event.code is Code.AGENT_STARTED
        elif self._ended is None:
            self._running = True
        if event.code in STATES and event.subject in self._held and self._running:
            self._held[event.subject] = STATES[event.code]

    def _dated(self, event: Event, at: int, *, holed: bool) -> None:
        if self.last is None:
            self.gaps.append(Gap(-(2**62), at, "nothing"))
        blurred = self._blurred or holed
        self._blurred = False
        if blurred:
            self._unknown(at if self.last is None else self.last, at, "lost" if holed else "undated")
            for name, line in self.lines.items():
                line.turn(at, self._held[name])
        if event.code is Code.AGENT_STARTED:
            if self._running and not blurred:
                self._unknown(self._known_until(at), at, "killed")
            elif self._ended is not None and not blurred:
                self._unknown(self._ended[0], at, self._ended[1])
            self._ended = None
        elif event.code is Code.AGENT_STOPPED:
            self._ended = at, "stopped"
            for line in self.lines.values():
                line.end_run(at)
        elif event.subject in self.lines and (self._running or self._ended is None):
            _apply(self.lines[event.subject], event, at)

    def _unknown(self, begin: int, end: int, why: str) -> None:
        for line in self.lines.values():
            line.end_run(begin)
        self.gaps.append(Gap(begin, end, why))

    def _known_until(self, before: int) -> int:
        """The last sign of life of the run whose last event is the last one read."""
        assert self.last is not None
        place = bisect_right(self._alive, (self.last, 2**62))
        # Earlier runs have ended before, so of all that had begun by then the latest end is this run's.
        return min(before, max(self.last, self._alive_until[place - 1])) if place else self.last

    def finish(self, end: int) -> None:
        """Nothing more is on record."""
        if self.last is None:
            self.gaps.append(Gap(-(2**62), end, "nothing"))
        elif self._blurred:
            self._unknown(self.last, max(self.last, end), "undated")
        elif self._ended is not None:
            self.gaps.append(Gap(self._ended[0], max(self._ended[0], end), self._ended[1]))
        elif (until := self._known_until(max(end, self.last))) < end:
            self._unknown(until, end, "silent")


def _apply(line: _Line, event: Event, at: int) -> None:
    """What one dated event says of its uplink."""
    if event.code in STATES:
        down = seconds(event.args.get("down_s"))
        if line.how is How.DOWN and down and event.code is Code.UPLINK_UP:
            line.began(at - down)
        line.turn(at, STATES[event.code])
    elif event.code in USELESS:
        line.finding(at, event.code, None)
    elif event.code is Code.FINDING_CLOSED and event.args.get("finding") in USELESS:
        lasted = seconds(event.args.get("lasted_s"))
        line.finding(at, Code(str(event.args["finding"])), lasted)


def seconds(value: object) -> int:
    """Seconds of an event in whole milliseconds; 0 for what is no duration."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_S:
        return 0
    return milliseconds(value)


def _within(stretches: Iterable[Stretch], span: Span) -> list[Stretch]:
    """What lies in the span, without a hole, neighbours of one state made one."""
    found: list[Stretch] = []
    at = span.begin
    for stretch in stretches:
        begin, end = span.cut(max(stretch.begin, at), stretch.end)
        if begin >= end:
            continue
        if begin > at:
            found.append(Stretch(at, begin, How.UNKNOWN))
        if found and found[-1].how is stretch.how:
            found[-1] = Stretch(found[-1].begin, end, stretch.how)
        else:
            found.append(Stretch(begin, end, stretch.how))
        at = end
    if at < span.end:
        found.append(Stretch(at, span.end, How.UNKNOWN))
    return found
