"""How long a site may say nothing before it counts as silent."""

from __future__ import annotations

from agent.fleet.reading import SiteState
from agent.fleet.record import Record
from agent.sinks.mqtt.topics import REFRESH_METERED_S, REFRESH_S

PATIENCE_S = 180.0
"""A box that restarts takes two minutes, a state that is sent every 30 s may be late."""
TIMES = 3
"""So many of its own intervals may pass: two lost ones are no death."""


def allowed_s(record: Record, patience_s: float = PATIENCE_S) -> float:
    """Seconds since the last sign of life after which a site is silent.

    A site that the broker calls ``offline`` gets the patience alone: it is known to be away, and may only be
    restarting a box. One that is ``online`` says more seldom where data cost money (every ten minutes), so
    it gets three times what is usual for it: what was seen, or what its state says of a data budget.
    """
    if record.online is False:
        return patience_s
    usual_s = max([REFRESH_S, *record.intervals_s])
    if record.state is not None and _leaves_metered(record.state):
        usual_s = REFRESH_METERED_S
    return max(patience_s, TIMES * usual_s)


def _leaves_metered(state: SiteState) -> bool:
    """Its messages leave by an uplink with a data budget, as far as its state tells."""
    preferred = [uplink for uplink in state.uplinks if uplink.preferred]
    return any(uplink.metered for uplink in preferred or state.uplinks)
