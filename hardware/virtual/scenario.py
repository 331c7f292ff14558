"""What a scenario is: uplinks, deeds done to the bay, and conditions on what must be seen.

Codes of events, findings and verdicts stay plain strings here: the bay knows nothing of whoever watches
it, and whoever watches it judges. ``scenario_reader`` reads the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Plain = str | int | float | bool
Words = Mapping[str, str]
"""A text in each language, by language code."""


@dataclass(frozen=True, slots=True)
class ScenarioUplink:
    """One uplink of the bay with its box; both carry the same name.

    Loss (a share, 0 to 1), delay and jitter are those of each direction: an echo suffers them twice.
    """

    name: str
    label: str
    kind: str
    interface: str
    operator: str
    wired: bool = True
    boot_s: float = 12.0
    confirm_s: float = 3.0
    off_s: float = 5.0
    interval_s: float = 1.0
    loss: float = 0.0
    delay_ms: float = 4.0
    jitter_ms: float = 0.5
    rate_kbit: float | None = None


@dataclass(frozen=True, slots=True)
class Deed:
    """Something done to the bay or to the agent.

    ``at_s`` counts from the start of the story, or from the first event ``after_event`` if that is given.
    ``name`` lets conditions refer to it; ``say`` is what people are told.
    """

    what: str
    at_s: float
    on: str | None = None
    args: Mapping[str, Plain] = field(default_factory=dict)
    name: str | None = None
    after_event: str | None = None
    say: Words = field(default_factory=dict)


class Aspect(StrEnum):
    """What a condition looks at; the values are the keys that choose it in the file."""

    EVENT = "event"
    FINDING = "finding"
    HEALTH = "health"
    ORDER = "order"
    CUTS = "cuts"
    CUTS_AT_MOST = "cuts_at_most"
    LONGEST_CUT_S = "longest_cut_s"
    POWERED = "powered"
    CUTS_OVERLAP = "cuts_overlap"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must, or must never, be seen.

    Attributes:
        aspect: what to look at.
        codes: the event, finding or verdict; for ``order`` the events in their order.
        subject: the event's or finding's subject, the uplink of a verdict, the box; None is any.
        args: what the event's args must contain.
        number: how many cuts, or how often the event; None is at least once.
        most_s: for ``longest_cut_s``, the longest that a cut may have lasted.
        powered: for ``powered`` and ``cuts_overlap``.
        after: the deed from which ``from_s`` and ``by_s`` count; None is the start of the story.
        from_s: the window's begin, seconds; None is no limit.
        by_s: the window's end, seconds; None is no limit.
        at_s: the instant at which a finding or verdict must stand; None with an open window is the end.
    """

    aspect: Aspect
    codes: tuple[str, ...] = ()
    subject: str | None = None
    args: Mapping[str, Plain] = field(default_factory=dict)
    number: int | None = None
    most_s: float = 0.0
    powered: bool = True
    after: str | None = None
    from_s: float | None = None
    by_s: float | None = None
    at_s: float | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story, ready to be played. ``title`` and ``text`` hold each language."""

    name: str
    title: Words
    text: Words
    duration_s: float
    uplinks: tuple[ScenarioUplink, ...]
    deeds: tuple[Deed, ...]
    expects: tuple[Condition, ...]
    nevers: tuple[Condition, ...]
    seed: int = 0
