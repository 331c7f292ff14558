"""The learned threshold, played beside the rules of others before it decides anything.

It sees each silence only after it has judged it, so it knows no more than it would have known live.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.core import habit
from agent.core.site import UplinkKind
from agent.replay.score import Silence, Turn

NAME = "learned"
RESOLUTION_S = 1.0
"""A trace answers once a second, whatever the silence."""


def turns(silences: Sequence[Silence], kind: UplinkKind, switch_cost_s: float) -> list[Turn]:
    """What a line of this kind, of which nothing else is known at the start, would have declared."""
    known = habit.prior(kind)
    declared: list[Turn] = []
    for silence in silences:
        threshold_s = habit.threshold_s(known, switch_cost_s, RESOLUTION_S)
        if silence.lasted_s > threshold_s:
            declared += (Turn(silence.begin + threshold_s, down=True), Turn(silence.end, down=False))
        if not silence.cut_short:
            known = habit.learned(known, silence.lasted_s, RESOLUTION_S, switch_cost_s)
    return declared
