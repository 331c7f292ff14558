"""What is decided about the uplink that the site should use, and what is remembered for it: the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Figure = str | int | float | bool | None


class Why(StrEnum):
    """Why an uplink is the one to use; each has its words in ``agent.text``."""

    FIRST = "first"
    """It is not known which one is used; this is the most wanted that works."""
    BEST = "best"
    """The one in use works, and none is wanted more."""
    DOWN = "down"
    """The one in use does not work."""
    POOR = "poor"
    """The one in use is as good as an outage for a call."""
    SPENT = "spent"
    """The data of the one in use is used up."""
    BACK = "back"
    """One that is wanted more has been clean for long enough."""
    WAITING = "waiting"
    """One that is wanted more is there; something must happen first."""
    UNSURE = "unsure"
    """Nobody knows whether the one in use works."""
    NOTHING = "nothing"
    """None works."""


class Wait(StrEnum):
    """What a change waits for; each has its words in ``agent.text``."""

    CLEAN = "clean"
    """The better uplink must have been without a fault for long enough; it has an end."""
    HOLD = "hold"
    """A person has asked for no automatic action; it has an end."""
    DRILL = "drill"
    INCIDENT = "incident"
    """The incident of the better uplink, or of the whole site, is not over."""
    CLOSING = "closing"
    """The site is open; it has an end."""
    VERDICT = "verdict"
    """Whether the uplink in use works is decided in a moment."""
    ANY = "any"
    """Some uplink must work again."""
    BETTER = "better"
    """Another uplink must be better than the one in use."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The uplink that the site should use now.

    Attributes:
        active: the one in use; None: not known.
        wanted: the one to use; None: none works, and none is in use.
        why: why.
        args: numbers and names for the words of ``why``.
        waits_for: why it is not another one yet; None if nothing is waited for.
        until: when that ends, monotonic seconds; None if it is a condition without a known end.
        next: what would be used then; None if that is not known either.
    """

    active: str | None
    wanted: str | None
    why: Why
    args: Mapping[str, Figure] = field(default_factory=dict)
    waits_for: Wait | None = None
    until: float | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """What has happened to the choice so far; instants are monotonic seconds.

    Attributes:
        active: the uplink that was in use last.
        switched_at: when that changed last.
        returned_at: by uplink, when it was last returned to.
        falls: by uplink, how often in a row it was left soon after the return; at least 1 once it was left.
    """

    active: str | None = None
    switched_at: float = float("-inf")
    returned_at: Mapping[str, float] = field(default_factory=dict)
    falls: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Steering:
    """The choice as it stands, and what it rests on.

    Attributes:
        choice: None until there was one.
        past: see ``Past``.
        clean_since: by uplink, since when it has been up without an outage or a bad stretch.
        rests_on: all that the choice depends on, time aside.
        proven: by uplink, when it was last proven end to end.
        noted: by uplink, the checks from which that was taken.
        ask_at: when a standby is to be asked out of turn; infinite: never.
    """

    choice: Choice | None = None
    past: Past = field(default_factory=Past)
    clean_since: Mapping[str, float] = field(default_factory=dict)
    proven: Mapping[str, float] = field(default_factory=dict)
    rests_on: tuple[object, ...] = ()
    noted: Mapping[str, object] = field(default_factory=dict)
    ask_at: float = float("inf")
