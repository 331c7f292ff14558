"""The words of an audit: what it looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.config.schema import Box, Config, Uplink
from agent.core.model import Scalar
from agent.core.radio import Air
from agent.core.snapshot_types import Snapshot


class Axis(StrEnum):
    """What a weak point weakens; each has a score of its own."""

    PATHS = "paths"
    """That the uplinks do not fail together."""
    FAILOVER = "failover"
    """That the backup takes over, and works when it does."""
    LINES = "lines"
    """What each line and its contract are worth."""
    POWER = "power"
    """Relays, outlets and mains."""
    WATCH = "watch"
    """That trouble is seen, told, and reaches somebody."""


class Grade(StrEnum):
    """How much a weak point matters."""

    CRITICAL = "critical"
    """One fault stops the site, or what should prevent that does not work."""
    SERIOUS = "serious"
    """It makes an outage likely, long, or unseen."""
    MINOR = "minor"


GRADES = tuple(Grade)
"""The worst first."""


class Cost(StrEnum):
    """What the remedy costs."""

    SETTING = "0"
    """A setting, a cable moved, an hour on site."""
    SMALL = "€"
    """Under 100 euros, once."""
    SUBSCRIPTION = "€€"
    WORKS = "€€€"
    """Works: a trench, a mast, a new entry into the building."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one rule has found about one subject.

    Attributes:
        grade: how much it matters; of what is unknown, how much it would if the answer were the worst.
        subject: ``site``, or the name of an uplink or box.
        label: its name for people.
        case: which of the rule's texts says what was found.
        evidence: what fills them.
        known: False if nobody has told, and nothing was seen.
        key: the key of the configuration that answers it; None where none does.
    """

    grade: Grade
    subject: str
    label: str
    case: str = "plain"
    evidence: Mapping[str, Scalar] = field(default_factory=dict)
    known: bool = True
    key: str | None = None


@dataclass(frozen=True, slots=True)
class WeakPoint:
    """A weak point of the site: what was ``found``, and what the catalogue says of its rule."""

    code: str
    axis: Axis
    cost: Cost
    found: Found

    @property
    def rank(self) -> tuple[int, bool]:
        """The worst first; what is known before what is only not known to be well."""
        return GRADES.index(self.found.grade), not self.found.known


@dataclass(frozen=True, slots=True)
class History:
    """What past events say. Instants are UNIX seconds.

    Attributes:
        clock_known: an event was written while the clock was known.
        carried: by uplink, when the site's traffic last moved to it.
        switched_at: when the site's router last moved the traffic at all.
        missing_at: when it last should have and did not.
        drilled_at: when a drill was last passed; None where nothing tells of drills but people.
    """

    clock_known: bool = False
    carried: Mapping[str, float] = field(default_factory=dict)
    switched_at: float | None = None
    missing_at: float | None = None
    drilled_at: float | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """All that an audit rests on. None is "not known", and is never taken for well.

    Attributes:
        config: the configuration, with the facts that people told.
        now: UNIX seconds.
        installed: version of the software that is installed here.
        shot: the running agent's picture of the site.
        running: version of the running agent.
        released_days: age of the installed software, days.
        history: what past events say.
        proven: by box, when its relay was last proven, UNIX seconds; None of a box: at an unknown time.
        airs: by uplink, what is remembered of its radio signal.
        hops: by uplink, the first routers on its way.
        path_watched: the agent watches which uplink carries the site.
    """

    config: Config
    now: float
    installed: str
    shot: Snapshot | None = None
    running: str | None = None
    released_days: float | None = None
    history: History | None = None
    proven: Mapping[str, float | None] | None = None
    airs: Mapping[str, Air] | None = None
    hops: Mapping[str, tuple[str, ...]] | None = None
    path_watched: bool = False

    @property
    def preferred(self) -> Uplink:
        """The uplink that is used while all is well."""
        return self.config.uplink[0]

    @property
    def backups(self) -> tuple[Uplink, ...]:
        """All others."""
        return self.config.uplink[1:]


Named = Uplink | Box
Find = Callable[[Ground], Iterator[Found]]


def of_site(
    ground: Ground, grade: Grade, case: str = "plain", *, key: str | None = None, **evidence: Scalar
) -> Found:
    """A weak point of the whole site."""
    return Found(grade, "site", ground.config.site.label, case, evidence, key=key)


def of(entry: Named, grade: Grade, case: str = "plain", **evidence: Scalar) -> Found:
    """A weak point of an uplink or a box."""
    return Found(grade, entry.name, entry.label, case, evidence)


def asked_of_site(ground: Ground, grade: Grade, key: str | None) -> Found:
    """Unknown of the site; ``key`` answers it, if any does."""
    return Found(grade, "site", ground.config.site.label, "ask", known=False, key=key)


def asked_of(entry: Named, grade: Grade, key: str | None) -> Found:
    """Unknown of an uplink or a box."""
    return Found(grade, entry.name, entry.label, "ask", known=False, key=key)


DAY_S = 86400.0


def days_ago(ground: Ground, at: float) -> int:
    """Whole days since then, 0 for what seems to lie ahead."""
    return max(0, int((ground.now - at) // DAY_S))
