"""Which uplink carries the site's traffic, and what was measured of the last change: the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Witness(StrEnum):
    """What tells which uplink carries the site."""

    ADDRESS = "address"
    """The site has the public address of this uplink and of no other."""
    HOP = "hop"
    """The site's packets pass a router that is this uplink's and no other's."""


class Silence(NamedTuple):
    """A time without internet for the site: from the first echo that got no answer to the first that did."""

    began_at: float
    ended_at: float

    @property
    def lasted_s(self) -> float:
        """Its length, seconds."""
        return max(0.0, round(self.ended_at - self.began_at, 1))


@dataclass(frozen=True, slots=True)
class Carried:
    """What is known of who carries the site; ``site_path`` keeps it. Instants are monotonic seconds.

    Attributes:
        active: the uplink; None while nobody can tell.
        since: from when on.
        witness: what tells it.
        silent_since: the present silence of the site path; None while it answers.
        silence: one that is over, while it is not yet known whether the uplink changed.
        fresh_from: what was asked before says nothing of who carries the site now.
        asked_at: when the site's address was last asked for out of turn.
        strays_asked_at: when those of the uplinks were, because none was the site's.
        uplinks_asked: by uplink, when its own address was asked for out of turn.
        doubt: another uplink, seen once without a silence before; ``doubt_at`` when that was asked.
        turns: when the uplink was another one without a silence before, lately and since the last silence.
        spread: several uplinks carry the site at once.
        asked_every_s: how often the site's address is asked for, as last ordered.
        left_at: by uplink, when it was last seen to cease to carry the site.
    """

    active: str | None = None
    since: float | None = None
    witness: Witness | None = None
    silent_since: float | None = None
    silence: Silence | None = None
    fresh_from: float = float("-inf")
    asked_at: float = float("-inf")
    strays_asked_at: float = float("-inf")
    uplinks_asked: Mapping[str, float] = field(default_factory=dict)
    doubt: str | None = None
    doubt_at: float = float("-inf")
    turns: tuple[float, ...] = ()
    spread: bool = False
    asked_every_s: float = 0.0
    left_at: Mapping[str, float] = field(default_factory=dict)

    def left(self, at: float) -> Mapping[str, float]:
        """``left_at``, once the present uplink has ceased to carry the site at this instant."""
        return self.left_at if self.active is None else {**self.left_at, self.active: at}
