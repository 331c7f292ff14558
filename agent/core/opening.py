"""When the site is open for business: stretches of the week, in local time."""

from __future__ import annotations

from dataclasses import dataclass

from agent.core.instant import DAY_S, Now

WEEK_S = 7 * DAY_S
EPOCH_DAY = 3
"""1 January 1970 was a Thursday; Monday is 0."""


@dataclass(frozen=True, slots=True)
class Hours:
    """One stretch on each of ``days``.

    Attributes:
        days: on which it begins, 0 (Monday) to 6.
        begin_s: seconds after local midnight, below 86400.
        end_s: the same, 86400 at most; one that is not after the begin is on the next day.
    """

    days: tuple[int, ...]
    begin_s: float
    end_s: float


def is_open(opening: tuple[Hours, ...], now: Now) -> bool:
    """Whether the site is open; always where no hours are configured, or nobody knows what time it is."""
    return opens_in_s(opening, now) == 0.0


def opens_in_s(opening: tuple[Hours, ...], now: Now) -> float:
    """Seconds until the site opens, 0 while it is open."""
    if not opening or not now.synced:
        return 0.0
    of_week_s = _of_week_s(now)
    waits = []
    for hours in opening:
        length_s = (hours.end_s - hours.begin_s) % DAY_S or DAY_S
        for day in hours.days:
            since_s = (of_week_s - day * DAY_S - hours.begin_s) % WEEK_S
            waits.append(0.0 if since_s < length_s else WEEK_S - since_s)
    return min(waits)


def closes_in_s(opening: tuple[Hours, ...], now: Now) -> float | None:
    """Seconds until the site closes, 0 while it is closed; None if it never does, or nobody knows."""
    if not opening or not now.synced:
        return None
    passed_s = 0.0
    while passed_s < WEEK_S:
        ends = [left_s for hours in opening for left_s in _left_s(hours, _of_week_s(now) + passed_s)]
        if not ends:
            return passed_s
        passed_s += max(ends)
    return None


def _of_week_s(now: Now) -> float:
    return (now.wall + now.zone_s + EPOCH_DAY * DAY_S) % WEEK_S


def _left_s(hours: Hours, of_week_s: float) -> list[float]:
    """How long each of its stretches that is under way then still lasts, seconds."""
    length_s = (hours.end_s - hours.begin_s) % DAY_S or DAY_S
    since = [(of_week_s - day * DAY_S - hours.begin_s) % WEEK_S for day in hours.days]
    return [length_s - since_s for since_s in since if since_s < length_s]
