"""How often the site path is looked at, and what that may cost."""

from __future__ import annotations

from enum import Enum, auto

from agent.core.ranking import active_uplink, order
from agent.core.state import DOUBT_PACE_S, State, UplinkState

DOUBT_FOR_S = 30.0
OUTSIDE_S = 60.0
"""How often the site's address is asked for."""
SPARE_BYTES = 7_000_000_000
"""A data budget from which the calm pace takes no more than a tenth: three targets a second are 0.7 GB a
month."""
METERED_FACTOR = 5.0
OUTSIDE_METERED_S = 300.0
"""While an uplink with a smaller budget carries the site, the path is looked at so many times less often, and
the site's address asked for so often unless the router may return at any time."""
SPENT_S = 3600.0
OUTSIDE_SPENT_S = 21_600.0
"""The same once that budget is used up: next to nothing, because what is asked here comes on top."""


class Cost(Enum):
    """What looking at the path costs now."""

    NONE = auto()
    SOME = auto()
    TOO_MUCH = auto()


def cost(state: State) -> Cost:
    """What looking at the path costs now: it is paid for by the uplink that carries the site."""
    active = active_uplink(state)
    purse = None if active is None else state.uplinks[active].purse
    if purse is None or purse.limit_bytes >= SPARE_BYTES:
        return Cost.NONE
    return Cost.TOO_MUCH if purse.spent else Cost.SOME


def outside_s(state: State, cost: Cost) -> float:
    """How often to ask for the site's address, seconds; nothing else sees a return without a silence."""
    active = state.carried.active
    if cost is Cost.TOO_MUCH:
        return OUTSIDE_SPENT_S
    ranked = order(state)
    better = [] if active is None else ranked[: ranked.index(active)]
    return_is_near = any(state.uplinks[name].health.answers for name in better)
    return OUTSIDE_S if cost is Cost.NONE or return_is_near else OUTSIDE_METERED_S


def echoes_s(path: UplinkState, now_at: float, cost: Cost) -> float:
    """Seconds between two echoes to one target."""
    if cost is Cost.TOO_MUCH:
        return SPENT_S
    calm_s = path.spec.interval_s * (METERED_FACTOR if cost is Cost.SOME else 1.0)
    since = path.internet.lost_since
    return DOUBT_PACE_S if since is not None and now_at - since < DOUBT_FOR_S else calm_s
