"""Results of a comparison as they might be, for whatever reads them."""

from __future__ import annotations

from agent.replay import peers
from agent.replay.comparing import FIXED_S, HINDSIGHT, OURS, Compared
from agent.replay.score import DAY_S, Score


def score_of(ratio: float, regretted: int = 0) -> Score:
    """A score over one day in which foresight would have paid 100 s."""
    return Score(
        cost_s=ratio * 100.0,
        clairvoyant_s=100.0,
        silences=40,
        switch_cost_s=10.0,
        declarations=20,
        regretted=regretted,
        astray=0,
        watched_s=DAY_S,
        delays_s=(4.0, None),
    )


def compared(name: str, *, vigie: float, others: float = 1.4, **scores: float) -> Compared:
    """Every rule there is, with our score, that of all the others, and those named."""
    rules = [rule.name for rule in peers.rules(())] + [f"fixed {s:g} s" for s in FIXED_S] + [HINDSIGHT]
    ratios = {OURS: vigie, **dict.fromkeys(rules, others), **scores}
    return Compared(
        name, {rule: score_of(ratio, regretted=round(ratio * 9)) for rule, ratio in ratios.items()}, 3.0
    )
