"""What the core remembers from one step to the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from agent.core import line
from agent.core.alerts import Alerting
from agent.core.carried import Carried
from agent.core.codes import Code
from agent.core.devices import Says
from agent.core.durable import Durable
from agent.core.inquiries import Asked, Checked
from agent.core.instant import Now, Stamp, age_s
from agent.core.letters import Texts, first_texts
from agent.core.line import Line
from agent.core.model import Cycle, Link, OpenIncident, Part, Scalar
from agent.core.outside import SITE, Outsides
from agent.core.people import held_until
from agent.core.radio import Air
from agent.core.service_words import ServiceState, first_services
from agent.core.site import BoxSpec, Site, UplinkKind, UplinkSpec
from agent.core.snapshot_types import Health, LastIncident, Phase
from agent.core.spending import Purse, first_purse
from agent.core.steering import Steering
from agent.core.watch import Watch

BOOT_PATIENCE = 1.5
"""A cycle is said not to have helped only after one and a half times the configured boot time."""
WINDOW = 40
"""Echoes remembered per target: 40 s at the calm pace; 120 echoes of three targets tell 8 % loss from 4 %."""
NEVER = float("-inf")
DOUBT_PACE_S = 0.2
"""Spacing of echoes per target while a silence may be beginning."""

S = TypeVar("S", "State", "UplinkState")


def evolved(old: S, **changes: Any) -> S:
    """What ``dataclasses.replace`` gives, in a fraction of its time: the fields live in one dictionary."""
    new: S = object.__new__(old.__class__)
    object.__setattr__(new, "__dict__", {**old.__dict__, **changes})
    return new


class TargetPulse(NamedTuple):
    """The last echoes to one target through one uplink, oldest first; None is unanswered."""

    window: tuple[float | None, ...] = ()
    failing_since: float | None = None
    """Send time of the first echo of the unbroken run of unanswered ones at the end of the window."""
    failed: int = 0
    """Length of that run; it may exceed the window."""


class Pulse(NamedTuple):
    """Signs of life of one party: the internet behind an uplink, or the box itself.

    A silence begins with the first echo sent after the newest answered one, but not before the last answer
    arrived. Only echoes known to be unanswered count, so one bad target among several never looks like a
    silence.
    """

    alive_at: float | None = None
    alive_sent: float = NEVER
    lost_since: float | None = None
    lost: int = 0
    lost_last: float = NEVER
    """Send time of the newest unanswered echo of the silence: later, nobody asked."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What the last echoes measured. ``mos`` is the mean opinion score of a call, 1 (bad) to 4.4 (best)."""

    loss: float
    rtt_ms: float
    jitter_ms: float
    mos: float
    echoes: int


