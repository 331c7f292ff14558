"""Lines that were never measured but whose truth is known: habits given, hard outages at known instants.

Three targets are asked, each at its own offset. In a *stall* the line is silent and comes back by itself, as
this kind of line does every day; in an *outage* it is cut. The same seed gives the same echoes on any
machine and any Python: chance comes from ``Random.random`` alone.

Long calm is played shorter, by whole multiples of ``SHORTENED_BY_S``, so that many days fit into a minute:
nothing can be declared while every echo is answered, and no rule played here remembers more than a minute.
Rates are per day of the line's full life.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, exp, inf, log
from random import Random
from statistics import NormalDist

from agent.core.site import UplinkKind
from agent.replay.items import HOLE_S, Timed
from agent.replay.reading import Heard
from agent.replay.tables import Row, outcomes

TARGETS = ("a", "b", "c")
DAY_S = 86400.0
KEPT_S = 900.0
"""This much calm before an interruption is always played: ours remembers a return for ten minutes and waits
for two and a half before it believes a line that flaps; 60 s is the longest memory of any other rule."""
SHORTENED_BY_S = 30.0
"""A multiple of every spacing of echoes and of Starlink's slots, so shortening shifts no phase."""
APART_S = 5.0
"""Two interruptions with less calm between them would be one."""
RARE = 1e-9

Lengths = Callable[[float], float]
"""From a share (0 to 1) to the length that this share of the interruptions does not exceed, seconds."""


def around(median_s: float, spread: float, least_s: float, most_s: float) -> Lengths:
    """Log-normal lengths: ``spread`` is the standard deviation of the logarithm."""

    def length_s(share: float) -> float:
        drawn = median_s * exp(spread * NormalDist().inv_cdf(min(max(share, RARE), 1.0 - RARE)))
        return min(most_s, max(least_s, drawn))

    return length_s


def heavy_tailed(shape: float, least_s: float, most_s: float) -> Lengths:
    """Pareto lengths between two bounds."""
    top, bottom = least_s**-shape, most_s**-shape

    def length_s(share: float) -> float:
        return float((top - share * (top - bottom)) ** (-1.0 / shape))

    return length_s


@dataclass(frozen=True, slots=True)
class Line:
    """What a line is like, and how many outages are put into how many days of it."""

    name: str
    kind: UplinkKind
    days: float
    outages: int
    outage_s: Lengths
    stall_every_s: float
    """Mean calm between stalls."""
    stall_s: Lengths
    slot_s: float = 0.0
    """Stalls begin at multiples of this; 0: at any time."""
    late: float = 0.0
    """Share of the echoes sent into a stall whose answers come when it is over; the others are lost."""
    slow: float = 0.0
    """Share of the answers that take 1 to 3 s with nothing being wrong."""
    lost_alone: float = 0.0005
    """Share of the echoes that are lost with nothing being wrong."""
    rtt_s: float = 0.015
    jitter_s: float = 0.003
    interval_s: float = 1.0


