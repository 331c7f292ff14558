"""What is wrong, judged by what it means for the business: the severity of an incident.

A finding says what is broken; how much that matters depends on what still works. Each concern of the business
looks at the site and says how much it suffers; the worst decides. A new concern is one more function in
``CONCERNS``.

While the site is closed nobody suffers, and the night is time to repair: an outage is a warning then, and an
alert once the site opens soon. Nobody who is called later than that can be done before the first customer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from agent.core import health, site_path
from agent.core.codes import Code, Severity
from agent.core.instant import Now
from agent.core.opening import opens_in_s
from agent.core.snapshot_types import Health
from agent.core.state import State

SOON_S = 1800.0
"""The site counts as open from half an hour before its hours on."""
USELESS = (Code.WALLED_GARDEN, Code.NAMES_FAIL)
"""Findings of an uplink that carries packets and no business."""
CUT_OFF = (Code.FAILOVER_MISSING, Code.SITE_PATH_DOWN)
"""Findings of a site without internet although an uplink works."""
ORDER = (Severity.DEBUG, Severity.INFO, Severity.WARNING, Severity.ALERT)


class Means(StrEnum):
    """What it means for the site; a key of the texts' table ``means``."""

    NO_INTERNET = "no_internet"
    CLOSED = "closed"
    """The same, while the site is closed."""
    NOT_KNOWN = "not_known"
    ON_BACKUP = "on_backup"
    NO_BACKUP = "no_backup"
    FEWER_BACKUPS = "fewer_backups"
    SERVICE = "service"
    SLOW = "slow"
    SLOW_BACKUP = "slow_backup"
    PERSON = "person"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is wrong, to the business."""

    severity: Severity
    means: Means


@dataclass(frozen=True, slots=True)
class Situation:
    """The site in the eyes of the business.

    Attributes:
        open: it is open, or opens soon.
        in_use: the uplink that its traffic takes; None if nobody could use any.
        serving: uplinks on which work can be done, in the order of preference.
        broken: uplinks on which none can, and of which that is known; in the same order.
        shown: code and subject of every finding that people see.
    """

    open: bool
    in_use: str | None
    serving: tuple[str, ...]
    broken: tuple[str, ...]
    shown: frozenset[tuple[Code, str]]


def severer(one: Severity, other: Severity) -> bool:
    """Whether ``one`` matters more than ``other``."""
    return ORDER.index(one) > ORDER.index(other)


def in_use(state: State) -> str | None:
    """The uplink that the traffic of the site takes; None if it can take none.

    As measured through the site's router; where nobody can tell, and while it still has time to leave one
    that has failed, it is taken to use the first uplink that works, as it should.
    """
    active = state.carried.active
    if active is not None and (state.uplinks[active].health.works or site_path.carries(state, active)):
        return active
    return health.preferred_uplink(state)


def situation(state: State, now: Now) -> Situation:
    """The site as it is now."""
    shown = frozenset(key for key, finding in state.findings.items() if finding.shown)
    useless = {name for name in state.uplinks if any((code, name) in shown for code in USELESS)}
    # What carries the site works, whatever this machine's own cable to it says.
    carries = {name for name in state.uplinks if site_path.carries(state, name)}
    works = {name for name, uplink in state.uplinks.items() if uplink.health.works} | carries
    down = {name for name, uplink in state.uplinks.items() if uplink.health is Health.DOWN} - carries
    return Situation(
        open=opens_in_s(state.site.opening, now) <= SOON_S,
        in_use=in_use(state),
        serving=tuple(name for name in state.uplinks if name in works - useless),
        broken=tuple(name for name in state.uplinks if name in down | useless),
        shown=shown,
    )


def meaning(state: State, now: Now) -> Meaning:
    """How much the present situation matters, and why."""
    site = situation(state, now)
    told = [said for concern in CONCERNS if (said := concern(site, state)) is not None]
    return max(told, key=lambda said: ORDER.index(said.severity), default=_NOTHING)


# --- the concerns ------------------------------------------------------------------------------------------

_NOTHING = Meaning(Severity.INFO, Means.NOTHING)
Concern = Callable[[Situation, State], Meaning | None]


def _internet(site: Situation, state: State) -> Meaning | None:
    """Work can be done: the uplink in use serves."""
    if site.in_use in site.serving:
        return None
    if site.in_use is None and len(site.broken) < len(state.uplinks):
        # Our own trouble hides some of them, and the site may well work.
        return Meaning(Severity.WARNING, Means.NOT_KNOWN)
    if site.open:
        return Meaning(Severity.ALERT, Means.NO_INTERNET)
    return Meaning(Severity.WARNING, Means.CLOSED)


def _services(site: Situation, _state: State) -> Meaning | None:
    """Each service that the site needs answers on the way that its traffic takes."""
    if any(code in (Code.SERVICE_DOWN, Code.SERVICE_CUT_OFF) for code, _ in site.shown):
        return Meaning(Severity.ALERT if site.open else Severity.WARNING, Means.SERVICE)
    return None


def _router(site: Situation, _state: State) -> Meaning | None:
    """What serves reaches the site: its router has switched, and lets the traffic through."""
    if not any(code in CUT_OFF for code, _ in site.shown):
        return None
    if site.open:
        return Meaning(Severity.ALERT, Means.NO_INTERNET)
    return Meaning(Severity.WARNING, Means.CLOSED)


def _safety_net(site: Situation, state: State) -> Meaning | None:
    """The next outage is caught as well: every uplink serves."""
    if not site.broken:
        return None
    order = list(state.uplinks)
    if site.in_use is not None and order.index(site.broken[0]) < order.index(site.in_use):
        return Meaning(Severity.WARNING, Means.ON_BACKUP)
    return Meaning(Severity.WARNING, Means.FEWER_BACKUPS if len(site.serving) > 1 else Means.NO_BACKUP)


def _quality(site: Situation, _state: State) -> Meaning | None:
    """Calls and screens are quick. A slow backup that nobody uses can wait, as can a slow line by night."""
    if (Code.DEGRADED, site.in_use) in site.shown:
        return Meaning(Severity.WARNING if site.open else Severity.INFO, Means.SLOW)
    if any(code is Code.DEGRADED for code, _ in site.shown):
        return Meaning(Severity.INFO, Means.SLOW_BACKUP)
    return None


def _person(site: Situation, _state: State) -> Meaning | None:
    """It repairs itself. What does not is for somebody who must be called while the site is open."""
    if any(code is Code.NEEDS_HUMAN for code, _ in site.shown):
        return Meaning(Severity.ALERT if site.open else Severity.WARNING, Means.PERSON)
    return None


CONCERNS: tuple[Concern, ...] = (_internet, _router, _services, _safety_net, _quality, _person)
"""In the order in which they are worth telling, where they weigh the same."""
