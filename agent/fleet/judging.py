"""Where one site stands, and why: a pure function of what was heard of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from agent.core.codes import Code, Severity
from agent.core.snapshot_types import Health, Phase
from agent.fleet.reading import Box, Finding, SiteState, Uplink
from agent.fleet.record import CLOCK_WRONG_S, Moment, Place, Record
from agent.fleet.silence import allowed_s

_GRAVE = (Severity.WARNING, Severity.ALERT)


class Standing(IntEnum):
    """Where a site stands; the lowest is the worst."""

    SILENT = 0
    UNREADABLE = 1
    NO_INTERNET = 2
    ALERT = 3
    LOST = 4
    """Away, but not for longer than a restart takes."""
    WARNING = 5
    HELD = 6
    """Well, but nothing would be restarted by itself."""
    WELL = 7

    @property
    def word(self) -> str:
        """As it stands in JSON and performance data."""
        return self.name.lower()


class Why(StrEnum):
    """What a standing rests on that is not a finding of the site's own."""

    OFFLINE = "offline"
    STOPPED = "stopped"
    STANDS_STILL = "stands_still"
    NO_STATE = "no_state"
    GONE = "gone"
    NEVER_SEEN = "never_seen"
    UNREADABLE = "unreadable"
    NO_UPLINK = "no_uplink"
    FINDING = "finding"
    UPLINK_DOWN = "uplink_down"
    CLOCK_WRONG = "clock_wrong"
    SCHEMA_NEWER = "schema_newer"
    HELD = "held"
    UNARMED = "unarmed"
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Site:
    """One site, judged.

    Attributes:
        place: its topics.
        label: its name for people; its slug while it never said one.
        standing: where it stands.
        why: what that rests on.
        detail: to ``why``: what cannot be read, or why nothing is restarted.
        since_s: for how long it has stood so; None where nobody knows.
        lived_s: since the last certain sign of life; None where nobody knows.
        online: what ``availability`` says.
        finding: what is worst there, or at least worth a word.
        clock_off_s: how far its clock is behind ours; None while it is right, or not known.
        hold_left_s: for how long a person still withholds restarts.
        state: what it said last.
    """

    place: Place
    label: str
    standing: Standing
    why: Why
    detail: str = ""
    since_s: float | None = None
    lived_s: float | None = None
    online: bool | None = None
    finding: Finding | None = None
    clock_off_s: float | None = None
    hold_left_s: float | None = None
    state: SiteState | None = None

    @property
    def is_current(self) -> bool:
        """What it said last is still worth showing as the present."""
        return self.standing > Standing.UNREADABLE and self.standing is not Standing.LOST

    @property
    def uplinks(self) -> tuple[Uplink, ...]:
        """Its ways to the internet, as it said last."""
        return () if self.state is None else self.state.uplinks

    @property
    def restarting(self) -> tuple[Box, ...]:
        """Boxes in a power cycle."""
        boxes = () if self.state is None or not self.is_current else self.state.boxes
        return tuple(box for box in boxes if box.phase is not Phase.POWERED)


def judge(record: Record, now: Moment, patience_s: float) -> Site:
    """Where the site stands now.

    Args:
        record: what was heard.
        now: this machine's clocks.
        patience_s: how long a site may be away before it counts as silent.
    """
    state = record.state
    standing, why, detail, since_s, finding = _verdict(record, now, patience_s)
    off_s = record.clock_off_s
    hold_until = None if state is None else _age_s(record, state, state.hold_until, now)
    return Site(
        place=record.place,
        label=(state.label if state is not None else "") or record.place.slug,
        standing=standing,
        why=why,
        detail=detail,
        since_s=None if since_s is None else max(0.0, since_s),
        lived_s=None if record.lived_at is None else max(0.0, now.mono - record.lived_at),
        online=record.online,
        finding=finding,
        clock_off_s=off_s if off_s is not None and abs(off_s) > CLOCK_WRONG_S else None,
        hold_left_s=-hold_until if hold_until is not None and hold_until < 0 else None,
        state=state,
    )


_Verdict = tuple[Standing, Why, str, float | None, Finding | None]


