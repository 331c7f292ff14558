"""Which uplink the site uses, and the order in which uplinks are wanted."""

from __future__ import annotations

from agent.core import health
from agent.core.state import State


def active_uplink(state: State) -> str | None:
    """The uplink that the site's traffic uses: the measured one, else the one that it should use."""
    return state.carried.active or health.preferred_uplink(state)


def order(state: State) -> list[str]:
    """All uplinks in the order in which they are wanted.

    As configured; those that are not named follow in the order of the file, with a data budget last.
    """
    wanted = [one for one in state.site.failover.priority if one in state.uplinks]
    others = [one for one in state.uplinks if one not in wanted]
    return [*wanted, *sorted(others, key=lambda one: state.uplinks[one].purse is not None)]


def rank(state: State, name: str) -> int:
    """Its place in that order, 0 the first."""
    return order(state).index(name)
