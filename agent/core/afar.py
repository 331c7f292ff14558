"""Which requests from afar are taken: each at most once, in time, and not too many.

A message may reach us late, twice, or years later from somebody who kept a copy. So each carries a name of
its own and the instant at which it ends, and what was taken is remembered for as long as it could come again.
Instants here are UNIX seconds: nothing else is known on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from agent.core.instant import Now
from agent.core.people import Answer

AHEAD_S = 3600.0
"""The end of a request may lie so far ahead. It bounds what must be remembered, and for how long whoever
copied a message could still use it."""
PER_MINUTE = 6
PER_HOUR = 30
"""More than people do on one site, and less than would wear out a card or a relay."""
_WINDOWS = ((60.0, PER_MINUTE), (3600.0, PER_HOUR))
KEPT_S = max(AHEAD_S, 3600.0)
"""Until then, what was taken has ended and counts no more."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One request that was taken: its name, when, and until when it could come again."""

    name: str
    at: float
    expires: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What must survive.

    Attributes:
        taken: those that could come again, or count for the rate; bounded by the rate.
        latest: the latest instant at which anything was taken. Time before it has passed, whatever a clock
            that was set back says: what ended before it may have been forgotten.
        closed_until: an earlier memory was lost; what ends by then may have been in it.
        lost: a memory was lost, and nobody knew the time yet.
    """

    taken: tuple[Taken, ...] = ()
    latest: float = 0.0
    closed_until: float = 0.0
    lost: bool = False


def settled(seen: Seen, now: Now) -> Seen:
    """The same, with the end of a lost memory's consequences once the time is known.

    Nothing that was taken before the loss can end later than ``AHEAD_S`` from now.
    """
    if not seen.lost or not now.synced:
        return seen
    return Seen(closed_until=now.wall + AHEAD_S)


def refusal(seen: Seen, name: str, expires: float, now: Now) -> Answer | None:
    """Why the request of this name must not be done; None if it may be."""
    if not now.synced:
        return _no(name, "clock")
    seen = settled(seen, now)
    at = max(now.wall, seen.latest)
    if expires <= at:
        return _no(name, "expired")
    if expires > at + AHEAD_S:
        return _no(name, "too_far_ahead")
    if expires <= seen.closed_until:
        return _no(name, "memory_lost", now.mono + seen.closed_until - now.wall)
    if any(taken.name == name for taken in seen.taken):
        return _no(name, "replayed")
    for span_s, most in _WINDOWS:
        counted = sorted(taken.at for taken in seen.taken if taken.at > at - span_s)
        if len(counted) >= most:
            return _no(name, "rate", now.mono + counted[-most] + span_s - now.wall)
    return None


def noted(seen: Seen, name: str, expires: float, now: Now) -> Seen:
    """The same with one more; without those that can neither come again nor count any more."""
    at = max(now.wall, seen.latest)
    kept = [taken for taken in seen.taken if taken.at > at - KEPT_S]
    return replace(seen, taken=(*kept, Taken(name, at, expires)), latest=at)


def forgotten(seen: Seen, name: str) -> Seen:
    """The same without this one, which was not done."""
    return replace(seen, taken=tuple(taken for taken in seen.taken if taken.name != name))


def _no(name: str, reason: str, until: float | None = None) -> Answer:
    return Answer(name, ok=False, reason=reason, until=until)