@dataclass(frozen=True)
class UplinkState:
    """One uplink: evidence first, then what is learned, then the verdict. See ``evolved``."""

    spec: UplinkSpec
    link: Link | None = None
    link_last_address: str | None = None
    """The newest address seen, kept while the interface has none."""
    carrier_at: float | None = None
    """When carrier last came back after it had been lost: the box may have been powered up just then."""
    box_back_at: float | None = None
    """When the box last answered again after it had been silent."""
    link_bad_since: float | None = None
    """Since when the interface cannot carry traffic: absent, without carrier, address or gateway."""
    internet: Pulse = field(default_factory=Pulse)
    box: Pulse = field(default_factory=Pulse)
    box_answers: bool = False
    targets: Mapping[str, TargetPulse] = field(default_factory=dict)
    checks: Mapping[tuple[Asked, str], Checked] = field(default_factory=dict)
    """By kind and subject; of hops only the newest, whichever it was."""
    asked_more_at: float = NEVER
    says: Says | None = None
    says_at: float = NEVER
    says_heard_at: float = NEVER
    """When the device itself last answered a question about itself."""
    air: Air = field(default_factory=Air)
    """What is remembered of a modem's signal."""
    air_saved_at: float = NEVER
    unsent_since: float | None = None
    unsent_why: str = ""
    heard_at: float = 0.0
    """When an outcome of a target came in last, whatever it was."""
    denied: frozenset[str] = frozenset()
    """Targets of which the box itself has said, since the last answer, that it cannot reach them."""
    mute: bool = False
    """The box has been silent too at some time of the present silence."""
    spoiled: bool = False
    """The present silence is not the line's own doing, and teaches nothing about it."""
    silence_ended_at: float = NEVER
    line: Line = field(default_factory=lambda: line.unknown(UplinkKind.OTHER))
    calm_s: float = 0.0
    """Seconds watched without a silence that ``line`` does not hold yet."""
    wait_s: float = 0.0
    """How long the present silence is worth waiting out, from ``line``."""
    line_saved_at: float = NEVER
    line_dirty: bool = False
    quality: Quality | None = None
    """As it was looked at last; None while too little is known, and while the uplink is down."""
    strained_s: float = 0.0
    """What bad quality has cost people lately, seconds; see ``quality``."""
    strained_at: float | None = None
    strained_why: str = ""
    remarkable_ms: float = float("inf")
    """A round trip from which on an answer deserves a closer look."""
    clean_since: float | None = None
    relapses: int = 0
    """How often it went down again soon after it had come back."""
    recovered_at: float | None = None
    broke_why: str = ""  # what was said when it went down
    health: Health = Health.UNKNOWN
    before_doubt: Health = Health.UNKNOWN
    """The verdict before it became ``suspect``: returning to it is no news."""
    since: float = 0.0
    why: str = "no answer yet"
    broke_at: float | None = None
    """When the present outage began (first unanswered echo or loss of the link); None while it works."""
    pace_s: float = 0.0
    """Seconds between two echoes to one target, as last ordered."""
    interval_s: float = 0.0
    """Seconds between two looks while all is well: as configured, or as the data budget allows."""
    paced_at: float = NEVER  # when that changed last
    purse: Purse | None = None
    """The data budget, if there is one."""


@dataclass(frozen=True, slots=True)
class BoxState:
    """One box: where it stands in a cycle, and why none is done."""

    spec: BoxSpec
    phase: Phase = Phase.POWERED
    since: float = 0.0
    until: float | None = None
    """When the phase is planned to end, as people see it."""
    restore_at: float | None = None
    """When the power is to be ordered back, in a cut: at its end, and again while nobody says that it is."""
    deadline: float | None = None
    """When the phase is over, whatever was heard."""
    cycle: Cycle | None = None
    cut_at: float | None = None
    settle_until: float = 0.0
    """The box is considered booting until then, whatever it does."""
    refusal: str | None = None
    refused_until: float | None = None
    told: tuple[str, ...] = ()
    """Refusals already told as events while the present want lasts."""


@dataclass(frozen=True, slots=True)
class FindingState:
    """A condition that holds; ``shown`` once it has lasted as long as its catalogue entry asks."""

    code: Code
    subject: str
    label: str
    since: float
    args: Mapping[str, Scalar]
    shown: bool = False
    evidence: tuple[str, ...] = ()
    """What was asked, when, and what answered, as it stood when the finding was shown."""


FindingKey = tuple[Code, str]


@dataclass(frozen=True)
class State:
    """Everything. A new one comes out of every step; nothing is changed in place. See ``evolved``."""

    site: Site
    run: str
    """Names this run of the agent; part of the ids given out."""
    started_at: float
    stepped_at: float
    full_at: float
    """When everything was last looked at, not only the evidence of one uplink."""
    due_at: float
    """When everything must be looked at again, even if nothing unusual happens until then."""
    uplinks: Mapping[str, UplinkState]
    boxes: Mapping[str, BoxState]
    announced: bool = False
    worked_at: float | None = None  # when the first uplink worked in this run
    warm: bool = False
    """True once every uplink has a verdict, or the time for it is over."""
    findings: Mapping[FindingKey, FindingState] = field(default_factory=dict)
    parts: Mapping[str, Part] = field(default_factory=dict)
    cycles: tuple[Cycle, ...] | None = ()
    incident: OpenIncident | None = None
    last_incident: LastIncident | None = None
    issued: int = 0
    """How many ids this run has given out."""
    quick_restarts: int = 0
    power_back_at: float | None = None  # when the bay's power last came back
    hold_until: float | None = None
    proven: Mapping[str, Stamp] = field(default_factory=dict)
    behind_switch: frozenset[str] = frozenset()
    watch: Watch | None = None
    """Of the newest cut of this run; there is never more than one at a time."""
    texts: Texts = field(default_factory=Texts)
    services: Mapping[str, ServiceState] = field(default_factory=dict)
    path: UplinkState | None = None
    """What is seen of the internet through the site's own router; None where nobody looks."""
    carried: Carried = field(default_factory=Carried)
    outsides: Outsides = field(default_factory=Outsides)
    steering: Steering = field(default_factory=Steering)
    alerting: Alerting = field(default_factory=Alerting)


