"""The same traces while a switch costs more and more: what that does to us and to fixed thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from agent.core.site import UplinkKind
from agent.core.snapshot_types import Health
from agent.replay import peers
from agent.replay.playing import Player, site_of
from agent.replay.reading import Trace, items, survey
from agent.replay.score import Listener, Score, Silence, Turn, score

COSTS_S = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0)
THRESHOLDS_S = (1.0, 1.5, *(float(s) for s in range(2, 31)), 35.0, 40.0, 45.0, 50.0, 60.0, 80.0, 120.0)
SKI_RENTAL = 2.0
"""What waiting exactly as long as a switch costs guarantees, whatever the line."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """Mean scores over the same uplinks, one for each cost of a switch.

    ``one_fixed`` is the best threshold for all of them together, ``each_fixed`` the best for each by itself;
    both are chosen after the fact, so no rule that one could run.
    """

    costs_s: tuple[float, ...]
    ours: tuple[float, ...]
    one_fixed: tuple[float, ...]
    one_fixed_s: tuple[float, ...]
    each_fixed: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Watched:
    """One uplink of a trace: its silences, and our turns by the cost of a switch."""

    silences: Sequence[Silence]
    watched_s: float
    ours: dict[float, list[Turn]]

    def ours_at(self, cost_s: float) -> float:
        return self._judged(self.ours[cost_s], cost_s).ratio

    def fixed_at(self, threshold_s: float, cost_s: float) -> float:
        return self._judged(peers.fixed(self.silences, threshold_s), cost_s).ratio

    def _judged(self, turns: Sequence[Turn], cost_s: float) -> Score:
        return score(self.silences, turns, cost_s, self.watched_s)


def sweep(
    traces: Sequence[tuple[Trace, UplinkKind]],
    costs_s: Sequence[float] = COSTS_S,
    told: Callable[[str], None] = lambda _name: None,
) -> Sweep:
    """Play every trace once for each cost; ``told`` hears the name of each trace before it is played."""
    watched: list[_Watched] = []
    for trace, kind in traces:
        told(trace.name)
        watched += _watch(trace, kind, costs_s)
    one_fixed, one_fixed_s, each_fixed = [], [], []
    for cost_s in costs_s:
        by_threshold = {t: [one.fixed_at(t, cost_s) for one in watched] for t in THRESHOLDS_S}
        best_s = min(THRESHOLDS_S, key=lambda t: (fmean(by_threshold[t]), t))
        one_fixed_s.append(best_s)
        one_fixed.append(fmean(by_threshold[best_s]))
        each_fixed.append(fmean(min(column) for column in zip(*by_threshold.values(), strict=True)))
    ours = tuple(fmean(one.ours_at(cost_s) for one in watched) for cost_s in costs_s)
    return Sweep(tuple(costs_s), ours, tuple(one_fixed), tuple(one_fixed_s), tuple(each_fixed))


def _watch(trace: Trace, kind: UplinkKind, costs_s: Sequence[float]) -> list[_Watched]:
    heard = survey(trace)
    # A day of three targets at 1 Hz is a quarter of a million items: that fits, and is read once only.
    timed = list(items(trace, heard))
    names = [name for name, targets in heard.uplinks.items() if targets]
    listeners = {name: Listener(name) for name in names}
    for listener in listeners.values():
        for at, item in timed:
            listener.take(at, item)
        listener.end()
    ours: dict[str, dict[float, list[Turn]]] = {name: {} for name in names}
    for cost_s in costs_s:
        player = Player(site_of(trace.name, heard, kind, cost_s), ticked=heard.ticked)
        for turns in ours.values():
            turns[cost_s] = []
        for change in player.play(timed):
            if change.uplink in ours:
                ours[change.uplink][cost_s].append(Turn(change.t, change.health is Health.DOWN))
    return [_Watched(listeners[name].silences, listeners[name].watched_s, ours[name]) for name in names]
