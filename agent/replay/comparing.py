"""Ours and the peers' rules on one trace, in one playing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import fmean

from agent.core.model import Probe
from agent.core.site import Site, UplinkSpec
from agent.core.snapshot_types import Health
from agent.replay import peers
from agent.replay.items import Away, InSendOrder, Item, Timed
from agent.replay.playing import Player
from agent.replay.score import Listener, Score, Turn, score
from agent.runtime.trace import Start

OURS = "vigie"
FIXED_S = (2.0, 3.0, 5.0, 10.0, 20.0)
HINDSIGHT_S = (1.0, 1.5, *(float(seconds) for seconds in range(2, 31)))
HINDSIGHT = "best fixed"
"""The fixed threshold chosen for each trace after the fact: no rule that one could run, a yardstick."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One uplink of one trace: scores by rule, ours first."""

    name: str
    scores: dict[str, Score]
    hindsight_s: float
    """The fixed threshold that would have been the best, seconds."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One rule over several traces: means of its scores and the worst of them; the rest is pooled."""

    ratio: float
    charged: float
    worst: float
    pooled: Score


class _Onlookers:
    """The peers' rules and the listener of one uplink, beside the core."""

    def __init__(self, spec: UplinkSpec) -> None:
        self.listener = Listener(spec.name)
        self.turns: dict[str, list[Turn]] = {}
        self._name = spec.name
        self._order = InSendOrder()
        self._rules = peers.rules(spec.targets)

    def take(self, at: float, item: Item) -> None:
        """One more item, of this uplink or any other."""
        self.listener.take(at, item)
        if isinstance(item, Start | Away) or (isinstance(item, Probe) and item.uplink == self._name):
            for seen in self._order.take(at, item):
                for rule in self._rules:
                    self.turns.setdefault(rule.name, []).extend(rule.take(seen))

    def end(self) -> None:
        """The trace is over."""
        self.listener.end()
        for seen in self._order.end():
            for rule in self._rules:
                self.turns.setdefault(rule.name, []).extend(rule.take(seen))


class Comparison:
    """Plays one trace before the core and before everybody else."""

    def __init__(self, site: Site, *, ticked: bool) -> None:
        self._site = site
        self._player = Player(site, ticked=ticked)
        self._onlookers = {spec.name: _Onlookers(spec) for spec in site.uplinks if spec.targets}

    def run(self, items: Iterable[Timed]) -> list[Compared]:
        """Play it; one result for each uplink whose targets were asked."""
        ours: dict[str, list[Turn]] = {name: [] for name in self._onlookers}
        for change in self._player.play(self._shared(items)):
            if change.uplink in ours:
                ours[change.uplink].append(Turn(change.t, change.health is Health.DOWN))
        for onlookers in self._onlookers.values():
            onlookers.end()
        return [self._compared(name, ours[name]) for name in self._onlookers]

    def _shared(self, items: Iterable[Timed]) -> Iterator[Timed]:
        for at, item in items:
            for onlookers in self._onlookers.values():
                onlookers.take(at, item)
            yield at, item

    def _compared(self, name: str, ours: list[Turn]) -> Compared:
        onlookers = self._onlookers[name]
        silences, watched_s = onlookers.listener.silences, onlookers.listener.watched_s

        def judged(turns: list[Turn]) -> Score:
            return score(silences, turns, self._site.switch_cost_s, watched_s)

        fixed = {threshold_s: judged(peers.fixed(silences, threshold_s)) for threshold_s in HINDSIGHT_S}
        fixed |= {threshold_s: judged(peers.fixed(silences, threshold_s)) for threshold_s in FIXED_S}
        best_s = min(fixed, key=lambda threshold_s: (fixed[threshold_s].ratio, threshold_s))
        scores = {OURS: judged(ours)}
        scores |= {rule: judged(turns) for rule, turns in onlookers.turns.items()}
        scores |= {f"fixed {threshold_s:g} s": fixed[threshold_s] for threshold_s in FIXED_S}
        scores[HINDSIGHT] = fixed[best_s]
        return Compared(name, scores, best_s)


def summary(compared: Iterable[Compared]) -> dict[str, Summary]:
    """Each rule over all traces."""
    rules: dict[str, list[Score]] = {}
    for one in compared:
        for rule, result in one.scores.items():
            rules.setdefault(rule, []).append(result)
    return {rule: _summary(scores) for rule, scores in rules.items()}


def _summary(scores: list[Score]) -> Summary:
    pooled = Score(
        cost_s=sum(one.cost_s for one in scores),
        clairvoyant_s=sum(one.clairvoyant_s for one in scores),
        silences=sum(one.silences for one in scores),
        switch_cost_s=scores[0].switch_cost_s,
        declarations=sum(one.declarations for one in scores),
        regretted=sum(one.regretted for one in scores),
        astray=sum(one.astray for one in scores),
        watched_s=sum(one.watched_s for one in scores),
        delays_s=tuple(delay for one in scores for delay in one.delays_s),
    )
    ratios = [one.ratio for one in scores]
    return Summary(fmean(ratios), fmean(one.charged for one in scores), max(ratios), pooled)
