"""Lines of known truth through the detector: how late, how often wrongly, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf, isinf
from statistics import median

from agent.core.snapshot_types import Health
from agent.replay import peers
from agent.replay.items import InSendOrder, Timed
from agent.replay.playing import Player, site_of
from agent.replay.score import Listener, Turn, score
from measure.console import columns, say
from measure.intervals import median_interval, poisson_interval, quantile, shown
from measure.uplinks import DAY_S, KEPT_S, LINES, SHORTENED_BY_S, TARGETS, Course, Interruption, Line
from measure.uplinks import course as drawn_course
from measure.uplinks import heard as heard_of
from measure.uplinks import items as items_of

SEED = 1
OURS = "vigie"
SETTLED_S = 2.0
"""A declaration this soon after an outage still means it: its end is known when an answer has come."""
REMARKS = (
    "",
    f"Calm beyond {KEPT_S:g} s is shortened by multiples of {SHORTENED_BY_S:g} s and counted in full.",
    "The pace of echoes stays as it is. The daemon asks five times a second once in doubt, which a replay",
    "cannot do: what needs several losses is known later here than live, above all on the standby.",
    "No other system asks as rarely as that standby is asked, so none stands there.",
)
HEADS = ("rule", "median s", "95 %", "p90 s", "missed", "false/day", "95 %", "score")


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule on one line. A delay is infinite if an outage was never declared."""

    rule: str
    delays_s: tuple[float, ...]
    false: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Played:
    """Every rule on one line."""

    course: Course
    judged: tuple[Judged, ...]


class _Bystanders:
    """The peers' rules beside the player; none on a line that is asked more rarely than any of them asks."""

    def __init__(self, line: Line) -> None:
        self.listener = Listener(line.name)
        self._rules = peers.rules(TARGETS) if line.interval_s <= 1.0 else []
        self.turns: dict[str, list[Turn]] = {rule.name: [] for rule in self._rules}
        self._order = InSendOrder()

    def watch(self, items: Iterable[Timed]) -> Iterator[Timed]:
        """Pass the items on, having seen them."""
        for at, item in items:
            self.listener.take(at, item)
            for seen in self._order.take(at, item):
                for rule in self._rules:
                    self.turns[rule.name].extend(rule.take(seen))
            yield at, item
        self.listener.end()
        for seen in self._order.end():
            for rule in self._rules:
                self.turns[rule.name].extend(rule.take(seen))


def play(line: Line, switch_cost_s: float, seed: int = SEED) -> Played:
    """Draw a line and let every rule watch it."""
    course = drawn_course(line, seed)
    player = Player(site_of(line.name, heard_of(line), line.kind, switch_cost_s), ticked=False)
    others = _Bystanders(line)
    changes = player.play(others.watch(items_of(course, seed)))
    turns = {OURS: [Turn(change.t, change.health is Health.DOWN) for change in changes], **others.turns}
    silences, watched_s = others.listener.silences, others.listener.watched_s
    turns[f"fixed {switch_cost_s:g} s"] = peers.fixed(silences, switch_cost_s)
    judged = (
        judge(rule, its_turns, course.outages, score(silences, its_turns, switch_cost_s, watched_s).ratio)
        for rule, its_turns in turns.items()
    )
    return Played(course, tuple(judged))


def judge(rule: str, turns: Sequence[Turn], outages: Sequence[Interruption], ratio: float) -> Judged:
    """How late a rule was with each outage, and how often it declared something that was none."""
    stretches = list(declared(turns))
    false = sum(
        not any(one.begin <= begin < one.end + SETTLED_S for one in outages) for begin, _ in stretches
    )
    return Judged(rule, tuple(_delay_s(one, stretches) for one in outages), false, ratio)


def declared(turns: Iterable[Turn]) -> Iterator[tuple[float, float]]:
    """From when to when the verdict was ``down``."""
    since: float | None = None
    for turn in turns:
        if turn.down and since is None:
            since = turn.at
        elif not turn.down and since is not None:
            yield since, turn.at
            since = None
    if since is not None:
        yield since, inf


def _delay_s(outage: Interruption, stretches: Iterable[tuple[float, float]]) -> float:
    """Seconds from the true beginning; 0 if the line was down for the rule already."""
    return next(
        (
            max(0.0, begin - outage.begin)
            for begin, end in stretches
            if begin < outage.end and end > outage.begin
        ),
        inf,
    )


def report(played: Played, seed: int = SEED) -> Iterator[str]:
    """The lines of one line's table."""
    course, line = played.course, played.course.line
    stalls = len(course.interruptions) - len(course.outages)
    yield (
        f"{line.name}: {course.lived_s / DAY_S:.4g} days, {course.played_s / DAY_S:.2f} of them played; "
        f"{len(course.outages)} outages, {stalls} stalls"
    )
    yield from columns([_row(one, course.days_without, seed) for one in played.judged], HEADS)


def _row(one: Judged, days: float, seed: int) -> tuple[str, ...]:
    low, high = median_interval(one.delays_s, seed)
    fewest, most = poisson_interval(one.false)
    return (
        one.rule,
        shown(median(one.delays_s)),
        f"{shown(low)} to {shown(high)}",
        shown(quantile(one.delays_s, 0.9)),
        str(sum(map(isinf, one.delays_s))),
        f"{one.false / days:.2f}",
        f"{fewest / days:.2f} to {most / days:.2f}",
        f"{one.ratio:.2f}",
    )


def synthetic(switch_cost_s: float, seed: int = SEED, lines: Sequence[Line] = LINES) -> None:
    """Play every line and print its table."""
    say(f"synthetic lines, seed {seed}, a switch costs {switch_cost_s:g} s")
    say("delay of down after the true beginning of an outage; declarations outside any outage are false")
    for line in lines:
        say()
        for text in report(play(line, switch_cost_s, seed), seed):
            say(text)
    for text in REMARKS:
        say(text)
