"""Every finding and every event by its stable code, in one catalogue.

A code is part of the public contract (MQTT, texts, history): never renamed, never reused. Adding a
diagnosis is adding an entry here and its words in ``agent/text``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much it matters to people. ``debug`` goes to live views only: not to disk, not to MQTT."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ALERT = "alert"


class Code(StrEnum):
    """Findings first, then plain events."""

    # findings: conditions that stand for a while
    ALL_WELL = "all_well"
    WARMING_UP = "warming_up"
    BAY_DARK = "bay_dark"
    EVERYTHING_DOWN = "everything_down"
    CABLE_OR_POWER = "cable_or_power"
    BOX_HUNG = "box_hung"
    LINE_OR_OPERATOR = "line_or_operator"
    LINE_DOWN = "line_down"
    OPERATOR_OUTAGE = "operator_outage"
    MODEM_HUNG = "modem_hung"
    SIM_TROUBLE = "sim_trouble"
    NO_SIGNAL = "no_signal"
    NO_NETWORK = "no_network"
    DATA_REFUSED = "data_refused"
    ACCOUNT_STOPPED = "account_stopped"
    DEVICE_BUSY = "device_busy"
    VIEW_BLOCKED = "view_blocked"
    WALLED_GARDEN = "walled_garden"
    NAMES_FAIL = "names_fail"
    DEGRADED = "degraded"
    SIGNAL_WEAK = "signal_weak"
    SIGNAL_DROPPED = "signal_dropped"
    LIGHT_WEAK = "light_weak"
    VIEW_OBSTRUCTED = "view_obstructed"
    DATA_LOW = "data_low"
    ROAMING = "roaming"
    WRONG_BAND = "wrong_band"
    DEVICE_SILENT = "device_silent"
    DEVICE_LOCKED = "device_locked"
    TARGET_PROBLEM = "target_problem"
    OWN_TROUBLE = "own_trouble"
    RESTARTING = "restarting"
    NEEDS_HUMAN = "needs_human"
    BY_HAND = "by_hand"
    RELAY_FAILED = "relay_failed"
    RELAY_NO_EFFECT = "relay_no_effect"
    RELAY_WRONG_BOX = "relay_wrong_box"
    BUDGET_UNREADABLE = "budget_unreadable"
    RP_FILTER_STRICT = "rp_filter_strict"
    PING_FORBIDDEN = "ping_forbidden"
    PART_FAILED = "part_failed"
    DATA_SPENT = "data_spent"
    DATA_SAVING = "data_saving"
    SERVICE_DOWN = "service_down"
    SERVICE_CUT_OFF = "service_cut_off"
    SERVICE_BLOCKED = "service_blocked"
    CERTIFICATE_ENDS = "certificate_ends"
    FAILOVER_MISSING = "failover_missing"
    SITE_PATH_DOWN = "site_path_down"
    BACKUP_UNPROVEN = "backup_unproven"

    # events: facts of one instant
    AGENT_STARTED = "agent_started"
    AGENT_STOPPED = "agent_stopped"
    UPLINK_SUSPECT = "uplink_suspect"
    UPLINK_DOWN = "uplink_down"
    UPLINK_UP = "uplink_up"
    UPLINK_DEGRADED = "uplink_degraded"
    UPLINK_UNKNOWN = "uplink_unknown"
    FINDING_CLOSED = "finding_closed"
    INCIDENT_OPENED = "incident_opened"
    INCIDENT_CAUSE = "incident_cause"
    INCIDENT_SEVERITY = "incident_severity"
    INCIDENT_REMINDER = "incident_reminder"
    INCIDENT_CLOSED = "incident_closed"
    CYCLE_ORDERED = "cycle_ordered"
    CYCLE_REFUSED = "cycle_refused"
    BOX_CUT = "box_cut"
    BOX_REBOOTING = "box_rebooting"
    BOX_RESTORED = "box_restored"
    CYCLE_HELPED = "cycle_helped"
    CYCLE_DID_NOT_HELP = "cycle_did_not_help"
    ADDRESS_CHANGED = "address_changed"
    HOLD_SET = "hold_set"
    HOLD_ENDED = "hold_ended"
    RELAY_PROVEN = "relay_proven"
    RELAY_UNPROVEN = "relay_unproven"
    TEXT_SENT = "text_sent"
    TEXT_FAILED = "text_failed"
    FAILOVER = "failover"
    FAILBACK = "failback"
    SITE_INTERRUPTED = "site_interrupted"
    PUBLIC_ADDRESS_CHANGED = "public_address_changed"
    ADDRESS_SHARED = "address_shared"
    EVENTS_LOST = "events_lost"


class Scope(StrEnum):
    """What a finding is about, and so what its ``subject`` names."""

    SITE = "site"
    UPLINK = "uplink"
    BOX = "box"
    TARGET = "target"
    PART = "part"
    SERVICE = "service"


class Cure(StrEnum):
    """Whether a power cycle of the uplink's box can cure a finding."""

    NEVER = "never"
    PERHAPS = "perhaps"
    """Once, after a longer wait; again only where it has helped before."""
    LIKELY = "likely"


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding of the catalogue.

    Attributes:
        scope: what ``subject`` names.
        severity: of the finding's opening.
        rank: position among findings that stand together; the lowest is the headline.
        shown_after_s: people are told later than machines, seconds after it first held.
        cure: whether a power cycle of the uplink's box can cure it.
        incident: it opens an incident (or belongs to the open one).
        aside: it is no headline: for whoever looks after Vigie, and nothing that the staff would notice.
    """

    scope: Scope
    severity: Severity
    rank: int
    shown_after_s: float = 0.0
    cure: Cure = Cure.NEVER
    incident: bool = False
    aside: bool = False


TOLD_AFTER_S = 8.0
"""A machine must switch within seconds of a silence; a person need not be called before it has lasted.
Counted from when the trouble began."""
CABLE_TOLD_AFTER_S = 2.0
"""Cables that go together do not all go in the same instant."""


def _fault(rank: int, shown_after_s: float = TOLD_AFTER_S, cure: Cure = Cure.NEVER) -> Entry:
    """A fault of one uplink that opens an incident."""
    return Entry(Scope.UPLINK, Severity.ALERT, rank, shown_after_s, cure, incident=True)


STANDS_S = 60.0
LASTS_S = 600.0
"""What a device tells of itself while it works is no hurry: a figure must stand, a signal must last."""


def _shortcoming(rank: int, severity: Severity, shown_after_s: float) -> Entry:
    """Something that a device tells while its uplink works: no incident, but a warning before one."""
    return Entry(Scope.UPLINK, severity, rank, shown_after_s)


FINDINGS: dict[Code, Entry] = {
    Code.WARMING_UP: Entry(Scope.SITE, Severity.INFO, 0),
    Code.BAY_DARK: Entry(Scope.SITE, Severity.ALERT, 10, incident=True),
    Code.EVERYTHING_DOWN: Entry(Scope.SITE, Severity.ALERT, 11, shown_after_s=TOLD_AFTER_S, incident=True),
    Code.RESTARTING: Entry(Scope.BOX, Severity.INFO, 20),
    Code.NEEDS_HUMAN: Entry(Scope.BOX, Severity.ALERT, 21, incident=True),
    Code.BY_HAND: Entry(Scope.UPLINK, Severity.INFO, 22, cure=Cure.LIKELY),
    Code.BOX_HUNG: _fault(30, TOLD_AFTER_S, Cure.LIKELY),
    Code.MODEM_HUNG: _fault(31, TOLD_AFTER_S, Cure.LIKELY),
    Code.CABLE_OR_POWER: _fault(32, CABLE_TOLD_AFTER_S, Cure.PERHAPS),
    Code.SIM_TROUBLE: _fault(33),
    Code.ACCOUNT_STOPPED: _fault(33),
    Code.DATA_REFUSED: _fault(33),
    Code.DEVICE_BUSY: _fault(34),
    Code.VIEW_BLOCKED: _fault(34),
    Code.LINE_DOWN: _fault(34),
    Code.OPERATOR_OUTAGE: _fault(35),
    Code.NO_SIGNAL: _fault(36),
    Code.NO_NETWORK: _fault(36, TOLD_AFTER_S, Cure.PERHAPS),
    Code.WALLED_GARDEN: _fault(37),
    Code.LINE_OR_OPERATOR: _fault(38, TOLD_AFTER_S, Cure.PERHAPS),
    Code.NAMES_FAIL: _fault(39),
    # A service that fails while its way is sound has repeated that for a quarter of a minute.
    Code.SERVICE_DOWN: Entry(Scope.SERVICE, Severity.ALERT, 39, TOLD_AFTER_S, incident=True),
    Code.SERVICE_CUT_OFF: Entry(Scope.SERVICE, Severity.ALERT, 39, TOLD_AFTER_S, incident=True),
    Code.SERVICE_BLOCKED: Entry(Scope.SERVICE, Severity.WARNING, 46, TOLD_AFTER_S),
    Code.CERTIFICATE_ENDS: Entry(Scope.SERVICE, Severity.WARNING, 64, STANDS_S, aside=True),
    Code.DEGRADED: Entry(Scope.UPLINK, Severity.WARNING, 40, shown_after_s=10.0, incident=True),
    Code.DATA_LOW: _shortcoming(41, Severity.WARNING, STANDS_S),
    Code.SIGNAL_WEAK: _shortcoming(42, Severity.WARNING, LASTS_S),
    Code.SIGNAL_DROPPED: _shortcoming(43, Severity.WARNING, LASTS_S),
    Code.LIGHT_WEAK: _shortcoming(44, Severity.WARNING, LASTS_S),
    Code.VIEW_OBSTRUCTED: _shortcoming(45, Severity.WARNING, LASTS_S),
    Code.RELAY_WRONG_BOX: Entry(Scope.BOX, Severity.ALERT, 48),
    Code.RELAY_NO_EFFECT: Entry(Scope.BOX, Severity.ALERT, 49),
    Code.RELAY_FAILED: Entry(Scope.PART, Severity.ALERT, 50),
    Code.BUDGET_UNREADABLE: Entry(Scope.PART, Severity.WARNING, 51),
    Code.RP_FILTER_STRICT: Entry(Scope.PART, Severity.ALERT, 52),
    Code.PING_FORBIDDEN: Entry(Scope.PART, Severity.ALERT, 53),
    Code.OWN_TROUBLE: Entry(Scope.UPLINK, Severity.WARNING, 54, shown_after_s=15.0),
    Code.PART_FAILED: Entry(Scope.PART, Severity.WARNING, 60, shown_after_s=30.0),
    Code.DEVICE_LOCKED: _shortcoming(61, Severity.WARNING, STANDS_S),
    Code.DEVICE_SILENT: _shortcoming(62, Severity.WARNING, LASTS_S),
    Code.ROAMING: _shortcoming(63, Severity.WARNING, LASTS_S),
    Code.TARGET_PROBLEM: Entry(Scope.TARGET, Severity.INFO, 70),
    Code.WRONG_BAND: _shortcoming(71, Severity.INFO, LASTS_S),
    Code.DATA_SPENT: Entry(Scope.UPLINK, Severity.WARNING, 61, shown_after_s=60.0),
    Code.DATA_SAVING: Entry(Scope.UPLINK, Severity.INFO, 80, shown_after_s=60.0, aside=True),
    Code.FAILOVER_MISSING: Entry(Scope.SITE, Severity.ALERT, 12, incident=True),
    Code.SITE_PATH_DOWN: Entry(Scope.SITE, Severity.ALERT, 13, incident=True),
    Code.BACKUP_UNPROVEN: Entry(Scope.UPLINK, Severity.WARNING, 46, shown_after_s=STANDS_S),
}
"""The catalogue. Ranks leave room between them."""

EVENTS: dict[Code, Severity] = {
    Code.AGENT_STARTED: Severity.INFO,
    Code.AGENT_STOPPED: Severity.INFO,
    Code.UPLINK_SUSPECT: Severity.DEBUG,
    Code.UPLINK_DOWN: Severity.WARNING,
    Code.UPLINK_UP: Severity.INFO,
    Code.UPLINK_DEGRADED: Severity.WARNING,
    Code.UPLINK_UNKNOWN: Severity.INFO,
    Code.FINDING_CLOSED: Severity.INFO,
    Code.INCIDENT_OPENED: Severity.ALERT,
    Code.INCIDENT_CAUSE: Severity.WARNING,
    Code.INCIDENT_SEVERITY: Severity.ALERT,
    Code.INCIDENT_REMINDER: Severity.WARNING,
    Code.INCIDENT_CLOSED: Severity.INFO,
    Code.CYCLE_ORDERED: Severity.WARNING,
    Code.CYCLE_REFUSED: Severity.WARNING,
    Code.BOX_CUT: Severity.WARNING,
    Code.BOX_REBOOTING: Severity.WARNING,
    Code.BOX_RESTORED: Severity.INFO,
    Code.CYCLE_HELPED: Severity.INFO,
    Code.CYCLE_DID_NOT_HELP: Severity.ALERT,
    Code.ADDRESS_CHANGED: Severity.INFO,
    Code.HOLD_SET: Severity.INFO,
    Code.HOLD_ENDED: Severity.INFO,
    Code.RELAY_PROVEN: Severity.INFO,
    Code.RELAY_UNPROVEN: Severity.WARNING,
    Code.TEXT_SENT: Severity.INFO,
    Code.TEXT_FAILED: Severity.WARNING,
    Code.FAILOVER: Severity.WARNING,
    Code.FAILBACK: Severity.INFO,
    Code.SITE_INTERRUPTED: Severity.WARNING,
    Code.PUBLIC_ADDRESS_CHANGED: Severity.INFO,
    Code.ADDRESS_SHARED: Severity.INFO,
    Code.EVENTS_LOST: Severity.WARNING,
}
"""Severity of each plain event. A finding that opens is an event of its own code and severity; the turns of
an incident have the severity that it has for the business then (``business``), its end is ``info``."""

TURNS = frozenset(
    {
        Code.INCIDENT_OPENED,
        Code.INCIDENT_CAUSE,
        Code.INCIDENT_SEVERITY,
        Code.INCIDENT_REMINDER,
        Code.INCIDENT_CLOSED,
    }
)
"""The turns of an incident. Each of them is an alert; nothing else that belongs to an incident is."""

STANDING = frozenset(
    code
    for code, entry in FINDINGS.items()
    if not entry.incident and entry.severity in (Severity.WARNING, Severity.ALERT)
)
"""Conditions beside incidents that a person must see to. Their beginning and their end are alerts."""
