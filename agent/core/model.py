"""The words of the core: what it is told, what it orders, what it reports, what it knows at the start.

All types are frozen and slotted. Times named ``*_at`` and ``until`` are monotonic seconds of the machine
(since its boot) unless a ``Stamp`` is used; durations end in ``_s``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.core.alerts import Account, SaveAlerts
from agent.core.codes import Code, Severity
from agent.core.devices import Says
from agent.core.inquiries import Check
from agent.core.instant import Stamp
from agent.core.letters import SendText, TextReport
from agent.core.outside import AskAddress, PathSeen, PublicAddress, SaveOuter
from agent.core.people import Answer, Request
from agent.core.saves import Save
from agent.core.service_words import AskService, Served
from agent.core.spending import CheckEvery, SaveSpending, Spent

Scalar = str | int | float | bool | None


# --- observations: what the core is told -----------------------------------------------------------------


class Role(StrEnum):
    """What a probe asked: the box on the LAN, or a host out on the internet."""

    BOX = "box"
    TARGET = "target"


class Why(StrEnum):
    """Why a probe brought no answer."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    """An ICMP error came back; ``Probe.by`` names its sender."""
    NO_INTERFACE = "no_interface"
    NO_ADDRESS = "no_address"
    NO_ROUTE = "no_route"
    FORBIDDEN = "forbidden"
    SOCKET_ERROR = "socket_error"

    @property
    def was_sent(self) -> bool:
        """False if no packet left: a local fault, never evidence against the uplink."""
        return self in (Why.TIMEOUT, Why.UNREACHABLE)


@dataclass(frozen=True, slots=True)
class Probe:
    """The outcome of one echo.

    Exactly one of ``rtt_ms`` and ``why`` is set. A late reply is a second outcome of the same echo (same
    ``sent_at``), after its timeout: it still proves the uplink alive.
    """

    uplink: str
    target: str
    role: Role
    sent_at: float
    rtt_ms: float | None = None
    why: Why | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What the system knows of an uplink's interface now. None is "cannot tell"."""

    uplink: str
    present: bool
    carrier: bool | None = None
    address: str | None = None
    gateway: str | None = None

    @property
    def plugged(self) -> bool:
        """The interface is known to have a carrier."""
        return self.present and self.carrier is True

    @property
    def unplugged(self) -> bool:
        """The interface is gone, or known to have no carrier."""
        return not self.present or self.carrier is False


class Outcome(StrEnum):
    """What became of an order to a relay."""

    CUT = "cut"
    RESTORED = "restored"
    REBOOTING = "rebooting"
    """A reboot by software was accepted."""
    REFUSED = "refused"
    """Nothing was cut: the relay did not obey."""
    UNWRITTEN = "unwritten"
    """Nothing was cut: the cycle could not be written to disk first."""


@dataclass(frozen=True, slots=True)
class PowerReport:
    """The outcome of an order, named by ``order``; ``detail`` is for the log."""

    box: str
    order: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the agent that works or not: ``screen``, ``lights``, ``mqtt``, ``store``, ``relay:ftth``.

    ``code`` is the finding that stands while ``ok`` is false.
    """

    name: str
    ok: bool
    code: Code = Code.PART_FAILED
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A person asks for no automatic power action until ``until``; None ends the hold."""

    until: float | None
    by: str


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened; the asked-for instant has come."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The agent has been asked to stop; the last observation of a run."""


Observation = (
    Probe
    | Link
    | Check
    | Served
    | Says
    | PublicAddress
    | PathSeen
    | PowerReport
    | TextReport
    | Part
    | Hold
    | Request
    | Spent
    | Tick
    | Leave
)


# --- actions: what the core orders -------------------------------------------------------------------------


AGENT = "agent"
"""Who ordered a cycle that nobody asked for."""


class How(StrEnum):
    """A step of the ladder, the smallest first."""

    SOFT = "soft"
    """A reboot by software, where a driver offers one."""
    CUT = "cut"
    LONG_CUT = "long_cut"


@dataclass(frozen=True, slots=True)
class Cycle:
    """One power cycle as it is remembered.

    ``helped`` is None until it is known. ``effect`` tells whether the step was seen to take effect: the box
    lost its power, or took the order to reboot (None: nobody could see it); ``instead`` which uplink lost its
    carrier in its place.

    ``by`` is ``AGENT`` or the person who asked, ``forced`` whether that person overrode the rules.
    """

    order: str
    box: str
    finding: Code
    incident: str
    started: Stamp
    helped: bool | None = None
    how: How = How.CUT
    effect: bool | None = None
    instead: str | None = None
    by: str = AGENT
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Write ``cycle`` to disk, and only then take the power away, for ``longest_s`` at most."""

    box: str
    order: str
    longest_s: float
    cycle: Cycle


@dataclass(frozen=True, slots=True)
class Reboot:
    """Write ``cycle`` to disk, then have the box reboot by software."""

    box: str
    order: str
    cycle: Cycle


@dataclass(frozen=True, slots=True)
class Restore:
    """Give the power back."""

    box: str
    order: str


@dataclass(frozen=True, slots=True)
class Pace:
    """Probe this uplink's targets every ``interval_s`` seconds from now on, the box every ``box_s``."""

    uplink: str
    interval_s: float
    box_s: float | None = None


@dataclass(frozen=True, slots=True)
class AskMore:
    """Ask everything beyond echoes through this uplink now; the answers come as ``Check``."""

    uplink: str


@dataclass(frozen=True, slots=True)
class SaveCycle:
    """Replace the remembered cycle of the same order."""

    cycle: Cycle


@dataclass(frozen=True, slots=True)
class SaveIncident:
    """Remember that this incident is open; None when none is."""

    incident: OpenIncident | None


Action = (
    Cut
    | Reboot
    | Restore
    | Pace
    | AskMore
    | AskService
    | AskAddress
    | SaveOuter
    | SaveCycle
    | SaveIncident
    | SaveAlerts
    | Save
    | SendText
    | SaveSpending
    | CheckEvery
    | Answer
)


# --- events: what happened ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """A fact worth telling, once. ``args`` fill the texts of ``code``."""

    code: Code
    subject: str
    severity: Severity
    incident: str | None = None
    args: Mapping[str, Scalar] = field(default_factory=dict)
    alert: bool = False
    """Somebody is to be called, or to hear the end of what they were called for; see ``agent.core.codes``."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event with its place in history.

    ``seq`` counts without holes over the whole life of the store; it is None for ``debug`` events, which
    are shown live and not kept. ``id`` is unique for ever. ``at`` is UNIX seconds; ``synced`` tells whether
    it can be believed, ``corrected`` that it was computed afterwards, once the clock was known.
    """

    id: str
    seq: int | None
    event: Event
    at: float
    synced: bool
    corrected: bool = False


# --- what survives a restart ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """From the first finding to the last recovery; its cause is ``code`` on ``subject``, as told last."""

    id: str
    opened: Stamp
    code: Code
    subject: str
    account: Account = field(default_factory=Account)