def _first_box_state(spec: BoxSpec, cycles: tuple[Cycle, ...], now: Now) -> BoxState:
    """A box counts as booting when the agent starts, after the cycle that was under way, if one was."""
    boot_end = now.mono + spec.boot_s
    for cycle in reversed(cycles):
        if cycle.box == spec.name and cycle.helped is None:
            if age_s(cycle.started, now) > spec.off_s + BOOT_PATIENCE * spec.boot_s:
                break
            return BoxState(
                spec=spec,
                phase=Phase.BOOTING,
                since=now.mono,
                until=boot_end,
                deadline=now.mono + BOOT_PATIENCE * spec.boot_s,
                cycle=cycle,
                settle_until=boot_end,
            )
    return BoxState(spec=spec, since=now.mono, settle_until=boot_end)


def _first_uplink_state(spec: UplinkSpec, site: Site, durable: Durable, now: Now) -> UplinkState:
    """An uplink of which nothing is known but what earlier runs learned of its line."""
    known = durable.lines.get(spec.name)
    if known is None or known.beyond.kind is not spec.kind:
        known = line.unknown(spec.kind)
    return UplinkState(
        spec=spec,
        since=now.mono,
        heard_at=now.mono,
        box_answers=spec.name in durable.answering,
        targets={target: TargetPulse() for target in spec.targets},
        line=known,
        air=durable.airs.get(spec.name, Air()),
        wait_s=site.switch_cost_s,
        pace_s=spec.interval_s,
        interval_s=spec.interval_s,
        purse=first_purse(spec.data_bytes, spec.checks_s, durable.spendings.get(spec.name)),
    )


def _first_path(site: Site, now: Now) -> UplinkState | None:
    """The site path as an uplink of which nothing is known."""
    rules = site.failover
    spec = UplinkSpec(SITE, site.label, UplinkKind.OTHER, rules.path_targets, rules.path_interval_s)
    return _first_uplink_state(spec, site, Durable(), now) if rules.path_targets else None


def with_uplink(state: State, uplink: UplinkState) -> State:
    """The state with this uplink in place of the one of the same name."""
    return evolved(state, uplinks={**state.uplinks, uplink.spec.name: uplink})


def incident_cycles(state: State) -> int:
    """How many cycles belong to the open incident, over all restarts."""
    if state.incident is None:
        return 0
    return sum(1 for cycle in state.cycles or () if cycle.incident == state.incident.id)


def initial(site: Site, durable: Durable, now: Now, run: str) -> State:
    """The state before the first observation.

    Every box is taken to be booting, because a restart of the agent tells nothing about what happened
    before it.
    """
    return State(
        site=site,
        run=run,
        started_at=now.mono,
        stepped_at=now.mono,
        full_at=NEVER,
        due_at=now.mono,
        uplinks={spec.name: _first_uplink_state(spec, site, durable, now) for spec in site.uplinks},
        boxes={spec.name: _first_box_state(spec, durable.cycles or (), now) for spec in site.boxes},
        cycles=durable.cycles,
        incident=durable.incident,
        quick_restarts=durable.quick_restarts,
        proven=durable.proven,
        behind_switch=durable.behind_switch,
        texts=first_texts(durable.texting, now),
        services=first_services(site.services),
        alerting=Alerting(told=durable.told),
        hold_until=None if durable.hold is None else held_until(durable.hold, now),
        path=_first_path(site, now),
        outsides=Outsides(outers=durable.outers),
    )
