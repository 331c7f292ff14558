"""What the detector is to reach, and whether it did: plain facts about a table of scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from agent.replay import peers
from agent.replay.comparing import OURS, Compared
from measure.console import columns

MEAN_AT_MOST = 1.20
WORST_AT_MOST = 1.5
BEHIND_AT_MOST = 0.1
AHEAD_AT_LEAST = 0.3
EXACT = 9
"""Decimals of a difference of two scores: 1.4 - 1.1 is 0.3, whatever binary fractions make of it."""
PEERS = tuple(rule.name for rule in peers.rules(()))
"""Rules of other systems. Fixed thresholds stand beside them in the tables, but nobody sells them."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Our score on one trace beside that of the best peer there; above 0 we were worse."""

    trace: str
    ours: float
    peer: str
    best: float

    @property
    def behind(self) -> float:
        """Our score minus the peer's."""
        return round(self.ours - self.best, EXACT)


@dataclass(frozen=True, slots=True)
class Lead:
    """Where we beat a rule by most, and by how much; below 0 we never did."""

    rule: str
    by: float
    trace: str


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to reach."""

    what: str
    reached: str
    met: bool


def gaps(results: Sequence[Compared], ours: str = OURS, rivals: Sequence[str] = PEERS) -> list[Gap]:
    """One gap for each trace."""
    found = []
    for one in results:
        peer = min(rivals, key=lambda rule: one.scores[rule].ratio)
        found.append(Gap(one.name, one.scores[ours].ratio, peer, one.scores[peer].ratio))
    return found


def leads(results: Sequence[Compared], ours: str = OURS, rivals: Sequence[str] = PEERS) -> list[Lead]:
    """One lead over each rival."""
    found = []
    for rule in rivals:
        by, trace = max((one.scores[rule].ratio - one.scores[ours].ratio, one.name) for one in results)
        found.append(Lead(rule, round(by, EXACT), trace))
    return found


def targets(results: Sequence[Compared]) -> list[Target]:
    """Each target, with what was reached on these traces (at least one)."""
    scores = [(one.scores[OURS].ratio, one.name) for one in results]
    mean, (worst, where) = fmean(ratio for ratio, _ in scores), max(scores)
    widest = max(gaps(results), key=lambda gap: gap.behind)
    least = min(leads(results), key=lambda lead: lead.by)
    return [
        Target(f"mean score at most {MEAN_AT_MOST:.2f}", f"{mean:.3f}", mean <= MEAN_AT_MOST),
        Target(f"worst score at most {WORST_AT_MOST:.2f}", f"{worst:.3f} on {where}", worst <= WORST_AT_MOST),
        Target(
            f"behind the best peer of a trace by at most {BEHIND_AT_MOST:.2f}",
            f"{widest.behind:+.3f} on {widest.trace} ({widest.peer})",
            widest.behind <= BEHIND_AT_MOST,
        ),
        Target(
            f"every peer beaten by {AHEAD_AT_LEAST:.2f} or more somewhere",
            f"{least.by:+.3f} over {least.rule} on {least.trace}",
            least.by >= AHEAD_AT_LEAST,
        ),
    ]


def gap_table(results: Sequence[Compared]) -> Iterator[str]:
    """The lines of: our score, the best peer's, the difference; one trace a line."""
    yield "beside the best peer of each trace (above 0: it did better than we)"
    yield from columns(
        [
            (gap.trace, f"{gap.ours:.2f}", f"{gap.best:.2f}", f"{gap.behind:+.2f}", gap.peer)
            for gap in gaps(results)
        ],
        ("trace", OURS, "best peer", "behind", "which"),
    )


def lead_table(results: Sequence[Compared], others: Sequence[str]) -> Iterator[str]:
    """The lines of: where each peer, and each other rule, was beaten by most."""
    yield "each rule where we beat it by most"
    rows = [(lead.rule, f"{lead.by:+.2f}", lead.trace) for lead in leads(results, rivals=(*PEERS, *others))]
    yield from columns(rows, ("rule", "by", "on"))


def target_table(results: Sequence[Compared]) -> Iterator[str]:
    """The lines of: each target, what was reached, and whether that is enough."""
    rows = [(one.what, one.reached, "met" if one.met else "missed") for one in targets(results)]
    yield from columns(rows, ("target", "reached", ""))
