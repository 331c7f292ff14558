"""What passes between a person and the core: requests, answers, holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from agent.core.instant import Now, Stamp, age_s

LONGEST_HOLD_S = 86400.0
"""A hold always ends by itself: a forgotten one must not disarm a site for ever."""


class Verb(StrEnum):
    """What a person can ask for."""

    CYCLE = "cycle"
    """Restart a box."""
    PROVE = "prove"
    """Restart a box whose uplink works, to see that its relay cuts this box and no other."""
    RESTORE = "restore"
    """Give a box its power back now, before the end of the cut."""
    HOLD = "hold"
    """No automatic power action for a while."""
    RELEASE = "release"
    """End the hold."""


@dataclass(frozen=True, slots=True)
class Request:
    """A person asks for something. The core gives one ``Answer`` of the same ``id``, in the same step.

    Attributes:
        id: names the request; given by the shell.
        verb: what is asked for.
        box: which box; None where the verb is about none.
        for_s: how long, seconds; None where the verb has no duration, or for its usual one.
        by: who asks, for people.
        force: whoever asks stands beside the box and takes on what the rules are there to judge.
    """

    id: str
    verb: Verb
    box: str | None = None
    for_s: float | None = None
    by: str = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of the request of this ``id``; goes back to whoever asked.

    Attributes:
        id: of the request.
        ok: it is done, or begun.
        reason: why not, a key of the texts' ``refusal`` table; None if ``ok``.
        until: when the reason ends, or an accepted hold, monotonic seconds; None if nobody can say.
        order: the cycle that was begun.
    """

    id: str
    ok: bool
    reason: str | None = None
    until: float | None = None
    order: str | None = None


@dataclass(frozen=True, slots=True)
class OpenHold:
    """No automatic power action for ``for_s`` seconds from ``since`` on, asked for by ``by``."""

    since: Stamp
    for_s: float
    by: str


def held_until(hold: OpenHold, now: Now) -> float | None:
    """When a hold of an earlier run ends, monotonic seconds; None if it has ended, or was never sound."""
    left_s = min(hold.for_s, LONGEST_HOLD_S) - age_s(hold.since, now)
    return now.mono + left_s if left_s > 0 else None