LINES = (
    Line(
        "fibre", UplinkKind.FTTH, 14.0, 40, around(480.0, 1.0, 120.0, 10800.0),
        stall_every_s=7200.0, stall_s=around(1.0, 0.5, 0.3, 3.0),
    ),
    Line(
        "starlink", UplinkKind.STARLINK, 3.0, 30, around(240.0, 0.8, 60.0, 1800.0),
        stall_every_s=900.0, stall_s=heavy_tailed(0.1, 2.0, 30.0), slot_s=15.0,
        lost_alone=0.003, rtt_s=0.03, jitter_s=0.01,
    ),
    Line(
        "cellular", UplinkKind.CELLULAR, 2.0, 30, around(240.0, 0.8, 60.0, 1800.0),
        stall_every_s=360.0, stall_s=around(1.5, 0.7, 0.4, 20.0), late=0.5, slow=0.002,
        lost_alone=0.003, rtt_s=0.045, jitter_s=0.02,
    ),
    Line(
        "flapping", UplinkKind.OTHER, 0.5, 24, around(240.0, 0.8, 60.0, 1800.0),
        stall_every_s=110.0, stall_s=around(13.5, 0.12, 10.0, 19.0), late=0.6,
        lost_alone=0.003, rtt_s=0.01, jitter_s=0.005,
    ),
    Line(
        "standby 0.1 Hz", UplinkKind.CELLULAR, 8.0, 40, around(240.0, 0.8, 60.0, 1800.0),
        stall_every_s=360.0, stall_s=around(1.5, 0.7, 0.4, 20.0), late=0.5, slow=0.002,
        lost_alone=0.003, rtt_s=0.045, jitter_s=0.02, interval_s=10.0,
    ),
)  # fmt: skip
"""Rates and lengths follow recorded lines of the same kind where there are any: Starlink's stalls a dish of
2021 (four an hour of 2 s or more, half of them above 10 s; here a good third), the cellular ones drives
through the United States (nine to thirty silences an hour, median 1.3 s), the flapping ones a campus (13 s
every two minutes, answers up to 15 s late). No fibre was recorded at 1 Hz: its everyday silences are
assumed."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """The line is silent from ``begin`` until ``end``, seconds of the time that is played."""

    begin: float
    end: float
    outage: bool


@dataclass(frozen=True, slots=True)
class Course:
    """All that happens to a line: the truth. ``lived_s`` is the time before calm was shortened."""

    line: Line
    interruptions: tuple[Interruption, ...]
    played_s: float
    lived_s: float

    @property
    def outages(self) -> list[Interruption]:
        """The hard ones, in order."""
        return [one for one in self.interruptions if one.outage]

    @property
    def days_without(self) -> float:
        """Days of life outside outages."""
        return (self.lived_s - sum(one.end - one.begin for one in self.outages)) / DAY_S


def course(line: Line, seed: int) -> Course:
    """Draw what happens to a line."""
    life = list(_life(line, Random(f"{seed} {line.name} course")))
    lived_s = max([line.days * DAY_S, *(one.end + APART_S for one in life[-1:])])
    played: list[Interruption] = []
    cut_s = last_end = 0.0
    for one in life:
        cut_s += _shortened(one.begin - last_end)
        played.append(Interruption(one.begin - cut_s, one.end - cut_s, one.outage))
        last_end = one.end
    cut_s += _shortened(lived_s - last_end)
    return Course(line, tuple(played), lived_s - cut_s, lived_s)


def _shortened(calm_s: float) -> float:
    return max(0.0, (calm_s - KEPT_S) // SHORTENED_BY_S) * SHORTENED_BY_S


def _life(line: Line, chance: Random) -> Iterator[Interruption]:
    """Interruptions in the order of time, none overlapping, before calm is shortened."""
    lives_s = line.days * DAY_S
    each_s = lives_s / line.outages if line.outages else inf
    planned = [(n + chance.random()) * each_s for n in range(line.outages)]
    free_at = 0.0
    stall_at = _next_stall(line, free_at, chance)
    while planned or stall_at < lives_s:
        outage = bool(planned) and planned[0] <= stall_at
        begin = max(planned.pop(0), free_at) if outage else stall_at
        end = begin + (line.outage_s if outage else line.stall_s)(chance.random())
        yield Interruption(begin, end, outage)
        free_at = end + APART_S
        if stall_at < free_at:
            stall_at = _next_stall(line, free_at, chance)


def _next_stall(line: Line, free_at: float, chance: Random) -> float:
    at = free_at - line.stall_every_s * log(1.0 - chance.random())
    return ceil(at / line.slot_s) * line.slot_s if line.slot_s else at


def echoes(course: Course, seed: int) -> Iterator[Row]:
    """Every echo of the time that is played, in the order of sending, with what became of it."""
    line = course.line
    chance = Random(f"{seed} {line.name} echoes").random
    ahead = iter((*course.interruptions, Interruption(inf, inf, outage=False)))
    now = next(ahead)
    for count in range(int(course.played_s / line.interval_s)):
        for place, target in enumerate(TARGETS):
            sent_at = (count + place / len(TARGETS)) * line.interval_s
            while now.end <= sent_at:
                now = next(ahead)
            rtt_s = line.rtt_s - line.jitter_s * log(1.0 - chance())
            luck = chance()
            if sent_at >= now.begin:
                arrives = not now.outage and luck < line.late
                yield sent_at, target, now.end - sent_at + rtt_s if arrives else None
            elif luck < line.lost_alone:
                yield sent_at, target, None
            else:
                slow_s = 1.0 + 2.0 * chance() if luck < line.lost_alone + line.slow else 0.0
                yield sent_at, target, rtt_s + slow_s


def items(course: Course, seed: int) -> Iterator[Timed]:
    """What a prober with the daemon's timeout would have been told of this line, and when."""
    line = course.line
    return outcomes(echoes(course, seed), line.name, max(HOLE_S, 3 * line.interval_s))


def heard(line: Line) -> Heard:
    """Whom a player has to expect."""
    return Heard({line.name: TARGETS}, {line.name: line.interval_s}, ticked=False)
