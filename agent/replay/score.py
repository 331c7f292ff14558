"""What verdicts were worth: their cost beside that of somebody who knew the future.

A silence begins with the sending of the first echo that no target answers in time, and ends when the next
answer arrives, however late. It costs its own duration if it ends before ``down`` is declared, otherwise
the seconds until the declaration plus the cost of a switch. Who knows the future pays the lesser of the
duration and a switch. The score is the ratio of the sums: 1 is perfect, 2 is what waiting exactly as long as
a switch costs guarantees.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

from agent.core.model import Probe, Role
from agent.replay.items import Away, Item
from agent.runtime.trace import Start

LONG_S = 30.0
"""Delays are told for silences at least this long: whatever the line's habits, those are outages."""
REGRET_S = 10.0
"""A declaration is regretted if the silence is over within this time of it."""
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Silence:
    """No target answered from ``begin`` to ``end``. ``cut_short``: how it ended was not watched."""

    begin: float
    end: float
    cut_short: bool = False

    @property
    def lasted_s(self) -> float:
        """Its duration, as far as it was watched."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Turn:
    """A rule's verdict became ``down``, or something else, at ``at``."""

    at: float
    down: bool


class Listener:
    """Collects the silences of one uplink, and how long it was watched."""

    def __init__(self, uplink: str) -> None:
        self.silences: list[Silence] = []
        self.watched_s = 0.0
        self._uplink = uplink
        self._begin()

    def _begin(self) -> None:
        self._alive_sent = self._last_end = self._away_until = -inf
        self._since: float | None = None
        self._seen_at: float | None = None

    def take(self, at: float, item: Item) -> None:
        """One more item of the trace, in the order in which they became known."""
        if isinstance(item, Start):
            self.end()
            self._begin()
            return
        if self._seen_at is not None:
            self.watched_s += at - self._seen_at
        self._seen_at = at if at >= self._away_until else None
        if isinstance(item, Away):
            self.end()
            self._seen_at, self._away_until = None, item.until
        elif isinstance(item, Probe) and item.uplink == self._uplink and item.role is Role.TARGET:
            self._echo(at, item)

    def end(self) -> None:
        """Nobody watches any more, or for a while."""
        if self._since is not None and self._seen_at is not None and self._seen_at > self._since:
            self.silences.append(Silence(self._since, self._seen_at, cut_short=True))
        self._since = None

    def _echo(self, at: float, probe: Probe) -> None:
        if probe.rtt_ms is not None:
            self._alive_sent = max(self._alive_sent, probe.sent_at)
            if self._since is not None:
                self.silences.append(Silence(self._since, at))
                self._since, self._last_end = None, at
        elif probe.why is not None and not probe.why.was_sent:
            return
        elif probe.sent_at > self._alive_sent and self._since is None:
            self._since = max(probe.sent_at, self._last_end)


@dataclass(frozen=True, slots=True)
class Score:
    """How a rule did on a trace. ``delays_s`` has one entry for each long silence; None: not declared."""

    cost_s: float
    clairvoyant_s: float
    silences: int
    switch_cost_s: float
    declarations: int
    regretted: int
    astray: int
    """Declarations while no silence was under way; they are among the regretted."""
    watched_s: float
    delays_s: tuple[float | None, ...]

    @property
    def ratio(self) -> float:
        """The score; 1 where there was no silence at all."""
        return self.cost_s / self.clairvoyant_s if self.clairvoyant_s else 1.0

    @property
    def charged(self) -> float:
        """The ratio if every declaration that came astray is charged a switch as well."""
        if not self.clairvoyant_s:
            return 1.0 if not self.astray else inf
        return (self.cost_s + self.astray * self.switch_cost_s) / self.clairvoyant_s

    @property
    def regretted_per_day(self) -> float:
        """Regretted declarations per day of watching."""
        return self.regretted * DAY_S / self.watched_s if self.watched_s else 0.0

    @property
    def median_s(self) -> float | None:
        """Median delay on long silences; infinite if most were never declared, None without any."""
        return median(self._sorted()) if self.delays_s else None

    @property
    def p90_s(self) -> float | None:
        """The delay that nine of ten long silences do not exceed."""
        delays = self._sorted()
        return delays[-(-9 * len(delays) // 10) - 1] if delays else None

    def _sorted(self) -> list[float]:
        return sorted(inf if delay is None else delay for delay in self.delays_s)


def score(
    silences: Sequence[Silence], turns: Sequence[Turn], switch_cost_s: float, watched_s: float
) -> Score:
    """Judge a rule's turns, in the order of time, on the silences of the trace.

    A silence that begins while the verdict is still ``down`` costs what it costs the clairvoyant: the switch
    has been made and paid for, and staying away is neither rewarded nor punished. A declaration while no
    silence is under way is regretted, and costs something in ``Score.charged`` only.
    """
    turns = _alternating(turns)
    downs = [turn.at for turn in turns if turn.down]
    cost = best = 0.0
    delays: list[float | None] = []
    for silence in silences:
        least = min(silence.lasted_s, switch_cost_s)
        best += least
        if _down_before(turns, silence.begin):
            cost += least
            continue
        at = _first_within(downs, silence.begin, silence.end)
        cost += silence.lasted_s if at is None else at - silence.begin + switch_cost_s
        if silence.lasted_s >= LONG_S:
            delays.append(None if at is None else at - silence.begin)
    missed_by = [_left_s(silences, at) for at in downs]
    return Score(
        cost_s=cost,
        clairvoyant_s=best,
        silences=len(silences),
        switch_cost_s=switch_cost_s,
        declarations=len(downs),
        regretted=sum(1 for left_s in missed_by if left_s < REGRET_S),
        astray=sum(1 for left_s in missed_by if left_s <= 0),
        watched_s=watched_s,
        delays_s=tuple(delays),
    )


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """Only those that change something; a rule begins as not down.

    A rule may know of an answer before it knows of the loss of an earlier echo; then both turns come at once.
    """
    kept: list[Turn] = []
    for turn in turns:
        if turn.down != (bool(kept) and kept[-1].down):
            kept.append(Turn(max(turn.at, kept[-1].at), turn.down) if kept else turn)
    return kept


def _down_before(turns: Sequence[Turn], at: float) -> bool:
    place = bisect_left(turns, at, key=lambda turn: turn.at)
    return place > 0 and turns[place - 1].down


def _first_within(downs: Sequence[float], begin: float, end: float) -> float | None:
    place = bisect_left(downs, begin)
    return downs[place] if place < len(downs) and downs[place] < end else None


def _left_s(silences: Sequence[Silence], at: float) -> float:
    """How long the silence under way at ``at`` still lasts; infinite if nobody saw it end, 0 if none is."""
    place = bisect_right(silences, at, key=lambda silence: silence.begin) - 1
    if place < 0 or silences[place].end <= at:
        return 0.0
    return inf if silences[place].cut_short else silences[place].end - at
