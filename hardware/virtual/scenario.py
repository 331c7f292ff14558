"""What a scenario is: uplinks, deeds done to the bay, and conditions on what must be seen.

A scenario plays in the bay, with real packets and in real seconds, or it is given to whoever decides, alone
and in virtual time: hours of it take seconds. Both kinds are written alike.

Codes of events, findings and verdicts stay plain strings here: the bay knows nothing of whoever watches
it, and whoever watches it judges. ``scenario_reader`` reads the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hardware.virtual.speaks import MODEMS

Plain = str | int | float | bool
Words = Mapping[str, str]
"""A text in each language, by language code."""


NOBODY = "nobody"
"""Whose box a relay switches whose contacts are welded."""


class Player(StrEnum):
    """Who plays a scenario."""

    BAY = "bay"
    """The virtual bay: real packets, real seconds, the whole agent."""
    CORE = "core"
    """The agent's core alone, told in virtual time what the bay would show it."""


@dataclass(frozen=True, slots=True)
class ScenarioUplink:
    """One uplink of the bay with its box; both carry the same name.

    Loss (a share, 0 to 1), delay and jitter are those of each direction: an echo suffers them twice. What
    follows ``bands`` is for scenarios that play the core.

    Attributes:
        speaks: the language in which its box, dish or modem can be asked about itself, one of
            ``speaks.SPEAKS``; None: nobody asks it.
        soft: that device can be rebooted by software, and is.
        data_gb: what the configuration says a modem may use in a month; None: nothing.
        bands: the radio bands that the configuration calls good.
        boots_in_s: how long the box really boots; None is three quarters of ``boot_s``, which is what the
            configuration says.
        texts: a modem that sends text messages to one number when no uplink works.
        first_hop: the operator's first hop answers whoever asks it.
        terminal: the name of an optical terminal before the box, with a supply and a relay of its own; None:
            there is none.
        data_mb: megabytes a month that the agent may use on it; None is what a configuration gets by default.
        data_used_mb: what it has used of them this month, when the story begins.
        relay_cuts: whose box the relay really switches, ``nobody`` if its contacts are welded; None: its own.
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
    speaks: str | None = None
    soft: bool = False
    data_gb: float | None = None
    bands: tuple[str, ...] = ()
    boots_in_s: float | None = None
    texts: bool = False
    first_hop: bool = False
    relay_cuts: str | None = None
    terminal: str | None = None
    data_mb: int | None = None
    data_used_mb: float = 0.0

    @property
    def boxes(self) -> tuple[str, ...]:
        """Its boxes, the one nearest to the line first."""
        return (self.name,) if self.terminal is None else (self.terminal, self.name)

    @property
    def modem(self) -> str | None:
        """What the configuration calls its modem; None if no modem speaks for it.

        A modem without a relay is a box of its own, and bears its name.
        """
        if self.speaks not in MODEMS:
            return None
        return f"{self.name}-modem" if self.wired else self.name


@dataclass(frozen=True, slots=True)
class ScenarioService:
    """Something the business needs, one of ``world.SERVICES``, as people call it."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ScenarioPower:
    """What the configuration says of power; None leaves the default.

    ``maintenance`` are the operator's windows: begin and end, seconds after local midnight.
    """

    armed: bool = True
    per_incident: int | None = None
    per_day: int | None = None
    spacing_s: tuple[float, ...] | None = None
    after_power_s: float | None = None
    maintenance: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ScenarioRouter:
    """The site's own router, and what the configuration says of it.

    In the bay it does what deeds say (``route``); for the core it may also act by itself.

    Attributes:
        expect_s: it must have switched within this time, as configured.
        by_hand: how to switch by hand, as configured.
        switches_after_s: it leaves an uplink that has not worked for so long; None: never by itself.
        returns_after_s: it returns to a better one that has worked for so long; None: never by itself.
    """

    expect_s: float = 60.0
    by_hand: str = ""
    switches_after_s: float | None = None
    returns_after_s: float | None = None


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
    HEADLINE = "headline"


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must, or must never, be seen.

    Attributes:
        aspect: what to look at.
        codes: the event, finding or verdict, any of several; for ``order`` the events in their order.
        subject: the event's or finding's subject, the uplink of a verdict, the box; None is any, and for
            what is counted of boxes each of them.
        words: for ``headline``, what the screen's first line says in each language.
        args: what the event's args must contain.
        number: how many cuts, or how often the event; None is at least once.
        most_s: for ``longest_cut_s``, the longest that a cut may have lasted.
        powered: for ``powered`` and ``cuts_overlap``.
        after: the deed from which ``from_s``, ``by_s`` and ``at_s`` count; None is the start of the story.
        from_s: the window's begin, seconds; None is no limit.
        by_s: the window's end, seconds; None is no limit.
        at_s: the instant at which a finding, verdict or headline must stand; None with an open window is the
            end.
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
    words: Words = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One story, ready to be played. ``title`` and ``text`` hold each language.

    Attributes:
        known: what the agent can know of the fault, for technicians.
        router: the site's own router; None: the site path is not watched.
        starts_s: when the story begins, seconds after local midnight; in the bay it is whenever it is played.
    """

    name: str
    title: Words
    text: Words
    duration_s: float
    uplinks: tuple[ScenarioUplink, ...]
    deeds: tuple[Deed, ...]
    expects: tuple[Condition, ...]
    nevers: tuple[Condition, ...]
    seed: int = 0
    plays: Player = Player.BAY
    known: str = ""
    power: ScenarioPower = field(default_factory=ScenarioPower)
    router: ScenarioRouter | None = None
    starts_s: float = 32_400.0
    services: tuple[ScenarioService, ...] = ()