def _verdict(record: Record, now: Moment, patience_s: float) -> _Verdict:
    if (silent := _silence(record, now, patience_s)) is not None:
        return silent
    state = record.state
    if record.fault is not None or state is None:
        return Standing.UNREADABLE, Why.UNREADABLE, record.fault or "", None, None
    finding = _worst(state)
    since_s = _age_s(record, state, state.incident_since or (finding.since if finding else None), now)
    if _is_cut_off(state):
        return Standing.NO_INTERNET, Why.FINDING if finding else Why.NO_UPLINK, "", since_s, finding
    gravity = _severity(state, finding)
    if gravity is Severity.ALERT:
        return Standing.ALERT, Why.FINDING if finding else Why.NO_UPLINK, "", since_s, finding
    if gravity is Severity.WARNING:
        return Standing.WARNING, Why.FINDING if finding else Why.UPLINK_DOWN, "", since_s, finding
    return _calm(record, state, now, finding)


def _silence(record: Record, now: Moment, patience_s: float) -> _Verdict | None:
    """Why nothing that it said is the present; None if it is."""
    if record.heard_at is None:
        return Standing.SILENT, Why.NEVER_SEEN, "", None, None
    quiet_s = None if record.lived_at is None else now.mono - record.lived_at
    if record.gone:
        return Standing.SILENT, Why.GONE, "", quiet_s, None
    # A site whose clock does not tell when it spoke is judged by when its message came.
    is_long = now.mono - (record.heard_at if record.lived_at is None else record.lived_at) > allowed_s(
        record, patience_s
    )
    if record.online is False:
        # Nobody knows since when: it may be days, so it is not taken for a moment.
        standing = Standing.SILENT if is_long or quiet_s is None else Standing.LOST
        return standing, Why.STOPPED if record.stopped else Why.OFFLINE, "", quiet_s, None
    if record.state is None and record.fault is None:
        is_long = now.mono - record.heard_at > patience_s
        return Standing.SILENT if is_long else Standing.LOST, Why.NO_STATE, "", quiet_s, None
    if is_long:
        return Standing.SILENT, Why.STANDS_STILL, "", quiet_s, None
    return None


def _calm(record: Record, state: SiteState, now: Moment, finding: Finding | None) -> _Verdict:
    """A site that is well by its own account."""
    if any(uplink.health is Health.DOWN for uplink in state.uplinks):
        return Standing.WARNING, Why.FINDING if finding else Why.UPLINK_DOWN, "", None, finding
    if record.clock_off_s is not None and abs(record.clock_off_s) > CLOCK_WRONG_S:
        return Standing.WARNING, Why.CLOCK_WRONG, "", None, finding
    if state.is_newer:
        return Standing.WARNING, Why.SCHEMA_NEWER, str(state.schema), None, finding
    hold = _age_s(record, state, state.hold_until, now)
    if hold is not None and hold < 0:
        return Standing.HELD, Why.HELD, "", None, finding
    if not state.armed:
        return Standing.HELD, Why.UNARMED, state.unarmed_why or "", None, finding
    since_s = _age_s(record, state, finding.since, now) if finding else None
    return Standing.WELL, Why.FINDING if finding else Why.WELL, "", since_s, finding


def _worst(state: SiteState) -> Finding | None:
    """The first of the gravest findings; the site names the most important first."""
    for gravity in (Severity.ALERT, Severity.WARNING, Severity.INFO):
        for finding in state.findings:
            if finding.severity is gravity:
                return finding
    return None


def _severity(state: SiteState, finding: Finding | None) -> Severity:
    """How grave it is for people; an open incident is never less than a warning."""
    found = [finding.severity] if finding is not None else []
    if state.incident is not None:
        found.append(state.incident_severity or Severity.WARNING)
    return max((one for one in found if one in _GRAVE), key=_GRAVE.index, default=Severity.INFO)


def _is_cut_off(state: SiteState) -> bool:
    """It has no internet by its own account; its messages must leave by some way that it does not watch."""
    if state.headline in (Code.EVERYTHING_DOWN, Code.BAY_DARK):
        return True
    return bool(state.uplinks) and all(uplink.health is Health.DOWN for uplink in state.uplinks)


def _age_s(record: Record, state: SiteState, instant: float | None, now: Moment) -> float | None:
    """How long ago an instant of the site's own clock was; below 0: it is to come.

    Only its differences count, so a wrong clock does no harm.
    """
    return None if instant is None else (state.at - instant) + (now.mono - record.state_at)
