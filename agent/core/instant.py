"""Instants: what the core is told of the clocks, and how much of it is certain."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Now:
    """One instant, as the shell stamps every observation.

    ``mono`` is monotonic seconds since the machine booted; ``wall`` is UNIX seconds, to be believed only
    while ``synced``; ``boot`` names this boot of the machine, so that ``mono`` of two boots are never mixed.
    ``zone_s`` is how far local time is ahead of UTC.
    """

    mono: float
    wall: float = 0.0
    synced: bool = False
    boot: str = ""
    zone_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Stamp:
    """An instant that survives restarts of the agent and of the machine."""

    mono: float
    wall: float
    synced: bool
    boot: str


def stamp(now: Now) -> Stamp:
    """The instant ``now`` in its durable form."""
    return Stamp(now.mono, now.wall, now.synced, now.boot)


def age_s(then: Stamp, now: Now) -> float:
    """Seconds from ``then`` to ``now``, never more than what is certain.

    Within one boot the monotonic clock tells. Across boots the wall clock tells if it was synchronised at
    both ends; otherwise only the time since this boot is certain. Budgets built on it therefore
    forget too late rather than too early.
    """
    if then.boot == now.boot:
        return max(0.0, now.mono - then.mono)
    if then.synced and now.synced:
        return max(0.0, now.wall - then.wall)
    return max(0.0, now.mono)


def wall_of(mono: float, boot: str, now: Now) -> float | None:
    """UNIX seconds of an instant at which the clock was not known yet, told by a later one at which it was.

    None where it cannot be told: the clock is still not known, or another boot's monotonic clock counted.
    """
    if not now.synced or not boot or boot != now.boot:
        return None
    wall = now.wall - (now.mono - mono)
    return wall if isfinite(wall) else None


def is_within(window: tuple[float, float], of_day_s: float) -> bool:
    """Whether a time of day lies in a window; both in seconds after midnight.

    An end before its begin is on the next day.
    """
    begin, end = window
    return (of_day_s - begin) % DAY_S < (end - begin) % DAY_S
